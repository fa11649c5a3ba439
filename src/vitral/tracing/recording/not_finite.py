"""A model that computes NaN or infinity: where it first does, in the order of computation."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.addresses import in_order, split_attention
from vitral.tracing.attention.attention_record import AttentionRecord

_RESULTS = ("logits", "output")


def check_finite(
    model: str,
    values: Mapping[str, Tensor],
    attentions: Mapping[str, AttentionRecord],
    suspects: Iterable[str],
) -> None:
    """Raises VitralError `not_finite` for the first of the suspected addresses that is not finite.

    The model's result is always checked; −∞ is allowed in it, because some models exclude tokens
    with it. Tokens count from 0.
    """
    known = {address for address in suspects if address in values or "." in address}
    for address in in_order([*known, *(name for name in _RESULTS if name in values)]):
        tensor = _tensor(address, values, attentions)
        if tensor is None or not tensor.is_floating_point():
            continue
        if bool(tensor.sum(dtype=torch.float32).isfinite()):
            continue  # logits are many: a fast check first, the slow one only if it fails
        wrong = ~tensor.isfinite()
        if address in _RESULTS:
            wrong &= ~tensor.isneginf()
        if not bool(wrong.any()):
            continue
        place = wrong.nonzero()[0]
        token = wrong.any(-1).nonzero()[:, -1].min() if wrong.dim() > 1 else place[-1]
        found = tensor[tuple(place)]
        raise VitralError(
            "not_finite",
            model=model,
            what="NaN" if bool(found.isnan()) else "∞",
            address=address,
            token=int(token),
        )


def _tensor(
    address: str, values: Mapping[str, Tensor], attentions: Mapping[str, AttentionRecord]
) -> Tensor | None:
    if address in values:
        return values[address]
    prefix, part = split_attention(address)
    record = attentions.get(prefix)
    if record is None:
        return None
    return {"q": record.query, "k": record.key, "v": record.value}.get(part)
