"""The attention of a recurrent decoder to the encoder's memory.

The writer's state gives a query, scored against every vector of the memory
(`nn.additive_attention`, `nn.multiplicative_attention`), perhaps within a window only
(`nn.local_attention`); the context is the weighted mean of the memory::

    weights = softmax over s of score(q_t, m_s)        context_t = Σ_s weights_ts · m_s

Where the score is a product and all keys of the window count alike, this is what
`nn.scaled_dot_product` computes, with one head and no division, and that function does it. The
other forms are computed here and their weights are passed to the observer.

Shapes: B batch, T queries, S tokens of the source, C width.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vitral.nn.additive_attention import AdditiveAttention
from vitral.nn.attention_call import observer
from vitral.nn.local_attention import LocalWindow, Window
from vitral.nn.multiplicative_attention import MultiplicativeAttention
from vitral.nn.recurrent import LayerState, RecurrentState
from vitral.nn.scaled_dot_product import scaled_dot_product_attention

Score = Literal["none", "additive", "dot", "general"]
Local = Literal["none", "monotonic", "predictive"]


@dataclass(frozen=True)
class RecurrentMemory:
    """What the encoder hands over: a vector [B, S, C] for each token, which of them are real
    (`real` [B, S], None: all), and the state of each layer at the end."""

    vectors: Tensor
    real: Tensor | None
    states: list[LayerState]

    @classmethod
    def of(
        cls, vectors: Tensor, padding_BS: Tensor | None, states: list[LayerState]
    ) -> "RecurrentMemory":
        """A row of nothing but padding is looked at everywhere: it has to be looked at
        somewhere, and its result is never read."""
        if padding_BS is None or bool(padding_BS.all()):
            return cls(vectors, None, states)
        real_BS = padding_BS.bool()
        return cls(vectors, real_BS | ~real_BS.any(dim=1, keepdim=True), states)

    def reordered(self, rows: Tensor) -> "RecurrentMemory":
        """The batch rows `rows` [B'], in that order."""
        return RecurrentMemory(
            self.vectors[rows],
            None if self.real is None else self.real[rows],
            [tuple(each[:, rows] for each in state) for state in self.states],
        )


class AnswerState(RecurrentState):
    """A recurrent decoder's state, and the memory that it looks at, once the source was read."""

    def __init__(self, num_layers: int) -> None:
        super().__init__(num_layers)
        self.memory: RecurrentMemory | None = None

    def reorder(self, rows: Tensor) -> None:
        super().reorder(rows)
        self.memory = None if self.memory is None else self.memory.reordered(rows)


class RecurrentAttention(nn.Module):
    """One head that looks at a memory. `score` is "additive", "dot" or "general"; `local` says
    how the window is placed, "none" that there is none; it reaches `half_width` places far."""

    def __init__(self, width: int, score: Score, local: Local, half_width: int) -> None:
        super().__init__()
        self.score: AdditiveAttention | MultiplicativeAttention
        if score == "dot" or score == "general":
            self.score = MultiplicativeAttention(width, score)
        else:
            self.score = AdditiveAttention(width)
        self.window = None if local == "none" else LocalWindow(width, half_width, local)
        self.o_proj = nn.Linear(width, width, bias=False)

    def keys(self, memory: RecurrentMemory) -> Tensor:
        """What is scored, [B, S, C]; computed once for a source."""
        if isinstance(self.score, AdditiveAttention):
            return self.score.keys(memory.vectors)
        return memory.vectors

    def weights(
        self, query_BTC: Tensor, keys_BSC: Tensor, memory: RecurrentMemory, steps_BT: Tensor
    ) -> Tensor:
        """The pattern [B, T, S], computed in full."""
        if isinstance(self.score, AdditiveAttention):
            scores_BTS = self.score.scores(query_BTC, keys_BSC)
        else:
            scores_BTS = self.score.queries(query_BTC) @ keys_BSC.transpose(1, 2)
        window = self._window(query_BTC, memory, steps_BT)
        if window is None:
            return scores_BTS.softmax(dim=-1)
        weights_BTS = scores_BTS.masked_fill(~window.allowed, float("-inf")).softmax(dim=-1)
        return weights_BTS if window.closeness is None else weights_BTS * window.closeness

    def forward(self, query_BTC: Tensor, memory: RecurrentMemory, steps_BT: Tensor) -> Tensor:
        """What all queries at once take from the memory, [B, T, C]."""
        explicit = isinstance(self.score, AdditiveAttention) or (
            self.window is not None and self.window.predictive
        )
        if explicit:
            weights_BTS = self.weights(query_BTC, self.keys(memory), memory, steps_BT)
            return self.taken(weights_BTS, memory)
        assert isinstance(self.score, MultiplicativeAttention)
        window = self._window(query_BTC, memory, steps_BT)
        keys_B1SC = memory.vectors[:, None]
        context_BT1C, _ = scaled_dot_product_attention(
            self,
            self.score.queries(query_BTC)[:, None],
            keys_B1SC,
            keys_B1SC,
            None if window is None else window.allowed[:, None],
            scaling=1.0,
            is_causal=False,
        )
        out_BTC: Tensor = self.o_proj(context_BT1C.flatten(2))
        return out_BTC

    def taken(self, weights_BTS: Tensor, memory: RecurrentMemory) -> Tensor:
        """What these weights take from the memory, after the output's map; they are passed to
        the observer."""
        context_BTC = weights_BTS.to(memory.vectors.dtype) @ memory.vectors
        watching = None if torch.compiler.is_compiling() else observer.get()
        if watching is not None:
            watching.observe_pattern(self, weights_BTS[:, None])
        out_BTC: Tensor = self.o_proj(context_BTC)
        return out_BTC

    def _window(
        self, query_BTC: Tensor, memory: RecurrentMemory, steps_BT: Tensor
    ) -> Window | None:
        """What may be looked at, [B, 1 or T, S]; None: everything."""
        real_BS = memory.real
        if self.window is not None:
            if real_BS is None:
                real_BS = torch.ones(
                    memory.vectors.shape[:2], dtype=torch.bool, device=query_BTC.device
                )
            found: Window = self.window(query_BTC, steps_BT, real_BS)
            return found
        return None if real_BS is None else Window(real_BS[:, None], None)
