"""What a model predicts at a position: the distribution over its vocabulary, with names.

A decoder predicts, at each token, the *next* one. An encoder predicts the one *here*; it sees
the token while it does so, and mostly repeats it, so `blanked` puts the mask token in its place,
as in training (Devlin et al. 2019, arXiv:1810.04805, section 3.1).

    probability_v = exp(logit_v) / Σ_w exp(logit_w)

`logit_lens` does the same for every layer.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token
from vitral.explain.mask_token import mask_id_if_any
from vitral.explain.of_picture import check_of_text
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.inputs import check_ids
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.recording.reading_pairs import token_types
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


@dataclass(frozen=True)
class Candidate:
    """One entry of the vocabulary as a prediction; `rank` is 1 for the most probable."""

    id: int
    text: str
    probability: float
    rank: int


def answering_tokens(trace: Trace) -> list[Token]:
    """The tokens at which the model predicts: the decoder's in an encoder–decoder."""
    return trace.decoder_tokens or trace.tokens


def probabilities(trace: Trace, token: int) -> Tensor:
    """The distribution over the vocabulary at one token: float32 [vocabulary], sums to one.

    Raises VitralError `logits_not_available` for a model without a head over its vocabulary, and
    `token_out_of_range`.
    """
    check_of_text(trace)
    if "logits" not in trace or trace["logits"].dim() != 2:
        raise VitralError("logits_not_available", model=trace.model)
    logits_TV = trace["logits"]
    check_token(token, len(logits_TV))
    return logits_TV[token].double().softmax(-1).float()


def candidates(distribution: Tensor, model: TraceableModel, count: int = 10) -> list[Candidate]:
    """The most probable entries of a distribution [vocabulary], the first first."""
    found = distribution.topk(min(count, len(distribution)))
    ids = found.indices.tolist()
    names = bare_tokens(ids, model.tokenizer)
    return [
        Candidate(number, name.text, probability, rank + 1)
        for rank, (number, name, probability) in enumerate(
            zip(ids, names, found.values.tolist(), strict=True)
        )
    ]


def candidate(distribution: Tensor, model: TraceableModel, id: int) -> Candidate:
    """One entry of a distribution [vocabulary], with its rank.

    Raises VitralError `id_out_of_range`.
    """
    check_ids([[id]], len(distribution))
    probability = float(distribution[id])
    rank = 1 + int((distribution > distribution[id]).sum())
    return Candidate(id, bare_tokens([id], model.tokenizer)[0].text, probability, rank)


def expected(trace: Trace, token: int, kind: str) -> int | None:
    """The id that the text itself has where the model answers at `token`: the next one in a
    model that writes (a decoder, an encoder–decoder), this one in an encoder. None after the last.
    """
    tokens = answering_tokens(trace)
    place = token if kind == "encoder" else token + 1
    return tokens[place].id if place < len(tokens) and not tokens[place].virtual else None


def blanked(trace: Trace, model: TraceableModel, token: int) -> Trace:
    """The trace of the same tokens with the mask token in place of one of them.

    Raises VitralError `no_mask_token` for a model that has none, `token_out_of_range`,
    `token_virtual` for one that the model itself adds, and what `Model.trace` raises.
    """
    mask = mask_id_if_any(model)
    if mask is None:
        raise VitralError("no_mask_token", model=trace.model)
    check_token(token, len(trace.tokens))
    if trace.tokens[token].virtual:
        raise VitralError("token_virtual", token=trace.tokens[token].text, model=trace.model)
    ids = [mask if place == token else each.id for place, each in enumerate(trace.tokens)]
    read = [id for id, each in zip(ids, trace.tokens, strict=True) if not each.virtual]
    types = token_types(model.module, trace.tokens)
    if not types:
        return model.trace(ids=read)
    by_name: Any = model.trace  # the module's own inputs, which no overload of the protocol has
    again: Trace = by_name(input_ids=read, **types)
    return again


def lens_probabilities(lens_LNV: Tensor) -> Tensor:
    """What `logit_lens` gives, as distributions: float32 [layers + 1, n, vocabulary]."""
    return torch.stack([layer_NV.double().softmax(-1).float() for layer_NV in lens_LNV])
