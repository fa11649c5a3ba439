"""A head's largest weights, however long the text.

A head of a text of N tokens has N² weights; sorting them all would need them all. But the maps
that a trace keeps hold the largest weight of each of their cells. So cells are opened in the
order of their largest weight, their exact weights computed, and the best so far kept: as soon as
the next cell's largest is no more than the last of these, no cell left can hold a better one.
Few cells are opened, each once, and their weights are forgotten again.

    >>> import torch
    >>> from vitral.tracing.trace import Trace
    >>> pattern = torch.tensor([[[0.9, 0.1, 0.0], [0.3, 0.2, 0.5], [0.6, 0.4, 0.0]]])
    >>> trace = Trace.from_tensors(patterns=[pattern], tokens=["a", "b", "c"])
    >>> [(w.query, w.key) for w in strongest_weights(trace, layer=0, head=0, count=2)]
    [(0, 0), (2, 0)]
    >>> [(w.query, w.key) for w in strongest_weights(trace, layer=0, head=0, count=2, least_key=1)]
    [(1, 2), (2, 1)]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Range
from vitral.tracing.trace import Trace
from vitral.tracing.view import cell_edges, edges_of_size

MOST = 1000
"""Weights that may be asked for at once."""

EQUAL = 1e-5
"""Weights that differ by less, relative to themselves, count as equal: float32 sums of another
order do, and in a head with uniform attention any weights are the largest."""


@dataclass(frozen=True)
class Weight:
    """One attention weight: its query, its key, and the weight."""

    query: int
    key: int
    weight: float


def strongest_weights(
    trace: Trace,
    *,
    layer: int,
    head: int,
    count: int = 50,
    least_key: int = 0,
    apart: int = 0,
    part: str | None = None,
) -> list[Weight]:
    """The `count` largest weights of one head, the largest first; equal ones by position.

    Heads that attend to the first token, or to the token itself, would fill the list with these:
    `least_key` 1 leaves out weights on the first token, `apart` n those less than n tokens
    away. Weights of zero are not listed.

    Raises VitralError `option_out_of_range` for a count outside 1 … 1000, and what
    `trace.attention` raises.
    """
    if not 1 <= count <= MOST:
        raise VitralError("option_out_of_range", option="count", value=count, most=MOST)
    record = trace.record(layer, part)
    if not 0 <= head < record.num_heads:
        raise VitralError("head_out_of_range", head=head, num_heads=record.num_heads)
    best = torch.zeros(0)
    places = torch.zeros(0, dtype=torch.long)
    for greatest, rows, columns in _cells(record, head):
        if greatest <= 0 or (len(best) == count and greatest <= float(best[-1]) * (1 + EQUAL)):
            break
        weights = record.pattern(head, rows, columns)[0].cpu()
        query = torch.arange(*rows)[:, None].expand_as(weights)
        key = torch.arange(*columns).expand_as(weights)
        wanted = (weights > 0) & (key >= least_key) & ((query - key).abs() >= apart)
        if not bool(wanted.any()):
            continue
        best = torch.cat([best, weights[wanted]])
        places = torch.cat([places, (query * record.num_keys + key)[wanted]])
        best, order = best.topk(min(count, len(best)))
        places = places[order]
    found = [
        Weight(place // record.num_keys, place % record.num_keys, weight)
        for place, weight in zip(places.tolist(), best.tolist(), strict=True)
    ]
    return sorted(found, key=lambda each: (-each.weight, each.query, each.key))


def _cells(record: AttentionRecord, head: int) -> Iterator[tuple[float, Range, Range]]:
    """Every cell of the finest map that is kept, with its largest weight, the largest first."""
    shape = (record.num_queries, record.num_keys)
    fine = record.measures.fine
    if fine is not None:
        greatest = fine.maxima[head]
        edges = [edges_of_size(0, length, fine.cell) for length in shape]
    else:
        greatest = record.measures.maps.maximum[head]
        edges = [cell_edges(0, *each) for each in zip(shape, greatest.shape, strict=True)]
    rows, columns = (list(pairwise(each)) for each in edges)
    for weight, place in _in_order(greatest.flatten()):
        row, column = divmod(place, len(columns))
        yield weight, rows[row], columns[column]


def _in_order(values: Tensor) -> Iterator[tuple[float, int]]:
    """Values with their places, the largest first; more are sorted only as more are asked for."""
    done, wanted = 0, 1024
    while done < len(values):
        wanted = min(wanted * 4, len(values))
        found = values.topk(wanted)
        yield from zip(found.values[done:].tolist(), found.indices[done:].tolist(), strict=True)
        done = wanted
