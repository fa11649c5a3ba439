"""A layer of a recurrent decoder: a cell, and, if it has attention, a look at the source.

The two papers differ in when the writer looks. Luong et al. 2015 look *after* the step (dot,
general): the new state asks, and what it finds is mixed into the output::

    s_t = cell(y_t, s_{t−1})       c_t = attention(s_t)         out_t = tanh(W_s s_t + W_c c_t)

All steps of the cell run in one fused kernel, and all queries are asked at once. Bahdanau et al.
2015 look *before* it (additive): the old state asks, and the cell reads what is found::

    c_t = attention(s_{t−1})       s_t = cell([y_t; c_t], s_{t−1})
    out_t = tanh(W_s s_t + W_c c_t + W_y y_t)

so a state depends on the context before it, and the steps have to be taken one by one. (The
paper's last map takes the larger of each two components instead of the tanh.)

Without attention a layer is its cell alone.

Shapes: B batch, T steps, S tokens of the source, C width.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vitral.nn.recurrent import LayerState, RecurrentLayer
from vitral.nn.recurrent_attention import Local, RecurrentAttention, RecurrentMemory, Score

STEPS: dict[str, Callable[..., nn.RNNCellBase]] = {
    "rnn": nn.RNNCell,
    "lstm": nn.LSTMCell,
    "gru": nn.GRUCell,
}


class RecurrentDecoderLayer(nn.Module):
    """A layer of `cell` with the attention `score`; input and output [B, T, C]."""

    def __init__(
        self, cell: str, width: int, score: Score, local: Local = "none", half_width: int = 10
    ) -> None:
        super().__init__()
        self.looks_first = score == "additive"
        self.cross_attention: RecurrentAttention | None = None
        if score != "none":
            self.cross_attention = RecurrentAttention(width, score, local, half_width)
            self.state_proj = nn.Linear(width, width)
        self.recurrence: RecurrentLayer | nn.RNNCellBase
        if self.looks_first:
            self.recurrence = STEPS[cell](2 * width, width)
            self.input_proj = nn.Linear(width, width, bias=False)
        else:
            self.recurrence = RecurrentLayer(cell, width, width)

    def forward(
        self,
        x_BTC: Tensor,
        memory: RecurrentMemory,
        state: LayerState,
        steps_BT: Tensor,
        padding_BT: Tensor | None = None,
    ) -> tuple[Tensor, LayerState]:
        """The outputs and the state after them. `steps_BT` are the tokens' places in their text;
        `padding_BT` is 0 at padding, which changes no state."""
        if self.looks_first:
            return self._looking_first(x_BTC, memory, state, steps_BT, padding_BT)
        h_BTC, state = self.recurrence(x_BTC, padding_BT, state)
        if self.cross_attention is None:
            return h_BTC, state
        kept_BTC = self.state_proj(h_BTC)
        return torch.tanh(kept_BTC + self.cross_attention(h_BTC, memory, steps_BT)), state

    def _looking_first(
        self,
        x_BTC: Tensor,
        memory: RecurrentMemory,
        state: LayerState,
        steps_BT: Tensor,
        padding_BT: Tensor | None,
    ) -> tuple[Tensor, LayerState]:
        attention = self.cross_attention
        assert attention is not None
        keys_BSC = attention.keys(memory)
        before = tuple(each[0] for each in state)
        outputs, patterns = [], []
        for step, x_BC in enumerate(x_BTC.unbind(dim=1)):
            query_B1C = before[0][:, None]
            place_B1 = steps_BT[:, step : step + 1]
            weights_B1S = attention.weights(query_B1C, keys_BSC, memory, place_B1)
            context_BC = (weights_B1S.to(memory.vectors.dtype) @ memory.vectors)[:, 0]
            now = self.recurrence(
                torch.cat((x_BC, context_BC), dim=-1), before if len(before) > 1 else before[0]
            )
            now = (now,) if isinstance(now, Tensor) else now
            if padding_BT is not None:
                real_B1 = padding_BT[:, step, None].bool()
                now = tuple(torch.where(real_B1, n, b) for n, b in zip(now, before, strict=True))
            before = now
            outputs.append(now[0])
            patterns.append(weights_B1S)
        kept_BTC = self.state_proj(torch.stack(outputs, dim=1)) + self.input_proj(x_BTC)
        out_BTC = torch.tanh(kept_BTC + attention.taken(torch.cat(patterns, dim=1), memory))
        return out_BTC, tuple(each[None] for each in before)
