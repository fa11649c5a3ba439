"""A decoder's forward pass for generation: the module's arithmetic in fewer calls.

When a small model generates one token at a time, the overhead of calls costs more than the
arithmetic: each of its layers makes some forty calls into PyTorch and concatenates its cache
again. Here a layer makes about twenty:

- queries, keys and values come out of one matrix, and so do gate and up; all matrices are laid out
  so that a step reads each from beginning to end;
- the cache is one block of memory laid out beforehand, in which a new key and value are put in
  their place; nothing is copied;
- the rotary turn is one complex multiplication. Its pairs (i, i + D/2) are points in the plane,
  and the fused matrix has its rows in an order that puts the two coordinates side by side
  (queries and keys alike, so that their products stay what they are). The turns are looked up
  once a step, for all layers;
- a single new token sees everything that is kept, so no mask is built, and the query heads that
  share a key head are laid under one another instead of the keys being repeated;
- sums with the residual stream are taken by the matrix product itself.

The module is the clear form and this is the fast one; `tests/generation/test_fast_decoder.py`
compares them. It reads the weights as they are when it is made, copies those that it
fuses (`generation.fused_weights`), and reports nothing that it computes: traces and edits
use the module itself (`generation.reading`).

Shapes: B texts, T new tokens, S all tokens so far, N = B·T, C width, H query heads, K key heads,
D head size, V vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitral.generation.fused_weights import Norm, fused
from vitral.models.forms import form_of
from vitral.nn.feed_forward import GatedFeedForward
from vitral.nn.masks import attention_mask


class FastDecoder:
    """Reads with a decoder for which `can_be_fast` holds; a `Reader`.

    `num_pads` gives for each text how many of its first tokens are padding. The cache has room for
    `room` tokens a text, and grows when there are more.
    """

    def __init__(
        self, module: nn.Module, *, room: int = 0, num_pads: Sequence[int] | None = None
    ) -> None:
        form = form_of(module)
        assert form is not None, "`can_be_fast` holds"
        parts = form.fast
        assert parts is not None, "`can_be_fast` holds"
        config: Any = module.config
        head, layers = module.get_parameter("head.weight"), module.get_submodule("layers")
        self._num_heads, self._num_key_heads = config.num_heads, config.num_key_value_heads
        self._head_size = getattr(config, "head_size", None) or (
            config.hidden_size // config.num_heads
        )
        self._width, self._epsilon = config.hidden_size, config.epsilon
        self._least = head.new_tensor((self._width * self._epsilon) ** 0.5)
        self._norm = module.get_submodule("norm")
        with torch.inference_mode():
            self._head = head.t().contiguous()
            paired = self._head_size if parts.rotary is not None else None
            self._layers = [fused(layer, paired) for layer in layers.children()]
            self._vectors = module.get_parameter(form.tokens)
            self._turns: Tensor | None = None
            self._positions: Tensor | None = None
            if parts.rotary is not None:
                rotary: Any = module.get_submodule(parts.rotary)
                places = torch.arange(config.context, device=self._head.device)
                cos_SD, sin_SD = rotary.angles(places)
                half = self._head_size // 2
                self._turns = torch.complex(cos_SD[:, :half], sin_SD[:, :half])
            if parts.positions is not None:
                self._positions = module.get_parameter(parts.positions)
        mlp: Any = layers.get_submodule("0.mlp")
        self._gated = isinstance(mlp, GatedFeedForward)
        self._activation: Callable[[Tensor], Tensor] = mlp.activation
        self._num_pads = list(num_pads) if num_pads is not None and any(num_pads) else None
        self._room = room
        self._length = 0
        self._kept = torch.empty(0)  # [layers, B, 2·K, S, D]: keys, then values

    @torch.inference_mode()
    def __call__(self, new_BT: Tensor) -> Tensor:
        """The logits [B, V] of the token that follows."""
        B, T = new_BT.shape
        past, length = self._length, self._length + T
        self._make_room(B, length)
        x_NC = F.embedding(new_BT.reshape(-1), self._vectors)
        places, mask = self._places_and_mask(T, length)
        if self._positions is not None:
            x_NC = (x_NC.view(B, T, -1) + self._positions[places]).view(B * T, -1)
        turns = None if self._turns is None else self._turns_of_heads(self._turns[places])
        H, K, D = self._num_heads, self._num_key_heads, self._head_size
        for layer, kept in zip(self._layers, self._kept, strict=True):
            heads = _mapped(self._normal(x_NC, layer.attention_norm), layer.qkv, layer.qkv_bias)
            if turns is not None:
                pairs = torch.view_as_complex(heads.view(B, T, H + 2 * K, D // 2, 2))
                heads = torch.view_as_real(pairs * turns)
            heads_BHTD = heads.view(B, T, H + 2 * K, D).transpose(1, 2)
            kept[:, :, past:length] = heads_BHTD[:, H:]
            keys, values = kept[:, :K, :length], kept[:, K:, :length]
            if T == 1:
                q_BKGD = heads_BHTD[:, :H].reshape(B, K, H // K, D)
                seen = F.scaled_dot_product_attention(q_BKGD, keys, values, attn_mask=mask)
                seen_NC = seen.reshape(B, H * D)
            else:
                seen = F.scaled_dot_product_attention(
                    heads_BHTD[:, :H],
                    keys,
                    values,
                    attn_mask=mask,
                    is_causal=mask is None,
                    enable_gqa=H > K,
                )
                seen_NC = seen.transpose(1, 2).reshape(B * T, H * D)
            x_NC = _added(x_NC, seen_NC, layer.out, layer.out_bias)
            bent = _mapped(self._normal(x_NC, layer.mlp_norm), layer.up, layer.up_bias)
            if self._gated:
                gate, up = bent.chunk(2, dim=-1)
                bent = self._activation(gate) * up
            else:
                bent = self._activation(bent)
            x_NC = _added(x_NC, bent, layer.down, layer.down_bias)
        self._length = length
        last_BC = x_NC if T == 1 else x_NC.view(B, T, -1)[:, -1]
        logits_BV: Tensor = self._norm(last_BC) @ self._head
        return logits_BV

    @property
    def num_bytes(self) -> int:
        """Memory of the keys and values, that for tokens still to come included."""
        return self._kept.nbytes

    @torch.inference_mode()
    def reorder(self, rows_B: Tensor) -> None:
        assert self._num_pads is None, "only the beams of one text change places"
        self._kept = self._kept.index_select(1, rows_B)

    def _make_room(self, num_texts: int, length: int) -> None:
        """Memory for at least `length` tokens; twice as much whenever it does not suffice."""
        capacity = self._kept.shape[3] if self._length else 0
        if length <= capacity:
            return
        capacity = max(self._room, length, 2 * capacity)
        shape = (num_texts, 2 * self._num_key_heads, capacity, self._head_size)
        larger = self._vectors.new_empty(len(self._layers), *shape)
        if self._length:
            larger[:, :, :, : self._length] = self._kept[:, :, :, : self._length]
        self._kept = larger

    def _places_and_mask(self, num_new: int, length: int) -> tuple[Any, Tensor | None]:
        """The new tokens' positions, as an index, and the additive mask [B or 1, 1, T or 1, S],
        None where it is causal or everything is seen."""
        past, device = length - num_new, self._vectors.device
        places: Any = slice(past, length)
        padding_BS = None
        if self._num_pads is not None:
            pads_B1 = torch.tensor(self._num_pads, device=device)[:, None]
            slots_S = torch.arange(length, device=device)
            padding_BS = slots_S >= pads_B1
            places = (slots_S[past:] - pads_B1).clamp(min=0)
        mask = attention_mask(padding_BS, num_new, length, causal=True, device=device)
        if mask is None:
            return places, None
        blank = torch.zeros(mask.shape, device=device)
        return places, blank.masked_fill_(~mask, float("-inf"))

    def _turns_of_heads(self, turns: Tensor) -> Tensor:
        """One turn [B or 1, T, H + 2·K, D/2] a head: queries and keys are turned by `turns`
        [B?, T, D/2], values by nothing."""
        turns = turns[..., None, :]
        turned = turns.expand(*turns.shape[:-2], self._num_heads + self._num_key_heads, -1)
        left = torch.ones_like(turns).expand(*turns.shape[:-2], self._num_key_heads, -1)
        return torch.cat((turned, left), dim=-2)

    def _normal(self, x_NC: Tensor, norm: Norm) -> Tensor:
        """`x_NC` normalised, but for the factor that the fused weights have."""
        if norm is None:
            return x_NC / torch.hypot(
                torch.linalg.vector_norm(x_NC, dim=-1, keepdim=True), self._least
            )
        return F.layer_norm(x_NC, (self._width,), *norm, self._epsilon)


def _mapped(x_NC: Tensor, weight_CI: Tensor, bias_I: Tensor | None) -> Tensor:
    return x_NC @ weight_CI if bias_I is None else torch.addmm(bias_I, x_NC, weight_CI)


def _added(x_NC: Tensor, y_NI: Tensor, weight_IC: Tensor, bias_C: Tensor | None) -> Tensor:
    """x + y·W + b, in one product."""
    x_NC = torch.addmm(x_NC, y_NI, weight_IC)
    return x_NC if bias_C is None else x_NC + bias_C
