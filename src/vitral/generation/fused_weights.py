"""A decoder's weights as `generation.fast_decoder` reads them, and whether it may.

Queries, keys and values become one matrix, gate and up another, and all are laid out transposed:
one row times such a matrix reads it from its beginning to its end, which memory serves about
twice as quickly as the module's layout. So all maps are copies.

The rotary turn moves component pairs (i, i + D/2) of each query and key. In the fused matrix
their rows are reordered, so that the two stand side by side and are one complex number:

    0 1 2 3 | 4 5 6 7   →   0 4 | 1 5 | 2 6 | 3 7

Queries and keys are reordered alike, so every product of the two is what it was.

A root-mean-square normalisation is x / √(|x|²/C + ε) · weight = x / √(|x|² + C·ε) · √C·weight.
The last factor goes into the columns of the map that reads it; what is left is one length, one
hypotenuse and one division.

Shapes: C width, H query heads, K key heads, D head size, I inner width of the feed-forward part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.models.forms import form_of
from vitral.nn.attention import Attention
from vitral.nn.block import PreNormBlock
from vitral.nn.feed_forward import FeedForward, GatedFeedForward
from vitral.nn.norms import LayerNorm, RMSNorm
from vitral.nn.positions import LearnedPositions, RotaryPositions

KNOWN = {Attention, FeedForward, GatedFeedForward, LayerNorm, LearnedPositions, PreNormBlock}
KNOWN |= {RMSNorm, RotaryPositions, nn.Dropout, nn.Embedding, nn.Linear, nn.ModuleList}
"""The parts whose arithmetic the fast form writes out, beside the form's own."""

Norm = tuple[Tensor, Tensor] | None
"""Weight and bias of a layer normalisation; None of one by the root mean square."""


@dataclass(slots=True)
class FusedLayer:
    """A block's weights: `qkv` [C, (H + 2·K)·D], `out` [H·D, C], `up` [C, I or 2·I] (gate, then
    up), `down` [I, C], and their biases, if any."""

    attention_norm: Norm
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    mlp_norm: Norm
    up: Tensor
    up_bias: Tensor | None
    down: Tensor
    down_bias: Tensor | None


def can_be_fast(module: nn.Module) -> bool:
    """Whether the fast form computes what `module` does: a decoder of ours in float32, not in
    training, with no part exchanged, no forward replaced and no hook anywhere."""
    everywhere = nn.modules.module
    form = form_of(module)
    if form is None or form.fast is None:
        return False
    known = KNOWN.union(form.fast.classes)
    return (
        not module.training
        and not everywhere._global_forward_hooks
        and not everywhere._global_forward_pre_hooks
        and all(weight.dtype == torch.float32 for weight in module.parameters())
        and all(type(part) in known and _is_plain(part) for part in module.modules())
    )


def _is_plain(part: nn.Module) -> bool:
    hooked = part._forward_hooks or part._forward_pre_hooks
    return not hooked and "forward" not in vars(part)


def fused(layer: Any, rotary_head_size: int | None) -> FusedLayer:
    """The weights of a `PreNormBlock`; with a head size, queries and keys in pairs."""
    attention, mlp = layer.attention, layer.mlp
    weights, biases = [], []
    for part in (attention.q_proj, attention.k_proj, attention.v_proj):
        size = None if part is attention.v_proj else rotary_head_size
        weights.append(_paired(part.weight, size))
        biases.append(None if part.bias is None else _paired(part.bias, size))
    gated = isinstance(mlp, GatedFeedForward)
    up_parts = [mlp.gate_proj, mlp.up_proj] if gated else [mlp.up_proj]
    attention_norm, qkv = _norm_and_map(layer.attention_norm, weights)
    mlp_norm, up = _norm_and_map(layer.mlp_norm, [part.weight for part in up_parts])
    return FusedLayer(
        attention_norm=attention_norm,
        qkv=qkv,
        qkv_bias=_joined(biases),
        out=attention.o_proj.weight.t().contiguous(),
        out_bias=attention.o_proj.bias,
        mlp_norm=mlp_norm,
        up=up,
        up_bias=_joined([part.bias for part in up_parts]),
        down=mlp.down_proj.weight.t().contiguous(),
        down_bias=mlp.down_proj.bias,
    )


def _norm_and_map(norm: Any, weights: Sequence[Tensor]) -> tuple[Norm, Tensor]:
    """A normalisation and the maps that read it, as one."""
    joined = weights[0] if len(weights) == 1 else torch.cat(list(weights))
    if isinstance(norm, RMSNorm):
        gain = norm.weight * len(norm.weight) ** 0.5
        return None, (joined * gain).t().contiguous()
    return (norm.weight, norm.bias), joined.t().contiguous()


def _joined(biases: Sequence[Tensor | None]) -> Tensor | None:
    given = [bias for bias in biases if bias is not None]
    return torch.cat(given) if given else None


def _paired(rows: Tensor, head_size: int | None) -> Tensor:
    """The rows [heads·D, …] with (i, i + D/2) of each head side by side."""
    if head_size is None:
        return rows
    halves = rows.view(-1, 2, head_size // 2, *rows.shape[1:])
    return halves.transpose(1, 2).reshape(rows.shape)
