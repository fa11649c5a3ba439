"""The curve: what is written, and how it is cut where a run goes on."""

import json
import math
from pathlib import Path

import pytest
from tests.training.word_runs import prepared, recipe

from vitral.errors import VitralError
from vitral.training.optimization.gradients import gradient_norms
from vitral.training.runs.curve import Curve, read_curve
from vitral.training.trainer import GRADIENTS_EVERY, Trainer
from vitral.training.watching.watcher import Stepped


def test_a_run_leaves_a_line_for_each_look_and_each_step(tmp_path: Path) -> None:
    run = Trainer(
        recipe("llama"),
        prepared(),
        tmp_path,
        write_sample=lambda model, step: f"w1 w2 {step}",
    )
    run.run()
    looks, steps = read_curve(tmp_path / "curve.jsonl"), read_curve(tmp_path / "steps.jsonl")
    assert [look["step"] for look in looks] == [5, 10]
    assert [look["sample"] for look in looks] == ["w1 w2 5", "w1 w2 10"]
    assert [step["step"] for step in steps] == list(range(1, 11))
    mean = sum(step["loss"] for step in steps[:5]) / 5
    assert looks[0]["loss"] == pytest.approx(mean, abs=1e-5)
    measured = {step["step"]: step.get("gradient_norms") for step in steps}
    assert [step for step, norms in measured.items() if norms] == [GRADIENTS_EVERY]
    norms = measured[GRADIENTS_EVERY]
    assert list(norms) == ["embed", "layers.0", "layers.1", "norm"]
    whole = sum(norm**2 for norm in norms.values()) ** 0.5
    assert whole == pytest.approx(steps[GRADIENTS_EVERY - 1]["gradient_norm"], rel=1e-4)


def test_a_norm_that_overflowed_is_null_for_json_knows_no_infinity() -> None:
    event = Stepped(3, 0.5, 1.25, 1.0, math.inf, 64, 0.1, 0.2, {"embed": math.nan, "norm": 2.0})
    line = json.loads(json.dumps(event.line(), allow_nan=False))
    assert line["gradient_norm"] is None
    assert line["gradient_norms"] == {"embed": None, "norm": 2.0}


def test_gradients_of_a_model_without_any(tmp_path: Path) -> None:
    assert gradient_norms(Trainer(recipe("bert"), prepared(), tmp_path).model) == {}


def test_lines_after_the_checkpoint_are_cut(tmp_path: Path) -> None:
    lines = [json.dumps({"step": step, "word": "niño"}, ensure_ascii=False) for step in range(5)]
    path = tmp_path / "curve.jsonl"
    path.write_text("\n".join(lines) + '\n{"step": 5, "wo', encoding="utf-8")
    curve = Curve(tmp_path)
    curve.started("x", 1, 3)
    curve.stopped(3)
    assert path.read_text(encoding="utf-8") == "\n".join(lines[:4]) + "\n"
    assert (tmp_path / "steps.jsonl").read_text(encoding="utf-8") == ""


def test_a_curve_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(VitralError) as caught:
        Curve(tmp_path / "run").started("x", 1, 0)
    assert caught.value.key == "curve_unwritten"


def test_a_run_that_was_stopped_leaves_the_curve_of_one_that_was_not(tmp_path: Path) -> None:
    for folder in ("whole", "parts"):
        run = Trainer(recipe("bert"), prepared(), tmp_path / folder)
        if folder == "parts":
            run.watchers = [*run.watchers, StopAt(run, 3)]
            assert not run.run()
            assert run.state["step"] == 3
            run = Trainer(recipe("bert"), prepared(), tmp_path / folder)
        assert run.run()
    for name in ("curve.jsonl", "steps.jsonl"):
        whole, parts = (read_curve(tmp_path / folder / name) for folder in ("whole", "parts"))
        for entry in (*whole, *parts):
            entry.pop("minutes", None)
            entry.pop("seconds", None)
        assert whole == parts


class StopAt(Curve):
    """Asks the trainer to stop when a step is done."""

    def __init__(self, run: Trainer, step: int) -> None:
        super().__init__(Path("/nonexistent"))
        self.run, self.step = run, step

    def started(self, name: str, num_parameters: int, step: int) -> None:
        return None

    def stepped(self, event: object) -> None:
        if getattr(event, "step", 0) == self.step:
            self.run.stop()
