"""A word's path through the layers, alone or with that of the same word in another sentence."""

from typing import TYPE_CHECKING, Literal

from vitral.errors import VitralError
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.explore.explaining import schemas
from vitral.studio.rooms.explore.explaining.limits import PATH_TOKENS, PATHS_DRAWN, check_length

if TYPE_CHECKING:
    from torch import Tensor

    from vitral.model import Model
    from vitral.tracing import Trace

NEIGHBOURS = 3
TEXTS: tuple[Literal[0, 1], ...] = (0, 1)
"""The chosen text and the one it is compared with."""


def path_of(
    catalog: ModelCatalog,
    name: str,
    trace: "Trace",
    part: str | None,
    token: int,
    other: "tuple[Trace, int] | None",
    *,
    directions: bool,
    together: bool,
) -> schemas.WordPath:
    """The path of a token; `other` is another trace of the model, and its token. In a thread.

    The plane is the chosen tokens', or with `together` that of all tokens. Raises VitralError
    `part_unknown`, `view_too_long`, and what `vitral.explain.word_paths` raises.
    """
    from vitral.explain import path_cosines, word_paths

    traces = [trace] if other is None else [trace, other[0]]
    chosen = [token] if other is None else [token, other[1]]
    for each in traces:
        check_length(len(each.query_tokens(part)), PATH_TOKENS, "path")
    drawn = word_paths(traces, None if together else chosen, directions=directions, part=part)
    cosines = None if other is None else path_cosines(trace, token, *other, part).tolist()
    with catalog.borrow(name) as model:
        levels = _levels(model, trace, part, token, drawn.levels, cosines)
    every = all(points.shape[1] <= PATHS_DRAWN for points in drawn.points)
    return schemas.WordPath(
        token=token,
        other=None if other is None else other[1],
        explained=drawn.explained,
        levels=levels,
        paths=[
            schemas.Path(text=text, token=place, points=_pairs(points_LT2[:, place]))
            for text, points_LT2 in zip(TEXTS, drawn.points, strict=False)
            for place in (range(points_LT2.shape[1]) if every else [chosen[text]])
        ],
        all_drawn=every,
    )


def _levels(
    model: "Model",
    trace: "Trace",
    part: str | None,
    token: int,
    addresses: list[str],
    cosines: list[float] | None,
) -> list[schemas.PathLevel]:
    from vitral.explain import nearest_tokens, nearest_words
    from vitral.tracing.recording.reading import bare_tokens

    tokens = nearest_tokens(trace, token, NEIGHBOURS, part)
    moving = trace.query_tokens(part)
    try:
        words = nearest_words(trace, model, token, NEIGHBOURS, part)
    except VitralError as error:
        if error.key != "vocabulary_apart":
            raise
        words = None
    return [
        schemas.PathLevel(
            address=address,
            tokens=[
                schemas.Neighbour(id=place, text=moving[place].text, cosine=cosine)
                for place, cosine in tokens[level]
            ],
            words=None
            if words is None
            else [
                schemas.Neighbour(
                    id=number, text=bare_tokens([number], model.tokenizer)[0].text, cosine=cosine
                )
                for number, cosine in words[level]
            ],
            cosine=None if cosines is None else cosines[level],
        )
        for level, address in enumerate(addresses)
    ]


def _pairs(points_L2: "Tensor") -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points_L2]
