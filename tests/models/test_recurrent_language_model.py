"""The recurrent language model: its state is its cache, documents are apart, padding is nothing."""

from itertools import pairwise

import pytest
import torch

from models.sequence_models import SOURCE, SOURCE_MASK, VOCABULARY, language_model
from vitral.errors import VitralError
from vitral.models.recurrent import RecurrentConfig, document_rows
from vitral.nn.recurrent import FUSED, RecurrentState

DOCUMENTS = torch.tensor([[0, 0, 0, 1, 1, 2], [3, 3, 3, 3, 3, 3], [3, 4, 5, 5, 0, 0]])


@torch.no_grad()
@pytest.mark.parametrize("cell", FUSED)
def test_its_state_is_its_cache(cell: str) -> None:
    model = language_model(cell=cell)
    whole = model(SOURCE)
    assert whole.shape == (3, 6, VOCABULARY)
    state = RecurrentState(2)
    pieces = [model(SOURCE[:, :3], cache=state), model(SOURCE[:, 3:], cache=state)]
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-6, rtol=1e-5)
    assert state.length == 6


@torch.no_grad()
@pytest.mark.parametrize("cell", FUSED)
def test_padding_is_not_read(cell: str) -> None:
    model = language_model(cell=cell)
    padded = model(SOURCE, SOURCE_MASK)
    for row in range(3):
        real = SOURCE_MASK[row].bool()
        alone = model(SOURCE[row, real][None])[0]
        torch.testing.assert_close(padded[row, real], alone, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_documents_side_by_side_know_nothing_of_each_other() -> None:
    model = language_model()
    packed = model(SOURCE, documents_BT=DOCUMENTS)
    for row in range(3):
        begins = [0, *(t for t in range(1, 6) if DOCUMENTS[row, t] != DOCUMENTS[row, t - 1]), 6]
        for first, last in pairwise(begins):
            alone = model(SOURCE[row, first:last][None])[0]
            torch.testing.assert_close(packed[row, first:last], alone, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(packed, model(SOURCE), atol=1e-3)


def test_documents_get_rows_of_their_own() -> None:
    rows, places = document_rows(DOCUMENTS)
    assert rows.tolist() == [[0, 0, 0, 1, 1, 2], [3] * 6, [4, 5, 6, 6, 7, 7]]
    assert places.tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 0, 1]]


def test_token_vectors_are_the_heads_unless_told_otherwise() -> None:
    tied, apart = language_model(), language_model(tied_embeddings=False)
    assert tied.head.weight is tied.embed.weight
    assert apart.head.weight is not apart.embed.weight
    count = sum(each.numel() for each in apart.parameters())
    assert count - sum(each.numel() for each in tied.parameters()) == VOCABULARY * 12


def test_another_cell_is_refused() -> None:
    with pytest.raises(VitralError) as caught:
        RecurrentConfig(cell="mamba")
    assert caught.value.key == "model_option"
    assert "lstm" in caught.value.text("en")
