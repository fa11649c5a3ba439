"""Masked words, and whether one passage follows another: how BERT learns.

An encoder sees a whole window in which some words are masked, and predicts them from the words
around them (Devlin et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1). With *next
sentence*, a window is two passages, the second of which follows the first in half of the cases
and comes from elsewhere in the other half; the model says which.

Only the masked positions go through the head: the map to the vocabulary is the costly part.

Shapes: B windows, T tokens, N hidden places, V vocabulary.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.data.windows import TokenFile, draw_windows
from vitral.text.tokenizers import special_id
from vitral.training.evaluation import masked_loss_of
from vitral.training.objectives.batch import IGNORED, Batch
from vitral.training.objectives.masking import Masking
from vitral.training.recipes.recipe import Phase, Recipe


class MaskedWordsSum(nn.Module):
    """The summed loss of an encoder at the places where `targets` [B, T] ask.

    `follows` [B] is 1 where the second passage follows the first; its loss counts
    `follows_weight` [B] times.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model: Any = model

    def forward(
        self,
        ids: Tensor,
        targets: Tensor,
        segments: Tensor | None = None,
        follows: Tensor | None = None,
        follows_weight: Tensor | None = None,
    ) -> Tensor:
        x_BTC = self.model.encode(ids, None, segments)
        loss: Tensor = self._at_hidden_places(x_BTC, targets)
        if follows is not None and follows_weight is not None:
            loss = loss + next_sentence_sum(self.model, x_BTC, follows, follows_weight)
        return loss

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _at_hidden_places(self, x_BTC: Tensor, targets: Tensor) -> Tensor:
        """Not compiled: each number of hidden places would be a program of its own."""
        asked_BT = targets != IGNORED
        logits_NV = self.model.head(x_BTC[asked_BT]).float()
        return F.cross_entropy(logits_NV, targets[asked_BT], reduction="sum")


def next_sentence_sum(model: Any, x_BTC: Tensor, follows: Tensor, weight: Tensor) -> Tensor:
    """The weighted loss of saying whether the second passages follow, from an encoder's vectors."""
    logits_B2 = model.next_sentence_logits(x_BTC).float()
    # transformers' label 0 means "it follows".
    loss_B = F.cross_entropy(logits_B2, 1 - follows, reduction="none")
    return (loss_B * weight).sum()


class MaskedWords:
    """Windows of a corpus with hidden words in them, "[CLS] … [SEP]"."""

    def __init__(
        self,
        recipe: Recipe,
        phase: Phase,
        tokens: TokenFile,
        tokenizer: Tokenizer,
        samples: Sequence[str],
    ) -> None:
        self.recipe, self.phase, self.tokens = recipe, phase, tokens
        self.tokenizer, self.samples = tokenizer, samples
        self.masking = Masking.of(tokenizer, phase.mask_share)
        self.begin = special_id(tokenizer, "[CLS]", "<s>")
        self.end = special_id(tokenizer, "[SEP]", "</s>")
        self.next_sentence = bool(getattr(recipe.model, "next_sentence", False))

    def batch(self, step: int) -> Batch:
        ids_BT = draw_windows(
            self.tokens,
            step,
            num_tokens=self.recipe.batch.tokens,
            lengths=self.recipe.batch.lengths,
            seed=self.recipe.seed,
        )
        ids_BT[:, 0], ids_BT[:, -1] = self.begin, self.end
        generator = np.random.default_rng((self.recipe.seed, step, 1))
        follows_B = self._join_two(ids_BT, generator) if self.next_sentence else None
        masked_BT, chosen_BT = self.masking.apply(
            ids_BT, generator, all_masked=self.phase.all_masked
        )
        inputs = {"ids": torch.from_numpy(masked_BT)}
        if follows_B is not None:
            inputs |= self._second_passage(ids_BT, follows_B, int(chosen_BT.sum()))
        return Batch(inputs, torch.from_numpy(np.where(chosen_BT, ids_BT, IGNORED)))

    def _join_two(
        self, ids_BT: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Put an end mark in the middle of each window, and, in half of them, another window's
        second half after it; which [B] were left as they are."""
        middle = ids_BT.shape[1] // 2
        ids_BT[:, middle] = self.end
        follows_B = generator.integers(0, 2, len(ids_BT))
        strangers = np.flatnonzero(follows_B == 0)
        if len(strangers) < 2:  # no other window to exchange with
            return np.ones_like(follows_B)
        ids_BT[strangers, middle + 1 :] = ids_BT[np.roll(strangers, 1), middle + 1 :]
        return follows_B

    def _second_passage(
        self, ids_BT: NDArray[np.int64], follows_B: NDArray[np.int64], num_asked: int
    ) -> dict[str, Tensor]:
        """The two losses weigh the same: each is a mean, over words and over windows."""
        rows, length = ids_BT.shape
        segments = torch.zeros(rows, length, dtype=torch.long)
        segments[:, length // 2 + 1 :] = 1
        return {
            "segments": segments,
            "follows": torch.from_numpy(follows_B),
            "follows_weight": torch.full((rows,), num_asked / rows),
        }

    def loss(self, model: nn.Module) -> nn.Module:
        return MaskedWordsSum(model)

    def held_out(self, model: nn.Module) -> dict[str, float]:
        found = masked_loss_of(model, self.tokenizer, self.samples, max_windows=96)
        return {"held_out_loss": found.nats, "masked_accuracy": found.accuracy}
