"""What an edit changed: two traces of the same text, one beside the other.

    changed = difference(before, after)
    changed.probabilities            # [tokens, vocabulary]: after − before
    changed.norms["layers.3.residual.post"]   # [tokens]: how far each vector moved
    changed.pattern(layer=3, head=0)          # [queries, keys]: after − before

Every number is *after − before*. Patterns are compared in blocks; none is kept whole unless it
is asked for.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.addresses import in_order
from vitral.tracing.parts import stacked
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Difference:
    """What changed from one trace to another; see the head of the file."""

    before: Trace
    after: Trace

    @cached_property
    def logits(self) -> Tensor:
        """[T, V], or [V] for one result for all. Raises VitralError `address_unknown` where the
        model has no head."""
        return self.after["logits"] - self.before["logits"]

    @cached_property
    def probabilities(self) -> Tensor:
        """The softmax of the logits, after − before, shaped as `logits`."""
        return self.after["logits"].softmax(-1) - self.before["logits"].softmax(-1)

    @cached_property
    def divergence(self) -> Tensor:
        """Kullback–Leibler divergence of each token's prediction, before from after, in nats:
        Σ p_before · log(p_before / p_after). [T], 0 where nothing changed."""
        before = self.before["logits"].log_softmax(-1)
        after = self.after["logits"].log_softmax(-1)
        return (before.exp() * (before - after)).sum(-1).clamp(min=0)

    @cached_property
    def norms(self) -> dict[str, Tensor]:
        """For each address of the stream and its parts, the length of each token's change [T].

        Addresses that only one of the traces has are left out.
        """
        return {
            address: (self.after[address] - self.before[address]).norm(dim=-1)
            for address in in_order([*self.before.values])
            if address in self.after.values
        }

    @property
    def changed(self) -> list[str]:
        """The addresses of `norms` where anything changed, in the order of computation."""
        return [address for address, norm in self.norms.items() if bool((norm > 0).any())]

    def pattern(self, layer: int, head: int, part: str | None = None) -> Tensor:
        """One head's attention weights, after − before [queries, keys]."""
        after = self.after.attention(layer, head, part)
        return after - self.before.attention(layer, head, part)

    def attention(self, part: str | None = None) -> Tensor:
        """How much of each head's attention went elsewhere: float32 [layers, heads]; NaN where a
        layer has no attention.

        The mean over its rows of ½ Σ |after − before|: 0 if nothing changed, 1 if every row
        looks at other tokens; ½ for a head that was silenced.
        """
        layers = {}
        for layer, before in self.before.layers(part).items():
            after = self.after.record(layer, part)
            moved = torch.zeros(before.num_heads)
            for rows in before.row_blocks(before.num_heads):
                far = after.pattern(None, rows) - before.pattern(None, rows)
                moved += far.abs().sum((1, 2)).cpu() / 2
            layers[layer] = moved / before.num_queries
        return stacked(layers, self.before.num_blocks(part))


def difference(before: Trace, after: Trace) -> Difference:
    """What changed from `before` to `after`, two traces of the same tokens by the same model.

    Raises VitralError `traces_differ`.
    """
    for what in ("tokens", "decoder_tokens"):
        ids = [[token.id for token in getattr(trace, what)] for trace in (before, after)]
        if ids[0] != ids[1]:
            raise VitralError("traces_differ", reason=f"{what}: {len(ids[0])}, {len(ids[1])}")
    shapes = [
        {name: (each.num_heads, each.num_queries, each.num_keys) for name, each in found.items()}
        for found in (before.attentions, after.attentions)
    ]
    if shapes[0] != shapes[1]:
        raise VitralError("traces_differ", reason=f"{before.model}, {after.model}")
    for name in before.values.keys() & after.values.keys():
        if before[name].shape != after[name].shape:
            raise VitralError("traces_differ", reason=name)
    return Difference(before, after)
