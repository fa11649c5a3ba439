"""The next token: a decoder predicts each token from those before it.

    loss = −Σ_t log p(token_t | token_0 … token_{t−1})

Every token of a text is a target, which is why decoders learn so much from so little text.

Shapes: B windows, T tokens, V vocabulary.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.data.packing import Packing
from vitral.data.windows import TokenFile, draw_windows
from vitral.training.evaluation import loss_over
from vitral.training.measured_text import MeasuredText, measured_texts
from vitral.training.objectives.batch import IGNORED, Batch
from vitral.training.preparation.marks import Marks, marks_of
from vitral.training.recipes.recipe import Recipe


class NextTokenSum(nn.Module):
    """The summed loss of a decoder: `ids` [B, T] in, and the tokens that follow, `targets`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, targets: Tensor, documents: Tensor | None = None) -> Tensor:
        told = {} if documents is None else {"documents_BT": documents}
        output = self.model(ids, **told)
        logits_BTV = output if isinstance(output, Tensor) else output.logits
        return F.cross_entropy(
            logits_BTV.flatten(0, 1).float(),
            targets.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )


class NextToken:
    """Windows of a corpus, each token a target.

    Windows that start at a sentence begin with the mark that stands before every text; those
    that start anywhere have none. Packed rows are whole documents side by side. `marks` are
    those that begin and end a text, by default the tokenizer's.
    """

    def __init__(
        self,
        recipe: Recipe,
        tokens: TokenFile,
        tokenizer: Tokenizer,
        samples: Sequence[str],
        marks: Marks | None = None,
    ) -> None:
        self.recipe, self.tokens, self.samples = recipe, tokens, samples
        self.tokenizer = tokenizer
        self.marks = marks_of(tokenizer) if marks is None else marks
        self.begin = self.marks.begin if self._marked else None
        self._packings: dict[int, Packing] = {}  # by the length of their rows

    @property
    def _marked(self) -> bool:
        return self.recipe.data.windows == "sentence"

    def batch(self, step: int) -> Batch:
        if self.recipe.data.windows == "packed":
            return self._packed(step)
        drawn_BT = self._windows(step)
        if self.begin is not None:
            mark = np.full((len(drawn_BT), 1), self.begin)
            drawn_BT = np.concatenate((mark, drawn_BT[:, :-1]), axis=1)
        windows_BT = torch.from_numpy(drawn_BT)
        return Batch({"ids": windows_BT[:, :-1]}, windows_BT[:, 1:])

    def _windows(self, step: int) -> NDArray[np.int64]:
        """One token more than is read where there is no mark: the last one is only a target."""
        return draw_windows(
            self.tokens,
            step,
            num_tokens=self.recipe.batch.tokens,
            lengths=self.recipe.batch.lengths,
            seed=self.recipe.seed,
            starts="sentence" if self._marked else "anywhere",
            beyond=0 if self._marked else 1,
        )

    def _packed(self, step: int) -> Batch:
        """Rows of whole documents, each with the mark before and after it."""
        batch, seed = self.recipe.batch, self.recipe.seed
        length = int(np.random.default_rng((seed, step)).choice(batch.lengths))
        if length not in self._packings:
            self._packings[length] = Packing(
                self.tokens, length, seed=seed, begin=self.marks.begin, end=self.marks.end
            )
        rows = self._packings[length].rows(step, batch.tokens // length)
        inputs = {"ids": torch.from_numpy(rows.ids), "documents": torch.from_numpy(rows.documents)}
        return Batch(inputs, torch.from_numpy(rows.targets))

    def loss(self, model: nn.Module) -> nn.Module:
        return NextTokenSum(model)

    @cached_property
    def _measured(self) -> list[MeasuredText]:
        return measured_texts(self.tokenizer, self.samples)

    def held_out(self, model: nn.Module) -> dict[str, float]:
        found = loss_over(model, self._measured)
        return {
            "held_out_loss": found.nats,
            "bits_per_byte": found.bits_per_byte,
        }
