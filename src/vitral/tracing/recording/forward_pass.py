"""One forward pass of a module, recorded and divided into traces."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.attention.visibility import Range
from vitral.tracing.memory.store import Store
from vitral.tracing.recording.eager_fallback import asking_for_patterns, patterns_returned
from vitral.tracing.recording.layers import is_recurrent
from vitral.tracing.recording.not_finite import check_finite
from vitral.tracing.recording.recorder import Recorder
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


def record(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    store: Store | None = None,
    measured: bool = True,
) -> "Recording":
    """Run `module(*args, **kwargs)` and keep what it computes, in `store` (default: in memory).

    If `measured`, patterns too large to compute at once are measured while the module runs. The
    module runs in eval mode and without gradients, and is left exactly as it was, also when it
    raises. If some attention was not observed, the module runs once more and returns its patterns
    (`eager_fallback`). Raises VitralError `not_traceable` if it has attention code of its own that
    cannot return them. Recurrent models may have no attention.
    """
    with Recorder(module, store, measured=measured) as recorder:
        output = module(*args, **kwargs)
    if recorder.running.unseen:
        asking = Recorder(module, store, measured=measured, asking=recorder.running.unseen)
        wishes = asking_for_patterns(module, kwargs)
        with suppress(TypeError, ValueError), patterns_returned(module), asking:
            output = module(*args, **wishes)
            recorder = asking
    if not recorder.attentions and not any(map(is_recurrent, module.modules())):
        raise VitralError("not_traceable", model=type(module).__name__, reason="AttentionInterface")
    name, value = result_of(module, output)
    if value is not None:
        recorder.values[name] = value.detach()
    return Recording(recorder, output)


class Recording:
    """What a forward pass over a batch computed; `trace` returns one sequence's."""

    def __init__(self, recorder: Recorder, output: Any) -> None:
        self.output = output
        self.recorder = recorder

    @property
    def num_sequences(self) -> int:
        counts = [len(records) for records in self.recorder.attentions.values()]
        return max(counts or [len(each) for each in self._streams().values()])

    @property
    def num_tokens(self) -> list[int]:
        """How many tokens each part of the model read, padding included."""
        return list(self._lengths().values())

    def trace(
        self,
        index: int,
        *,
        model: str,
        text: str | None,
        tokens: list[Token],
        decoder_tokens: list[Token],
        span: Range | None = None,
        decoder_span: Range | None = None,
    ) -> Trace:
        """The trace of one sequence. The spans are the positions of its tokens within the padding.

        Raises VitralError `not_finite` at the first address with a NaN or an infinity.
        """
        spans = {"": span, "encoder": span, "decoder": decoder_span}
        values = {}
        for address, batch in self.recorder.values.items():
            part = self._part_of(address)
            if part in self.recorder.tokens_first and batch.dim() == 3:
                batch = batch.transpose(0, 1)
            value = batch[index] if len(batch) > 1 else batch[0]
            place = spans.get(part)
            length = self._lengths().get(part)
            if place is not None and value.dim() == 2 and len(value) == length:
                value = value[slice(*place)]
            values[address] = value
        attentions = {}
        for prefix, records in self.recorder.attentions.items():
            record = records[index if len(records) > 1 else 0]
            queries = spans.get(self._part_of(prefix))
            keys = span if prefix.endswith(".cross_attention") else queries
            attentions[prefix] = record.cut(
                (0, record.num_queries) if queries is None else queries,
                (0, record.num_keys) if keys is None else keys,
            )
        check_finite(model, values, attentions, self.recorder.suspects)
        return Trace(
            model,
            text,
            tokens,
            decoder_tokens,
            values,
            dict(self.recorder.aliases),
            attentions,
            list(self.recorder.edits),
        )

    def _part_of(self, address: str) -> str:
        first = address.split(".", 1)[0]
        if first in ("logits", "output") and any(
            name.startswith("decoder.")
            for name in (*self.recorder.attentions, *self.recorder.values)
        ):
            return "decoder"
        return "" if first in ("embed", "layers", "logits", "output") else first

    def _lengths(self) -> dict[str, int]:
        lengths: dict[str, int] = {}
        for prefix, records in self.recorder.attentions.items():
            lengths.setdefault(self._part_of(prefix), records[0].num_queries)
        for part, stream in self._streams().items():  # recurrent layers have no attention
            lengths.setdefault(part, stream.shape[1])
        return lengths

    def _streams(self) -> dict[str, Tensor]:
        """The input of each part's first layer, if it is [B, T, C]."""
        found = {
            self._part_of(address): value
            for address, value in self.recorder.values.items()
            if address.rpartition(".")[2] == "embed" and value.dim() == 3
        }
        return {
            part: each for part, each in found.items() if part not in self.recorder.tokens_first
        }


def result_of(module: nn.Module, output: Any) -> tuple[str, Tensor | None]:
    """The model's result and its address: "logits" with a head, otherwise "output"."""
    if isinstance(output, Tensor):
        size = getattr(getattr(module, "config", None), "vocab_size", None)
        return ("logits" if output.shape[-1:] == torch.Size([size or 0]) else "output"), output
    for field, name in (("logits", "logits"), ("last_hidden_state", "output")):
        value = getattr(output, field, None)
        if isinstance(value, Tensor):
            return name, value
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return "output", output[0]
    return "output", None
