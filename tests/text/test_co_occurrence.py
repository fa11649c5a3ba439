import math

import numpy as np
import torch

from vitral.text.co_occurrence import SMOOTHING, co_occurrence_vectors, positive_pmi


def test_information_is_that_of_the_formula() -> None:
    ids = np.array([0, 1, 2, 0, 1, 3], dtype=np.int64)
    pmi = positive_pmi(ids, 4).to_dense()
    # To the right, within two places: 0-1, 1-2, 2-0, 0-1, 1-3 and 0-2, 1-0, 2-1, 0-3.
    counts = torch.tensor([[0, 2, 1, 1], [1, 0, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    contexts = counts.sum(0).double() ** SMOOTHING
    for word in range(4):
        for context in range(4):
            count = int(counts[word, context])
            if count == 0:
                assert pmi[word, context] == 0
                continue
            chance = float(counts[word].sum() * contexts[context] / contexts.sum())
            expected = max(0.0, math.log(count / chance))
            assert abs(float(pmi[word, context]) - expected) < 1e-6
            assert (pmi[context, 4 + word] > 0) or expected < 1  # the other side is filled too


def test_tokens_of_like_company_are_alike() -> None:
    generator = np.random.default_rng(0)
    # 0 and 1 stand between 2 and 3; 4 and 5 between 6 and 7.
    parts = [[2, int(generator.integers(0, 2)), 3] for _ in range(200)]
    parts += [[6, int(generator.integers(4, 6)), 7] for _ in range(200)]
    order = generator.permutation(len(parts))
    ids = np.concatenate([parts[i] for i in order])
    vectors = co_occurrence_vectors(ids, vocab_size=9, width=4)
    assert vectors.shape == (9, 4)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.9
    assert likeness[4, 5] > 0.9
    assert likeness[0, 4] < 0.5
    assert torch.equal(vectors[8], torch.zeros(4))  # never seen


def test_vectors_have_length_one_and_leave_the_random_state_alone() -> None:
    ids = np.random.default_rng(1).integers(0, 30, 500)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    vectors = co_occurrence_vectors(ids, vocab_size=30, width=8, seed=3)
    assert torch.equal(torch.rand(3), expected)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(30), atol=1e-5)
    assert torch.equal(vectors, co_occurrence_vectors(ids, vocab_size=30, width=8, seed=3))


def test_a_vocabulary_smaller_than_the_width_is_padded_by_the_turn() -> None:
    vectors = co_occurrence_vectors([0, 1, 2, 1, 0, 2, 2, 1], vocab_size=3, width=5)
    assert vectors.shape == (3, 5)
    assert bool(vectors.isfinite().all())
