"""A run in the terminal: a line for each evaluation and, in an interactive terminal, the current
step below.

    paso   200    40 %   pérdida 4.312   validación 4.420   1.913 bits/byte   quedan 5 min 48 s
    «En un lugar de la casa había…»
    ━━━━━━━━━━━━━━━━━━━━━━━╸━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    paso 212 · pérdida 4.298 · 6,204 tokens/s · tasa 64 % · quedan 5 min 31 s
"""

import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from vitral.messages import message
from vitral.training.watching.watcher import Evaluated, Stepped, Watcher

RECENT = 50
"""Over how many steps the current speed and loss are averaged."""

BITS, ACCURACY = "bits_per_byte", "masked_accuracy"


class Terminal(Watcher):
    """Shows a run on a console; used as a context, so that the moving part is removed at the end
    of the run, also after an error."""

    def __init__(self, console: Console, device: str) -> None:
        self.console, self.device = console, device
        self._live: Live | None = None
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=RECENT)
        self._since = time.monotonic()
        self._from: float | None = None
        self._now: Stepped | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._take_down()

    def say(self, text: str) -> None:
        """A line of its own, grey where there are colours."""
        self.console.print(Text(text, "dim"), soft_wrap=True)

    def started(self, name: str, num_parameters: int, step: int) -> None:
        size = _short(num_parameters)
        head = message("train.started", size=size, device=self.device)
        self.console.print(Text.assemble((name, "bold"), "  ", (head, "dim")))
        if step > 0:
            self.say(message("train.goes_on", step=step))
        self._since, self._from = time.monotonic(), None
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._moving,
                console=self.console,
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()

    def stepped(self, event: Stepped) -> None:
        before = self._now.tokens if self._now is not None else None
        if before is not None:
            self._recent.append((event.tokens - before, event.seconds, event.loss))
        if self._from is None:
            self._from = event.progress
            self._since = time.monotonic()
        self._now = event

    def evaluated(self, event: Evaluated) -> None:
        figures = event.figures
        parts = [
            message("train.step", step=f"{event.step:6d}"),
            f"{100 * event.progress:3.0f} %",
            message("train.loss", loss=f"{event.loss:.3f}"),
            message("train.held_out", loss=f"{figures['held_out_loss']:.3f}"),
        ]
        if BITS in figures:
            parts.append(message("train.bits_per_byte", bits=f"{figures[BITS]:.3f}"))
        if ACCURACY in figures:
            parts.append(message("train.accuracy", accuracy=f"{100 * figures[ACCURACY]:.1f} %"))
        parts.append(self._time_left())
        self.console.print(Text("   ".join(part for part in parts if part)), soft_wrap=True)
        if event.sample is not None:
            sample = " ".join(event.sample.split())
            whole = not self.console.is_terminal  # a file keeps its lines whole
            self.console.print(Text(f"   «{sample}»", "italic dim"), soft_wrap=whole)

    def noticed(self, line: str) -> None:
        self.console.print(Text(line, "yellow"), soft_wrap=True)

    def stopped(self, step: int) -> None:
        self._take_down()

    def failed(self) -> None:
        self._take_down()

    def ended(self, folder: Path) -> None:
        self._take_down()

    def _take_down(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _moving(self) -> RenderableType:
        """The current step."""
        now = self._now
        if now is None:
            return Text(message("train.first_step"), "dim")
        parts = [message("train.step", step=now.step)]
        if self._recent:
            tokens, seconds, losses = (sum(column) for column in zip(*self._recent, strict=True))
            parts.append(message("train.loss", loss=f"{losses / len(self._recent):.3f}"))
            speed = f"{tokens / max(seconds, 1e-9):,.0f}"
            parts.append(message("train.speed", speed=speed))
        parts.append(message("train.rate", rate=f"{100 * now.rate:.0f} %"))
        parts.append(self._time_left())
        bar = Padding(ProgressBar(total=1.0, completed=now.progress), 0)  # a line of its own
        return Group(bar, Text(" · ".join(part for part in parts if part), overflow="ellipsis"))

    def _time_left(self) -> str:
        """The remaining time, estimated from the speed since the start; "" at first."""
        now, gone = self._now, time.monotonic() - self._since
        if now is None or self._from is None or now.progress - self._from < 1e-6:
            return ""
        left = gone / (now.progress - self._from) * (1 - now.progress)
        return message("train.left", time=duration(left)) if now.progress < 1 else ""


def duration(seconds: float) -> str:
    """A duration as text: "48 s", "5 min 48 s", "2 h 5 min".

    >>> duration(348)
    '5 min 48 s'
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def _short(number: int) -> str:
    """A large number, short: "3.4 M".

    >>> _short(3_400_000), _short(4_321)
    ('3.4 M', '4.3 k')
    """
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return str(number)
