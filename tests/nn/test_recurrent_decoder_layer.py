"""The two orders of looking and stepping, against the equations at the file's head."""

import pytest
import torch

from vitral.nn.recurrent import FUSED
from vitral.nn.recurrent_attention import RecurrentMemory
from vitral.nn.recurrent_cells import CELLS
from vitral.nn.recurrent_decoder_layer import RecurrentDecoderLayer

STEPS = torch.arange(5)[None].expand(2, 5)


def parts(cell: str, score: str, local: str = "none"):
    torch.manual_seed(3)
    layer = RecurrentDecoderLayer(cell, 6, score, local, 2)
    x, vectors = torch.randn(2, 5, 6), torch.randn(2, 7, 6)
    state = tuple(torch.randn(1, 2, 6) for _ in range(CELLS[cell].num_states))
    real = torch.tensor([[1] * 7, [1] * 4 + [0] * 3])
    return layer, x, RecurrentMemory.of(vectors, real, []), state


def written_out(layer: RecurrentDecoderLayer, cell: str, size: int):
    made = CELLS[cell](size, 6)
    theirs = layer.recurrence if layer.looks_first else layer.recurrence.cell
    with torch.no_grad():
        for name, weight in made.named_parameters():
            weight.copy_(getattr(theirs, name if layer.looks_first else f"{name}_l0"))
    return made


@torch.no_grad()
@pytest.mark.parametrize("local", ["none", "monotonic", "predictive"])
@pytest.mark.parametrize("cell", FUSED)
def test_bahdanau_looks_and_then_steps(cell: str, local: str) -> None:
    layer, x, memory, start = parts(cell, "additive", local)
    outputs, end = layer(x, memory, start, STEPS)
    step, attention = written_out(layer, cell, 12), layer.cross_attention
    state = tuple(each[0] for each in start)
    for t in range(5):
        keys = attention.keys(memory)
        weights = attention.weights(state[0][:, None], keys, memory, STEPS[:, t : t + 1])
        context = (weights @ memory.vectors)[:, 0]
        state = step(torch.cat((x[:, t], context), -1), state)
        inner = layer.state_proj(state[0]) + attention.o_proj(context) + layer.input_proj(x[:, t])
        torch.testing.assert_close(outputs[:, t], inner.tanh(), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(tuple(e[0] for e in end), state, atol=1e-6, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("score", ["dot", "general"])
@pytest.mark.parametrize("cell", FUSED)
def test_luong_steps_and_then_looks(cell: str, score: str) -> None:
    layer, x, memory, start = parts(cell, score)
    outputs, end = layer(x, memory, start, STEPS)
    step, attention = written_out(layer, cell, 6), layer.cross_attention
    state = tuple(each[0] for each in start)
    for t in range(5):
        state = step(x[:, t], state)
        weights = attention.weights(state[0][:, None], memory.vectors, memory, STEPS[:, t : t + 1])
        context = (weights @ memory.vectors)[:, 0]
        inner = layer.state_proj(state[0]) + attention.o_proj(context)
        torch.testing.assert_close(outputs[:, t], inner.tanh(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tuple(e[0] for e in end), state, atol=1e-6, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("score", ["none", "additive", "general"])
def test_padding_changes_no_state(score: str) -> None:
    layer, x, memory, start = parts("lstm", score)
    padding = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    _, end = layer(x, memory, start, STEPS, padding)
    for row, places in ((0, slice(0, 3)), (1, slice(2, 5))):
        one = RecurrentMemory(memory.vectors[[row]], memory.real[[row]], [])
        alone = tuple(each[:, [row]] for each in start)
        _, expected = layer(x[[row], places], one, alone, STEPS[:1, :3])
        found = tuple(each[:, [row]] for each in end)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
