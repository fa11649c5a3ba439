"""Where training starts: a model's fresh weights.

The blocks' matrices are normal with deviation ½/√(inputs), so that what they give is half as
large as what they read; token vectors have 0.02, biases zero, and the maps that write into the
residual stream zero, so that each block starts by doing nothing.

Token vectors need not start at random. How often tokens are neighbours can be counted in a minute,
and vectors made of those counts (`text.co_occurrence`) already encode that "perro" and "gato"
occur in the same contexts. On the bundled encoder they replaced the first four of five minutes
(docs/log.md); a model that is given the ids of its corpus starts from them.

A decoder's learned positions start as sinusoids much smaller than the token vectors. An encoder
with learned positions starts with two more things, which training can change. A masked position
has no information about its word, so until attention brings some from its neighbours, only the
frequency of words can be learned; and with learned positions, attending to a neighbour must be
learned for every position separately. Small budgets end on that plateau (docs/log.md has ours). So

* its positions are sinusoids, so that a shift by k positions is the same linear map everywhere;
* the heads of the first layer, and half of those of each other layer, attend to a fixed neighbour.
  Raganato et al. 2020 (https://arxiv.org/abs/2002.10260) found that encoders lose nothing by it.
  The queries and keys of the others start large enough for their patterns not to be even.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vitral.models.encoder import Encoder
from vitral.models.forms import form_of
from vitral.nn.positions import sinusoidal_positions
from vitral.text.co_occurrence import co_occurrence_vectors

WAVE_HEIGHT, SMALL_WAVES = 0.1, 0.05
"""The height of an encoder's position vectors, and of a decoder's."""

TOKEN_HEIGHT = 0.07
"""The root mean square of a token vector's components that start as co-occurrence vectors."""

NEIGHBOURS = (-1, 1, -2, 2, -1, 1, -3, 3)
"""The relative position that each head of an encoder's first layer attends to; in the other
layers the first half of the heads, to the first half of these."""


def initialise(model: nn.Module, seed: int, ids: NDArray[np.integer] | None = None) -> None:
    """Give `model` fresh weights, the same ones for the same seed.

    With `ids`, those of the corpus in their order, the token vectors start as
    co-occurrence vectors of it.
    """
    torch.manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            inside = name.startswith("layers.")
            nn.init.normal_(weight, std=0.5 * weight.shape[1] ** -0.5 if inside else 0.02)
        if name.endswith("bias"):
            nn.init.zeros_(weight)
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            nn.init.zeros_(weight)
    if _start_of(model) == "waves":
        positions = model.get_parameter("embed.positions.weight")
        start_as_waves(positions, base=len(positions), height=SMALL_WAVES)
    if _start_of(model) == "neighbours":
        start_with_neighbours(model)
        nn.init.normal_(model.get_parameter("layers.0.attention.o_proj.weight"), std=0.02)
    if ids is not None:
        start_with_co_occurrence(model, ids, seed)


@torch.no_grad()
def start_with_co_occurrence(model: nn.Module, ids: NDArray[np.integer], seed: int) -> None:
    """Make the token vectors co-occurrence vectors of `ids`; an output bias starts at the
    logarithm of each token's frequency. An encoder's tokens leave the first components to the
    positions (see `start_with_neighbours`)."""
    weight_VC = token_weight(model)
    vocab_size, width = weight_VC.shape
    reserved = 0
    if _start_of(model) == "neighbours":
        config: Any = model.config
        reserved = config.hidden_size // config.num_heads
    vectors_VC = co_occurrence_vectors(ids, vocab_size, width - reserved, seed=seed)
    found = vectors_VC.norm(dim=1) > 0
    weight_VC[found, reserved:] = vectors_VC[found] * TOKEN_HEIGHT * (width - reserved) ** 0.5
    if isinstance(model, Encoder):
        start_with_frequencies(model, ids)


@torch.no_grad()
def start_with_frequencies(model: nn.Module, ids: NDArray[np.integer]) -> None:
    """Start an encoder's output bias at the logarithm of each token's frequency in `ids`."""
    bias_V = model.get_parameter("head.decoder.bias")
    share_V = torch.from_numpy(np.bincount(ids, minlength=len(bias_V)) + 0.5).float()
    bias_V.copy_((share_V / share_V.sum()).log())


def _start_of(model: nn.Module) -> str | None:
    form = form_of(model)
    return None if form is None else form.start


def token_weight(model: nn.Module) -> Tensor:
    """The token vectors [V, C] of one of our models."""
    form = form_of(model)
    assert form is not None, "one of our models"
    return model.get_parameter(form.tokens)


@torch.no_grad()
def start_as_waves(positions: Tensor, *, base: float, height: float) -> None:
    """Make position vectors [T, C] sinusoids of that height."""
    num_positions, width = positions.shape
    positions.copy_(height * sinusoidal_positions(num_positions, width, base=base))


@torch.no_grad()
def start_with_neighbours(model: nn.Module, sharpness: float = 2.5) -> None:
    """Make positions sinusoids, and heads attend to one neighbour each: all those of the first
    layer, the first half in the others.

    The fastest waves fill the first `head_size` components, which the tokens leave to them. A
    head's query takes them as they are and its key turned by the head's offset, so that the
    score Σ cos(ω_i · (distance - offset)) is highest at that offset.
    """
    config: Any = model.config
    width, head_size = config.hidden_size, config.hidden_size // config.num_heads
    positions = model.get_parameter("embed.positions.weight")
    start_as_waves(positions, base=config.context, height=WAVE_HEIGHT)
    for name in ("tokens", "segments"):
        model.get_parameter(f"embed.{name}.weight")[:, :head_size] = 0
    frequencies = float(config.context) ** (-torch.arange(0, head_size, 2).float() / width)
    for number, layer in enumerate(model.get_submodule("layers").children()):
        num_wired = config.num_heads if number == 0 else config.num_heads // 2
        q, k = (layer.get_parameter(f"attention.{name}_proj.weight") for name in "qk")
        for weight in (q, k):
            nn.init.normal_(weight, std=width**-0.5)
            weight[: num_wired * head_size] = 0
        for head in range(num_wired):
            rows = slice(head * head_size, (head + 1) * head_size)
            q[rows, :head_size] = sharpness * torch.eye(head_size)
            turn = _turn(frequencies * NEIGHBOURS[head % len(NEIGHBOURS)])
            k[rows, :head_size] = sharpness * turn


def _turn(angles: Tensor) -> Tensor:
    """The matrix that turns each pair of components (2i, 2i + 1) by angle i."""
    size = 2 * len(angles)
    even, odd = torch.arange(0, size, 2), torch.arange(1, size, 2)
    turn = torch.zeros(size, size)
    turn[even, even] = turn[odd, odd] = angles.cos()
    turn[even, odd], turn[odd, even] = -angles.sin(), angles.sin()
    return turn
