"""Attention that calls PyTorch directly: `nn.MultiheadAttention` and calls of the fused kernel.

While `torch_attention_watched` is open, calls of `F.scaled_dot_product_attention` and
`F.multi_head_attention_forward` are reported to the observer as Vitral's own function reports
its calls. It is a torch-function mode: nothing of PyTorch is replaced, other threads are not
affected, and while it is open PyTorch does not use the fast paths that compute a whole layer in
one kernel.

Shapes: B sequences, H heads, T queries, S keys, D wide.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vitral.nn.attention_call import AttentionCall, observer
from vitral.tracing.recording.attention_function import has_its_own_attention


def may_call_torch(module: nn.Module) -> bool:
    """Whether `module` contains attention that is not Vitral's and does not go through it.

    The mode costs some time at each operation, so it is used only if needed.
    """
    if type(module).__module__.startswith("vitral."):
        return False
    return any(
        isinstance(part, nn.MultiheadAttention)
        or has_its_own_attention(part)
        or not type(part).__module__.startswith(("transformers.", "torch.", "vitral."))
        for part in module.modules()
    )


class TorchAttentionWatched(TorchFunctionMode):
    """The mode; `current` returns the attention module that is being computed, if any. Calls that
    are recorded in another way (`leave_out`) are not reported."""

    def __init__(
        self, current: Callable[[], nn.Module | None], leave_out: Callable[[], bool]
    ) -> None:
        super().__init__()
        self.current = current
        self.leave_out = leave_out

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is F.scaled_dot_product_attention:
            return self._kernel(*args, **kwargs)
        if function is F.multi_head_attention_forward:
            return self._multi_head(function, args, kwargs)
        return function(*args, **kwargs)

    def _kernel(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        output: Tensor = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask,
            dropout_p,
            is_causal,
            scale=scale,
            enable_gqa=enable_gqa,
        )
        if query.dim() == 3:  # one head, or heads and sequences in one dimension
            query, key, value = query[:, None], key[:, None], value[:, None]
            attn_mask = (
                attn_mask[:, None] if attn_mask is not None and attn_mask.dim() == 3 else attn_mask
            )
        if query.dim() == 4:
            self._report(query, key, value, attn_mask, is_causal, scale)
        return output

    def _multi_head(self, function: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        given = dict(zip(_MULTI_HEAD, args, strict=False)) | kwargs
        query, key, value = _projected(given)
        mask = _mask(given, query, key)
        self._report(query, key, value, mask, False, None)
        return function(*args, **kwargs)

    def _report(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        is_causal: bool,
        scale: float | None,
    ) -> None:
        watching = observer.get()
        if watching is None or self.leave_out():
            return
        allowed, bias = mask, None
        if mask is not None:
            mask = mask.reshape((1,) * (4 - mask.dim()) + tuple(mask.shape))
            allowed = mask
            if mask.dtype != torch.bool:
                allowed = mask > torch.finfo(mask.dtype).min / 2
                added = mask.masked_fill(~allowed, 0.0)
                bias = added if bool(added.any()) else None
        scaling = query.shape[-1] ** -0.5 if scale is None else float(scale)
        if is_causal and query.shape[2] != key.shape[2]:
            shape = (query.shape[2], key.shape[2])
            allowed = torch.ones(shape, dtype=torch.bool, device=query.device).tril()[None, None]
            is_causal = False
        call = AttentionCall(
            self.current(), query, key, value, allowed, bias, is_causal, scaling, False
        )
        watching.observe_attention(call)


_MULTI_HEAD = (
    "query",
    "key",
    "value",
    "embed_dim_to_check",
    "num_heads",
    "in_proj_weight",
    "in_proj_bias",
    "bias_k",
    "bias_v",
    "add_zero_attn",
    "dropout_p",
    "out_proj_weight",
    "out_proj_bias",
    "training",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
)


def _projected(given: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values [B, H, T or S, D] of a call, as PyTorch computes them.

    The call's own tensors are [T, B, C] or [T, C]; `bias_k` and `add_zero_attn` each append one
    key.
    """
    query, key, value = (given[name] for name in ("query", "key", "value"))
    if query.dim() == 2:
        query, key, value = query[:, None], key[:, None], value[:, None]
    bias = given["in_proj_bias"]
    if given.get("use_separate_proj_weight"):
        weights = [given[f"{name}_proj_weight"] for name in ("q", "k", "v")]
    else:
        weights = list(given["in_proj_weight"].chunk(3))
    biases = [None] * 3 if bias is None else list(bias.chunk(3))
    query, key, value = (
        F.linear(each, weight, added)
        for each, weight, added in zip((query, key, value), weights, biases, strict=True)
    )
    if given["bias_k"] is not None:
        key = torch.cat([key, given["bias_k"].expand(1, key.shape[1], -1)])
        value = torch.cat([value, given["bias_v"].expand(1, value.shape[1], -1)])
    if given["add_zero_attn"]:
        key = torch.cat([key, torch.zeros_like(key[:1])])
        value = torch.cat([value, torch.zeros_like(value[:1])])
    heads = given["num_heads"]
    split = [
        each.reshape(*each.shape[:2], heads, -1).permute(1, 2, 0, 3) for each in (query, key, value)
    ]
    return split[0], split[1], split[2]


def _mask(given: dict[str, Any], query: Tensor, key: Tensor) -> Tensor | None:
    """Both masks of a call as one additive one [B or 1, H or 1, T or 1, S]; None if none.

    PyTorch's boolean masks are the opposite of ours: True means hidden.
    """
    batch, heads, num_queries = query.shape[:3]
    num_keys = key.shape[2]
    together: Tensor | None = None
    for name in ("attn_mask", "key_padding_mask"):
        mask = given.get(name)
        if mask is None:
            continue
        if mask.dtype == torch.bool:
            mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(mask, float("-inf"))
        if name == "key_padding_mask":
            mask = mask.reshape(-1, 1, 1, mask.shape[-1])
        elif mask.dim() == 3:  # [B·H, T, S]
            mask = mask.view(batch, heads, num_queries, -1) if len(mask) > 1 else mask[None]
        else:
            mask = mask[None, None]
        more = num_keys - mask.shape[-1]  # the appended keys: always visible
        mask = F.pad(mask, (0, more))
        together = mask if together is None else together + mask
    return together
