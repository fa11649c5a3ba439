"""Attention flow: the maximum flow from an input token to a token at the top.

The layers are a flow network: an edge from each token to each that it attends to, with its
weight as capacity (mean of heads, half for the residual). The *maximum flow* between an input
token and a token at the top is the largest possible over all paths together (Abnar & Zuidema
2020, arXiv:2005.00928, section 3). Unlike rollout, it does not multiply along a path: a path is
as wide as its narrowest edge.

Range: 0 to 1. Cost: a maximum flow (networkx, preflow–push) over L·T² edges for each input
token: seconds for a sentence, so that longer texts are refused.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token, records_up_to
from vitral.stopping import check_stop
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.trace import Trace

MOST_PIPES = 60_000
UNIT = 1 << 30
"""Capacities are whole numbers of 2⁻³⁰, so that the algorithm ends and is exact."""


def flow(
    trace: Trace,
    token: int,
    sources: Sequence[int] | None = None,
    *,
    layer: int | None = None,
    part: str | None = None,
    residual: float = 0.5,
) -> Tensor:
    """The maximum flow to one token at `layer` (default: the last) from input tokens: [n].

    `sources` are the input tokens, by default all. Raises VitralError `flow_too_large` over
    60,000 edges, and those of `rollout`.
    """
    import networkx

    records = records_up_to(trace, layer, part, "flow")
    length = records[0].num_keys
    chosen = list(range(length)) if sources is None else list(sources)
    for each in (token, *chosen):
        check_token(each, length)
    if len(records) * length**2 > MOST_PIPES:
        raise VitralError(
            "flow_too_large", pipes=len(records) * length**2, limit=MOST_PIPES, length=length
        )
    graph = pipes(records, residual)
    sink = (len(records), token)
    flows_n = torch.zeros(len(chosen))
    for index, source in enumerate(chosen):
        check_stop()
        if (0, source) in graph:
            flows_n[index] = networkx.maximum_flow_value(graph, (0, source), sink) / UNIT
    return flows_n


def pipes(records: Sequence[AttentionRecord], residual: float) -> Any:
    """The network as a directed graph of networkx: nodes (level, token), from level 0 upwards,
    each edge with its `capacity` in units of 2⁻³⁰."""
    import networkx

    length = records[0].num_keys
    graph = networkx.DiGraph()
    for level, record in enumerate(records):
        weights_TT = (1 - residual) * record.pattern().mean(0).cpu()
        weights_TT += residual * torch.eye(length)
        weights_TT /= weights_TT.sum(-1, keepdim=True)
        widths = (weights_TT.double() * UNIT).round().long().tolist()
        for upper, row in enumerate(widths):
            for lower, width in enumerate(row):
                if width:
                    graph.add_edge((level, lower), (level + 1, upper), capacity=width)
    return graph
