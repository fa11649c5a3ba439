"""The paths from one token after the last layer down to the input tokens, as a graph.

A node is a token at a level: level 0 is the input, level l + 1 stands above layer l. An edge leads
down from a token to one that it attends to in that layer. The meaning of an edge's weight is an
option:

- "attention": the weight itself, of one layer: the mean over its heads, or one head's. Only
  tokens that can be reached from the top are followed.
- "rollout": the share of the top token's mixture that comes along this edge, half of each layer
  being the residual stream. The edges into an input token add up to `rollout(trace, [token])`,
  those of each level to one.
- "flow": the flow along this edge in a maximum flow from *one* input token to the
  top. Most networks have several maximum flows; this is one of them. The nodes of level 0
  hold the maximum flow from each input token: `flow(trace, token)`.

Source: Abnar & Zuidema 2020, arXiv:2005.00928, section 3 and figures 1 and 2.

Range: 0 to 1. Cost: that of `rollout` or `flow`; of a rollout the pattern is taken a block at a
time and only its edges of at least `least` are kept.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.attention_flow import UNIT, flow, pipes
from vitral.explain.attention_rollout import check_token, records_up_to
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.trace import Trace

GraphKind = Literal["attention", "rollout", "flow"]


class Edge(NamedTuple):
    """From token `query` above `layer` down to token `key` below it."""

    layer: int
    query: int
    key: int
    weight: float


@dataclass(frozen=True, eq=False)
class AttentionGraph:
    """The result of `attention_graph`; see the head of the file.

    `nodes` [levels, T] are the values of the tokens: in "rollout" the share, in "flow" the flow
    through it (at level 0: its maximum flow), in "attention" 1 if it is reached.
    `edges` are the strongest, the strongest first; of `num_edges` that weigh `least` or more.
    `source` is the input token whose flow is drawn.
    """

    kind: GraphKind
    token: int
    nodes: Tensor
    edges: list[Edge]
    num_edges: int
    least: float
    source: int | None = None


def attention_graph(
    trace: Trace,
    token: int,
    kind: GraphKind = "rollout",
    *,
    head: tuple[int, int] | None = None,
    source: int | None = None,
    least: float = 0.01,
    most: int = 2000,
    part: str | None = None,
    residual: float = 0.5,
) -> AttentionGraph:
    """The graph below `token`.

    `head` (layer, head) takes this head alone in its layer and the mean of the heads in the
    others; with "attention" only. `source` is the input token whose flow is drawn, by default
    the one, other than `token`, with the largest flow; with "flow" only. Edges weaker
    than `least` are left out, and those after the `most` strongest.

    Raises VitralError `graph_option` for an option that has no effect, `head_out_of_range`, and
    what `rollout` and `flow` raise.
    """
    if (head is not None and kind != "attention") or (source is not None and kind != "flow"):
        raise VitralError("graph_option", kind=kind, option="source" if head is None else "head")
    records = records_up_to(trace, None, part, kind)
    check_token(token, records[0].num_keys)
    if kind == "flow":
        nodes, edges, source = _flowing(trace, token, source, part, residual, records)
        edges = [edge for edge in edges if edge.weight >= least]
    else:
        chosen = _only(records, head)
        nodes, edges = _walked(records, token, kind, chosen, least, residual)
    strongest = sorted(edges, key=lambda edge: -edge.weight)
    return AttentionGraph(kind, token, nodes, strongest[:most], len(edges), least, source)


def _only(records: list[AttentionRecord], head: tuple[int, int] | None) -> dict[int, int]:
    """The head that stands for its layer, by layer."""
    if head is None:
        return {}
    layer, number = head
    if not 0 <= layer < len(records):
        raise VitralError("layer_out_of_range", layer=layer, num_layers=len(records))
    if not 0 <= number < records[layer].num_heads:
        raise VitralError("head_out_of_range", head=number, num_heads=records[layer].num_heads)
    return {layer: number}


def _walked(
    records: list[AttentionRecord],
    token: int,
    kind: GraphKind,
    heads: dict[int, int],
    least: float,
    residual: float,
) -> tuple[Tensor, list[Edge]]:
    """Nodes and edges of "attention" and "rollout", level by level from the top."""
    length = records[0].num_keys
    nodes = torch.zeros(len(records) + 1, length)
    nodes[-1, token] = 1
    edges: list[Edge] = []
    for layer in reversed(range(len(records))):
        record, above_T = records[layer], nodes[layer + 1]
        for first, last in record.row_blocks(record.num_heads):
            above_R = above_T[first:last]
            if not bool(above_R.any()):
                continue
            weights_RT = record.pattern(heads.get(layer), (first, last)).mean(0).cpu()
            if kind == "attention":
                carried_RT = weights_RT * (above_R > 0)[:, None]
            else:
                share_R = above_R / (residual + (1 - residual) * weights_RT.sum(-1))
                carried_RT = (1 - residual) * share_R[:, None] * weights_RT
                carried_RT[torch.arange(last - first), torch.arange(first, last)] += (
                    residual * share_R
                )
                nodes[layer] += carried_RT.sum(0)
            rows, columns = (carried_RT >= least).nonzero(as_tuple=True)
            edges += [
                Edge(layer, first + row, column, weight)
                for row, column, weight in zip(
                    rows.tolist(),
                    columns.tolist(),
                    carried_RT[rows, columns].tolist(),
                    strict=True,
                )
            ]
            if kind == "attention":
                nodes[layer, columns] = 1
    return nodes, edges


def _flowing(
    trace: Trace,
    token: int,
    source: int | None,
    part: str | None,
    residual: float,
    records: list[AttentionRecord],
) -> tuple[Tensor, list[Edge], int]:
    """Nodes and edges of one maximum flow, and the input token where it rises."""
    import networkx

    inputs_T = flow(trace, token, part=part, residual=residual)
    length = len(inputs_T)
    if source is None:
        others_T = inputs_T.clone()
        others_T[token] = -1
        source = int(others_T.argmax())
    check_token(source, length)
    nodes = torch.zeros(len(records) + 1, length)
    edges: list[Edge] = []
    graph, sink = pipes(records, residual), (len(records), token)
    if (0, source) in graph:
        _, streams = networkx.maximum_flow(graph, (0, source), sink)
        for (layer, key), upper in streams.items():
            for (_, query), amount in upper.items():
                if amount:
                    edges.append(Edge(layer, query, key, amount / UNIT))
                    nodes[layer + 1, query] += amount / UNIT
    nodes[0] = inputs_T
    return nodes, edges, source
