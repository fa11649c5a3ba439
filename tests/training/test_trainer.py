"""A very small run on a very small corpus, from books to a folder that opens."""

import math
import shutil
from pathlib import Path

import pytest
import torch
from tests.training.small_runs import books, recipe, trainer

import vitral
from vitral.errors import VitralError
from vitral.training.recipes.shapes import ENCODERS
from vitral.training.watching.watcher import Evaluated, Stepped, Watcher


class Notes(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.evaluations: list[Evaluated] = []
        self.steps: list[Stepped] = []

    def evaluated(self, event: Evaluated) -> None:
        self.evaluations.append(event)

    def stepped(self, event: Stepped) -> None:
        self.steps.append(event)


@pytest.mark.parametrize("form", ["llama", "gpt2", "bert", "roberta", "albert", "modernbert"])
def test_a_run_learns_and_leaves_a_model_that_opens(form: str, tmp_path: Path) -> None:
    notes = Notes()
    encoder = form in ENCODERS
    # An encoder sees one question in seven tokens, so it is asked for longer.
    made = recipe(form, steps=150 if encoder else 60, evaluate_every=50 if encoder else 20)
    run = trainer(made, books(tmp_path / "books"), tmp_path / "run", watchers=[notes])
    run.run()
    assert [evaluation.step for evaluation in notes.evaluations] == (
        [50, 100, 150] if encoder else [20, 40, 60]
    )
    assert notes.evaluations[-1].loss < notes.evaluations[0].loss - (0.1 if encoder else 0.5)
    held_out = [evaluation.figures["held_out_loss"] for evaluation in notes.evaluations]
    # An encoder learns these two sentences by their places, which held-out windows shift.
    assert math.isfinite(held_out[-1]) if encoder else held_out[-1] < held_out[0]
    measured = "masked_accuracy" if encoder else "bits_per_byte"
    assert notes.evaluations[-1].figures[measured] > 0
    assert [event.step for event in notes.steps] == list(range(1, made.steps + 1))
    assert notes.steps[-1].progress == 1
    assert all(event.gradient_norm > 0 and event.seconds > 0 for event in notes.steps)
    opened = vitral.load(tmp_path / "run" / "model")
    assert opened.kind == ("encoder" if encoder else "decoder")
    assert opened.trace("El perro huyó.").attention(layer=1, head=1).shape[0] > 3


@pytest.mark.parametrize("form", ["llama", "bert"])
def test_a_resumed_run_equals_an_uninterrupted_one(form: str, tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    made = recipe(form, model={"dropout": 0.1})

    def steps(out: Path, number: int) -> tuple[list[float], torch.nn.Module]:
        run = trainer(made, data, out)
        run.model.train()
        losses = []
        for _ in range(number):
            run.enter_phase()
            losses.append(run.step())
        run.save()
        return losses, run.model

    whole, one = steps(tmp_path / "whole", 6)
    # The trainers of tokenizers break ties differently from run to run: share the outcome.
    shutil.copytree(tmp_path / "whole", tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts" / "checkpoint")
    first, _ = steps(tmp_path / "parts", 2)
    torch.rand(3)  # whatever happens to the process's own random numbers
    second, other = steps(tmp_path / "parts", 4)
    assert first + second == whole
    for (name, a), (_, b) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_parts_of_a_step_give_the_step(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    losses = {}
    for parts in (1, 3):
        made = recipe("gpt2", batch={"tokens": 96, "lengths": [12], "parts": parts})
        run = trainer(made, data, tmp_path / f"run{parts}")
        if parts == 1:
            shutil.copy(tmp_path / "run1" / "tokenizer.json", tmp_path)
        run.enter_phase()
        losses[parts] = [run.step() for _ in range(4)]
        if parts == 1:
            (tmp_path / "run3").mkdir()
            shutil.copy(tmp_path / "tokenizer.json", tmp_path / "run3")
    assert losses[1] == pytest.approx(losses[3], abs=1e-4)


def test_a_run_grows_on_its_way_and_resumes_at_either_depth(tmp_path: Path) -> None:
    data, phase = books(tmp_path / "books"), {"objective": "masked_words"}
    made = recipe("bert", phases=[phase | {"num_layers": 1, "until": 0.5}, phase])
    first = trainer(made, data, tmp_path / "run")
    first.enter_phase()
    first.step()
    assert len(first.model.layers) == 1
    learned = first.optimizers[1].state[first.model.embed.tokens.weight]["exp_avg"].clone()
    first.state["step"] = 4
    first.save()
    second = trainer(made, data, tmp_path / "run")
    assert len(second.model.layers) == 1
    second.enter_phase()
    assert len(second.model.layers) == second.model.config.num_layers == 2
    kept = second.optimizers[1].state[second.model.embed.tokens.weight]["exp_avg"]
    assert torch.equal(kept, learned)
    second.step()
    second.save()
    third = trainer(made, data, tmp_path / "run")
    assert len(third.model.layers) == 2
    for a, b in zip(second.model.parameters(), third.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_run_of_minutes_ends_in_time(tmp_path: Path) -> None:
    notes = Notes()
    made = recipe("llama", minutes=0.02)
    run = trainer(made, books(tmp_path / "books"), tmp_path / "run", watchers=[notes])
    run.run()
    assert run.progress == 1
    assert 0.02 <= run.state["minutes"] < 0.03
    assert sum(event.seconds for event in notes.steps) == pytest.approx(60 * run.state["minutes"])


def test_a_run_can_go_on_from_a_finished_model(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    first = trainer(recipe("bert"), data, tmp_path / "first")
    first.run()
    folder = tmp_path / "first" / "model"
    second = trainer(recipe("bert"), data, tmp_path / "second", start=folder)
    assert second.prepared.tokenizer.to_str() == first.prepared.tokenizer.to_str()
    assert second.state["step"] == 0
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(VitralError) as caught:
        trainer(recipe("llama"), data, tmp_path / "third", start=folder)
    assert caught.value.key == "start_mismatch"


def test_a_student_comes_nearer_to_its_teacher(tmp_path: Path) -> None:
    data = books(tmp_path / "books")
    trainer(recipe("llama", steps=60), data, tmp_path / "teacher").run()
    folder = tmp_path / "teacher" / "model"
    phase = {"objective": "next_token"}
    distance = {}
    for share in (0.0, 1.0):
        teacher = {"model": str(folder), "share": share, "temperature": 2.0}
        made = recipe(
            "llama",
            model={"num_layers": 1},
            tokenizer={"kind": "teacher"},
            phases=[phase | {"teacher": teacher}],
        )
        run = trainer(made, data, tmp_path / f"student{share}")
        run.run()
        ids = torch.as_tensor(run.prepared.tokens.ids[:64].astype("int64"))[None, :16]
        with torch.no_grad():
            wanted = vitral.load(folder).module(ids).log_softmax(-1)
            found = run.model(ids).log_softmax(-1)
        distance[share] = float((wanted.exp() * (wanted - found)).sum(-1).mean())
    assert 0 < distance[1.0] < distance[0.0]


def test_a_teacher_of_other_words_is_refused_before_the_text_is_read(tmp_path: Path) -> None:
    """That of a phase which comes later as well."""
    data = books(tmp_path / "books")
    trainer(recipe("llama", steps=1), data, tmp_path / "teacher").run()
    teacher = {"model": str(tmp_path / "teacher" / "model")}
    phases = [
        {"objective": "next_token", "until": 0.5},
        {"objective": "next_token", "teacher": teacher},
    ]
    made = recipe("llama", tokenizer={"kind": "byte"}, phases=phases)
    with pytest.raises(VitralError) as caught:
        trainer(made, data, tmp_path / "student")
    assert caught.value.key == "teacher_other_words"
    assert not list((tmp_path / "student").glob("tokens*"))
