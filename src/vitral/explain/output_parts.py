"""What each head adds to the stream: attention's output, divided into parts.

An attention's output projection is one linear map over the heads' results laid side by side, so
its output is a sum over heads h and keys s, plus a bias:

    out_t = Σ_h Σ_s α_hts · f_h(x_s) + b        f_h(x_s) = v_hs · W_O,h

(Kobayashi et al. 2020, arXiv:2004.10102, equations 3–5; the value's own bias is in v.) Which of
a layer's maps is the projection is found by testing: the one that gives the recorded output from
the recorded patterns and values. So nothing needs to be known of how a family names its parts or
lays its weights out; and if none does (a gate or a norm is in between), Vitral raises an error
instead of returning wrong parts.
"""

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.addresses import Address
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Range
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.recording.inputs import vectors_like
from vitral.tracing.recording.layers import find_layers, linear_maps
from vitral.tracing.trace import Trace


class HeadOutput:
    """One attention's output as parts; `head_output` makes it.

    Shapes: H heads, T queries, S keys, C the stream's width.
    """

    def __init__(self, record: AttentionRecord, projection: nn.Module) -> None:
        self.record = record
        self.projection = projection
        self.bias = _apply(projection, torch.zeros(1, _input_size(projection) or 0))[0]

    def transformed(self, head: int) -> Tensor:
        """f_h(x_s): what a head reads from each key, as a vector of the stream: [S, C]."""
        return self._projected(head, self._values(head))

    def sizes(self) -> Tensor:
        """‖f_h(x_s)‖ of every head and key: [H, S]."""
        width = self.record.value.shape[-1]
        found = []
        for head in range(self.record.num_heads):
            projection_DC = self._projected(head, torch.eye(width))
            found.append((self._values(head) @ projection_DC).norm(dim=-1))
        return torch.stack(found)

    def of(self, head: int, rows: Range | None = None) -> Tensor:
        """Σ_s α_hts · f_h(x_s): what a head adds to each query's stream: [rows, C]."""
        return self._projected(head, self._mixed(head, rows))

    def _values(self, head: int) -> Tensor:
        value = self.record.value
        return value[head * len(value) // self.record.num_heads].float().cpu()

    def _mixed(self, head: int, rows: Range | None) -> Tensor:
        every = (0, self.record.num_queries) if rows is None else rows
        value = self._values(head)
        parts = []
        for first in range(*every, step := max(1, (1 << 22) // self.record.num_keys)):
            block = (first, min(first + step, every[1]))
            parts.append(self.record.pattern(head, block)[0].cpu() @ value)
        return torch.cat(parts)

    def _projected(self, head: int, vectors: Tensor) -> Tensor:
        width = vectors.shape[-1]
        laid = torch.zeros(len(vectors), width * self.record.num_heads)
        laid[:, head * width : (head + 1) * width] = vectors
        return _apply(self.projection, laid) - self.bias


def head_output(
    trace: Trace, model: nn.Module | TraceableModel, layer: int, part: str | None = None
) -> HeadOutput:
    """The parts of one layer's attention output, for a trace of `model` (or its module).

    Σ_h `of(h)` + `bias` is the trace's `attention.out`: that has been checked.
    Raises VitralError `layer_out_of_range`, `part_unknown`, and `parts_not_available` where no
    map of the layer makes its output of the heads' results.
    """
    trace.record(layer, part)  # says what is wrong with them
    return output_of_heads(trace, module_of(model), trace.part(part).address("attention", layer))


def output_of_heads(trace: Trace, module: nn.Module, prefix: str) -> HeadOutput:
    """The same for the attention at an address, "layers.5.attention"."""
    address, record = f"{prefix}.out", trace.attentions[prefix]
    if address not in trace.values:
        raise VitralError("parts_not_available", address=address, model=trace.model)
    expected = trace[address]
    size = record.num_heads * record.value.shape[-1]
    laid = None
    for candidate in _candidates(module, prefix):
        if _input_size(candidate) != size:
            continue
        parts = HeadOutput(record, candidate)
        if parts.bias.shape != expected.shape[-1:]:
            continue
        if laid is None:
            heads = range(record.num_heads)
            laid = torch.cat([parts._mixed(head, None) for head in heads], dim=-1)
        if is_close(_apply(candidate, laid), expected, candidate):
            return parts
    raise VitralError("parts_not_available", address=address, model=trace.model)


def is_close(found: Tensor, expected: Tensor, module: nn.Module) -> bool:
    """Whether two values are the same but for the rounding of the module's own precision."""
    kinds = [each.dtype for each in module.parameters()]  # none: whole numbers of another kind
    precise = bool(kinds) and all(each in (torch.float32, torch.float64) for each in kinds)
    tolerance = (1e-4 if precise else 4e-2) * (1 + float(expected.abs().max()))
    return found.shape == expected.shape and bool(
        torch.allclose(found, expected, atol=tolerance, rtol=0)
    )


def _candidates(module: nn.Module, prefix: str) -> list[nn.Module]:
    """The linear maps of the layer that an address names, or of all where layers are shared."""
    place = Address.parse(prefix)
    layers = [each for each in find_layers(module) if each.part == place.stack]
    number = place.layer or 0
    chosen = layers[number : number + 1] or layers
    return [each for layer in chosen for each in linear_maps(layer.module)]


def _input_size(module: nn.Module) -> int | None:
    size, weight = getattr(module, "in_features", None), getattr(module, "weight", None)
    if size is None and isinstance(weight, Tensor):
        size = weight.shape[0]  # Conv1D keeps [in, out]
    return size if isinstance(size, int) else None


def _apply(module: nn.Module, vectors: Tensor) -> Tensor:
    """The map of some vectors [n, in], in its own precision: float32 [n, out]."""
    like = vectors_like(module)
    with torch.no_grad():
        given: Tensor = module(vectors.to(like.device, like.dtype))
    return given.float().cpu()
