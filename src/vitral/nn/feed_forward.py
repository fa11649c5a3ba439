"""The feed-forward part: what each token does alone with what attention brought it.

Two forms. The classical one (Vaswani et al. 2017, eq. 2, with GELU for ReLU since GPT) widens,
applies an activation and narrows::

    y = W_down · gelu(W_up · x)

The gated one (Shazeer 2020, https://arxiv.org/abs/2002.05202, "SwiGLU"; with GELU for SiLU it is
"GeGLU") multiplies two widened copies, so that one decides how much of the other passes::

    y = W_down · (silu(W_gate · x) ⊙ W_up · x)
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    # BERT: x·Φ(x) with the error function; GPT-2: the tanh approximation of the same curve.
    "gelu": nn.functional.gelu,
    "gelu_new": partial(nn.functional.gelu, approximate="tanh"),
    "relu": nn.functional.relu,
    "silu": nn.functional.silu,
}


class FeedForward(nn.Module):
    """Two linear maps with an activation between; input and output [..., width]."""

    def __init__(self, width: int, inner: int, activation: str = "gelu") -> None:
        super().__init__()
        self.up_proj = nn.Linear(width, inner)
        self.down_proj = nn.Linear(inner, width)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down_proj(self.activation(self.up_proj(x)))
        return y


class GatedFeedForward(nn.Module):
    """The gated form of Llama's kind; input and output [..., width]."""

    def __init__(
        self, width: int, inner: int, activation: str = "silu", bias: bool = False
    ) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=bias)
        self.up_proj = nn.Linear(width, inner, bias=bias)
        self.down_proj = nn.Linear(inner, width, bias=bias)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))
        return y
