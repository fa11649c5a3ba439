"""Direct logit attribution: how much each part of the model contributes to a token's logit.

The stream is a sum of the parts' outputs, and a logit, with the norms held at their values, is
linear in the stream. So each part's share is its output times one direction:

    logit = embed·u + Σ_l ( Σ_h head_lh·u + bias_l·u + mlp_l·u ) + constant

(Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; Wang et al. 2022,
arXiv:2211.00593, section 3.1.) In pre-norm models u is the same for all layers. Where norms stand
on the stream itself (BERT) or behind a part (Gemma 2), u is pulled through each on its way down.
*Direct*: the effect of a head on later parts counts as theirs.

The shares add up to the logit, which Vitral checks before it returns them. Range: logits, of
either sign. Cost: one forward pass, and one query's row of every head.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token
from vitral.explain.frozen_norm import FrozenNorm
from vitral.explain.logit_tail import pulled_from_logit
from vitral.explain.of_picture import check_of_text
from vitral.explain.output_parts import output_of_heads
from vitral.tracing.parts import stacked
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.recording.layers import Layer, find_layers, is_norm
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class LogitAttribution:
    """Shares of one logit; float32. `total` is their sum, `logit` what the model gave."""

    token: int
    id: int
    logit: float
    embed: float
    heads: Tensor  # [layers, heads], of self-attention
    cross_heads: Tensor | None  # [layers, heads] of cross-attention
    attention_bias: Tensor  # [layers]
    mlp: Tensor  # [layers]
    constant: float

    @property
    def total(self) -> float:
        parts = [self.heads.nansum(), self.attention_bias.sum(), self.mlp.sum()]
        if self.cross_heads is not None:
            parts.append(self.cross_heads.nansum())
        return self.embed + self.constant + float(sum(part.double() for part in parts))


def logit_attribution(
    trace: Trace, model: nn.Module | TraceableModel, token: int = -1, id: int | None = None
) -> LogitAttribution:
    """Divide the logit of `id` (by default the most likely) at the position `token`.

    `token` counts from 0, or from the end if negative. `model` is the one that made the trace.
    Raises VitralError `logits_not_available`, `token_out_of_range`, `id_out_of_range`,
    `parts_not_available`, `attribution_not_available` (with the first address that is no sum of
    parts), `rerun_not_available`.
    """
    module = module_of(model)
    check_of_text(trace)
    if "logits" not in trace.values or trace["logits"].dim() != 2:
        raise VitralError("logits_not_available", model=trace.model)
    logits = trace["logits"]
    place = token + len(logits) if token < 0 else token
    check_token(place, len(logits))
    number = int(logits[place].argmax()) if id is None else id
    if not 0 <= number < logits.shape[-1]:
        raise VitralError("id_out_of_range", id=number, vocabulary=logits.shape[-1])
    part = "decoder" if "decoder" in trace.parts else trace.first_part
    walk = _Walk(trace, module, part, place)
    blocks = trace.num_blocks(part)
    stream = walk.value(blocks - 1, "residual.post")
    walk.direction, walk.constant = pulled_from_logit(trace, module, part, place, number, stream)
    for layer in reversed(range(blocks)):
        walk.down(layer)
    embed = float(walk.direction @ walk.at(f"{walk.start}embed"))
    found = LogitAttribution(
        place,
        number,
        float(logits[place, number]),
        embed,
        stacked(walk.heads, blocks),
        stacked(walk.cross_heads, blocks) if walk.cross_heads else None,
        torch.tensor(walk.biases[::-1]),
        torch.tensor(walk.mlps[::-1]),
        walk.constant,
    )
    size = sum(float(each.abs().nansum()) for each in (found.heads, found.mlp)) + abs(embed)
    if abs(found.total - found.logit) > 1e-3 * (1 + size):
        raise VitralError("attribution_not_available", address="logits", model=trace.model)
    return found


class _Walk:
    """Down the stream at one place, from the last layer to the first."""

    def __init__(self, trace: Trace, module: nn.Module, part: str, place: int) -> None:
        self.trace, self.module, self.place = trace, module, place
        self.start = f"{part}." if part else ""
        self.layers = [each for each in find_layers(module) if each.part == part]
        self.direction = torch.empty(0)
        self.constant = 0.0
        self.heads: dict[int, Tensor] = {}
        self.cross_heads: dict[int, Tensor] = {}
        self.biases: list[float] = []
        self.mlps: list[float] = []

    def at(self, address: str) -> Tensor:
        return self.trace[address][self.place].double()

    def value(self, layer: int, name: str) -> Tensor:
        return self.at(f"{self.start}layers.{layer}.{name}")

    def down(self, layer: int) -> None:
        """Through one layer: the shares of its parts, and the direction below it."""
        start = f"{self.start}layers.{layer}"
        pre, post = self.value(layer, "residual.pre"), self.value(layer, "residual.post")
        if layer:
            below = self.value(layer - 1, "residual.post")
            if not _close(pre, below):
                self._fail(f"{start}.residual.pre")
        attentions = [
            name
            for name in (f"{start}.attention", f"{start}.cross_attention")
            if name in self.trace.attentions
        ]
        if not attentions:  # what it has in their place is not known
            self._fail(f"{start}.residual.mid")
        for name in attentions:
            if f"{name}.out" not in self.trace.values:
                self._fail(f"{name}.out")
        given = sum((self.at(f"{name}.out") for name in attentions), torch.zeros_like(pre))
        if f"{start}.mlp.out" not in self.trace.values:
            self._fail(f"{start}.mlp.out")
        mlp = self.value(layer, "mlp.out")
        if f"{start}.residual.mid" in self.trace.values:
            middle = self.value(layer, "residual.mid")
            of_mlp = self._join(layer, f"{start}.residual.post", middle, mlp, post)
            self.mlps.append(float(of_mlp @ mlp))
            of_heads = self._join(layer, f"{start}.residual.mid", pre, given, middle)
        else:  # attention and feed-forward side by side
            of_heads = self._join(layer, f"{start}.residual.post", pre, given + mlp, post)
            self.mlps.append(float(of_heads @ mlp))
        bias = 0.0
        for name in attentions:
            parts = output_of_heads(self.trace, self.module, name)
            row = (self.place, self.place + 1)
            shares = [
                (parts.of(head, row)[0].double() @ of_heads).float()
                for head in range(parts.record.num_heads)
            ]
            kind = self.cross_heads if name.endswith("cross_attention") else self.heads
            kind[layer] = torch.stack(shares)
            bias += float(parts.bias.double() @ of_heads)
        self.biases.append(bias)

    def _join(
        self, layer: int, address: str, base: Tensor, added: Tensor, result: Tensor
    ) -> Tensor:
        """The direction of what was added, `self.direction` becoming that of the base.

        Three forms: base + c·added, N(base + added), base + N(added).
        """
        scale = (added @ (result - base)) / (added @ added).clamp(min=1e-300)
        if _close(base + scale * added, result):
            return self.direction * scale
        for norm in self._norms(layer):
            around = FrozenNorm.at(norm, base + added)
            if around is not None and _close(_through(around, base + added), result):
                self.constant += float(self.direction @ around.shift)
                self.direction = around.pulled(self.direction)
                return self.direction
            behind = FrozenNorm.at(norm, added)
            if behind is not None and _close(base + _through(behind, added), result):
                self.constant += float(self.direction @ behind.shift)
                return behind.pulled(self.direction)
        raise self._error(address)

    def _norms(self, layer: int) -> list[nn.Module]:
        chosen: list[Layer] = self.layers[layer : layer + 1] or self.layers
        return [
            each
            for one in chosen
            for each in one.module.modules()
            if is_norm(each) and not any(each.children())  # not the layer, by its own name
        ]

    def _error(self, address: str) -> VitralError:
        return VitralError("attribution_not_available", address=address, model=self.trace.model)

    def _fail(self, address: str) -> None:
        raise self._error(address)


def _through(norm: FrozenNorm, x: Tensor) -> Tensor:
    return (x - (x.mean() if norm.centres else 0.0)) * norm.gain + norm.shift


def _close(found: Tensor, expected: Tensor) -> bool:
    size = 1e-6 + float(expected.abs().max())
    return bool(((found - expected).abs() <= 2e-3 * size).all())
