"""The path of a word: how a token's vector moves as the layers work on it.

A token's vector starts without its context and ends with it. Its vectors on
the way, one before the first layer (`embed`) and one after each (`layers.N.residual.post`), are
points of a space with as many dimensions as the model is wide:

- `word_paths` draws all of them in the plane that keeps most of their variance (principal
  components; Pearson 1901), of one text or of several, so that one word in two sentences can be
  watched as it parts from itself;
- `path_cosines` gives the cosine of two tokens at each level (the angle; nothing of the plane);
- `nearest_tokens` names the neighbours in the text, `nearest_words` those in the vocabulary.

A plane shows little of 192 dimensions: `explained` says how much. Distances in it are those of
the space only in part; the cosines are exact.

Shapes: L layers, T tokens, C width, V vocabulary, P points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class WordPaths:
    """Every token's way through the plane.

    `points` holds, for each trace, float32 [L + 1, T, 2]; `levels` names the levels; `explained`
    is the share of the variance that each of the two directions keeps.
    """

    levels: list[str]
    points: list[Tensor]
    explained: tuple[float, float]


def word_paths(
    traces: Sequence[Trace],
    tokens: Sequence[int] | None = None,
    *,
    directions: bool = False,
    part: str | None = None,
) -> WordPaths:
    """The vectors of all tokens at all levels, of all `traces`, in one plane.

    The plane is that of `tokens`, one of each trace: the one that shows most of how *they* move,
    and less of all others. Without them it is that of all tokens together, which shows mostly
    how different words differ.
    With `directions` only where a vector points to counts, not how long it is: in models that
    normalise first (GPT-2, Llama) vectors grow from layer to layer, and their growth is all one
    sees otherwise. Signs are chosen so that the result is always the same. `part` is as in
    `levels_of`.

    Raises VitralError `paths_differ` for traces of models of different shapes,
    `token_out_of_range`, and what `stream` raises.
    """
    streams = [stream(trace, part) for trace in traces]
    shapes = {(len(each), each.shape[-1]) for each in streams}
    if len(shapes) > 1:
        raise VitralError("paths_differ", models=", ".join(trace.model for trace in traces))
    if directions:
        streams = [normalize(each, dim=-1) for each in streams]
    if tokens is None:
        shown = streams
    else:
        for token, each in zip(tokens, streams, strict=True):
            check_token(token, each.shape[1])
        shown = [each[:, token, None] for token, each in zip(tokens, streams, strict=True)]
    every_PC = torch.cat([each.flatten(0, 1) for each in shown]).double()
    centre_C = every_PC.mean(0)
    plane_C2, explained = _plane(every_PC - centre_C)
    points = [((each.double() - centre_C) @ plane_C2).float() for each in streams]
    return WordPaths(levels_of(traces[0], part), points, explained)


def _plane(spread_PC: Tensor) -> tuple[Tensor, tuple[float, float]]:
    """The two directions [C, 2] of the largest variance about zero, and the share of each."""
    _, lengths, axes_PC = torch.linalg.svd(spread_PC, full_matrices=False)
    total = float(lengths.square().sum()) or 1.0
    plane_C2 = torch.zeros(spread_PC.shape[1], 2, dtype=spread_PC.dtype)
    plane_C2[:, : min(2, len(axes_PC))] = axes_PC[:2].T
    largest = plane_C2.abs().argmax(0)
    plane_C2 *= plane_C2[largest, torch.arange(2)].sign()
    shares = [float(length) ** 2 / total for length in lengths[:2]] + [0.0, 0.0]
    return plane_C2, (shares[0], shares[1])


def levels_of(trace: Trace, part: str | None = None) -> list[str]:
    """The addresses of the levels: `embed`, and `residual.post` of each layer.

    In an encoder–decoder they are those of its `part`, by default the encoder; in "cross", those
    of the decoder, whose tokens are the queries. None in a recurrent network, which has states
    instead. Raises VitralError `part_unknown`.
    """
    found = trace.part(part)
    if found.is_cross and found.stack not in trace.parts:
        return []
    after = [found.address("residual.post", layer) for layer in range(trace.num_blocks(part))]
    return [found.address("embed"), *after]


def stream(trace: Trace, part: str | None = None) -> Tensor:
    """The residual stream at every level: float32 [L + 1, T, C].

    Raises what `levels_of` does, and VitralError `vectors_missing` for a trace without them: of
    patterns alone, or of a recurrent network, which has states instead.
    """
    levels = levels_of(trace, part)
    if not levels or not all(address in trace for address in levels):
        raise VitralError("vectors_missing", model=trace.model)
    return torch.stack([trace[address] for address in levels])


def path_cosines(
    first: Trace, token: int, second: Trace, other: int, part: str | None = None
) -> Tensor:
    """How alike two tokens' vectors are at each level, from −1 to 1: float32 [L + 1].

    Raises VitralError `token_out_of_range`, `paths_differ`, and what `stream` raises.
    """
    one_LTC, two_LTC = stream(first, part), stream(second, part)
    check_token(token, one_LTC.shape[1])
    check_token(other, two_LTC.shape[1])
    if one_LTC[:, 0].shape != two_LTC[:, 0].shape:
        raise VitralError("paths_differ", models=f"{first.model}, {second.model}")
    return torch.cosine_similarity(one_LTC[:, token], two_LTC[:, other], dim=-1)


def nearest_tokens(
    trace: Trace, token: int, count: int = 3, part: str | None = None
) -> list[list[tuple[int, float]]]:
    """At each level the other tokens of the text whose vectors point most the same way, with the
    cosine. Raises VitralError `token_out_of_range`, and what `stream` raises."""
    unit_LTC = normalize(stream(trace, part), dim=-1)
    check_token(token, unit_LTC.shape[1])
    likeness_LT = torch.einsum("ltc,lc->lt", unit_LTC, unit_LTC[:, token])
    likeness_LT[:, token] = -2
    return _highest(likeness_LT, min(count, unit_LTC.shape[1] - 1))


def nearest_words(
    trace: Trace,
    model: nn.Module | TraceableModel,
    token: int,
    count: int = 3,
    part: str | None = None,
) -> list[list[tuple[int, float]]]:
    """At each level the ids whose *input* vectors point most the way of the token's, with the
    cosine: what of the words it began as it still, or now, resembles.

    Layers are free to leave the space of the input vectors; then every cosine is low.
    Raises VitralError `vocabulary_apart` where the input vectors are not of the stream's width
    (ALBERT), `token_out_of_range`, and what `stream` raises.
    """
    here_LC = stream(trace, part)
    check_token(token, here_LC.shape[1])
    here_LC = normalize(here_LC[:, token], dim=-1)
    words_VC = input_vectors(model)
    if words_VC is None or words_VC.shape[1] != here_LC.shape[1]:
        raise VitralError("vocabulary_apart", model=trace.model)
    return _highest(here_LC @ normalize(words_VC, dim=-1).T, count)


def input_vectors(model: nn.Module | TraceableModel) -> Tensor | None:
    """The table of what each id is before the first layer: float32 [V, C]; None if none is found.

    It is the model's own input embedding (transformers), otherwise its first table with a row for
    each entry of the vocabulary.
    """
    module = module_of(model)
    size = None if isinstance(model, nn.Module) else model.vocabulary_size
    asked = getattr(module, "get_input_embeddings", None)
    candidates = [asked()] if callable(asked) else list(module.modules())
    table = next(
        (
            each.weight
            for each in candidates
            if isinstance(each, nn.Embedding) and size in (None, each.num_embeddings)
        ),
        None,
    )
    return None if table is None else table.detach().float().cpu()


def _highest(likeness_LN: Tensor, count: int) -> list[list[tuple[int, float]]]:
    found = likeness_LN.topk(min(count, likeness_LN.shape[-1]), dim=-1)
    return [
        list(zip(places, values, strict=True))
        for places, values in zip(found.indices.tolist(), found.values.tolist(), strict=True)
    ]
