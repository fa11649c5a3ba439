"""The logit lens: what the model would predict if it stopped after each layer.

The residual stream after layer l is handed to what follows the last layer (the final norm, the
head), as if the layers between had added nothing (nostalgebraist 2020, "interpreting GPT: the
logit lens"). After the last layer that is the model's own answer, exactly.

Everything behind the last layer is used as it is, in every family: the model runs again with the
last layer's output replaced. In post-norm models (BERT) the stream of every
layer has been normalised, and the lens reads it as it is.

Range: logits. Cost: one forward pass for each layer.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.explain.attention_rollout import check_token
from vitral.explain.of_picture import check_of_text
from vitral.explain.output_parts import is_close
from vitral.explain.rerun import run_again, with_first
from vitral.explain.word_path import levels_of, stream
from vitral.tracing.protocols import TraceableModel, module_of
from vitral.tracing.trace import Trace


def logit_lens(
    trace: Trace, model: nn.Module | TraceableModel, tokens: Sequence[int] | None = None
) -> Tensor:
    """Logits before the first layer and after each: float32 [layers + 1, n, vocabulary].

    `tokens` are the positions, by default all (then the result has layers × text ×
    vocabulary numbers). In an encoder–decoder these are the decoder's. `model` is the one that
    made the trace. Raises VitralError `logits_not_available` for a model without a head over its
    vocabulary, `token_out_of_range`, `rerun_not_available`, `model_not_of_trace`, and what
    `word_path.stream` raises.
    """
    module = module_of(model)
    part = _answering_part(trace)
    check_of_text(trace)
    if "logits" not in trace.values or trace["logits"].dim() != 2:
        raise VitralError("logits_not_available", model=trace.model)
    length = len(trace["logits"])
    chosen = list(range(length)) if tokens is None else list(tokens)
    for token in chosen:
        check_token(token, length)
    streams_LTC = stream(trace, part)
    last = len(streams_LTC) - 2
    seen = []
    for stream_TC in streams_LTC:

        def change(
            number: int,
            _: nn.Module,
            args: Any,
            kwargs: Any,
            output: Any,
            stream: Tensor = stream_TC,
        ) -> Any:
            return with_first(output, stream) if number == last else None

        logits = run_again(trace, module, part, change)[1][0].float().cpu()
        seen.append(logits[chosen])
    if not is_close(seen[-1], trace["logits"][chosen], module):
        raise VitralError("model_not_of_trace", model=type(module).__name__, trace=trace.model)
    return torch.stack(seen)


def lens_levels(trace: Trace) -> list[str]:
    """The addresses that `logit_lens` reads, as `word_path.levels_of` has them."""
    return levels_of(trace, _answering_part(trace))


def _answering_part(trace: Trace) -> str:
    """The part whose last layer the head reads: an encoder–decoder's decoder."""
    return "decoder" if "decoder" in trace.parts else trace.first_part
