"""The cells that are written out are PyTorch's, outputs and gradients."""

import pytest
import torch
from torch import nn

from vitral.nn.recurrent_cells import CELLS, unrolled

THEIRS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """A written-out cell and a fused layer of the same size, each with weights of its own."""
    torch.manual_seed(0)
    return CELLS[name](5, 7), THEIRS[name](5, 7, batch_first=True)


def start(name: str) -> tuple[torch.Tensor, ...]:
    states = tuple(torch.randn(3, 7) for _ in range(CELLS[name].num_states))
    return tuple(each.requires_grad_() for each in states)


@pytest.mark.parametrize("written_first", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_a_written_out_cell_is_the_fused_one(name: str, written_first: bool) -> None:
    ours, theirs = pair(name)
    with torch.no_grad():
        for parameter in PARAMETERS:
            here, there = getattr(ours, parameter), getattr(theirs, f"{parameter}_l0")
            assert here.shape == there.shape
            there.copy_(here) if written_first else here.copy_(there)
    x = torch.randn(3, 11, 5, requires_grad=True)
    state = start(name)
    outputs, last = unrolled(ours, x, state)
    given = tuple(each[None] for each in state)
    expected, end = theirs(x, given if len(given) > 1 else given[0])
    torch.testing.assert_close(outputs, expected, atol=1e-6, rtol=1e-5)
    ends = end if isinstance(end, tuple) else (end,)
    for each, other in zip(last, ends, strict=True):
        torch.testing.assert_close(each, other[0], atol=1e-6, rtol=1e-5)
    weight = torch.randn_like(outputs)
    wanted = [getattr(ours, each) for each in PARAMETERS]
    found = torch.autograd.grad((outputs * weight).sum(), [x, *state, *wanted], allow_unused=True)
    fused = [getattr(theirs, f"{each}_l0") for each in PARAMETERS]
    sought = torch.autograd.grad((expected * weight).sum(), [x, *state, *fused], allow_unused=True)
    assert all(float(each.abs().max()) > 1e-3 for each in found)
    torch.testing.assert_close(found, sought, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", CELLS)
def test_reading_begins_with_zeros(name: str) -> None:
    ours, _ = pair(name)
    x = torch.randn(3, 4, 5)
    zeros = (torch.zeros(3, 7),) * CELLS[name].num_states
    torch.testing.assert_close(unrolled(ours, x)[0], unrolled(ours, x, zeros)[0], atol=0, rtol=0)


def test_an_open_forget_gate_keeps_what_was_written() -> None:
    cell = CELLS["lstm"](1, 1)
    with torch.no_grad():
        for weight in cell.parameters():
            weight.zero_()
        cell.bias_ih.copy_(torch.tensor([-50.0, 50.0, 0.0, 50.0]))  # write nothing, keep, show
    kept = torch.tensor([[0.7]])
    _, (h, c) = unrolled(cell, torch.randn(1, 40, 1), (torch.zeros(1, 1), kept))
    torch.testing.assert_close(c, kept, atol=1e-6, rtol=0)
    torch.testing.assert_close(h, kept.tanh(), atol=1e-6, rtol=0)
