"""From rows of ids to what a model's forward takes.

Padding is no part of a text. It is taken out of what a person gives, wherever it stands, and the
rows are put together anew: only rows of one length are run together (`row_traces`), so that none
needs padding, and every model gives a row the positions that it has alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.wrapped import input_names


@dataclass(frozen=True)
class Batch:
    """Rows of ids: `ids` and `mask` [B, T], padded at their ends, the mask 0 at padding; `rows`
    are the ids without it."""

    ids: Tensor
    mask: Tensor
    rows: list[list[int]]


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> Batch:
    """A batch of rows of unequal length, padded at their ends."""
    longest = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[pad_id] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return Batch(ids, mask, [list(row) for row in rows])


def batch_of_ids(ids: Any, mask: Any, pad_id: int) -> tuple[Batch, bool]:
    """A batch from the user's ids, and whether they were a single row without a batch.

    `ids` is a row or rows of numbers, as lists, an array or a tensor; `mask` is 0 at padding,
    which may stand anywhere. Raises VitralError `text_empty` for a row without ids,
    `ids_unreadable` if they are not whole numbers, or the mask does not match them.
    """
    rows, single = rows_of(ids)
    if mask is not None:
        kept = read_mask(mask, rows, single)
        rows = [masked(row, keep) for row, keep in zip(rows, kept, strict=True)]
    if not rows or any(len(row) == 0 for row in rows):
        raise VitralError("text_empty")
    return pad(rows, pad_id), single


def rows_of(ids: Any) -> tuple[list[list[int]], bool]:
    """Rows of ids, and whether a single row was given. Raises VitralError `ids_unreadable`."""
    given = as_lists(ids)
    if not isinstance(given, list | tuple):
        raise VitralError("ids_unreadable")
    rows = list(given)
    single = not rows or not isinstance(rows[0], list | tuple)
    rows = [rows] if single else rows
    for row in rows:
        if not isinstance(row, list | tuple) or not all(type(number) is int for number in row):
            raise VitralError("ids_unreadable")
    return [list(row) for row in rows], single


def read_mask(mask: Any, rows: list[list[int]], single: bool) -> list[list[Any]]:
    """A mask in the shape of the rows that it belongs to. Raises VitralError `ids_unreadable`."""
    read = as_lists(mask)
    if single and isinstance(read, list | tuple) and not any(isinstance(e, list) for e in read):
        read = [read]
    fits = isinstance(read, list | tuple) and all(isinstance(row, list | tuple) for row in read)
    if not fits or [len(row) for row in read] != [len(row) for row in rows]:
        raise VitralError("ids_unreadable")
    if not all(value in (0, 1) for row in read for value in row):
        raise VitralError("ids_unreadable")
    return [list(row) for row in read]


def masked(row: Sequence[Any], keep: Sequence[Any]) -> list[Any]:
    """Those of a row that the mask keeps."""
    return [each for each, kept in zip(row, keep, strict=True) if kept]


def as_lists(values: Any) -> Any:
    """An array or tensor as lists, also where they stand in a list themselves."""
    if hasattr(values, "tolist"):
        return values.tolist()
    if isinstance(values, list | tuple):
        return [as_lists(each) for each in values]
    return values


def check_ids(rows: Sequence[Sequence[int]], vocabulary: int | None) -> None:
    """Raises VitralError `id_out_of_range` for an id that the vocabulary does not have."""
    for row in rows:
        for number in row:
            if number < 0 or (vocabulary is not None and number >= vocabulary):
                raise VitralError("id_out_of_range", id=number, vocabulary=vocabulary)


def arguments(
    module: nn.Module,
    batch: Batch,
    decoder: Batch | None,
    beside: Mapping[str, Any] | None = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments of `module.forward` for a batch, on the module's device;
    `beside` is what else it is given, by name.

    What a wrapper's signature does not tell is asked of the model that stands inside. Raises
    VitralError `inputs_unfit` where the module does not take them.
    """
    accepted = input_names(module)
    device = device_of(module)
    ids, mask = batch.ids.to(device), batch.mask.to(device)
    more = {
        name: value.to(device) if isinstance(value, Tensor) else value
        for name, value in (beside or {}).items()
    }
    more = {_own_name(name, accepted): value for name, value in more.items()}
    args: tuple[Any, ...] = (ids,)
    named: dict[str, Any] = {}
    if "decoder_ids_BT" in accepted and decoder is not None:
        named["decoder_ids_BT"] = decoder.ids.to(device)
        named["attention_mask_BS"] = None if bool(mask.all()) else mask
        whole = bool(decoder.mask.all())
        named["decoder_attention_mask_BT"] = None if whole else decoder.mask.to(device)
    elif "input_ids" in accepted:
        args, named = (), {"input_ids": ids}
        if "attention_mask" in accepted:
            named["attention_mask"] = mask
        if decoder is not None:
            named["decoder_input_ids"] = decoder.ids.to(device)
            if "decoder_attention_mask" in accepted:
                named["decoder_attention_mask"] = decoder.mask.to(device)
        if "use_cache" in accepted:
            named["use_cache"] = False
    elif "attention_mask" in accepted:
        named["attention_mask"] = None if bool(mask.all()) else mask
    elif decoder is not None:
        raise VitralError("inputs_unfit", model=type(module).__name__, reason="decoder_input_ids")
    named |= more
    check_arguments(module, args, named)
    return args, named


def check_arguments(module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Raises VitralError `inputs_unfit` for arguments that `module.forward` does not take."""
    try:
        signature(module.forward).bind(*args, **named)
    except TypeError as error:
        name = type(module).__name__
        raise VitralError("inputs_unfit", model=name, reason=str(error)) from error


def device_of(module: nn.Module) -> torch.device:
    """Where a module reads. Weights that are fetched when they are needed (accelerate) are
    nowhere until then; what fetches them knows where it computes."""
    for each in module.parameters():
        if each.device.type != "meta":
            return each.device
    for part in module.modules():
        place = getattr(getattr(part, "_hf_hook", None), "execution_device", None)
        if place is not None:
            return torch.device(place)
    return torch.device("cpu")


def vectors_like(module: nn.Module) -> Tensor:
    """What a map's vectors are like. Weights kept in whole numbers take them as float32."""
    kinds = (each.dtype for each in module.parameters() if each.is_floating_point())
    return torch.empty(0, dtype=next(kinds, torch.float32), device=device_of(module))


def _own_name(name: str, accepted: Sequence[str]) -> str:
    """What Vitral's own models call an input that tokenizers name `token_type_ids`."""
    if name == "token_type_ids" and name not in accepted and "segments_BT" in accepted:
        return "segments_BT"
    return name
