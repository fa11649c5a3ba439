"""Choosing the next token from a model's logits.

*Greedy* takes the most likely. *Sampling* draws from the distribution, after it was changed in
this order, each change only if it is set:

1. *repetition penalty* θ (Keskar et al. 2019, CTRL, section 4.1): the logit of each token that
   the text already contains is divided by θ, or, where it is negative, multiplied by it;
2. *temperature* τ flattens (τ > 1) or sharpens (τ < 1): p ∝ exp(logit / τ);
3. *top-k* keeps the k most likely tokens (Fan et al. 2018, https://arxiv.org/abs/1805.04833);
4. *top-p* keeps the fewest most likely tokens whose probabilities add up to p (Holtzman et
   al. 2020, https://arxiv.org/abs/1904.09751);
5. *min-p* keeps those at least p times as likely as the most likely (Nguyen et al. 2024,
   https://arxiv.org/abs/2407.01082).

What is kept is scaled to sum to one. Order and meaning are those of transformers, so the same
settings give the same distribution there.

Shapes: B batch, T tokens read so far, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitral.errors import VitralError, check_range

LEAST_TEMPERATURE, MOST_TEMPERATURE = 1e-4, 1e4
"""Below it the logits leave float32, and the sampled token is the most likely one anyway (ask for
0); above it all tokens are equally likely."""

MOST_PENALTY = 100.0


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen; a temperature of 0, the default, is greedy.

    Raises VitralError `option_invalid`, `option_out_of_range` or `option_range` for an invalid
    number.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise VitralError(
                "option_invalid", option="temperature", value=self.temperature, least=0
            )
        if self.temperature > 0:
            check_range("temperature", self.temperature, LEAST_TEMPERATURE, MOST_TEMPERATURE)
        if self.top_k is not None and self.top_k < 1:
            raise VitralError("option_invalid", option="top_k", value=self.top_k, least=1)
        for option, share in (("top_p", self.top_p), ("min_p", self.min_p)):
            if share is not None and not 0 < share <= 1:
                raise VitralError("option_out_of_range", option=option, value=share, most=1)
        if not self.repetition_penalty > 0:
            raise VitralError(
                "option_out_of_range",
                option="repetition_penalty",
                value=self.repetition_penalty,
                most=MOST_PENALTY,
            )
        check_range("repetition_penalty", self.repetition_penalty, 1 / MOST_PENALTY, MOST_PENALTY)

    def scores(self, logits_BV: Tensor, read_BT: Tensor) -> Tensor:
        """The logits [B, V] after all changes; −∞ where a token is left out. At temperature 0
        only repetition counts, since the most likely token is then taken."""
        scores_BV = repetition_penalised(logits_BV.float(), read_BT, self.repetition_penalty)
        if self.temperature == 0:
            return scores_BV
        scores_BV = scores_BV / self.temperature
        if self.top_k is not None:
            scores_BV = keep_top_k(scores_BV, self.top_k)
        if self.top_p is not None:
            scores_BV = keep_top_p(scores_BV, self.top_p)
        if self.min_p is not None:
            scores_BV = keep_min_p(scores_BV, self.min_p)
        return scores_BV

    def choose(
        self,
        logits_BV: Tensor,
        read_BT: Tensor,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
    ) -> Tensor:
        """The next token [B] of each text, of which `read_BT` was read so far; drawn with one
        generator, or with one a text."""
        scores_BV = self.scores(logits_BV, read_BT)
        if self.temperature == 0:
            return scores_BV.argmax(dim=-1)
        shares_BV = scores_BV.softmax(dim=-1)
        if generator is None or isinstance(generator, torch.Generator):
            drawn: Tensor = torch.multinomial(shares_BV, 1, generator=generator)
            return drawn.squeeze(-1)
        rows = zip(shares_BV, generator, strict=True)
        return torch.cat([torch.multinomial(row_V, 1, generator=each) for row_V, each in rows])


def repetition_penalised(logits_BV: Tensor, read_BT: Tensor, penalty: float) -> Tensor:
    """Less for tokens that the text already contains, if `penalty` is more than 1."""
    if penalty == 1:
        return logits_BV
    of_read = logits_BV.gather(1, read_BT)
    lowered = torch.where(of_read < 0, of_read * penalty, of_read / penalty)
    return logits_BV.scatter(1, read_BT, lowered)


def keep_top_k(scores_BV: Tensor, k: int) -> Tensor:
    """The `k` largest of each row (and what equals the smallest of them); −∞ elsewhere."""
    if k >= scores_BV.shape[-1]:
        return scores_BV
    smallest_kept = scores_BV.topk(k, dim=-1).values[..., -1:]
    return scores_BV.masked_fill(scores_BV < smallest_kept, float("-inf"))


def keep_top_p(scores_BV: Tensor, share: float) -> Tensor:
    """The fewest most likely tokens whose probabilities reach `share`; at least one."""
    ascending = scores_BV.sort(dim=-1)
    below = ascending.values.softmax(dim=-1).cumsum(dim=-1) <= 1 - share
    below[..., -1:] = False
    return scores_BV.masked_fill(below.scatter(-1, ascending.indices, below), float("-inf"))


def keep_min_p(scores_BV: Tensor, share: float) -> Tensor:
    """Those at least `share` times as likely as the most likely; −∞ elsewhere."""
    probability_BV = scores_BV.softmax(dim=-1)
    least = share * probability_BV.amax(dim=-1, keepdim=True)
    return scores_BV.masked_fill(probability_BV < least, float("-inf"))
