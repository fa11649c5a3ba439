"""Integrated gradients: what each input token contributes to an output.

From an uninformative input (x′: everywhere the mean of all token vectors, or a token such as
[MASK]) to the real one the gradient is summed along the straight way:

    A_t = Σ_c (x − x′)_tc · ∫₀¹ ∂F(x′ + a·(x − x′)) / ∂x_tc da

(Sundararajan, Taly & Yan 2017, arXiv:1703.01365, equation 1.) *Completeness*, their axiom, is the
check: Σ_t A_t = F(x) − F(x′). The integral is a sum over a number of steps, so it holds up to what
they miss; where they miss too much, that is an error, not a result. (Vectors of zeros, which
many start from, are no good start: a model that normalises has no answer's limit there, and in
Llama's form the sum never comes right.)

F is a logit, x the token vectors before positions are added. Computed by Captum
(`pip install "vitral[explain]"`). Range: logits, of either sign. Cost: a forward and a backward
pass a step.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token
from vitral.explain.of_picture import check_of_text
from vitral.explain.rerun import inputs_of, quiet
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.recording.forward_pass import result_of
from vitral.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class InputAttribution:
    """`tokens` [T] add up to `logit` − `baseline`, but for `gap`."""

    tokens: Tensor
    token: int
    id: int
    logit: float
    baseline: float
    gap: float


def integrated_gradients(
    trace: Trace,
    model: nn.Module | TraceableModel,
    token: int = -1,
    id: int | None = None,
    *,
    against: int | None = None,
    baseline_id: int | None = None,
    steps: int = 64,
    tolerance: float = 0.05,
) -> InputAttribution:
    """What each token contributes to the logit of `id` (default: the most likely) at `token`; with
    `against`, to how far it is above that id's.

    `baseline_id` is an uninformative token; by default, the mean of all tokens' vectors.
    `model` is the one that made the trace. Raises VitralError `captum_needed`,
    `gradients_incomplete` if more than `tolerance` of the change is missing,
    `logits_not_available`, `token_out_of_range`, `id_out_of_range`, `rerun_not_available`.
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError as error:
        raise VitralError("captum_needed") from error
    module = module_of(model)
    check_of_text(trace)
    if "logits" not in trace.values or trace["logits"].dim() != 2 or trace.decoder_tokens:
        raise VitralError("logits_not_available", model=trace.model)
    logits = trace["logits"]
    place = token + len(logits) if token < 0 else token
    check_token(place, len(logits))
    number = int(logits[place].argmax()) if id is None else id
    for each in (number, baseline_id, against):
        if each is not None and not 0 <= each < logits.shape[-1]:
            raise VitralError("id_out_of_range", id=each, vocabulary=logits.shape[-1])
    embedding = _token_embedding(module, trace)
    args, named = inputs_of(trace, module)
    ids = args[0] if args else named["input_ids"]
    with torch.no_grad():
        vectors = embedding(ids).detach()
        start = _mean_vector(embedding).to(vectors).expand_as(vectors)
        if baseline_id is not None:
            start = embedding(torch.full_like(ids, baseline_id)).detach()

    def answer(given: Tensor) -> Tensor:
        """The logit for token vectors [n, T, C]: [n]."""

        def instead(_: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
            return given if output.shape == given.shape else None

        count = len(given)
        many = [each.expand(count, -1) if isinstance(each, Tensor) else each for each in args]
        others = {
            name: each.expand(count, *each.shape[1:]) if isinstance(each, Tensor) else each
            for name, each in named.items()
        }
        hook = embedding.register_forward_hook(instead)
        try:
            value = result_of(module, module(*many, **others))[1]
        finally:
            hook.remove()
        assert value is not None
        chosen: Tensor = value[:, place, number].float()
        if against is not None:
            chosen = chosen - value[:, place, against].float()
        return chosen

    with quiet(module), torch.enable_grad():
        found = IntegratedGradients(answer).attribute(
            vectors, start, n_steps=steps, internal_batch_size=16, method="gausslegendre"
        )
    with quiet(module), torch.no_grad():
        before, after = float(answer(start)), float(answer(vectors))
    shares = found.detach().sum(-1)[0].float().cpu()
    gap = float(shares.sum()) - (after - before)
    if abs(gap) > tolerance * max(abs(after - before), 1e-3):
        raise VitralError(
            "gradients_incomplete", gap=round(gap, 4), change=round(after - before, 4), steps=steps
        )
    return InputAttribution(shares, place, number, after, before, gap)


def _token_embedding(module: nn.Module, trace: Trace) -> nn.Module:
    """The module that turns ids into vectors: the embedding with the most rows."""
    if hasattr(module, "get_input_embeddings"):
        found: Any = module.get_input_embeddings()  # type: ignore[operator]
        assert isinstance(found, nn.Module)
        return found
    tables = [each for each in module.modules() if isinstance(each, nn.Embedding)]
    if not tables:
        raise VitralError("rerun_not_available", model=trace.model)
    return max(tables, key=lambda each: each.num_embeddings)


def _mean_vector(embedding: nn.Module) -> Tensor:
    """The mean of all token vectors [C], as the module gives them."""
    count = int(getattr(embedding, "num_embeddings", 0))
    like = next(embedding.parameters())
    given: Tensor = embedding(torch.arange(count, device=like.device)[None])
    return given[0].float().mean(0)
