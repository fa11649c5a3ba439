"""A recurrent layer: one of the cells of `nn.recurrent_cells`, run over whole sequences.

PyTorch's fused kernels do the work. A layer may read in both directions (Schuster & Paliwal
1997): one cell from the beginning, another from the end, each of half the width, and a token's
vector is what both know of it, side by side.

Padding is not read. A recurrent network has no mask that could hide it: what it reads, it
remembers. So before the kernel runs, each row's real tokens are moved to its front and the row is
ended there (a "packed sequence"); afterwards every vector goes back to its place. Padding may
stand anywhere, its outputs are zero, and the state passes it by.

Shapes: B batch, T steps, I width of the input, C width of the output, D directions (1 or 2).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FUSED: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}

LayerState = tuple[Tensor, ...]
"""A layer's state: (h,) or, of an LSTM, (h, c); each [D, B, C / D]."""


class RecurrentState:
    """The state of a recurrent model after the `length` tokens that it has read: its cache.

    However long the text, it is one vector per layer (two for an LSTM).
    """

    def __init__(self, num_layers: int) -> None:
        self.layers: list[LayerState | None] = [None] * num_layers
        self.length = 0

    def reorder(self, rows: Tensor) -> None:
        """Keep the batch rows `rows` [B'], in that order (beam search moves texts about)."""
        self.layers = [
            None if state is None else tuple(each[:, rows] for each in state)
            for state in self.layers
        ]


class RecurrentLayer(nn.Module):
    """One layer of `cell` ("rnn", "lstm" or "gru"); input [B, T, I], output [B, T, C].

    If `bidirectional`, `width` must be even.
    """

    def __init__(
        self, cell: str, input_size: int, width: int, *, bidirectional: bool = False
    ) -> None:
        super().__init__()
        num_directions = 2 if bidirectional else 1
        assert width % num_directions == 0, "each direction has half of the width"
        self.width = width
        self.cell = FUSED[cell](
            input_size, width // num_directions, batch_first=True, bidirectional=bidirectional
        )

    def forward(
        self,
        x_BTI: Tensor,
        padding_BT: Tensor | None = None,
        state: LayerState | None = None,
    ) -> tuple[Tensor, LayerState]:
        """All outputs [B, T, C] and the state after the last token of each row.

        `padding_BT` is 0 at padding, None where there is none. `state` is the one to begin with,
        by default zero.
        """
        if padding_BT is None or bool(padding_BT.all()):
            y_BTC, last = self.cell(x_BTI, _given(state))
            return y_BTC, _taken(last)
        real_BT = padding_BT.bool()
        length_B = real_BT.sum(dim=1)
        order_BT = (~real_BT).int().argsort(dim=1, stable=True)  # real tokens first
        packed = pack_padded_sequence(
            _rows(x_BTI, order_BT),
            length_B.clamp_min(1).cpu(),  # the kernel wants at least one token a row
            batch_first=True,
            enforce_sorted=False,
        )
        outputs, last = self.cell(packed, _given(state))
        y_BTC, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x_BTI.shape[1])
        y_BTC = _rows(y_BTC, order_BT.argsort(dim=1)) * real_BT[..., None]
        empty_B = (length_B == 0)[None, :, None]
        if bool(empty_B.any()):
            before = state or tuple(torch.zeros_like(each) for each in _taken(last))
            pairs = zip(before, _taken(last), strict=True)
            return y_BTC, tuple(torch.where(empty_B, old, new) for old, new in pairs)
        return y_BTC, _taken(last)


def hand_over(state: LayerState) -> LayerState:
    """A state [1, B, C] for a layer of one direction, of that of a layer of two: both of its
    last vectors side by side. What the reader knows in the end, the writer begins with
    (Sutskever et al. 2014, https://arxiv.org/abs/1409.3215)."""
    return tuple(each.transpose(0, 1).flatten(1)[None] for each in state)


def _rows(x_BTI: Tensor, order_BT: Tensor) -> Tensor:
    """The vectors of each row in another order."""
    return x_BTI.gather(1, order_BT[..., None].expand_as(x_BTI))


def _given(state: LayerState | None) -> Tensor | LayerState | None:
    """A state as PyTorch takes it: an LSTM's as a pair, the others' bare."""
    return state[0] if state is not None and len(state) == 1 else state


def _taken(state: Tensor | LayerState) -> LayerState:
    return (state,) if isinstance(state, Tensor) else tuple(state)
