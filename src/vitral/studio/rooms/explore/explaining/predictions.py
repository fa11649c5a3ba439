"""What the model predicts at a position, and what each of its layers would predict there."""

from typing import TYPE_CHECKING

from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.explore.explaining import schemas
from vitral.studio.rooms.explore.explaining.limits import LENS_PLACES, LENS_TOKENS

if TYPE_CHECKING:
    from torch import Tensor

    from vitral import explain
    from vitral.model import Model
    from vitral.tracing import Trace


def predictions_of(
    catalog: ModelCatalog, name: str, trace: "Trace", token: int, *, blank: bool, count: int
) -> schemas.Predictions:
    """The distribution and the lens at a token, with `blank` once it is masked. In a thread.

    Raises VitralError `logits_not_available`, `token_out_of_range`, `no_mask_token`, and what
    `logit_lens` raises.
    """
    from vitral.explain import candidates, probabilities
    from vitral.explain.lens import lens_levels
    from vitral.explain.mask_token import mask_id_if_any
    from vitral.explain.predictions import answering_tokens, blanked, candidate, expected

    with catalog.borrow(name) as model:
        asked = blanked(trace, model, token) if blank else trace
        predicted = probabilities(asked, token)
        wanted = expected(trace, token, model.kind)
        longest = max(len(answering_tokens(trace)), len(trace.tokens))
        levels = lens_levels(trace)
        known = bool(levels) and all(level in trace for level in levels)
        possible = predicted[predicted > 0].double()
        return schemas.Predictions(
            token=token,
            says="here" if model.kind == "encoder" else "next",
            places=[each.text for each in answering_tokens(trace)],
            blanked=blank,
            can_blank=model.kind == "encoder" and mask_id_if_any(model) is not None,
            entropy=float(-(possible * possible.log2()).sum()),
            candidates=[_candidate(each) for each in candidates(predicted, model, count)],
            expected=None if wanted is None else _candidate(candidate(predicted, model, wanted)),
            lens=_lens(model, asked, token, wanted, count)
            if known and longest <= LENS_TOKENS
            else None,
            lens_limit=LENS_TOKENS,
        )


def _lens(
    model: "Model", trace: "Trace", token: int, wanted: int | None, count: int
) -> schemas.Lens:
    from vitral.explain import candidates, logit_lens
    from vitral.explain.lens import lens_levels
    from vitral.explain.predictions import answering_tokens, candidate, lens_probabilities

    length = len(answering_tokens(trace))
    first = max(0, min(token - LENS_PLACES // 2, length - LENS_PLACES))
    places = list(range(first, min(length, first + LENS_PLACES)))
    said_LNV = lens_probabilities(logit_lens(trace, model, places))
    here_LV = said_LNV[:, token - first]
    return schemas.Lens(
        levels=lens_levels(trace),
        candidates=[
            [_candidate(each) for each in candidates(row, model, count)] for row in here_LV
        ],
        expected=None
        if wanted is None
        else [_candidate(candidate(row, model, wanted)) for row in here_LV],
        first=first,
        cells=[[_cell(row, model) for row in layer_NV] for layer_NV in said_LNV],
    )


def _candidate(each: "explain.Candidate") -> schemas.Candidate:
    return schemas.Candidate(
        id=each.id, text=each.text, probability=each.probability, rank=each.rank
    )


def _cell(distribution: "Tensor", model: "Model") -> schemas.LensCell:
    from vitral.explain import candidates

    [best] = candidates(distribution, model, 1)
    return schemas.LensCell(id=best.id, text=best.text, probability=best.probability)
