"""Norm-weighted attention: how much a head adds, not only where it attends.

A weight says how large a share of a token is taken, not how large that token's vector is: a head
that gives [SEP] half of its attention often takes almost nothing from it. So the share is
multiplied by the size of what it is a share of,

    ‖α_hts · f_h(x_s)‖        of one head
    ‖Σ_h α_hts · f_h(x_s)‖    of all heads together

(Kobayashi et al. 2020, arXiv:2004.10102, sections 2.2 and 3). The vectors, with the bias, add up to
the attention's output exactly, which `head_output` checks.

Range: 0 and up, in the units of the residual stream. Cost: T·D·C for the vectors of a head, and
the pattern itself; all heads together cost H² dot products a key.
"""

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.output_parts import head_output
from vitral.tracing.parts import stacked
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.trace import Trace


def weighted_norms(
    trace: Trace,
    model: nn.Module | TraceableModel,
    layer: int,
    part: str | None = None,
    *,
    together: bool = False,
) -> Tensor:
    """The size of what each query gets from each key: [H, T, S], or [T, S] of all `together`.

    `model` is the one that made the trace. Raises VitralError as `head_output`.
    """
    parts = head_output(trace, model, layer, part)
    pattern_HTS = parts.record.pattern().cpu()
    given_HSC = torch.stack([parts.transformed(head) for head in range(len(pattern_HTS))])
    if not together:
        sizes_HS: Tensor = given_HSC.norm(dim=-1)
        return pattern_HTS * sizes_HS[:, None]
    # ‖Σ_h α_h f_h‖² = Σ_h Σ_g α_h α_g f_h·f_g, without T·S vectors
    products_SHG = torch.einsum("hsc,gsc->shg", given_HSC, given_HSC)
    squares = torch.einsum("hts,shg,gts->ts", pattern_HTS, products_SHG, pattern_HTS)
    return squares.clamp(min=0).sqrt()


def sizes_given(
    trace: Trace, model: nn.Module | TraceableModel, layer: int, part: str | None = None
) -> Tensor | None:
    """‖f_h(x_s)‖ of a layer's heads and keys: [H, S]; None where its attention cannot be divided
    into heads, or the model is not the one that made the trace."""
    try:
        return head_output(trace, model, layer, part).sizes()
    except VitralError as error:
        if error.key != "parts_not_available":
            raise
        return None


def output_norms(
    trace: Trace, model: nn.Module | TraceableModel, part: str | None = None
) -> Tensor:
    """How much each head adds to the stream: mean over queries of ‖Σ_s α f‖: [layers, heads].

    Raises VitralError as `head_output`.
    """
    rows = {}
    for layer, record in trace.layers(part).items():
        parts = head_output(trace, model, layer, part)
        sizes = [parts.of(head).norm(dim=-1).mean() for head in range(record.num_heads)]
        rows[layer] = torch.stack(sizes)
    return stacked(rows, trace.num_blocks(part))
