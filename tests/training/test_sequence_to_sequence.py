"""Sequence to sequence: its questions, its loss, its figures, and whole runs on small pairs."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.small_runs import books
from tests.training.small_runs import recipe as decoder_recipe
from tests.training.small_runs import trainer as decoder_trainer
from torch import Tensor, nn

import vitral
from vitral.data.pairs import pair_marks
from vitral.data.spanish_numbers import number_in_digits, number_in_words
from vitral.errors import VitralError
from vitral.training.objectives.batch import IGNORED
from vitral.training.objectives.sequence_to_sequence import SequenceToSequence, answers
from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.preparation.pair_preparation import PreparedPairs, prepare_pairs
from vitral.training.recipes.recipe import Recipe
from vitral.training.trainer import Trainer
from vitral.training.watching.watcher import Evaluated, Watcher

RECURRENT = {"form": "recurrent_sequence_to_sequence", "hidden_size": 24, "context": 64}
SHAPES: dict[str, dict[str, Any]] = {
    "none": RECURRENT | {"attention": "none"},
    "additive": RECURRENT | {"attention": "additive", "cell": "gru"},
    "general": RECURRENT | {"attention": "general", "num_layers": 2, "cell": "rnn"},
    "transformer": {
        "form": "transformer",
        "hidden_size": 24,
        "num_layers": 1,
        "num_heads": 2,
        "intermediate_size": 32,
        "context": 64,
    },
}


def recipe(shape: str = "general", **changes: Any) -> Recipe:
    """Numbers of up to three digits, forty pairs a step."""
    entries: dict[str, Any] = {
        "name": "numeros",
        "model": SHAPES[shape] | changes.pop("model", {}),
        "tokenizer": {"kind": "character"},
        "data": {
            "pairs": {"generated": ["spanish_numbers"], "digits": 3, "count": 1000},
            "held_out": 0.2,
        },
        "batch": {"tokens": 400},
        "optimizer": {"kind": "adamw", "rate": 0.005},
        "steps": 8,
        "evaluate_every": 4,
    }
    return Recipe.model_validate(entries | changes)


def prepared(made: Recipe, out: Path, *sources: Path) -> PreparedPairs:
    found = prepare(made, list(sources), out)
    assert isinstance(found, PreparedPairs)
    return found


def objective(made: Recipe, found: PreparedPairs) -> SequenceToSequence:
    return SequenceToSequence(made, found.pairs, found.tokenizer, found.held_out)


def test_questions_are_the_targets_one_place_on(tmp_path: Path) -> None:
    made = recipe()
    found = prepared(made, tmp_path)
    asked = objective(made, found)
    marks = pair_marks(found.tokenizer)
    for step in (0, 3):
        batch = asked.batch(step)
        read, decoder, mask = (batch.inputs[n] for n in ("ids", "decoder_ids", "attention_mask"))
        assert bool((decoder[:, 0] == marks["decoder_start_token_id"]).all())
        kept = batch.targets != IGNORED
        assert bool((decoder[:, 1:] == batch.targets[:, :-1])[kept[:, 1:]].all())
        assert bool((mask.bool() == (read != marks["pad_token_id"])).all())
        for row in range(batch.num_rows):
            answer = batch.targets[row][kept[row]].tolist()
            assert answer[-1] == marks["eos_token_id"]
            number = int(found.tokenizer.decode(read[row].tolist()))
            assert found.tokenizer.decode(answer) == number_in_words(number)
        again = objective(made, found).batch(step)
        assert torch.equal(again.targets, batch.targets)
    assert asked.batch(1).num_asked == int((asked.batch(1).targets != IGNORED).sum())


@pytest.mark.parametrize("shape", SHAPES)
def test_padding_changes_no_loss(shape: str, tmp_path: Path) -> None:
    made = recipe(shape)
    found = prepared(made, tmp_path)
    asked = objective(made, found)
    model = Trainer(made, found, tmp_path / "run").model.eval()
    loss = asked.loss(model)
    batch = asked.batch(2)
    assert batch.num_rows > 5
    assert int((batch.targets == IGNORED).sum()) > 5
    together = loss(**batch.inputs, targets=batch.targets)
    alone = 0.0
    for row in range(batch.num_rows):
        one = batch.rows(row, row + 1)
        size, read = one.num_asked, int(one.inputs["attention_mask"].sum())
        alone += float(
            loss(
                one.inputs["ids"][:, :read],
                one.inputs["decoder_ids"][:, :size],
                one.targets[:, :size],
            ).detach()
        )
    assert float(together.detach()) == pytest.approx(alone, rel=1e-5)


class KnowsAll(nn.Module):
    """A stand-in that answers from a list; `slip` gives the wrong token at that place."""

    def __init__(self, found: PreparedPairs, slip: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.found, self.slip = found, slip
        self.right = {pair.source: pair.target for pair in found.held_out}

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        sources = self.found.tokenizer.decode_batch(ids.tolist())
        end = self.found.tokenizer.token_to_id("</s>")
        rows = torch.full((len(sources), 64), end)
        for row, source in zip(rows, sources, strict=True):
            target = self.found.tokenizer.encode(self.right[source]).ids
            row[: len(target)] = torch.tensor(target)
        return rows

    def new_cache(self) -> list[int]:
        return [0]

    def decode(self, ids: Tensor, rows: Tensor, *rest: Any) -> Tensor:
        cache = rest[-1]
        wanted = rows[:, cache[0] : cache[0] + ids.shape[1]].clone()
        if self.slip is not None and cache[0] <= self.slip < cache[0] + ids.shape[1]:
            wanted[:, self.slip - cache[0]] = 0
        cache[0] += ids.shape[1]
        return 50.0 * nn.functional.one_hot(wanted, self.found.tokenizer.get_vocab_size()).float()

    def forward(self, ids: Tensor, decoder_ids: Tensor, mask: Tensor) -> Tensor:
        return self.decode(decoder_ids, self.encode(ids, mask), self.new_cache())


def test_figures_of_a_model_that_knows_all_and_of_one_that_slips(tmp_path: Path) -> None:
    made = recipe()
    found = prepared(made, tmp_path)
    asked = objective(made, found)
    figures = asked.held_out(KnowsAll(found))
    assert figures["held_out_loss"] == pytest.approx(0, abs=1e-9)
    assert (figures["token_accuracy"], figures["exact_match"]) == (1, 1)
    tokens = sum(len(pair.target) + 1 for pair in found.held_out)
    wrong = len(found.held_out) / tokens
    figures = asked.held_out(KnowsAll(found, slip=1))
    assert figures["token_accuracy"] == pytest.approx(1 - wrong)
    assert figures["held_out_loss"] == pytest.approx(50 * wrong, rel=1e-3)
    assert figures["exact_match"] == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_answers_are_those_of_the_slow_way(shape: str, tmp_path: Path) -> None:
    made = recipe(shape)
    found = prepared(made, tmp_path)
    model: Any = Trainer(made, found, tmp_path / "run").model.eval()
    sources = ["7", "345", "60"]
    fast = answers(model, found.tokenizer, sources, longest=12)
    marks = pair_marks(found.tokenizer)
    for source, answer in zip(sources, fast, strict=True):
        ids = torch.tensor([found.tokenizer.encode(source).ids])
        written = [marks["decoder_start_token_id"]]
        while len(written) < 13 and written[-1] != marks["eos_token_id"]:
            written.append(int(model(ids, torch.tensor([written]))[0, -1].argmax()))
        assert answer == found.tokenizer.decode(written)


class Notes(Watcher):
    def __init__(self) -> None:
        self.evaluations: list[Evaluated] = []

    def evaluated(self, event: Evaluated) -> None:
        self.evaluations.append(event)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_learns_and_leaves_a_model_that_opens(shape: str, tmp_path: Path) -> None:
    notes = Notes()
    made = recipe(shape, steps=60, evaluate_every=30)
    Trainer(made, prepared(made, tmp_path), tmp_path, watchers=[notes]).run()
    first, last = notes.evaluations
    assert last.figures["held_out_loss"] < first.figures["held_out_loss"] < 3.5
    assert 0.2 < last.figures["token_accuracy"] <= 1
    assert 0 <= last.figures["exact_match"] <= 1
    opened = vitral.load(tmp_path / "model")
    assert opened.kind == "encoder-decoder"
    assert opened.module.config.eos_token_id == opened.tokenizer.token_to_id("</s>")
    [answer] = answers(opened.module, opened.tokenizer, ["21"], longest=40)
    assert opened.generate("21", max_new_tokens=40) == answer


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    made = recipe("additive", model={"dropout": 0.1})

    def steps(out: Path, number: int) -> tuple[list[float], nn.Module]:
        run = Trainer(made, prepared(made, out), out)
        run.model.train()
        run.enter_phase()
        losses = [run.step() for _ in range(number)]
        run.save()
        return losses, run.model

    whole, one = steps(tmp_path / "whole", 5)
    first, _ = steps(tmp_path / "parts", 2)
    second, other = steps(tmp_path / "parts", 3)
    assert first + second == whole
    for (name, a), (_, b) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_numbers_held_out_are_never_trained_on(tmp_path: Path) -> None:
    found = prepared(recipe(), tmp_path)
    trained = {
        found.tokenizer.decode(found.pairs.source(n).tolist()) for n in range(len(found.pairs))
    }
    asked = {pair.source for pair in found.held_out}
    assert not trained & asked
    assert 0.12 < len(asked) / len(trained | asked) < 0.28
    assert all(pair.target == number_in_words(int(pair.source)) for pair in found.held_out)


def test_pairs_from_a_file_are_read_once(tmp_path: Path) -> None:
    path, out = tmp_path / "pares.tsv", tmp_path / "run"
    lines = [f"{number_in_digits(n)}\t{number_in_words(n)}\n" for n in range(300)]
    path.write_text("".join(lines), encoding="utf-8")
    made = recipe(data={"held_out": 0.1})
    first = prepared(made, out, path)
    assert len(first.pairs) + len(first.held_out) == 300
    path.unlink()
    again = prepared(made, out, path)
    assert again.fingerprint == first.fingerprint
    assert again.held_out == first.held_out
    other = prepared(recipe(seed=7), tmp_path / "other")
    assert other.fingerprint != first.fingerprint


def test_mistakes_with_pairs(tmp_path: Path) -> None:
    few = tmp_path / "few.tsv"
    few.write_text("1\tuno\n2\tdos\n", encoding="utf-8")
    long = tmp_path / "long.tsv"
    lines = [f"{n}\t{'uno ' * 40}\n" for n in range(30)]
    long.write_text("".join(lines), encoding="utf-8")
    from_files = recipe(data={"held_out": 0.3})
    for number, (made, sources, key) in enumerate(
        [
            (from_files, [], "pairs_missing"),
            (recipe(), [few], "pairs_and_sources"),
            (recipe(data={"held_out": 0.0001}), [few], "pairs_too_few"),
            (from_files, [long], "pair_too_long"),
        ]
    ):
        with pytest.raises(VitralError) as caught:
            prepare_pairs(made, sources, tmp_path / str(number))
        assert caught.value.key == key


def test_a_recipe_that_asks_for_what_pairs_have_not(tmp_path: Path) -> None:
    phase = {"objective": "sequence_to_sequence"}
    wrong = {
        "data.windows": {"data": {"windows": "anywhere"}},
        "batch.lengths": {"batch": {"lengths": [8]}},
        "data.held_out": {"data": {"held_out": ["uno"]}},
        "phases.0.teacher": {"phases": [phase | {"teacher": {"model": "m"}}]},
        "phases.0.num_layers": {"phases": [phase | {"num_layers": 1}]},
        "bidirectional": {"model": {"hidden_size": 25}},
    }
    for path, changes in wrong.items():
        with pytest.raises(ValueError, match=path.replace(".", r"\.")):
            recipe(**changes)
    with pytest.raises(ValueError, match=r"data\.pairs"):
        decoder_recipe("gpt2", data={"pairs": {"generated": ["spanish_dates"]}})
    whole = recipe().model_dump()
    assert Recipe.model_validate(json.loads(json.dumps(whole))) == recipe()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_recurrent_decoder_learns(cell: str, tmp_path: Path) -> None:
    entries = decoder_recipe("gpt2", steps=40, evaluate_every=20).model_dump()
    shape = {"form": "recurrent", "cell": cell, "hidden_size": 24, "context": 16}
    made = Recipe.model_validate(entries | {"model": shape})
    notes = Notes()
    run = decoder_trainer(made, books(tmp_path / "books"), tmp_path / "run", watchers=[notes])
    run.run()
    losses = [evaluation.figures["held_out_loss"] for evaluation in notes.evaluations]
    assert losses[1] < losses[0]
    assert vitral.load(tmp_path / "run" / "model").kind == "decoder"


@pytest.mark.parametrize("shape", ["additive", "transformer"])
def test_what_is_no_number_is_named_with_its_address(shape: str, tmp_path: Path) -> None:
    made = recipe(shape)
    run = Trainer(made, prepared(made, tmp_path), tmp_path)
    run.enter_phase()
    with torch.no_grad():
        run.model.get_parameter("head.bias")[3] = torch.inf
    with pytest.raises(VitralError) as caught:
        run.step()
    assert caught.value.key == "training_not_finite"
    assert caught.value.values["address"] == "head.bias"
    with torch.no_grad():
        run.model.get_parameter("head.bias")[3] = 0
        for name, weight in run.model.named_parameters():
            if name.startswith("decoder.layers.0.cross_attention"):
                weight.fill_(3e38)
    with pytest.raises(VitralError) as caught:
        run.step()
    assert "decoder.layers.0" in str(caught.value.values["address"])
