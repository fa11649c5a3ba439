"""Masking: which tokens of a text are masked, and what replaces them.

Shapes: B rows, T tokens.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from vitral.text.tokenizers import special_id


@dataclass(frozen=True)
class Masking:
    """How words are masked (Devlin et al. 2019, section 3.1): of the chosen tokens 80 % become
    [MASK], 10 % a random token and 10 % stay as they are. Special tokens are never chosen."""

    mask_id: int
    ordinary: NDArray[np.int64]  # every token that is not special
    share: float

    @classmethod
    def of(cls, tokenizer: Tokenizer, share: float) -> "Masking":
        """Raises `special_token_missing` where the tokenizer has no mask."""
        mask_id = special_id(tokenizer, "[MASK]", "<mask>")
        added = tokenizer.get_added_tokens_decoder()
        special = {number for number, token in added.items() if token.special}
        known = sorted(set(tokenizer.get_vocab().values()) - special)
        ordinary = np.array(known)
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
