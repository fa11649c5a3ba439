"""Attribution of what was written, step by step: which tokens of the text put each answer there.

A decoder writes token k because its logit, at the position before it, was high. That logit is
divided as in `explain.attribution`, and the shares are gathered by the token that they come from:

    logit_k = Σ_s keys_ks + itself_k          s runs over the tokens that were read by then

keys_ks is what all heads of all layers hand over from token s *directly*, itself_k what the last
position adds by itself (its own vector, its feed-forward parts, the biases). Every row adds up to
its logit: that has been checked. With a contrast (Yin & Neubig 2022, arXiv:2202.10419) the logit is
the difference of the written token's and another's: why "la" and not "el"?

What a token does *through* later tokens counts as theirs; `integrated_gradients`, which takes
`against` as well, is the measure that follows it all the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.attribution import LogitAttribution, logit_attribution
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace

Against = int | Literal["second"] | None
"""The other token: an id, or "second", the most likely one that was not written."""


@dataclass(frozen=True, eq=False)
class WrittenAttribution:
    """`steps` divide the logit of each written token; `trace` is that of the finished text, in
    which they stand from `start` on."""

    trace: Trace
    start: int
    steps: Sequence[LogitAttribution]

    @property
    def tokens(self) -> list[Token]:
        """The tokens that the decoder read and wrote: what `table` has columns for."""
        return self.trace.decoder_tokens or self.trace.tokens

    def table(self) -> Tensor:
        """The shares by token, float32 [steps, tokens]: a row's sum is its logit (or difference),
        less what comes from an encoder's text (`source_table`). What the position adds by itself
        stands at the position; tokens that were not yet written have 0."""
        rows = torch.zeros(len(self.steps), len(self.tokens))
        for row, step in zip(rows, self.steps, strict=True):
            row[: len(step.keys)] += step.keys
            row[step.token] += step.itself
        return rows

    def source_table(self) -> Tensor | None:
        """The shares of the tokens that an encoder read [steps, tokens]; None without one."""
        rows = [step.cross_keys for step in self.steps if step.cross_keys is not None]
        return torch.stack(rows) if rows else None


def written_attribution(
    trace: Trace, model: TraceableModel, start: int, *, against: Against = None
) -> WrittenAttribution:
    """Attribute the tokens from `start` on (of an encoder–decoder's answer, from 1), each to the
    tokens before it, in a trace of the finished text (`model.trace_generation(…)`).

    Raises VitralError `nothing_written` where no token stands there, `contrast_same` where the
    written token is `against`, and as `logit_attribution`.
    """
    tokens = trace.decoder_tokens or trace.tokens
    if not 1 <= start < len(tokens):
        raise VitralError("nothing_written", model=trace.model)
    steps = []
    for place in range(start - 1, len(tokens) - 1):
        number = tokens[place + 1].id
        other = second(trace, place, number) if against == "second" else against
        if other == number:
            raise VitralError("contrast_same", token=tokens[place + 1].text)
        steps.append(logit_attribution(trace, model, place, number, against=other))
    return WrittenAttribution(trace, start, steps)


def second(trace: Trace, place: int, number: int) -> int:
    """The most likely id at a position that is not `number`."""
    logits = trace["logits"][place].clone()
    logits[number] = -torch.inf
    return int(logits.argmax())
