"""Reading what a person gives to an edit: places, values and weights; and what cannot be one."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


def place_of(place: int) -> int:
    """A token's place, counted from 0. Raises VitralError `edit_token_negative`."""
    if place < 0:
        raise VitralError("edit_token_negative", token=place)
    return int(place)


def taken_from(
    trace: "Trace", address: str, tokens: tuple[int, ...] | None, head: int | None
) -> Tensor:
    """A trace's value at an address, of some tokens and one head."""
    value = trace[address]
    if head is not None and value.dim() == 3:
        if not 0 <= head < len(value):
            raise VitralError("head_out_of_range", head=head, num_heads=len(value))
        value = value[head]
    if tokens is None:
        return value
    if value.dim() < 2:
        raise VitralError("edit_no_tokens", address=address)
    for token in tokens:
        if token >= value.shape[-2]:
            raise VitralError("edit_token_out_of_range", token=token, num_tokens=value.shape[-2])
    return value[..., list(tokens), :]


def read_numbers(what: str, values: Any) -> Tensor:
    """Numbers of any kind as float32. Raises `edit_unreadable`, `edit_not_finite`."""
    try:
        read = torch.as_tensor(values, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise VitralError("edit_unreadable", what=what) from error
    check_finite_numbers(what, read)
    return read


def check_finite_numbers(what: str, values: Tensor | float) -> None:
    """Raises VitralError `edit_not_finite` for NaN and infinity."""
    if not bool(torch.as_tensor(values).isfinite().all()):
        raise VitralError("edit_not_finite", what=what)


def check_weights(what: str, values: Tensor, raw: bool, most: float | None = 1.0) -> None:
    """Raises VitralError for what can be no attention weight, unless it is `raw`."""
    if raw:
        check_finite_numbers(what, values)
        return
    wrong = ~values.isfinite() | (values < 0)
    wrong = wrong if most is None else wrong | (values > most)
    if bool(wrong.any()):
        value = float(values.reshape(-1)[wrong.reshape(-1)][0])
        raise VitralError("edit_weight_wrong", what=what, value=value)


def shape_of(value: Tensor) -> str:
    """A shape as people write it: 4×5×5."""
    return "×".join(map(str, value.shape)) or "1"
