"""What a run looks like in a terminal, and where there is none."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from vitral.training.watching.terminal import Terminal, duration
from vitral.training.watching.watcher import Evaluated, Stepped


def step(number: int, loss: float = 4.0) -> Stepped:
    return Stepped(
        step=number,
        progress=number / 100,
        loss=loss,
        rate=0.64,
        gradient_norm=1.0,
        tokens=1000 * number,
        seconds=0.5,
        minutes=number / 120,
    )


def look(number: int, **figures: float) -> Evaluated:
    return Evaluated(
        step=number,
        progress=number / 100,
        tokens=1000 * number,
        minutes=number / 120,
        loss=4.0,
        objective="next_token",
        figures={"held_out_loss": 4.2} | figures,
        sample="En un lugar\nde la  Mancha" if "bits_per_byte" in figures else None,
    )


def shown(language: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> tuple[str, str]:
    """What is shown while it runs, and all that was written to the console at the end."""
    monkeypatch.setenv("VITRAL_LANGUAGE", language)
    file = io.StringIO()
    console = Console(
        file=file, width=90, force_terminal=terminal, highlight=False, color_system=None
    )
    with Terminal(console, "cpu") as watcher:
        watcher.started("libro", 3_400_000, 20)
        watcher.noticed("¡Atención!")
        for number in range(21, 26):
            watcher.stepped(step(number))
        moving = Console(file=io.StringIO(), width=90, color_system=None)
        moving.print(watcher._moving())
        watcher.evaluated(look(25, bits_per_byte=1.913))
        watcher.evaluated(look(25, masked_accuracy=0.25))
        watcher.stopped(25)
    assert isinstance(moving.file, io.StringIO)
    return moving.file.getvalue(), file.getvalue()


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    _, text = shown("es", monkeypatch, terminal=False)
    lines = text.splitlines()
    assert lines[:3] == [
        "libro  3,4 M parámetros · cpu",
        "Se reanuda desde el paso 20.",
        "¡Atención!",
    ]
    assert lines[3].startswith(
        "paso     25    25 %   pérdida 4,000   validación 4,200   1,913 bits/"
    )
    assert "quedan" in lines[3]
    assert lines[4] == "   «En un lugar de la Mancha»"
    assert "25,0 % de aciertos" in lines[5]
    assert "\x1b" not in text
    assert len(lines) == 6


def test_the_moving_part_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    moving, text = shown("en", monkeypatch, terminal=True)
    bar, numbers = moving.splitlines()
    assert set(bar) <= set("━╸╺ ")
    assert numbers.startswith("step 25 · loss 4.000 · 2,000 tokens/s · rate 64 % · ")
    assert numbers.rstrip().endswith("left")
    assert "\x1b[?25h" in text  # the cursor is shown again
    assert "«En un lugar de la Mancha»" in text


def test_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRAL_LANGUAGE", "es")
    console = Console(file=io.StringIO(), width=60, force_terminal=True)
    with Terminal(console, "cpu") as watcher:
        watcher.started("x", 999, 0)
        assert str(watcher._moving()) == "El primer paso…"
        watcher.ended(Path("x"))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min"), (348, "5 min 48 s"), (3600, "1 h"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
