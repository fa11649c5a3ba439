"""The way down from a token to the input tokens, as the page draws it."""

from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.rooms.explore.explaining import schemas
from vitral.studio.rooms.explore.explaining.limits import (
    FLOW_PIPES,
    GRAPH_EDGES,
    GRAPH_TOKENS,
    check_length,
)

if TYPE_CHECKING:
    from vitral.explain.attention_paths import GraphKind
    from vitral.tracing import Trace


def graph_of(
    trace: "Trace",
    part: str | None,
    token: int,
    kind: "GraphKind",
    head: tuple[int, int] | None,
    source: int | None,
    least: float,
) -> schemas.Graph:
    """The graph below a token. In a thread.

    Raises VitralError `view_too_long`, `flow_too_large`, and what `attention_graph` raises.
    """
    from vitral.explain import attention_graph

    length = len(trace.query_tokens(part))
    check_length(length, GRAPH_TOKENS, "graph")
    pipes = len(trace.layers(part)) * length**2
    if kind == "flow" and pipes > FLOW_PIPES:
        raise VitralError("flow_too_large", pipes=pipes, limit=FLOW_PIPES, length=length)
    found = attention_graph(
        trace,
        token,
        kind,
        head=head,
        source=source,
        least=least,
        most=GRAPH_EDGES,
        part=part,
    )
    return schemas.Graph(
        kind=kind,
        token=token,
        source=found.source,
        nodes=found.nodes.tolist(),
        edges=[schemas.GraphEdge(**edge._asdict()) for edge in found.edges],
        num_edges=found.num_edges,
        least=least,
    )
