"""A model's own inputs by name, read as rows of tokens: `model.trace(**tokenizer(texts))`.

What a tokenizer gives (`input_ids`, `attention_mask`, `token_type_ids` …), as tensors, arrays or
lists of any lengths, are rows as other rows: padding is taken out, of each input that goes by
tokens, and every token has its id and its name. Inputs of another kind (pictures beside a text,
vectors in place of ids, masks of queries and keys) are given to the model as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.recording.inputs import as_lists, masked, read_mask, rows_of

Rows = list[list[Any]]

_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class NamedRows:
    """Rows of ids, without their padding; the decoder's, where they were given; for each row
    what else goes by tokens, by name; and what is the same for all."""

    rows: Rows
    decoder_rows: Rows | None
    beside: list[dict[str, Tensor]]
    same: dict[str, Any]


def read_named(inputs: Mapping[str, Any], module: nn.Module) -> NamedRows | None:
    """The rows that a tokenizer's output holds; None where the inputs are of another kind.

    Raises VitralError `ids_unreadable` for a mask that does not match its ids, `text_empty` for
    a row that is nothing but padding.
    """
    given = dict(inputs)
    source = _side(given, "")
    if source is None:
        return None
    target = _side(given, "decoder_")
    if target is None and ("decoder_input_ids" in given or "decoder_inputs_embeds" in given):
        return None
    if target is None and given.get("labels") is not None:
        target = _shifted(given.pop("labels"), module)
    beside: list[dict[str, Tensor]] = [{} for _ in source.rows]
    same: dict[str, Any] = {}
    for name, value in given.items():
        side = target if name.startswith("decoder_") and target is not None else source
        if isinstance(value, _PLAIN):
            if value is not None:
                same[name] = value
            continue
        of_rows = side.others(value)
        if of_rows is None:
            return None
        for row, each in zip(beside, of_rows, strict=True):
            row[name] = each
    if target is not None and len(target.rows) != len(source.rows):
        raise VitralError("ids_unreadable")
    return NamedRows(source.kept, None if target is None else target.kept, beside, same)


@dataclass(frozen=True)
class _Side:
    """One text's rows as they were given, and the mask of each (None: all of it)."""

    rows: Rows
    mask: Rows | None
    single: bool

    @property
    def kept(self) -> Rows:
        """The rows without their padding."""
        rows = [self._cut(place, row) for place, row in enumerate(self.rows)]
        if not rows or not all(rows):
            raise VitralError("text_empty")
        return rows

    def others(self, value: Any) -> list[Tensor] | None:
        """Another input, row by row, without what stands at padding; None if it has no rows."""
        lists = as_lists(value)
        if not isinstance(lists, list | tuple):
            return None
        lengths = [len(row) for row in self.rows]
        rows = [lists] if self.single and not _nested(lists) else list(lists)
        if len(rows) != len(lengths):
            return None
        if [len(row) if isinstance(row, list | tuple) else None for row in rows] == lengths:
            rows = [self._cut(place, row) for place, row in enumerate(rows)]
        elif any(isinstance(row, list | tuple) for row in rows):
            return None  # of something else than tokens
        try:
            return [torch.as_tensor(row) for row in rows]
        except (TypeError, ValueError, RuntimeError):
            return None

    def _cut(self, place: int, row: Sequence[Any]) -> list[Any]:
        return list(row) if self.mask is None else masked(row, self.mask[place])


def _side(given: dict[str, Any], prefix: str) -> _Side | None:
    """The ids of one text and their mask, taken out of `given`; None where there are no ids by
    rows, or a mask of another kind."""
    ids, mask = f"{prefix}input_ids", f"{prefix}attention_mask"
    if given.get(ids) is None:
        return None
    lists = as_lists(given[ids])
    if _depth(lists) not in (1, 2) or _depth(as_lists(given.get(mask))) > 2:
        return None
    rows, single = rows_of(lists)
    of_mask = given.pop(mask, None)
    del given[ids]
    return _Side(rows, None if of_mask is None else read_mask(of_mask, rows, single), single)


def _shifted(labels: Any, module: nn.Module) -> _Side | None:
    """What a decoder reads to give `labels`: they begin with its start, and end before the last;
    −100 is none of them."""
    prepare = getattr(module, "prepare_decoder_input_ids_from_labels", None)
    if prepare is None:
        return None
    rows, single = rows_of(labels)
    kept = [[each for each in row if each >= 0] for row in rows]
    return _Side([prepare(torch.tensor([row]))[0].tolist() for row in kept], None, single)


def _depth(lists: Any) -> int:
    """How many lists stand within one another."""
    if not isinstance(lists, list | tuple):
        return 0
    return 1 + max(map(_depth, lists), default=0)


def _nested(lists: Sequence[Any]) -> bool:
    return any(isinstance(each, list | tuple) for each in lists)
