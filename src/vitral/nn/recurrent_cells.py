"""Recurrent cells, written out: what a network remembers of all that it has read so far.

A cell reads a sequence one vector at a time and keeps a state h, the only thing that passes from
one step to the next. Everything it knows of the beginning when it comes to the end went through
every step between. Three cells, σ the logistic function and ⊙ the product of components:

*Elman's network* (Elman 1990, "Finding Structure in Time")::

    h' = tanh(W x + b + U h + d)

The gradient of a distant step is a product of as many matrices as there are steps between, and
vanishes or explodes (Bengio et al. 1994).

*Long short-term memory* (Hochreiter & Schmidhuber 1997; the forget gate is Gers et al. 2000's)
keeps a second state c, to which is only *added*, so that the gradient passes along it unharmed.
Gates between 0 and 1 say what is written, kept and shown::

    i = σ(W_i x + U_i h)     write      g = tanh(W_g x + U_g h)    what would be written
    f = σ(W_f x + U_f h)     keep       c' = f ⊙ c + i ⊙ g
    o = σ(W_o x + U_o h)     show       h' = o ⊙ tanh(c')

*The gated recurrent unit* (Cho et al. 2014, https://arxiv.org/abs/1406.1078) does with one state
and two gates. Where z is 1 the state stays; r says how much of it the new content looks at::

    r = σ(W_r x + U_r h)     z = σ(W_z x + U_z h)
    n = tanh(W_n x + b_n + r ⊙ (U_n h + d_n))
    h' = (1 − z) ⊙ n + z ⊙ h

(The paper multiplies h by r before U_n; PyTorch's kernels, and so we, do it after, which lets the
three products with h be one.) Every W has its bias b and every U its d, as in PyTorch.

These cells are for reading, and `nn.recurrent` runs PyTorch's fused ones; a test compares them,
outputs and gradients. Their parameters have the same names and shapes: the gates' matrices stand
one under the other, in the order i, f, g, o and r, z, n.

    >>> cell = LSTMCell(3, 5)
    >>> h, c = cell(torch.zeros(2, 3), (torch.zeros(2, 5), torch.zeros(2, 5)))

Shapes: B batch, T steps, I width of the input, C width of the state.
"""

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]
"""What passes from step to step: (h,) or, of an LSTM, (h, c); each [B, C]."""


class Cell(nn.Module):
    """What the three have in common: two affine maps, from the input and from the state, whose
    rows are those of `num_gates` gates."""

    num_gates: int
    num_states = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.num_gates * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        for weight in self.parameters():
            nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)

    def from_input(self, x_BI: Tensor) -> Tensor:
        return x_BI @ self.weight_ih.T + self.bias_ih

    def from_state(self, h_BC: Tensor) -> Tensor:
        return h_BC @ self.weight_hh.T + self.bias_hh

    def forward(self, x_BI: Tensor, state: State) -> State:
        """The state after reading x [B, I]; its first tensor is the output."""
        raise NotImplementedError


class ElmanCell(Cell):
    """h' = tanh(W x + U h)."""

    num_gates = 1

    def forward(self, x_BI: Tensor, state: State) -> State:
        (h_BC,) = state
        return (torch.tanh(self.from_input(x_BI) + self.from_state(h_BC)),)


class LSTMCell(Cell):
    """Long short-term memory; its state is (h, c)."""

    num_gates = 4
    num_states = 2

    def forward(self, x_BI: Tensor, state: State) -> State:
        h_BC, c_BC = state
        i, f, g, o = (self.from_input(x_BI) + self.from_state(h_BC)).chunk(4, dim=1)
        c_BC = torch.sigmoid(f) * c_BC + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c_BC), c_BC


class GRUCell(Cell):
    """The gated recurrent unit."""

    num_gates = 3

    def forward(self, x_BI: Tensor, state: State) -> State:
        (h_BC,) = state
        r_of_x, z_of_x, n_of_x = self.from_input(x_BI).chunk(3, dim=1)
        r_of_h, z_of_h, n_of_h = self.from_state(h_BC).chunk(3, dim=1)
        r, z = torch.sigmoid(r_of_x + r_of_h), torch.sigmoid(z_of_x + z_of_h)
        n = torch.tanh(n_of_x + r * n_of_h)
        return ((1 - z) * n + z * h_BC,)


CELLS: dict[str, type[Cell]] = {"rnn": ElmanCell, "lstm": LSTMCell, "gru": GRUCell}


def unrolled(cell: Cell, x_BTI: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Read a sequence, one step after another: all outputs [B, T, C], and the last state."""
    if state is None:
        zeros = x_BTI.new_zeros(len(x_BTI), cell.hidden_size)
        state = (zeros,) * cell.num_states
    outputs = []
    for x_BI in x_BTI.unbind(dim=1):
        state = cell(x_BI, state)
        outputs.append(state[0])
    return torch.stack(outputs, dim=1), state
