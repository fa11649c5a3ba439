"""Sequence to sequence: read one text and write another, token by token.

    loss = −Σ_t log p(target_t | target_0 … target_{t−1}, source)

In training, the decoder reads the right tokens so far, not those it would have written itself
("teacher forcing", Williams & Zipser 1989), so that all of a text's targets are predicted at once.
When it writes alone it reads its own. A wrong token then leads to wrong ones, so the share of
right tokens is too optimistic: what counts is how many answers are right from end to end.

Shapes: B pairs, S tokens of the source, T tokens of the target, V vocabulary.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.data.pair_file import PairFile, padded
from vitral.data.pairs import END, PAD, Pair
from vitral.text.as_text import as_text
from vitral.text.tokenizers import BEGIN, special_id
from vitral.training.objectives.batch import IGNORED, Batch
from vitral.training.recipes.recipe import Recipe

NUM_ASKED = 512
"""How many held-out pairs the evaluations during training measure the loss on."""

NUM_ANSWERED = 128
"""How many of them the model answers freely."""

ROWS = 128
"""How many pairs are evaluated together."""


class SequenceToSequenceSum(nn.Module):
    """The summed loss of an encoder–decoder: `ids` [B, S] are the source, `decoder_ids` [B, T]
    the begin mark and the target, `targets` [B, T] the target and the end mark."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        ids: Tensor,
        decoder_ids: Tensor,
        targets: Tensor,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        logits_BTV = self.model(ids, decoder_ids, attention_mask)
        return F.cross_entropy(
            logits_BTV.flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )


class SequenceToSequence:
    """Pairs of about one length, chosen at random for each step."""

    def __init__(
        self, recipe: Recipe, pairs: PairFile, tokenizer: Tokenizer, held_out: Sequence[Pair]
    ) -> None:
        self.recipe, self.pairs, self.tokenizer = recipe, pairs, tokenizer
        self.held_out_pairs = sorted(held_out[:NUM_ASKED], key=lambda pair: len(pair.target))
        self.pad = special_id(tokenizer, PAD)
        self.begin = special_id(tokenizer, BEGIN)
        self.end = special_id(tokenizer, END)

    def batch(self, step: int) -> Batch:
        batch, seed = self.recipe.batch, self.recipe.seed
        drawn = self.pairs.draw(step, num_tokens=batch.tokens, seed=seed)
        return self._questions(
            [self.pairs.source(number) for number in drawn],
            [self.pairs.target(number) for number in drawn],
        )

    def _questions(
        self, sources: list[NDArray[np.int64]], targets: list[NDArray[np.int64]]
    ) -> Batch:
        """Rows of ids, each with its end mark, as one batch."""
        ids_BS, targets_BT = padded(sources, self.pad), padded(targets, self.pad)
        mark_B1 = np.full((len(targets), 1), self.begin)
        asked_BT = padded([np.ones_like(target) for target in targets], 0).astype(bool)
        inputs = {
            "ids": torch.from_numpy(ids_BS),
            "decoder_ids": torch.from_numpy(np.concatenate((mark_B1, targets_BT[:, :-1]), axis=1)),
            "attention_mask": torch.from_numpy(
                padded([np.ones_like(source) for source in sources], 0)
            ),
        }
        return Batch(inputs, torch.from_numpy(np.where(asked_BT, targets_BT, IGNORED)))

    def loss(self, model: nn.Module) -> nn.Module:
        return SequenceToSequenceSum(model)

    @torch.no_grad()
    def held_out(self, model: nn.Module) -> dict[str, float]:
        """The loss and the share of right tokens with the right ones before them, and the share
        of answers that are right from end to end when the model writes alone."""
        nats, right, asked = 0.0, 0, 0
        for first in range(0, len(self.held_out_pairs), ROWS):
            pairs = self.held_out_pairs[first : first + ROWS]
            batch = self._questions(
                [self._ids(pair.source) for pair in pairs],
                [self._ids(pair.target) for pair in pairs],
            ).to(next(model.parameters()).device)
            of = batch.inputs
            logits_BTV = model(of["ids"], of["decoder_ids"], of["attention_mask"]).float()
            nats += float(
                F.cross_entropy(
                    logits_BTV.flatten(0, 1),
                    batch.targets.flatten(),
                    ignore_index=IGNORED,
                    reduction="sum",
                )
            )
            right += int((logits_BTV.argmax(-1) == batch.targets).sum())
            asked += batch.num_asked
        some = self.held_out_pairs[:: max(1, len(self.held_out_pairs) // NUM_ANSWERED)]
        longest = max(len(self._ids(pair.target)) for pair in some) + 1
        found = answers(model, self.tokenizer, [pair.source for pair in some], longest=longest)
        exact = sum(answer == pair.target for answer, pair in zip(found, some, strict=True))
        return {
            "held_out_loss": nats / asked,
            "token_accuracy": right / asked,
            "exact_match": exact / len(some),
        }

    def _ids(self, text: str) -> NDArray[np.int64]:
        with as_text(self.tokenizer):
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return np.array([*ids, self.end], dtype=np.int64)


@torch.no_grad()
def answers(
    model: nn.Module, tokenizer: Tokenizer, sources: Sequence[str], *, longest: int
) -> list[str]:
    """What the model writes for each source, the most likely token each time, `longest` at most.

    Raises VitralError `special_token_missing` where the tokenizer was not made for pairs.
    """
    writer: Any = model
    device = next(model.parameters()).device
    pad, begin, end = (special_id(tokenizer, name) for name in (PAD, BEGIN, END))
    written: list[str] = []
    for first in range(0, len(sources), ROWS):
        some = list(sources[first : first + ROWS])
        with as_text(tokenizer):
            encodings = tokenizer.encode_batch(some, add_special_tokens=False)
        rows = [np.array([*encoding.ids, end]) for encoding in encodings]
        ids_BS = torch.from_numpy(padded(rows, pad)).to(device)
        mask_BS = torch.from_numpy(padded([np.ones_like(row) for row in rows], 0)).to(device)
        memory, cache = writer.encode(ids_BS, mask_BS), writer.new_cache()
        now_B1 = torch.full((len(rows), 1), begin, device=device)
        done_B1 = torch.zeros_like(now_B1, dtype=torch.bool)
        ids: list[Tensor] = []
        while len(ids) < longest and not bool(done_B1.all()):
            logits_B1V = writer.decode(now_B1, memory, mask_BS, None, cache)
            now_B1 = logits_B1V.argmax(-1).masked_fill(done_B1, pad)
            done_B1 |= now_B1 == end
            ids.append(now_B1)
        written += tokenizer.decode_batch(torch.cat(ids, dim=1).tolist())
    return written
