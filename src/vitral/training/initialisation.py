"""Where training starts: a model's fresh weights.

Matrices are normal with deviation 0.02, biases zero, and the maps that write into the residual
stream zero, so that each block starts by doing nothing. A decoder with rotary positions needs
no more.

An encoder that learns from masked words does. A masked place holds nothing of its own, so until
attention brings something from its neighbours there is nothing to learn from but how frequent
words are; and with learned positions "my neighbour" has to be found at every place anew. Small
budgets end on that plateau (docs/log.md has ours). So an encoder starts with two gifts, which it
may change or unlearn:

* its positions are sinusoids, so that "k places on" is one linear map everywhere;
* the heads of the first layer look at a fixed neighbour each. Raganato et al. 2020
  (https://arxiv.org/abs/2002.10260) found that encoders lose nothing by such heads.
"""

import torch
from torch import nn

from vitral.models.bert import Bert
from vitral.nn.positions import sinusoidal_positions

WAVE_HEIGHT = 0.1
NEIGHBOURS = (-1, 1, -2, 2, -1, 1, -3, 3)
"""The place, counted from its own, that each head of an encoder's first layer looks at."""


def initialise(model: nn.Module, seed: int) -> None:
    """Give `model` fresh weights, the same ones for the same seed."""
    torch.manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            nn.init.normal_(weight, std=0.02)
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            nn.init.zeros_(weight)
    if isinstance(model, Bert):
        start_with_neighbours(model)
        nn.init.normal_(model.layers[0].get_submodule("attention.o_proj").weight, std=0.02)  # type: ignore[arg-type]


@torch.no_grad()
def start_with_neighbours(model: Bert, sharpness: float = 2.5) -> None:
    """Make positions sinusoids, and each head of the first layer look at one neighbour.

    The fastest waves fill the first `head_size` components, which the tokens leave to them. A
    head's query takes them as they are and its key turned by the head's offset, so that the
    score Σ cos(ω_i · (distance - offset)) is highest at that offset.
    """
    config = model.config
    width, head_size = config.hidden_size, config.hidden_size // config.num_heads
    waves = sinusoidal_positions(config.context, width, base=config.context)
    model.embed.positions.weight.copy_(WAVE_HEIGHT * waves)
    model.embed.tokens.weight[:, :head_size] = 0
    model.embed.segments.weight[:, :head_size] = 0
    attention = model.layers[0].get_submodule("attention")
    q, k = (attention.get_submodule(f"{name}_proj") for name in "qk")
    for map_ in (q, k):
        map_.get_parameter("weight").zero_()
        map_.get_parameter("bias").zero_()
    frequencies = float(config.context) ** (-torch.arange(0, head_size, 2).float() / width)
    for head in range(config.num_heads):
        offset = NEIGHBOURS[head % len(NEIGHBOURS)]
        rows = slice(head * head_size, (head + 1) * head_size)
        angles = frequencies * offset
        turn = torch.zeros(head_size, head_size)
        even, odd = torch.arange(0, head_size, 2), torch.arange(1, head_size, 2)
        turn[even, even] = turn[odd, odd] = angles.cos()
        turn[even, odd], turn[odd, even] = -angles.sin(), angles.sin()
        q.get_parameter("weight")[rows, :head_size] = sharpness * torch.eye(head_size)
        k.get_parameter("weight")[rows, :head_size] = sharpness * turn
