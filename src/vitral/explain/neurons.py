"""Neurons: the numbers inside a feed-forward part, what each writes, and what that does to a logit.

A feed-forward part maps the stream to F numbers, and the numbers back: with a neuron's activation
a_n, after the activation function (and the gate's product, where there is a gate),

    mlp.out = Σ_n a_n · w_n + b          w_n is the n-th column of the last map

(Geva et al. 2021, arXiv:2012.14913: a neuron's w_n is a "value", and the stream that switches it on
its "key".) So a neuron's *direct effect* on a logit is a_n · (w_n · u), u being the direction of
`explain.attribution`; over all neurons, with the bias, they are that part's share. What a neuron
*promotes* are the tokens whose logits w_n raises by itself (Geva et al. 2022, arXiv:2203.14680):
the model's own norm and head, applied to w_n and to −w_n, half their difference.

Activations are recorded at `layers.N.mlp.neurons` if asked for (`record="*"`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.attribution import LogitAttribution, logit_attribution
from vitral.explain.output_parts import is_close
from vitral.explain.rerun import run_again, with_first
from vitral.tracing.addresses import NEURONS, Address
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.recording.layers import find_layers, linear_maps
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Neuron:
    """One neuron at one token: its activation and its direct effect on the logit asked about (None
    where none was)."""

    layer: int
    number: int
    token: int
    activation: float
    effect: float | None = None


def activations(trace: Trace, layer: int, part: str | None = None) -> Tensor:
    """The neurons of a layer, float32 [tokens, F].

    Raises VitralError `neurons_not_recorded`, `layer_out_of_range`, `address_unknown` for a layer
    whose feed-forward part has none (a mixture of experts), `part_unknown`.
    """
    blocks = trace.num_blocks(part)
    if not 0 <= layer < blocks:
        raise VitralError("layer_out_of_range", layer=layer, num_layers=blocks)
    return trace[_address(trace, layer, part)]


def strongest_tokens(
    trace: Trace, layer: int, number: int, count: int = 10, part: str | None = None
) -> list[Neuron]:
    """Where a neuron is most active (farthest from zero) in the text, the strongest first.

    Raises VitralError `neuron_out_of_range`, and as `activations`.
    """
    column = _column(activations(trace, layer, part), number)
    order = column.abs().argsort(descending=True, stable=True)[:count].tolist()
    return [Neuron(layer, number, token, float(column[token])) for token in order]


def strongest_neurons(
    trace: Trace,
    model: nn.Module | TraceableModel,
    token: int = -1,
    id: int | None = None,
    *,
    against: int | None = None,
    layers: Sequence[int] | None = None,
    count: int = 10,
) -> list[Neuron]:
    """The neurons with the largest direct effect, of either sign, on the logit of `id` (by default
    the most likely) at `token`; with `against`, on its difference from that id's logit.

    Raises VitralError as `logit_attribution` and `activations`.
    """
    found = logit_attribution(trace, model, token, id, against=against)
    part = _answering(trace)
    chosen = range(trace.num_blocks(part)) if layers is None else layers
    every: list[Neuron] = []
    for layer in chosen:
        effects = _effects(trace, model, found, layer, part)
        values = activations(trace, layer, part)[found.token]
        best = effects.abs().argsort(descending=True, stable=True)[:count].tolist()
        every += [
            Neuron(layer, number, found.token, float(values[number]), float(effects[number]))
            for number in best
        ]
    return sorted(every, key=lambda each: -abs(each.effect or 0.0))[:count]


def neuron_effects(
    trace: Trace,
    model: nn.Module | TraceableModel,
    layer: int,
    token: int = -1,
    id: int | None = None,
    *,
    against: int | None = None,
) -> Tensor:
    """The direct effect of each neuron of a layer on a logit: float32 [F].

    With the effect of the last map's bias they add up to the layer's share in `logit_attribution`.
    Raises VitralError as `strongest_neurons`.
    """
    found = logit_attribution(trace, model, token, id, against=against)
    return _effects(trace, model, found, layer, _answering(trace))


def written(
    trace: Trace, model: nn.Module | TraceableModel, layer: int, part: str | None = None
) -> Tensor:
    """What each neuron of a layer writes to the stream where its activation is 1: [F, C].

    Raises VitralError `neurons_not_available` where no map makes the part's output of its neurons.
    """
    inner = activations(trace, layer, part)
    address = _address(trace, layer, part)
    expected = trace[Address.parse(address).of("mlp.out")]
    module = module_of(model)
    place = Address.parse(address)
    every = [each for each in find_layers(module) if each.part == place.stack]
    for one in every[layer : layer + 1] or every:
        for linear in reversed(list(linear_maps(one.module))):
            if _gives(linear, inner, expected):
                ones = torch.eye(inner.shape[-1])
                return _mapped(linear, ones) - _mapped(linear, torch.zeros_like(ones[:1]))
    raise VitralError("neurons_not_available", address=address, model=trace.model)


def promoted(
    trace: Trace,
    model: nn.Module | TraceableModel,
    layer: int,
    number: int,
    count: int = 10,
    part: str | None = None,
    *,
    negative: bool = False,
) -> list[tuple[int, float]]:
    """The ids whose logits a neuron raises most where its activation is positive (or, if
    `negative`, where it is negative), with how much, for a stream that is nothing but what the
    neuron writes.

    Raises VitralError `logits_not_available`, `neuron_out_of_range`, `rerun_not_available`, and as
    `written`.
    """
    if "logits" not in trace.values or trace["logits"].dim() != 2:
        raise VitralError("logits_not_available", model=trace.model)
    direction = written(trace, model, layer, part)
    _column(direction.T, number)
    vector = direction[number]
    both = [_read_out(trace, module_of(model), sign * vector) for sign in (1.0, -1.0)]
    scores = (both[0] - both[1]) / 2
    scores = -scores if negative else scores
    best = scores.topk(min(count, len(scores)))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def _read_out(trace: Trace, module: nn.Module, vector: Tensor) -> Tensor:
    """The logits [V] of a last layer that gives `vector` at every token."""
    part = _answering(trace)
    last = trace.num_blocks(part) - 1
    length = len(trace["logits"])

    def change(number: int, _: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        return with_first(output, vector.expand(length, -1)) if number == last else None

    return run_again(trace, module, part, change)[1][0, -1].float().cpu()


def _effects(
    trace: Trace,
    model: nn.Module | TraceableModel,
    found: LogitAttribution,
    layer: int,
    part: str,
) -> Tensor:
    values = activations(trace, layer, part)[found.token].double()
    towards = written(trace, model, layer, part).double() @ found.directions[layer]
    return (values * towards).float()


def _address(trace: Trace, layer: int, part: str | None) -> str:
    return str(Address(trace.part(part).stack, layer, NEURONS))


def _answering(trace: Trace) -> str:
    return "decoder" if "decoder" in trace.parts else trace.first_part


def _column(values: Tensor, number: int) -> Tensor:
    if not 0 <= number < values.shape[-1]:
        raise VitralError("neuron_out_of_range", neuron=number, num_neurons=values.shape[-1])
    return values[:, number]


def _gives(linear: nn.Module, inner: Tensor, expected: Tensor) -> bool:
    try:
        found = _mapped(linear, inner)
    except RuntimeError:  # a map of another width
        return False
    return found.shape == expected.shape and is_close(found, expected, linear)


def _mapped(linear: nn.Module, vectors: Tensor) -> Tensor:
    like = next(each for each in linear.parameters() if each.is_floating_point())
    with torch.no_grad():
        given: Tensor = linear(vectors.to(like.device, like.dtype))
    return given.float().cpu()
