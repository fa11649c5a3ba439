"""A recurrent layer reads real tokens only, in both directions, and goes on where it stopped."""

import pytest
import torch
from torch import Tensor

from vitral.nn.recurrent import FUSED, RecurrentLayer, RecurrentState, hand_over
from vitral.nn.recurrent_cells import CELLS, unrolled

PADDED = torch.tensor(
    [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1],
        [1, 0, 1, 1, 0, 1],
        [0, 0, 0, 0, 1, 0],
    ]
)


def layer_of(cell: str, *, bidirectional: bool) -> RecurrentLayer:
    torch.manual_seed(1)
    return RecurrentLayer(cell, 3, 8, bidirectional=bidirectional)


def slowly(
    layer: RecurrentLayer, cell: str, x_TI: Tensor, real_T: Tensor, suffix: str
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One row by the written-out cell, one real token after another."""
    size = layer.cell.hidden_size
    written = CELLS[cell](3, size)
    with torch.no_grad():
        for name, weight in written.named_parameters():
            weight.copy_(getattr(layer.cell, f"{name}_l0{suffix}"))
    outputs = torch.zeros(len(x_TI), size)
    places = [place for place in range(len(x_TI)) if real_T[place]]
    if suffix:
        places.reverse()
    state = (torch.zeros(1, size),) * written.num_states
    for place in places:
        state = written(x_TI[None, place], state)
        outputs[place] = state[0][0]
    return outputs, state


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", FUSED)
def test_padding_is_not_read(cell: str, bidirectional: bool) -> None:
    layer = layer_of(cell, bidirectional=bidirectional)
    x = torch.randn(5, 6, 3)
    outputs, state = layer(x, PADDED)
    for row in range(5):
        suffixes = ("", "_reverse") if bidirectional else ("",)
        ways = [slowly(layer, cell, x[row], PADDED[row], s) for s in suffixes]
        expected = torch.cat([way[0] for way in ways], dim=-1)
        torch.testing.assert_close(outputs[row], expected, atol=1e-6, rtol=1e-5)
        for kind, each in enumerate(state):
            ends = torch.stack([way[1][kind][0] for way in ways])
            torch.testing.assert_close(each[:, row], ends, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", FUSED)
def test_what_stands_in_the_padding_changes_nothing(cell: str) -> None:
    layer = layer_of(cell, bidirectional=True)
    x = torch.randn(5, 6, 3, requires_grad=True)
    outputs, _ = layer(x, PADDED)
    (gradient,) = torch.autograd.grad(outputs.pow(2).sum(), x)
    norms = gradient.norm(dim=-1)
    assert bool((norms[PADDED == 0] == 0).all())
    assert bool((norms[PADDED == 1] > 1e-4).all())


@pytest.mark.parametrize("cell", FUSED)
def test_a_row_of_padding_alone_keeps_its_state(cell: str) -> None:
    layer = layer_of(cell, bidirectional=False)
    x = torch.randn(2, 4, 3)
    _, before = layer(x)
    padding = torch.tensor([[0, 0, 0, 0], [1, 1, 0, 0]])
    outputs, after = layer(torch.randn(2, 4, 3), padding, before)
    assert bool((outputs[0] == 0).all())
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new[:, 0], old[:, 0], atol=0, rtol=0)
        assert not torch.allclose(new[:, 1], old[:, 1], atol=1e-3)
    _, fresh = layer(x, padding)
    assert all(bool((each[:, 0] == 0).all()) for each in fresh)


@pytest.mark.parametrize("cell", FUSED)
def test_reading_in_two_pieces_is_reading_at_once(cell: str) -> None:
    layer = layer_of(cell, bidirectional=False)
    x = torch.randn(2, 9, 3)
    whole, end = layer(x)
    first, state = layer(x[:, :4])
    second, last = layer(x[:, 4:], None, state)
    torch.testing.assert_close(torch.cat((first, second), 1), whole, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(last, end, atol=1e-6, rtol=1e-5)


def test_both_directions_hand_over_what_they_know_in_the_end() -> None:
    layer = layer_of("gru", bidirectional=True)
    outputs, state = layer(torch.randn(2, 5, 3))
    (handed,) = hand_over(state)
    assert handed.shape == (1, 2, 8)
    expected = torch.cat((outputs[:, -1, :4], outputs[:, 0, 4:]), dim=-1)
    torch.testing.assert_close(handed[0], expected, atol=1e-6, rtol=1e-5)


def test_rows_of_a_state_move_about() -> None:
    state = RecurrentState(2)
    state.layers[1] = (torch.arange(6.0).view(1, 3, 2),)
    state.reorder(torch.tensor([2, 0, 2]))
    assert state.layers[0] is None
    assert state.layers[1][0][0].tolist() == [[4, 5], [0, 1], [4, 5]]


def test_a_written_out_cell_reads_what_a_layer_reads() -> None:
    layer = layer_of("lstm", bidirectional=False)
    written = CELLS["lstm"](3, 8)
    with torch.no_grad():
        for name, weight in written.named_parameters():
            weight.copy_(getattr(layer.cell, f"{name}_l0"))
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(layer(x)[0], unrolled(written, x)[0], atol=1e-6, rtol=1e-5)
