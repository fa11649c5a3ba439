"""What every head does in a text, and how far that is true of the model."""

import math
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.explore.explaining import schemas
from vitral.studio.rooms.explore.explaining.limits import WRITES_TOKENS

if TYPE_CHECKING:
    from vitral.explain import HeadMeasures, RolesElsewhere
    from vitral.model import Model
    from vitral.tracing import Trace

_repeated: "WeakKeyDictionary[Model, Trace | None]" = WeakKeyDictionary()
_elsewhere: "WeakKeyDictionary[Model, dict[str, RolesElsewhere]]" = WeakKeyDictionary()
"""By model and part."""


def heads_of(
    catalog: ModelCatalog, name: str, trace: "Trace", part: str | None, language: str
) -> schemas.Heads:
    """Every head's measures, as the command `vitral heads` gives them. In a thread.

    Raises VitralError `part_unknown`.
    """
    table, repeated = _table(catalog, name, trace, part)
    found = table.heads()
    return schemas.Heads(
        num_layers=table.num_layers,
        num_heads=table.num_heads,
        repeated=repeated,
        measures=[
            schemas.MeasureDescription(
                name=each.name,
                label=each.label(language),
                sentence=each.sentence(language),
                low=each.low,
                high=each.high,
                unit=each.unit,
                source=each.source,
            )
            for each in table.measures
        ],
        heads=[
            schemas.Head(
                layer=each["layer"],
                head=each["head"],
                role=each["role"],
                sentence=table.sentence(each["layer"], each["head"], language),
                idle=each["role"] == "idle",
                values={measure: _known(each[measure]) for measure in table},
            )
            for each in found
        ],
    )


def constancy_of(
    catalog: ModelCatalog, name: str, trace: "Trace", part: str | None
) -> schemas.Constancy:
    """In how many of a dozen sentences each head has the same role. In a thread.

    Raises VitralError `part_unknown`.
    """
    from vitral.explain import roles_elsewhere

    table, _ = _table(catalog, name, trace, part)
    with catalog.borrow(name) as model:
        known = _elsewhere.setdefault(model, {})
        found = known.get(table.part)
        if found is None:
            found = roles_elsewhere(model, part=table.part, repeated=_repeated.get(model))
            known[table.part] = found
    count = len(found.sentences)
    return schemas.Constancy(
        sentences=found.sentences,
        num_too_long=found.num_too_long,
        same=[
            [None if math.isnan(share) else round(share * count) for share in row]
            for row in found.constancy(table).tolist()
        ],
    )


def writes_of(catalog: ModelCatalog, name: str, trace: "Trace", part: str | None) -> schemas.Writes:
    """How much each head writes, where that is quickly found. In a thread.

    Raises VitralError `part_unknown`.
    """
    from vitral.explain import MEASURES

    if max(len(trace.query_tokens(part)), len(trace.key_tokens(part))) > WRITES_TOKENS:
        return schemas.Writes(writes=None)
    with catalog.borrow(name) as model:
        found = MEASURES["writes"](trace, part, model)
    return schemas.Writes(writes=[[_known(each) for each in row] for row in found.tolist()])


def _table(
    catalog: ModelCatalog, name: str, trace: "Trace", part: str | None
) -> "tuple[HeadMeasures, bool]":
    """The measures, those of repetition on repeated random tokens where the model takes them; of
    a trace from a file whose model is not here, those that the trace alone gives."""
    from vitral.explain import measures, repeated_trace

    if name not in catalog:
        return measures(trace, part), False
    with catalog.borrow(name) as model:
        if model not in _repeated:
            try:
                _repeated[model] = repeated_trace(model)
            except VitralError:  # too little room for it, or no tokens at all
                _repeated[model] = None
        repeated = _repeated[model]
        table = measures(trace, part, repeated=repeated, model=model)
    return table, repeated is not None and table.part == trace.first_part


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
