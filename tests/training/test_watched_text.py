"""A sentence watched while a model learns."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.word_runs import prepared, recipe

from vitral.cli.train_watch import watched_text
from vitral.errors import VitralError
from vitral.model import load
from vitral.training.recipes.mistakes import ContradictionError
from vitral.training.recipes.recipe import Recipe
from vitral.training.runs.curve import read_curve
from vitral.training.trainer import Trainer
from vitral.training.watching import watched_text as module
from vitral.training.watching.watched_files import read_patterns, read_watched, watched_steps
from vitral.training.watching.watched_text import is_due

SENTENCE = "w1 w2 w3 w4"


def run_of(out: Path, form: str = "llama", **changes: Any) -> Trainer:
    made = recipe(form, watch=SENTENCE, **changes)
    watched = watched_text(made, prepared(), out, leads=True)
    return Trainer(made, prepared(), out, watched=watched)


@pytest.mark.parametrize("form", ["llama", "bert"])
def test_the_last_step_is_what_the_finished_model_says(form: str, tmp_path: Path) -> None:
    run_of(tmp_path, form).run()
    steps = watched_steps(tmp_path)
    assert steps == [0, 1, 2, 3, 4, 5, 6, 8, 10]  # 5 and 10 are looks
    trace = load(tmp_path / "model").trace(SENTENCE)
    last = read_patterns(tmp_path, 10)
    for layer in range(trace.num_layers):
        for head in range(trace.num_heads):
            torch.testing.assert_close(
                last[layer, head], trace.attention(layer, head), atol=1e-6, rtol=0
            )
    assert (read_patterns(tmp_path, 0) - last).abs().max() > 1e-4  # it learned something
    text = read_watched(tmp_path)
    assert text is not None
    assert (text["text"], text["causal"]) == (SENTENCE, form == "llama")
    assert [token["text"] for token in text["tokens"]] == [t.text for t in trace.tokens]


def test_watching_changes_nothing(tmp_path: Path) -> None:
    run_of(tmp_path / "watched", model={"dropout": 0.1}).run()
    Trainer(recipe("llama", model={"dropout": 0.1}), prepared(), tmp_path / "not").run()
    weights = [load(tmp_path / name / "model").module.state_dict() for name in ("watched", "not")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not (tmp_path / "not" / "watched").exists()


def test_a_run_that_goes_on_leaves_no_steps_of_what_it_lost(tmp_path: Path) -> None:
    whole = run_of(tmp_path, checkpoint_minutes=60.0)
    whole.enter_phase()
    whole.step()
    whole.save()
    assert whole.watched is not None
    for step in (0, 1, 3, 8):
        whole.watched.record(whole.model.eval(), step)
    again = run_of(tmp_path, checkpoint_minutes=60.0)
    again.stop()
    assert not again.run()
    assert watched_steps(tmp_path) == [0, 1]
    assert run_of(tmp_path).run()
    assert watched_steps(tmp_path) == [0, 1, 2, 3, 4, 5, 6, 8, 10]
    assert [line["tokens"] > 0 for line in read_curve(tmp_path / "steps.jsonl")]


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(tmp_path)
    assert run.watched is not None
    run.watched.record(run.model.eval(), 0)
    size = next((tmp_path / "watched").glob("step-*")).stat().st_size
    monkeypatch.setattr(module, "MOST_BYTES", 20 * size)
    for step in range(1, 100):
        run.watched.record(run.model, step)
    steps = watched_steps(tmp_path)
    assert 10 <= len(steps) <= 20
    assert steps[:4] == [0, 1, 2, 3]
    assert steps[-1] == 99


def test_a_sentence_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "LONGEST", 3)
    with pytest.raises(VitralError) as caught:
        run_of(tmp_path).run()
    assert (caught.value.key, caught.value.values) == (
        "watched_too_long",
        {"length": 4, "limit": 3},
    )


@pytest.mark.parametrize("form", ["recurrent", "transformer", "recurrent_sequence_to_sequence"])
def test_forms_without_a_text_that_looks_at_itself_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match="no self-attention") as caught:
        Recipe.model_validate({"name": "x", "steps": 1, "model": {"form": form}, "watch": "a"})
    assert isinstance(caught.value.errors()[0]["ctx"]["error"], ContradictionError)  # type: ignore[attr-defined]


def test_a_step_that_was_not_kept_is_said(tmp_path: Path) -> None:
    with pytest.raises(VitralError) as caught:
        read_patterns(tmp_path, 7)
    assert caught.value.key == "watched_step_gone"
    assert read_watched(tmp_path) is None
    assert watched_steps(tmp_path) == []


def test_two_steps_to_each_doubling() -> None:
    due = [step for step in range(1, 2000) if is_due(step)]
    assert due[-3:] == [768, 1024, 1536]
    assert len(due) == 21
