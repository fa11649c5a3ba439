"""A trace as a figure for print: which cells of it, which tokens, which words on it.

How a figure looks is the business of `vitral.figures`; here its tensors and labels are found.
No more cells are computed than the figure draws.
"""

from typing import TYPE_CHECKING, Any, get_args

import torch
from torch import Tensor

from vitral.errors import VitralError, is_whole
from vitral.figures import Kind, head_grid, heat_map, lines, most_lines
from vitral.figures.cells import MOST_CELLS
from vitral.figures.head_grid import PANE
from vitral.messages import message
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Range
from vitral.tracing.maps.visible_share import visible_share
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace
from vitral.tracing.view import Reduction

if TYPE_CHECKING:
    from matplotlib.figure import Figure


KINDS: tuple[Kind, ...] = get_args(Kind)
_OF_ONE_HEAD = ("layer", "head", "rows", "columns")
_USED = {
    "heat": (*_OF_ONE_HEAD, "reduction", "ceiling"),
    "lines": (*_OF_ONE_HEAD, "token"),
    "grid": ("shared",),
}


def plot(
    trace: Trace,
    kind: Kind,
    *,
    part: str | None,
    title: str | None,
    language: str | None,
    look: dict[str, Any],
    **options: Any,
) -> "Figure":
    """See `Trace.plot`; `look` goes to the figure as it is."""
    if kind not in KINDS:
        raise VitralError("figure_kind", kind=kind, known=", ".join(KINDS))
    for name, value in options.items():
        if value is not None and name not in _USED[kind]:
            raise VitralError("figure_option", option=name, kind=kind)
    part = trace.first_part if part is None else part
    records = trace.layers(part)
    if options.get("layer") is None:
        options["layer"] = next(iter(records))
    look = {**look, "language": language}
    if title is None:
        title = _title(trace, part, kind, options, language)
    title = " · ".join(filter(None, [title, *trace.reading.said(language)]))
    if kind == "grid":
        panes = trace.pooled(PANE, part)[list(records)]
        size = (panes.shape[2], panes.shape[3])
        shares = [_pane_share(record, size) for record in records.values()]
        first = next(iter(records.values()))
        return head_grid(
            panes,
            layers=list(records),
            allowed=_together(shares),
            rows=(0, first.num_queries),
            columns=(0, first.num_keys),
            shared=bool(options.get("shared")),
            title=title,
            **look,
        )
    return _one_head(trace, kind, part, options, title, look)


def _one_head(
    trace: Trace,
    kind: Kind,
    part: str,
    options: dict[str, Any],
    title: str,
    look: dict[str, Any],
) -> "Figure":
    layer, head = options["layer"], options.get("head") or 0
    record = trace.record(layer, part)
    rows = options.get("rows") or (0, record.num_queries)
    columns = options.get("columns") or (0, record.num_keys)
    token = options.get("token")
    most = most_lines(look["width"]) if kind == "lines" else MOST_CELLS
    if token is not None:
        if not is_whole(token) or not rows[0] <= token < rows[1]:
            raise VitralError("figure_token", token=token, first=rows[0], last=rows[1])
        if rows[1] - rows[0] > most:  # it alone, among more than can be named
            rows = (token, token + 1)
    reduction: Reduction = options.get("reduction") or "mean"
    address = trace.part(part).address("attention.pattern", layer)
    view = trace.view(
        address, head, rows=rows, columns=columns, height=most, width=most, reduction=reduction
    )
    known: dict[str, Any] = {
        "allowed": visible_share(record, head, view.rows, view.columns, (most, most)),
        "rows": view.rows,
        "columns": view.columns,
        "title": title,
        **look,
    }
    queries, keys = trace.query_tokens(part), trace.key_tokens(part)
    names = (_texts(queries, record.num_queries, rows), _texts(keys, record.num_keys, columns))
    if kind == "lines":
        return lines(view.values, *names, token=token, **known)
    ceiling = options.get("ceiling")
    return heat_map(view.values, *names, reduction=reduction, ceiling=ceiling, **known)


def _texts(tokens: list[Token], needed: int, some: Range) -> list[str] | None:
    """Their texts, or None if the keys or queries are not these tokens."""
    if len(tokens) != needed:
        return None
    return [token.text for token in tokens[slice(*some)]]


def _pane_share(record: AttentionRecord, size: tuple[int, int]) -> Tensor | None:
    rows, columns = (0, record.num_queries), (0, record.num_keys)
    return visible_share(record, 0, rows, columns, size)


def _together(shares: list[Tensor | None]) -> Tensor | None:
    """The layers' shares as one [layers, 1, s, s']; None if nothing is hidden."""
    known = [share for share in shares if share is not None]
    if not known:
        return None
    every = [torch.ones_like(known[0]) if share is None else share for share in shares]
    return torch.stack(every)[:, None]


def _title(
    trace: Trace, part: str, kind: Kind, options: dict[str, Any], language: str | None
) -> str:
    key = "figure.title_all" if kind == "grid" else "figure.title"
    values: dict[str, Any] = {"model": trace.model}
    if kind != "grid" and trace.reading.heads is not None:
        key, values["layer"] = "figure.title_layer", options["layer"]
    elif kind != "grid":
        values |= {"layer": options["layer"], "head": options.get("head") or 0}
    if len(trace.parts) > 1:
        known = part in ("encoder", "decoder", "cross")
        name = message(f"figure.part_{part}", language) if known else part or "–"
        key, values["part"] = f"{key}_part", name
    return message(key, language, **values)
