"""The memory and disk that a trace will need, estimated before it is taken.

A few tokens of the text are run first, and the size of their trace is measured: a trace grows
with the number of tokens, and so does everything that a forward pass holds at one time, except
masks, which are square. The measurement counts the tensors that are copied, so it works for any
model.

    needed in memory = the forward pass's own tensors + the part of the trace kept in memory
"""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.messages import message
from vitral.models.wrapped import model_inside
from vitral.tracing.maps import fine_maps
from vitral.tracing.maps.pooled_maps import LARGEST
from vitral.tracing.memory.byte_size import ByteSize, num_bytes
from vitral.tracing.memory.free_memory import free_memory
from vitral.tracing.memory.store import temporary_folder
from vitral.tracing.recording.inputs import Batch, arguments
from vitral.tracing.recording.recorder import BYTES_A_CELL, Recorder

BUDGET = 128_000_000
"""Bytes of a trace that stay in memory by default."""

LONG = 1024
"""Tokens (of all rows of a batch) from which on the cost is estimated."""

SAMPLE = 16
"""Tokens of each row that are run for the estimate."""

NUM_STATISTICS = 9
"""Numbers kept per row and head: those of `RowStatistics`, and the log-sum-exp."""

WORKING_COPIES = 5
"""How many tensors as wide as the widest value a model holds at one time: as GPT-2's GELU does."""


@dataclass(frozen=True)
class Forecast:
    """The cost of tracing some tokens, in bytes.

    `kept` is the size of the trace, `budget` how much of it may stay in memory, `working` what
    the forward pass needs in addition (without the weights, which are loaded already). `free` is
    the free memory, None if the system does not report it; `free_on_disk` the free space in
    `folder`.
    """

    num_tokens: int
    kept: int
    working: int
    quadratic: int  # the part of `working` that grows with the square of the number of tokens
    budget: int
    free: int | None
    free_on_disk: int
    folder: Path

    @property
    def in_memory(self) -> int:
        """The part of the trace that stays in memory."""
        return min(self.kept, self.budget)

    @property
    def on_disk(self) -> int:
        """The part of the trace that goes to a file."""
        return self.kept - self.in_memory

    @property
    def whole(self) -> int:
        """The memory needed with the whole trace in memory."""
        return self.working + self.kept

    @property
    def streaming(self) -> int:
        """The memory needed within the budget."""
        return self.working + self.in_memory

    def text(self, language: str | None = None) -> str:
        """All of this in one line."""
        sizes = {name: ByteSize(getattr(self, name)) for name in _SIZES}
        key = "cli.forecast_streaming" if self.on_disk else "cli.forecast"
        return message(key, language, folder=self.folder, num_tokens=self.num_tokens, **sizes)

    def check(self) -> None:
        """Raises VitralError if it cannot fit, with the size and what to do instead.

        `memory_short`: it does not fit even with the trace in a file. `memory_budget_short`: it
        does not fit with the budget in memory. `disk_short`: the file does not fit on its disk.
        """
        sizes: dict[str, Any] = {name: ByteSize(getattr(self, name)) for name in _SIZES}
        least = self.working + min(self.kept, BUDGET)
        if self.free is not None and min(least, self.streaming) > self.free:
            raise VitralError(
                "memory_short",
                needed=ByteSize(min(least, self.streaming)),
                free=ByteSize(self.free),
                num_tokens=self.num_tokens,
                fitting=self._fitting(self.free),
            )
        if self.free is not None and self.streaming > self.free:
            cheaper = ByteSize(BUDGET)
            free = ByteSize(self.free)
            raise VitralError(
                "memory_budget_short",
                needed=sizes["streaming"],
                free=free,
                cheaper=cheaper,
                least=ByteSize(least),
            )
        if self.on_disk > self.free_on_disk:
            raise VitralError(
                "disk_short",
                needed=sizes["on_disk"],
                free=ByteSize(self.free_on_disk),
                folder=str(self.folder),
                whole=sizes["whole"],
                kept=sizes["kept"],
            )

    def _fitting(self, free: int) -> int:
        """About how many tokens would fit, by bisection; rounded down to two figures."""

        def needed(num_tokens: int) -> float:
            share = num_tokens / self.num_tokens
            kept = min(self.kept * share, BUDGET)
            linear = self.working - self.quadratic
            return linear * share + self.quadratic * share**2 + kept

        low, high = 0, self.num_tokens
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if needed(middle) <= free else (low, middle)
        unit = int(10 ** max(0, len(str(low)) - 2))
        return low // unit * unit


_SIZES = ("kept", "working", "in_memory", "on_disk", "whole", "streaming")


def budget(memory: int | str | None) -> int:
    """How many bytes of a trace stay in memory: as given ("2 GB"), or by default `BUDGET`.

    Raises VitralError `size_unreadable`.
    """
    return BUDGET if memory is None else num_bytes(memory)


def forewarn(module: nn.Module, batch: Batch, decoder: Batch | None, budget: int) -> None:
    """Estimate a long text's cost, refuse what cannot fit, and log what goes to a file.

    The logger is Python's "vitral", which prints the line by default. Raises what
    `Forecast.check` raises.
    """
    if max(batch.ids.numel(), 0 if decoder is None else decoder.ids.numel()) < LONG:
        return
    forecast = foresee(module, batch, decoder, budget)
    forecast.check()
    if forecast.on_disk:
        logging.getLogger("vitral").warning(forecast.text())


def foresee(module: nn.Module, batch: Batch, decoder: Batch | None, budget: int) -> Forecast:
    """The forecast for a batch, by a recorded run of the first tokens of each row."""
    num_sequences, num_tokens = batch.ids.shape
    sample = _cut(batch, SAMPLE)
    share = share_of_decoder = num_tokens / sample.ids.shape[1]
    decoder_sample = None
    if decoder is not None:
        decoder_sample = _cut(decoder, SAMPLE)
        share_of_decoder = decoder.ids.shape[1] / decoder_sample.ids.shape[1]
    args, named = arguments(module, sample, decoder_sample)
    sizes: dict[int, int] = {}

    def notice(_: nn.Module, args: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            sizes[output.data_ptr()] = _size(output)

    with Recorder(module) as recorder:
        parts = [each for each in module.modules() if not list(each.children())]
        hooks = [each.register_forward_hook(notice) for each in parts]
        try:
            output = module(*args, **named)
        finally:
            for hook in hooks:
                hook.remove()

    def of_queries(address: str) -> float:
        return share_of_decoder if address.startswith("decoder.") else share

    kept = sum(_size(value) * of_queries(address) for address, value in recorder.values.items())
    for prefix, records in recorder.attentions.items():
        of_keys = share if prefix.endswith(".cross_attention") else of_queries(prefix)
        for each in records:
            own = _size(each.query) + _size(each.lse) * NUM_STATISTICS
            kept += own * of_queries(prefix) + (_size(each.key) + _size(each.value)) * of_keys
            sides = [
                min(LARGEST, round(each.num_queries * of_queries(prefix))),
                min(LARGEST, round(each.num_keys * of_keys)),
            ]
            kept += 2 * 4 * each.num_heads * sides[0] * sides[1]
            shape = round(each.num_queries * of_queries(prefix)), round(each.num_keys * of_keys)
            if fine_maps.are_kept(shape):
                cells = [fine_maps.num_cells(length, fine_maps.CELL) for length in shape]
                kept += 2 * 4 * each.num_heads * cells[0] * cells[1]
    longest = max(share, share_of_decoder)
    square = max(
        recorder.square_bytes * longest**2, _window_bytes(module, num_tokens) * num_sequences
    )
    results = _tensors(output)
    result = sum(map(_size, results)) * share_of_decoder
    for tensor in results:  # the head's, counted once by itself
        sizes.pop(tensor.data_ptr(), None)
    widest = max(sizes.values(), default=0)
    folder = temporary_folder()
    return Forecast(
        num_tokens * num_sequences,
        int(kept),
        int(WORKING_COPIES * widest * longest + result + square),
        int(square),
        budget,
        free_memory(),
        _free_on_disk(folder),
        folder,
    )


def _free_on_disk(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _cut(batch: Batch, length: int) -> Batch:
    """The first columns of a batch, at most `length`, none of them padding."""
    ids = batch.ids[:, :length]
    return Batch(ids, torch.ones_like(ids), ids.tolist())


def _window_bytes(module: nn.Module, num_tokens: int) -> int:
    """The mask that a model with a sliding window makes for a text longer than its window."""
    window = getattr(getattr(model_inside(module), "config", None), "sliding_window", None)
    return BYTES_A_CELL * num_tokens**2 if window and window < num_tokens else 0


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _tensors(output: Any) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    values = output.values() if hasattr(output, "values") else output
    return [each for each in values if isinstance(each, Tensor)]
