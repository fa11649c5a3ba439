"""From rows of ids to the arguments of a model's forward: padded batches and their masks."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.attention.visibility import Range


@dataclass(frozen=True)
class Batch:
    """Rows of ids, padded to one length: `ids` and `mask` [B, T], the mask 0 at padding.

    `rows` are the ids without the padding, `spans` their positions in each row. A row with
    padding in its middle is left whole.
    """

    ids: Tensor
    mask: Tensor
    rows: list[list[int]]
    spans: list[Range]


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> Batch:
    """A batch of rows of unequal length, padded at their ends."""
    longest = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return Batch(ids, mask, [list(row) for row in rows], [(0, len(row)) for row in rows])


def batch_of_ids(ids: Any, mask: Any, pad_id: int) -> tuple[Batch, bool]:
    """A batch from the user's ids, and whether they were a single row without a batch.

    `ids` is a row or rows of numbers, as lists, an array or a tensor; `mask` is 0 at padding.
    Raises VitralError `text_empty` for a row without ids, `ids_unreadable` if they are not whole
    numbers, or the mask does not match them.
    """
    ids = ids.tolist() if hasattr(ids, "tolist") else ids
    mask = mask.tolist() if hasattr(mask, "tolist") else mask
    rows = list(ids)
    single = not rows or not isinstance(rows[0], list | tuple)
    if single:
        rows, mask = [rows], None if mask is None else [mask]
    if any(len(row) == 0 for row in rows):
        raise VitralError("text_empty")
    if any(not isinstance(number, int) for row in rows for number in row):
        raise VitralError("ids_unreadable")
    if mask is None:
        return pad(rows, pad_id), single
    if [len(row) for row in mask] != [len(row) for row in rows] or len({*map(len, rows)}) > 1:
        raise VitralError("ids_unreadable")
    spans = [_span(row) for row in mask]
    kept = [list(row[first:last]) for row, (first, last) in zip(rows, spans, strict=True)]
    return Batch(torch.tensor(rows), torch.tensor(mask).long(), kept, spans), single


def check_ids(rows: Sequence[Sequence[int]], vocabulary: int | None) -> None:
    """Raises VitralError `id_out_of_range` for an id that the vocabulary does not have."""
    for row in rows:
        for number in row:
            if number < 0 or (vocabulary is not None and number >= vocabulary):
                raise VitralError("id_out_of_range", id=number, vocabulary=vocabulary)


def arguments(
    module: nn.Module, batch: Batch, decoder: Batch | None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments of `module.forward` for a batch, on the module's device."""
    accepted = inspect.signature(module.forward).parameters
    device = next((each.device for each in module.parameters()), torch.device("cpu"))
    ids, mask = batch.ids.to(device), batch.mask.to(device)
    if "decoder_ids_BT" in accepted and decoder is not None:
        return (ids,), {
            "decoder_ids_BT": decoder.ids.to(device),
            "attention_mask_BS": None if bool(mask.all()) else mask,
            "decoder_attention_mask_BT": (
                None if bool(decoder.mask.all()) else decoder.mask.to(device)
            ),
        }
    if "input_ids" not in accepted:
        if "attention_mask" in accepted:
            whole = bool(batch.mask.all())
            return (ids,), {"attention_mask": None if whole else mask}
        return (ids,), {}
    named: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    if decoder is not None:
        named["decoder_input_ids"] = decoder.ids.to(device)
        named["decoder_attention_mask"] = decoder.mask.to(device)
    if "use_cache" in accepted:
        named["use_cache"] = False
    return (), named


def _span(mask: Sequence[int]) -> Range:
    """The range of a mask's ones, if they are contiguous; otherwise, or without any, all of it."""
    ones = [place for place, value in enumerate(mask) if value]
    if not ones or ones[-1] - ones[0] + 1 != len(ones):
        return 0, len(mask)
    return ones[0], ones[-1] + 1
