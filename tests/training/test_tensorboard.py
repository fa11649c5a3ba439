"""The curve in TensorBoard's own files."""

from pathlib import Path
from typing import Any

import pytest
from tests.training.word_runs import prepared, recipe

from vitral.training.trainer import Trainer
from vitral.training.watching.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="the extra [train] is not installed")


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard itself reads in the folder: step and value, by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader: Any = EventAccumulator(str(folder))
    reader.Reload()
    names = reader.Tags()["scalars"]
    return {name: [(e.step, e.value) for e in reader.Scalars(name)] for name in names}


def test_a_run_that_goes_on_is_one_curve(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    class Dies(TensorBoard):
        """Writes, and dies after step 8, which no checkpoint has seen."""

        def stepped(self, event: Any) -> None:
            super().stepped(event)
            if event.step == 8:
                self._writer.flush()
                raise KilledError

    board: Any = Dies(tmp_path)
    run = Trainer(recipe("llama"), prepared(), tmp_path, watchers=[board])
    run.model.train()
    for _ in range(6):
        run.enter_phase()
        run.step()
    run.save()
    with pytest.raises(KilledError):
        run.run()
    watcher = TensorBoard(tmp_path)
    again = Trainer(recipe("llama"), prepared(), tmp_path, watchers=[watcher])
    assert again.state["step"] == 6
    assert again.run()
    found = scalars(tmp_path / "tensorboard")
    assert [step for step, _ in found["training/loss"]] == [7, 8, 9, 10]
    assert [step for step, _ in found["held out/held_out_loss"]] == [10]
    assert {"gradients/all", "gradients/layers.1", "training/rate"} <= set(found)
