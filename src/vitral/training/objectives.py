"""What a model is asked to learn: the next token, or the words that were masked.

Shapes: B batch, T tokens, V vocabulary. Losses are means, in nats a predicted token.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.bert import Bert
from vitral.text.tokenizers import special_id
from vitral.training.recipe import Phase


def see_only_the_past(model: nn.Module, causal: bool) -> None:
    """Make every attention layer causal, or let it see both ways.

    An encoder may spend the first part of its training as a decoder: every token then is a
    question, not one in seven (Gisserot-Boukhlef et al. 2025, https://arxiv.org/abs/2507.00994).
    """
    for layer in model.get_submodule("layers").children():
        layer.get_submodule("attention").causal = causal  # type: ignore[assignment]


def next_token_loss(model: Callable[[Tensor], Tensor], ids_BT: Tensor) -> Tensor:
    """Cross-entropy of every token after the first, given those before it."""
    logits_BTV = model(ids_BT[:, :-1])
    return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BT[:, 1:].flatten())


@dataclass(frozen=True)
class Masking:
    """How words are masked (Devlin et al. 2019, section 3.1): of the chosen tokens 80 % become
    [MASK], 10 % a random token and 10 % stay as they are. Special tokens are never chosen."""

    mask_id: int
    ordinary: NDArray[np.int64]  # every token that is not special
    share: float

    @classmethod
    def of(cls, tokenizer: Tokenizer, share: float) -> "Masking":
        mask_id = special_id(tokenizer, "[MASK]", "<mask>")
        added = tokenizer.get_added_tokens_decoder()
        special = {number for number, token in added.items() if token.special}
        size = tokenizer.get_vocab_size()
        ordinary = np.array([number for number in range(size) if number not in special])
        return cls(mask_id, ordinary, share)

    def apply(
        self, ids: NDArray[np.int64], generator: np.random.Generator, *, all_masked: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The ids [B, T] with masks in them, and which places [B, T] were chosen."""
        chosen = (generator.random(ids.shape) < self.share) & np.isin(ids, self.ordinary)
        masked = np.where(chosen, self.mask_id, ids)
        if not all_masked:
            lot = generator.random(ids.shape)
            strangers = self.ordinary[generator.integers(0, len(self.ordinary), ids.shape)]
            masked = np.where(chosen & (lot < 0.1), strangers, masked)
            masked = np.where(chosen & (lot >= 0.9), ids, masked)
        return masked, chosen


def masked_words_loss(
    model: Bert,
    encode: Callable[[Tensor], Tensor],
    masked_BT: Tensor,
    ids_BT: Tensor,
    places: Tensor,
) -> Tensor:
    """Cross-entropy at the chosen places [N, 2] of the original `ids`.

    Only the chosen places go through the head: the map to the vocabulary is the costly part.
    """
    rows, columns = places.unbind(1)
    logits_NV = model.head(encode(masked_BT)[rows, columns]).float()
    return F.cross_entropy(logits_NV, ids_BT[rows, columns])


def phase_at(progress: float, phases: list[Phase]) -> Phase:
    """The phase of the run at `progress` (0 … 1)."""
    return next((phase for phase in phases if progress < phase.until), phases[-1])
