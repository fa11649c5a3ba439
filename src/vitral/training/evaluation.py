"""Evaluation: how well a language model predicts held-out text.

*Next-token loss* of a decoder: the mean of −log p(token) in nats, every token predicted once.
Three numbers say the same in other units: the *perplexity* exp(loss), as if the model chose
between that many tokens; the perplexity per word, which does not depend on how the tokenizer
splits; and *bits per byte*, what the text would take, in bits for each byte of its UTF-8, if the
predictions were used to compress it. The last can be compared between models, compressors and
n-gram models.

*Masked-word accuracy* of an encoder: how often its most likely token for a masked one is right.

Each mean has a standard error. Tokens of one window are not independent, so it is that
of a ratio of sums over windows (Cochran 1977, "Sampling Techniques", section 6.3).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.errors import VitralError
from vitral.models.description import architecture, number
from vitral.models.description import context as context_of
from vitral.text.as_text import as_text
from vitral.text.tokenizers import special_id
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.inputs import check_ids, device_of
from vitral.training.measured_text import MeasuredText, measured_texts
from vitral.training.objectives.masking import Masking

LONGEST_WINDOW = 1024
"""The window, in tokens, of a model with an unlimited context."""


@dataclass(frozen=True)
class NextTokenLoss:
    """How well a decoder predicts a text. `nats` and `standard_error` are per token."""

    nats: float
    standard_error: float
    num_tokens: int
    num_words: int
    num_bytes: int

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.nats, 700.0))

    @property
    def perplexity_per_word(self) -> float:
        return math.exp(min(self.nats * self.num_tokens / self.num_words, 700.0))

    @property
    def bits_per_byte(self) -> float:
        return self.nats * self.num_tokens / math.log(2) / self.num_bytes

    @property
    def bits_per_byte_error(self) -> float:
        return self.standard_error * self.num_tokens / math.log(2) / self.num_bytes


@dataclass(frozen=True)
class MaskedLoss:
    """How well an encoder predicts masked tokens."""

    accuracy: float
    accuracy_error: float
    nats: float
    standard_error: float
    num_masked: int


def loss_of(
    model: TraceableModel, text: str, *, mask_share: float, seed: int
) -> "NextTokenLoss | MaskedLoss":
    """What `vitral.Model.evaluate` gives, and what it raises."""
    if model.tokenizer is None:
        raise VitralError("tokenizer_missing", model=model.name)
    if model.kind == "decoder":
        return next_token_loss_of(model.module, model.tokenizer, [text])
    if model.kind != "encoder" or not hasattr(model.tokenizer, "token_to_id"):
        raise VitralError("cannot_evaluate", model=model.name)
    if not 0 < mask_share < 1:
        raise VitralError("option_out_of_range", option="mask_share", value=mask_share, most=1)
    if not 0 <= seed < 2**63:
        raise VitralError("option_range", option="seed", value=seed, least=0, most=2**63 - 1)
    model.tokens(text)  # checks the text
    return masked_loss_of(model.module, model.tokenizer, [text], share=mask_share, seed=seed)


def next_token_loss_of(
    model: nn.Module, tokenizer: Any, texts: Sequence[str], *, batch: int = 16
) -> NextTokenLoss:
    """The loss over all `texts`: every token is predicted once, from at least half a context of
    text before it (fewer only at a text's beginning).

    If the tokenizer puts no token before a text, nothing predicts its first token, so it is left
    out with its bytes. Raises `text_empty` if there is nothing to predict, and `id_out_of_range`
    for a token that the model does not have.
    """
    measured = measured_texts(tokenizer, texts, number(model, "vocab_size"))
    return loss_over(model, measured, batch=batch)


@torch.no_grad()
def loss_over(model: nn.Module, texts: Sequence[MeasuredText], *, batch: int = 16) -> NextTokenLoss:
    """The same for texts that are read already. Windows of about one length are predicted
    together, as many as have `batch` whole windows' tokens."""
    size = min(context_of(model) or LONGEST_WINDOW, LONGEST_WINDOW)
    stride = size // 2
    windows: list[tuple[NDArray[np.int64], int]] = []  # and its first prediction that counts
    for text in texts:
        # Window i covers ids[i·stride : i·stride + size]; only its last `stride` predictions
        # count, except in the first window, where all do.
        for start in range(0, max(1, len(text.ids) - stride), stride):
            window = text.ids[start : start + size]
            windows.append((window, text.first - 1 if start == 0 else size - stride - 1))
    nats = np.zeros(len(windows))
    counts = np.zeros(len(windows), dtype=np.int64)
    order = sorted(range(len(windows)), key=lambda place: -len(windows[place][0]))
    while order:
        width = len(windows[order[0]][0])
        chunk, order = order[: batch * size // width], order[batch * size // width :]
        rows = [windows[place][0] for place in chunk]
        padded = torch.tensor(np.stack([np.pad(r, (0, width - len(r))) for r in rows]))
        losses = F.cross_entropy(
            _logits(model, padded)[:, :-1].transpose(1, 2).float(),
            padded[:, 1:],
            reduction="none",
        )
        for place, row, loss in zip(chunk, rows, losses, strict=True):
            counted = loss[windows[place][1] : len(row) - 1].double()
            nats[place], counts[place] = float(counted.sum()), len(counted)
    if counts.sum() == 0:
        raise VitralError("text_empty")
    mean, error = ratio(nats.tolist(), counts.tolist())
    return NextTokenLoss(
        mean,
        error,
        num_tokens=int(counts.sum()),
        num_words=max(1, sum(text.num_words for text in texts)),
        num_bytes=sum(text.num_bytes for text in texts),
    )


def bits_per_byte(
    model: nn.Module, tokenizer: Tokenizer, texts: Sequence[str], *, batch: int = 16
) -> float:
    """Bits per byte over all `texts`; see `next_token_loss_of`."""
    return next_token_loss_of(model, tokenizer, texts, batch=batch).bits_per_byte


def ratio(sums: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Σ sums / Σ counts over windows, and its standard error (0 for a single window)."""
    total, number = sum(counts), len(counts)
    mean = sum(sums) / total
    if number < 2:
        return mean, 0.0
    squares = sum((s - mean * n) ** 2 for s, n in zip(sums, counts, strict=True))
    return mean, math.sqrt(squares * number / (number - 1)) / total


def _logits(model: nn.Module, ids_BT: Tensor) -> Tensor:
    read_BT = ids_BT.to(device_of(model))
    return _of_vocabulary(model, model(read_BT), read_BT).to(ids_BT.device)


def _of_vocabulary(model: nn.Module, output: Any, ids_BT: Tensor) -> Tensor:
    """A model's scores of its vocabulary at each token. Raises VitralError `cannot_evaluate` for
    one that gives none: without a head, or with one that classifies."""
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    size = number(model, "vocab_size") or int(ids_BT.max()) + 1
    if (
        not isinstance(logits, Tensor)
        or logits.dim() != 3
        or logits.shape[:2] != ids_BT.shape
        or logits.shape[-1] < size
    ):
        raise VitralError("cannot_evaluate", model=architecture(model))
    return logits


@torch.no_grad()
def masked_loss_of(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    share: float = 0.15,
    seed: int = 0,
    batch: int = 16,
    max_windows: int | None = None,
) -> MaskedLoss:
    """Top-1 accuracy and loss at masked tokens.

    The texts are cut into windows of the whole context, what is left over at a text's end being
    one more; `share` of the ordinary tokens, drawn with `seed`, are replaced by [MASK] and all
    of them are asked for. Raises `text_empty` where none is drawn, and `id_out_of_range` for a
    token that the model does not have.
    """
    size = min(context_of(model) or LONGEST_WINDOW, LONGEST_WINDOW)
    cls_id = special_id(tokenizer, "[CLS]", "<s>")
    sep_id = special_id(tokenizer, "[SEP]", "</s>")
    pad_id = special_id(tokenizer, "[PAD]", "<pad>")
    windows = []
    for text in texts:
        with as_text(tokenizer):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
        check_ids([ids], number(model, "vocab_size"))
        for start in range(0, len(ids), size - 2):
            windows.append([cls_id, *ids[start : start + size - 2], sep_id])
    if max_windows is not None:
        windows = windows[:: max(1, len(windows) // max_windows)]
    masking = Masking.of(tokenizer, share)
    generator = np.random.default_rng(seed)
    device = device_of(model)
    right: list[float] = []
    nats: list[float] = []
    asked: list[int] = []
    for first in range(0, len(windows), batch):
        rows = windows[first : first + batch]
        width = max(len(row) for row in rows)
        ids_BT = np.array([[*row, *[pad_id] * (width - len(row))] for row in rows])
        masked, chosen = masking.apply(ids_BT, generator, all_masked=True)
        shown_BT, real_BT = torch.from_numpy(masked), torch.from_numpy(ids_BT != pad_id)
        logits_BTV = _masked_logits(model, shown_BT.to(device), real_BT.to(device))
        for logits, target, here in zip(logits_BTV, ids_BT, chosen, strict=True):
            of_row = logits[torch.from_numpy(here).to(device)].float().cpu()
            target_n = torch.from_numpy(target[here])
            right.append(float((of_row.argmax(-1) == target_n).sum()))
            nats.append(float(F.cross_entropy(of_row, target_n, reduction="sum")))
            asked.append(len(target_n))
    if sum(asked) == 0:
        raise VitralError("text_empty")
    accuracy, accuracy_error = ratio(right, asked)
    mean, error = ratio(nats, asked)
    return MaskedLoss(accuracy, accuracy_error, mean, error, sum(asked))


def _masked_logits(model: nn.Module, ids_BT: Tensor, real_BT: Tensor) -> Tensor:
    return _of_vocabulary(model, model(ids_BT, attention_mask=real_BT.long()), ids_BT)
