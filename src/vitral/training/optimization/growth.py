"""Growing deeper while training.

The first lessons (which words are frequent, which stand together) need few layers, and a step
through half the layers costs half the time. So a run may start shallow and get its other layers
on the way, as BERT was trained by Gong et al. 2019 ("Efficient Training of BERT by Progressively
Stacking", ICML). Theirs are copies of the trained ones and change what the model says; ours are
copies whose last maps start at zero, so that the grown model says nearly what it said before
(Chen et al. 2016, "Net2Net", https://arxiv.org/abs/1511.05641) and still starts from trained
queries, keys, values and features.
"""

from copy import deepcopy
from dataclasses import replace

import torch
from torch import nn

from vitral.models.forms import form_of
from vitral.nn.block import PostNormBlock


@torch.no_grad()
def grow(model: nn.Module, num_layers: int) -> None:
    """Put copies of the model's layers on top of them until it has `num_layers`, in place.

    The output maps of the copies' attention and feed-forward parts are zero. With norms before
    the parts (GPT-2, Llama) the model then computes exactly what it did; with norms after them
    (BERT) nearly, since what the last layer gave is normalised twice more. A model whose layers
    are one (ALBERT) gets no copies: from then on a text goes through that one more often.
    """
    layers = model.get_submodule("layers")
    assert isinstance(layers, nn.ModuleList)
    trained = list(layers)
    model.config = replace(model.config, num_layers=num_layers)  # type: ignore[type-var]
    form = form_of(model)
    if form is not None and form.grows == "passes":
        return
    for index in range(len(trained), num_layers):
        layer = deepcopy(trained[index % len(trained)])
        layer.get_submodule("attention").layer_idx = index  # type: ignore[assignment]
        for map_ in ("attention.o_proj", "mlp.down_proj"):
            for weight in layer.get_submodule(map_).parameters():
                weight.zero_()
        if isinstance(layer, PostNormBlock):
            _let_through(layer, trained[-1])
        if form is not None and form.as_copy is not None:
            form.as_copy(layer, index)
        layers.append(layer)


def _let_through(layer: nn.Module, last: nn.Module) -> None:
    """Make the norms of a layer whose parts give nothing repeat what the `last` layer's gave."""
    first_norm = layer.get_submodule("attention_norm")
    nn.init.ones_(first_norm.get_parameter("weight"))
    nn.init.zeros_(first_norm.get_parameter("bias"))
    layer.get_submodule("mlp_norm").load_state_dict(last.get_submodule("mlp_norm").state_dict())
