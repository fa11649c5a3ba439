"""Fresh weights for recurrent models and the original Transformer.

* Token vectors have the length one: deviation 1/√C. (The Transformer makes them √C times longer.)
* Linear maps are Glorot & Bengio's 2010: uniform, as wide as keeps the variance on the way up and
  down alike. Biases are zero, norms do nothing.
* A cell's maps from state to state are orthogonal (Saxe et al. 2014,
  https://arxiv.org/abs/1312.6120), so that what is remembered is turned and not shrunk.
* An LSTM's forget gate starts at σ(1) = 0.73, so that it remembers before it has learned to
  (Jozefowicz et al. 2015): half of the 1 in each of its two biases.
"""

import torch
from torch import Tensor, nn

from vitral.nn.norms import LayerNorm

_GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "RNN": 1, "RNNCell": 1}


@torch.no_grad()
def initialise_weights(model: nn.Module, seed: int) -> None:
    """Give `model` fresh weights, the same ones for the same seed."""
    torch.manual_seed(seed)
    tables = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    for part in model.modules():
        if isinstance(part, nn.RNNBase | nn.RNNCellBase):
            _cell(part)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=part.embedding_dim**-0.5)
        elif isinstance(part, nn.Linear):
            if id(part.weight) not in tables:  # shared with the token vectors
                nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, LayerNorm):
            nn.init.ones_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _cell(part: nn.Module) -> None:
    num_gates = _GATES[type(part).__name__]
    for name, weight in part.named_parameters():
        gates: list[Tensor] = list(weight.chunk(num_gates))
        for gate in gates:
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(gate)
            elif name.startswith("weight_ih"):
                nn.init.xavier_uniform_(gate)
            else:
                nn.init.zeros_(gate)
        if name.startswith("bias") and num_gates == 4:
            nn.init.constant_(gates[1], 0.5)
