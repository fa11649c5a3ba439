"""Value zeroing: how different a token would be if another token's values were zero.

In one layer, token s's value vectors are set to zero, in every head; everything else is
unchanged, attention weights too. How far each token t's vector after the layer then is from what it
was measures how much t depends on s:

    C[t, s] = 1 − cos(x_t, x_t without s)        rows then made to sum to one

(Mohebbi et al. 2023, arXiv:2301.12971, section 3). Unlike attention and its norms it sees the
whole layer: the residual stream, the norms and the feed-forward part.

Range: 0 to 1, rows sum to one (zeros where nothing changes a token). Cost: the layer is run once
for each token, so L·T layers for a whole model.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.output_parts import HeadOutput, head_output, is_close
from vitral.explain.rerun import first_of, run_again, with_first
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.trace import Trace


def value_zeroing(
    trace: Trace,
    model: nn.Module | TraceableModel,
    layer: int,
    part: str | None = None,
    *,
    normalised: bool = True,
) -> Tensor:
    """How much each token's vector after a layer depends on each other's value: [T, S].

    `model` is the one that made the trace. If not `normalised`, rows are the cosine distances
    themselves. Raises VitralError as `head_output`, `rerun_not_available`, and
    `model_not_of_trace` if the model does not compute what the trace holds.
    """
    module = module_of(model)
    name = trace.first_part if part is None else part
    stack = "decoder" if name == "cross" else name
    parts = head_output(trace, module, layer, part)
    changed: list[Tensor] = []

    def change(number: int, block: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if number != layer:
            return
        before = first_of(output)
        expected = trace[f"{stack}.layers.{layer}.residual.post".lstrip(".")]
        stream = before[0] if before.dim() == 3 else before
        if not is_close(stream.float().cpu(), expected, module):
            raise VitralError("model_not_of_trace", model=type(module).__name__, trace=trace.model)
        changed.extend(_without_each(parts, block, args, kwargs, expected))

    run_again(trace, module, stack, change)
    distances_TS = torch.stack(changed, dim=-1)
    if not normalised:
        return distances_TS
    return distances_TS / distances_TS.sum(-1, keepdim=True).clamp(min=1e-12)


def _without_each(
    parts: HeadOutput, block: nn.Module, args: Any, kwargs: Any, expected: Tensor
) -> list[Tensor]:
    """For each key, the cosine distance of every token's vector without that key's values."""
    record = parts.record
    pattern_HTS = record.pattern().cpu()
    given_HSC = torch.stack([parts.transformed(head) for head in range(record.num_heads)])
    missing = torch.zeros_like(expected)

    def less(_: nn.Module, inputs: Any, output: Tensor) -> Any:
        return with_first(output, output - missing.to(output).reshape(output.shape))

    hook = parts.projection.register_forward_hook(less)
    try:
        found = []
        for key in range(record.num_keys):
            missing = torch.einsum("ht,hc->tc", pattern_HTS[:, :, key], given_HSC[:, key])
            stream = first_of(block(*args, **kwargs))
            without = stream.reshape(expected.shape).float().cpu()
            closeness = torch.cosine_similarity(without.double(), expected.double(), dim=-1)
            found.append((1 - closeness).clamp(min=0).float())
        return found
    finally:
        hook.remove()
