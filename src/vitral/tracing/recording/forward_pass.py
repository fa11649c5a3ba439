"""One forward pass of a module, recorded and divided into traces."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.description import number
from vitral.tracing.addresses import Address
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.memory.store import Store
from vitral.tracing.parts import num_layers_in, parts_of
from vitral.tracing.recording.eager_fallback import asking_for_patterns, patterns_returned
from vitral.tracing.recording.layers import is_recurrent
from vitral.tracing.recording.not_finite import check_finite
from vitral.tracing.recording.recorder import Recorder
from vitral.tracing.recording.selection import Recorded, Selection
from vitral.tracing.recording.stacks_apart import stacks_apart
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


def record(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    store: Store | None = None,
    measured: bool = True,
    selection: Selection | None = None,
) -> "Recording":
    """Run `module(*args, **kwargs)` and keep what it computes, in `store` (default: in memory).

    If `measured`, patterns too large to compute at once are measured while the module runs. The
    module runs in eval mode and without gradients, and is left exactly as it was, also when it
    raises. If some attention was not observed, the module runs once more and returns its patterns
    (`eager_fallback`). `selection` says which values are kept. Raises VitralError `not_traceable`
    if it has attention code of its own that cannot return them (recurrent models may have no
    attention), and `address_unknown` for a chosen address that the model does not have.
    """
    chosen = Selection() if selection is None else selection
    with Recorder(module, store, measured=measured, selection=chosen) as recorder:
        output = module(*args, **kwargs)
    if recorder.running.unseen:
        unseen = recorder.running.unseen
        asking = Recorder(module, store, measured=measured, asking=unseen, selection=chosen)
        wishes = asking_for_patterns(module, kwargs)
        with suppress(TypeError, ValueError), patterns_returned(module), asking:
            output = module(*args, **wishes)
            recorder = asking
    if not (recorder.attentions or recorder.num_skipped) and not any(
        map(is_recurrent, module.modules())
    ):
        raise VitralError("not_traceable", model=type(module).__name__, reason="AttentionInterface")
    name, value = result_of(module, output)
    if value is not None and chosen.wants(name):
        recorder.values[name] = value.detach()
    chosen.check()
    return Recording(recorder, output)


class Recording:
    """What a forward pass over a batch computed; `trace` returns one sequence's."""

    def __init__(self, recorder: Recorder, output: Any) -> None:
        self.output = output
        self.recorder = recorder

    @property
    def num_sequences(self) -> int:
        counts = [len(records) for records in self.recorder.attentions.values()]
        counts = counts or [len(each) for each in self._streams().values()]
        return max(counts, default=self.recorder.num_sequences)

    @property
    def num_tokens(self) -> list[int]:
        """How many tokens the model read, padding included, and, of an encoder–decoder, how many
        its decoder did. What other stacks read (a vision model beside a text's) is not counted.
        """
        lengths = self._lengths()
        if "decoder" in lengths:
            return [self._read_by_encoder(lengths), lengths["decoder"]]
        apart = stacks_apart(self.recorder.module)
        return [next((n for part, n in lengths.items() if part not in apart), 1)]

    def _read_by_encoder(self, lengths: dict[str, int]) -> int:
        """What the encoder's attention read; where it is not known, what is looked at of it."""
        known = self.recorder.attentions
        if any(prefix.startswith("encoder.") for prefix in known):
            return lengths["encoder"]
        crossing = (known[each][0].num_keys for each in known if each.endswith(".cross_attention"))
        return next(crossing, lengths.get("encoder", lengths["decoder"]))

    def trace(
        self,
        index: int,
        *,
        model: str,
        text: str | None,
        tokens: list[Token],
        decoder_tokens: list[Token],
        keys: dict[str, list[Token]] | None = None,
    ) -> Trace:
        """The trace of one sequence; `keys` as in `Trace`.

        Raises VitralError `not_finite` at the first address with a NaN or an infinity.
        """
        values = {}
        for address, batch in self.recorder.values.items():
            if self._part_of(address) in self.recorder.tokens_first and batch.dim() == 3:
                batch = batch.transpose(0, 1)
            values[address] = batch[index] if len(batch) > 1 else batch[0]
        attentions = {
            prefix: records[index if len(records) > 1 else 0]
            for prefix, records in self.recorder.attentions.items()
        }
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
            apart=self._apart(attentions),
            recorded=self._recorded(),
            keys=keys or {},
        )

    def _recorded(self) -> Recorded | None:
        selection = self.recorder.selection
        stacks = {place.stack for place in map(Address.parse, selection.seen)}
        num_layers = {stack: num_layers_in(stack, selection.seen) for stack in stacks}
        return Recorded.of(selection, num_layers)

    def _apart(self, attentions: dict[str, AttentionRecord]) -> frozenset[str]:
        """The parts of a trace that read no tokens of the model's main input."""
        apart = stacks_apart(self.recorder.module)
        return frozenset(name for name, part in parts_of(attentions).items() if part.stack in apart)

    def _part_of(self, address: str) -> str:
        first = address.split(".", 1)[0]
        if first in ("logits", "output") and any(
            name.startswith("decoder.") for name in self.recorder.selection.seen
        ):
            return "decoder"
        return "" if first in ("embed", "layers", "logits", "output") else first

    def _lengths(self) -> dict[str, int]:
        lengths: dict[str, int] = {}
        for prefix, records in self.recorder.attentions.items():
            lengths.setdefault(self._part_of(prefix), records[0].num_queries)
        for part, stream in self._streams().items():  # recurrent layers have no attention
            lengths.setdefault(part, stream.shape[1])
        return self.recorder.lengths | lengths

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
        size = number(module, "vocab_size")
        return ("logits" if output.shape[-1:] == torch.Size([size or 0]) else "output"), output
    for field, name in (("logits", "logits"), ("last_hidden_state", "output")):
        value = getattr(output, field, None)
        if isinstance(value, Tensor):
            return name, value
    if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
        return "output", output[0]
    return "output", None
