"""A pass over a long pattern that is wanted no more ends within one block."""

from pathlib import Path

import pytest

import vitral
from vitral.stopping import Stop, Stopped
from vitral.tracing.attention import blocked_pass


def test_it_ends_within_a_row_of_blocks(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 300,000 tokens one row of blocks takes half a minute: the stop is heeded inside."""
    trace = vitral.load(str(llama_folder)).trace("el gato " * 20)
    record = next(iter(trace.layers().values()))
    monkeypatch.setattr(blocked_pass, "BLOCK", (256, 4))
    stop, filled = Stop(), 0
    fill = blocked_pass._Pass._fill

    def counting(self: object, *args: object) -> object:
        nonlocal filled
        filled += 1
        stop.ask()
        return fill(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(blocked_pass._Pass, "_fill", counting)
    with stop.heeded(), pytest.raises(Stopped):
        blocked_pass.measure(record)
    assert filled == trace.num_heads
