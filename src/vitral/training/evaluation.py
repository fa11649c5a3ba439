"""How good a language model is, on text that it has never seen.

*Bits per byte* of a decoder: what the text would take, in bits for each byte of its UTF-8, if the
model's predictions were used to compress it. It does not depend on the tokenizer, so models,
compressors and n-gram models can be compared.

*Masked-word accuracy* of an encoder: how often its first guess at a masked token is right.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

from vitral.text.tokenizers import special_id
from vitral.training.objectives import Masking


@torch.no_grad()
def bits_per_byte(
    model: nn.Module, tokenizer: Tokenizer, texts: Sequence[str], *, batch: int = 16
) -> float:
    """Bits a byte over all `texts`: every token is predicted once, from at least half a context
    of text before it (fewer only at a text's beginning)."""
    context: int = model.config.context  # type: ignore[union-attr,assignment]
    stride = context // 2
    nats, num_bytes = 0.0, 0
    for text in texts:
        num_bytes += len(text.encode())
        ids = np.array(tokenizer.encode(text).ids)
        # Window i covers ids[i·stride : i·stride + context]; only its last `stride` predictions
        # count, except in the first window, where all do.
        starts = list(range(0, max(1, len(ids) - stride), stride))
        for first in range(0, len(starts), batch):
            chunk = starts[first : first + batch]
            rows = [ids[s : s + context] for s in chunk]
            width = max(len(row) for row in rows)
            padded = torch.tensor(np.stack([np.pad(r, (0, width - len(r))) for r in rows]))
            losses = F.cross_entropy(
                model(padded)[:, :-1].transpose(1, 2).float(), padded[:, 1:], reduction="none"
            )
            for row, start, loss in zip(rows, chunk, losses, strict=True):
                counted_from = 0 if start == 0 else context - stride - 1
                nats += float(loss[counted_from : len(row) - 1].double().sum())
    return nats / math.log(2) / num_bytes


@torch.no_grad()
def masked_accuracy(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    share: float = 0.15,
    seed: int = 0,
    batch: int = 16,
    max_windows: int | None = None,
) -> tuple[float, float, int]:
    """Top-1 accuracy, loss in nats, and the number of tokens masked.

    The texts are cut into windows of the whole context; `share` of the ordinary tokens, drawn
    with `seed`, are replaced by [MASK] and all of them are asked for.
    """
    context: int = model.config.context  # type: ignore[union-attr,assignment]
    cls_id, sep_id = special_id(tokenizer, "[CLS]"), special_id(tokenizer, "[SEP]")
    windows = []
    for text in texts:
        ids = np.array(tokenizer.encode(text, add_special_tokens=False).ids)
        for start in range(0, len(ids) - context + 3, context - 2):
            windows.append([cls_id, *ids[start : start + context - 2], sep_id])
    if max_windows is not None:
        windows = windows[:: max(1, len(windows) // max_windows)]
    masking = Masking.of(tokenizer, share)
    generator = np.random.default_rng(seed)
    right, nats, asked = 0, 0.0, 0
    for first in range(0, len(windows), batch):
        ids_BT = np.array(windows[first : first + batch])
        masked, chosen = masking.apply(ids_BT, generator, all_masked=True)
        logits = model(torch.tensor(masked))[torch.tensor(chosen)].float()
        target = torch.tensor(ids_BT[chosen])
        right += int((logits.argmax(-1) == target).sum())
        nats += float(F.cross_entropy(logits, target, reduction="sum"))
        asked += len(target)
    return right / asked, nats / asked, asked
