"""One sentence watched during training: its attention, recorded as it forms.

`watched/` in the run's folder holds `text.json` (the sentence and its tokens) and, for each step
that was recorded, `step-00000096.safetensors` with every head's exact weights, `patterns`
[layers, heads, tokens, tokens] in float32.

Attention forms early, often within a few dozen steps. So the sentence is recorded before the
first step, then at steps 1, 2, 3, 4, 6, 8, 12, 16, 24, … (two to each doubling), and whenever
the model is evaluated. It costs one forward pass over a single sentence each time. What is kept is
bounded: past `MOST_BYTES` every second of the later half of the steps is dropped.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from vitral.errors import VitralError
from vitral.tracing import Trace
from vitral.training.runs.durable import write_file
from vitral.training.watching.watched_files import FOLDER, TEXT, step_path, steps_in
from vitral.training.watching.watcher import Watcher

LONGEST = 96
"""The most tokens of a watched sentence."""

MOST_BYTES = 96 * 2**20
"""The most that one run's watched patterns take, in bytes."""

LEAST_KEPT = 8


def is_due(step: int) -> bool:
    """Whether the sentence is recorded after that step, in addition to evaluations.

    >>> [step for step in range(50) if is_due(step)]
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48]
    """
    while step > 3 and step % 2 == 0:
        step //= 2
    return step <= 3


class WatchedText(Watcher):
    """Records the attention of a sentence, as `trace` finds it in the current model.

    `leads` is False in the processes of a distributed run that only take part in the computation.
    Raises `watched_too_long` for a sentence of more than `LONGEST` tokens, `watch_unwritten` if
    it cannot be written.
    """

    def __init__(
        self, out: Path, trace: Callable[[nn.Module], Trace], *, leads: bool = True
    ) -> None:
        self.folder, self._trace, self._leads = out / FOLDER, trace, leads

    def started(self, name: str, num_parameters: int, step: int) -> None:
        """Drop what was recorded after the checkpoint that the run resumes from."""
        for path in steps_in(self.folder, after=step):
            path.unlink(missing_ok=True)

    def record(self, model: nn.Module, step: int) -> None:
        """Record the sentence's attention after so many steps; `model` is in eval mode."""
        trace = self._trace(model)
        if len(trace.tokens) > LONGEST:
            raise VitralError("watched_too_long", length=len(trace.tokens), limit=LONGEST)
        if not self._leads:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write_text(trace)
            patterns_LHNN = torch.stack(
                [
                    torch.stack([trace.attention(layer, head) for head in range(trace.num_heads)])
                    for layer in range(trace.num_layers)
                ]
            )
            path = step_path(self.folder, step)
            new = path.with_suffix(".new")
            new.write_bytes(save({"patterns": patterns_LHNN.float().contiguous()}))
            new.replace(path)
            self._thin_out()
        except OSError as error:
            reason = error.strerror or str(error)
            raise VitralError("watch_unwritten", folder=self.folder, reason=reason) from error

    def _write_text(self, trace: Trace) -> None:
        tokens = [token.entries() for token in trace.tokens]
        entries = {"text": trace.text, "causal": trace.causal, "tokens": tokens}
        said = json.dumps(entries, ensure_ascii=False)
        path = self.folder / TEXT
        if not path.exists() or path.read_text(encoding="utf-8") != said:
            write_file(path, said)

    def _thin_out(self) -> None:
        """Drop every second of the later steps while all of them need too much space; the first
        ones, where most changes, and the last one stay."""
        while True:
            paths = steps_in(self.folder)
            if len(paths) <= LEAST_KEPT or sum(p.stat().st_size for p in paths) <= MOST_BYTES:
                return
            for path in paths[len(paths) // 2 : -1 : 2]:
                path.unlink()
