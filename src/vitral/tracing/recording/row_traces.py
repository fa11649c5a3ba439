"""Running rows of tokens through a model: those of one length together, each as if it were alone.

No row needs padding in this way, and so every model can read several: also one that takes no
mask, or that counts positions, pools or convolves over what is masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from vitral.tracing.editing.pattern_order import texts_run
from vitral.tracing.memory.store import Store
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.inputs import Batch, arguments, pad
from vitral.tracing.recording.reading_pairs import token_types
from vitral.tracing.recording.selection import Selection
from vitral.tracing.recording.virtual_tokens import Placed
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Row:
    """What a model reads as one sequence: its tokens, and those of its decoder (None where it has
    none of its own). `beside` is what else it is given of each token, by name: tensors [n, …]."""

    tokens: list[Token]
    decoder_tokens: list[Token] | None = None
    text: str | None = None
    beside: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[Any, ...]:
        """What rows have in common that are run together."""
        read = None if self.decoder_tokens is None else len(self.decoder_tokens)
        beside = tuple((name, tuple(each.shape)) for name, each in sorted(self.beside.items()))
        return len(self.tokens), read, beside


def traces_of_rows(
    module: nn.Module,
    rows: Sequence[Row],
    *,
    model: str,
    budget: int,
    same: Mapping[str, Any] | None = None,
    selection: Selection | None = None,
) -> list[Trace]:
    """A trace for each row; `same` is what all of them are given, by name, and `selection` the
    addresses that are recorded.

    Raises VitralError `inputs_unfit`, `tokens_unplaced`, and what `record` raises.
    """
    store = Store(budget)
    rows = [replace(row, beside={**token_types(module, row.tokens), **row.beside}) for row in rows]
    traces: dict[int, Trace] = {}
    for places in _of_one_shape(rows):
        together = [rows[place] for place in places]
        beside: dict[str, Any] = dict(same or {}) | {
            name: torch.stack([row.beside[name] for row in together]) for name in together[0].beside
        }
        batch, decoder = _ids([row.tokens for row in together]), None
        if together[0].decoder_tokens is not None:
            decoder = _ids([row.decoder_tokens or [] for row in together])
        args, named = arguments(module, batch, decoder, beside)
        token = texts_run.set((places, len(rows)))
        try:
            recording = record(module, args, named, store=store, selection=selection)
            placed = Placed.of(module, recording, batch, decoder, beside)
        finally:
            texts_run.reset(token)
        for index, place in enumerate(places):
            row = rows[place]
            traces[place] = recording.trace(
                index,
                model=model,
                text=row.text,
                tokens=placed.read(row.tokens),
                decoder_tokens=placed.written(row.decoder_tokens or []),
                keys=placed.keys(row.tokens, row.decoder_tokens or []),
            )
    return [traces[place] for place in range(len(rows))]


def _of_one_shape(rows: Sequence[Row]) -> list[list[int]]:
    """The places of the rows, those of one shape together."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row.shape, []).append(place)
    return list(groups.values())


def _ids(rows: Sequence[Sequence[Token]]) -> Batch:
    return pad([[token.id for token in row] for row in rows], 0)
