"""Co-occurrence vectors: word vectors by counting which tokens stand together.

"You shall know a word by the company it keeps" (Firth 1957). Count how often each token stands
next to each other one, on its left and on its right; divide by what chance would give,

    PMI(w, c) = log( p(w, c) / (p(w) · p(c)) )        PPMI = max(PMI, 0)

and what remains, factored by a truncated singular value decomposition PPMI ≈ U·S·Vᵀ, gives a
vector U·√S per token. Tokens that may stand in the same places get like vectors: "perro" and
"gato", "cruzó" and "persiguió". (Levy & Goldberg 2014, "Neural Word Embedding as Implicit
Matrix Factorization"; contexts smoothed by the power 0.75 as in Levy, Goldberg & Dagan 2015.)

    >>> ids = [0, 2, 3, 1, 2, 3, 0, 2, 4, 1, 2, 4] * 9  # 0 and 1 stand in the same places
    >>> vectors_VC = co_occurrence_vectors(ids, vocab_size=5, width=2)
    >>> bool(vectors_VC[0] @ vectors_VC[1] > vectors_VC[0] @ vectors_VC[2])
    True

Shapes: V vocabulary, C width.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

REACH = 2
"""How far apart two tokens may stand to count as a co-occurrence."""

SMOOTHING = 0.75
"""The power of a context's frequency; below 1 it makes rare contexts count for less."""


def co_occurrence_vectors(
    ids: Sequence[int] | NDArray[np.integer], vocab_size: int, width: int, *, seed: int = 0
) -> Tensor:
    """A unit vector for each token of the vocabulary, float32 [V, C], from a row of token ids.

    Tokens that never occur get zeros. The cost is that of sorting the ids' pairs and of a few
    products of a sparse V × 2V matrix with V × C ones: seconds for ten million tokens. The
    axes are turned at random, so that no component is larger than another for all tokens.
    """
    pmi = positive_pmi(np.asarray(ids, dtype=np.int64), vocab_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        u, s, _ = torch.svd_lowrank(pmi, q=min(width, vocab_size), niter=3)
        turn_CC, _ = torch.linalg.qr(torch.randn(width, width))
    vectors_VC = (u * s.sqrt()) @ turn_CC[: len(s)]
    seen = torch.from_numpy(np.bincount(np.asarray(ids), minlength=vocab_size) > 0)
    return torch.nn.functional.normalize(vectors_VC, dim=1) * seen[:, None]


def positive_pmi(ids: NDArray[np.int64], vocab_size: int) -> Tensor:
    """Positive pointwise mutual information, sparse float32 [V, 2V]: of each token with those
    within `REACH` to its right, then with those to its left."""
    pairs = np.concatenate(
        [ids[:-distance] * vocab_size + ids[distance:] for distance in range(1, REACH + 1)]
    )
    found, counts = np.unique(pairs, return_counts=True)
    left, right = np.divmod(found, vocab_size)
    rows, columns, values = [], [], []
    for word, context, side in ((left, right, 0), (right, left, 1)):
        total_word = np.bincount(word, counts, vocab_size)
        total_context = np.bincount(context, counts, vocab_size) ** SMOOTHING
        chance = total_word[word] * total_context[context] / total_context.sum()
        information = np.log(counts / chance)
        kept = information > 0
        rows.append(word[kept])
        columns.append(context[kept] + side * vocab_size)
        values.append(information[kept])
    places = torch.from_numpy(np.stack([np.concatenate(rows), np.concatenate(columns)]))
    information_n = torch.from_numpy(np.concatenate(values)).float()
    return torch.sparse_coo_tensor(
        places, information_n, (vocab_size, 2 * vocab_size), check_invariants=False
    ).coalesce()
