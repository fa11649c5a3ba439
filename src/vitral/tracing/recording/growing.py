"""The trace of a text that is read piece by piece, as during generation.

With a key–value cache a forward pass reads the new tokens only: one row of each pattern, one
vector of each value. Concatenated, they equal the trace of a single pass over the whole text, as
a test shows: the tokens of each value; the queries and log-sum-exps of each attention; and the
new keys of each pass, since a cache returns the older ones again or, with a sliding window, drops
them.

    with GrowingTrace(module) as growing:
        for new_BT in pieces:
            module(new_BT, cache=cache)
            growing.take()
    trace = growing.trace("a name", text, tokens, [])

Shapes: B = 1 sequence, T tokens of a pass, N of all, S keys that a pass sees.
"""

from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.nn.pattern_edit import joined
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.recording.forward_pass import result_of
from vitral.tracing.recording.layers import is_recurrent
from vitral.tracing.recording.recorder import Recorder
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


class AttentionUnseenError(Exception):
    """A model's attention is computed by code of its own: piece by piece none of it is recorded,
    and a single pass has to be asked for the patterns (`eager_fallback`)."""


@dataclass
class _GrowingAttention:
    """One attention's rows so far, a record for each pass. `keys_grow` is false if they are an
    encoder's, all of which every pass sees."""

    passes: list[AttentionRecord]
    keys_grow: bool

    def record(self) -> AttentionRecord:
        """The record that one pass over all rows would have."""
        if len(self.passes) == 1:
            return self.passes[0]
        last, num_queries = self.passes[-1], sum(each.num_queries for each in self.passes)
        if self.keys_grow:
            key = torch.cat([each.key[:, -each.num_queries :] for each in self.passes], dim=1)
            value = torch.cat([each.value[:, -each.num_queries :] for each in self.passes], dim=1)
        else:
            key, value = self.passes[0].key, self.passes[0].value
        record = replace(
            last,
            query=torch.cat([each.query for each in self.passes], dim=1),
            key=key,
            value=value,
            lse=torch.cat([each.lse for each in self.passes], dim=1),
            visibility=self._visibility(num_queries, key.shape[1]),
            bias=self._bias(num_queries, key.shape[1]),
        )
        edits = [
            (each.change, row, end - each.num_keys)
            for each, (row, end) in zip(self.passes, self._places(), strict=True)
            if isinstance(each, EditedRecord)
        ]
        return EditedRecord.of(record, joined(edits, key.shape[1]) if edits else None)

    def _visibility(self, num_queries: int, num_keys: int) -> Visibility:
        first, *others = self.passes
        everything = all(
            each.visibility.is_everything and each.num_keys == last
            for each, (_, last) in zip(others, self._places()[1:], strict=True)
        )
        causal = first.visibility.is_causal or first.num_queries == first.num_keys == 1
        if everything and (causal if self.keys_grow else first.visibility.is_everything):
            return Visibility.rule(num_queries, num_keys, causal=self.keys_grow).item(0)
        heads = max(len(each.visibility.block((0, 1), (0, each.num_keys))) for each in self.passes)
        mask = torch.zeros(heads, num_queries, num_keys, dtype=torch.bool)
        for each, (rows, end) in zip(self.passes, self._places(), strict=True):
            block = each.visibility.block((0, each.num_queries), (0, each.num_keys))
            mask[:, rows : rows + each.num_queries, end - each.num_keys : end] = block.cpu()
        return Visibility.of_mask(mask)

    def _bias(self, num_queries: int, num_keys: int) -> Bias | None:
        if all(each.bias is None for each in self.passes):
            return None
        blocks = [
            each.bias.block((0, each.num_queries), (0, each.num_keys)) if each.bias else None
            for each in self.passes
        ]
        heads = max(len(block) for block in blocks if block is not None)
        matrix = torch.zeros(heads, num_queries, num_keys)
        places = zip(self.passes, blocks, self._places(), strict=True)
        for each, block, (rows, end) in places:
            if block is not None:
                matrix[:, rows : rows + each.num_queries, end - each.num_keys : end] = block.cpu()
        return Bias.of_matrix(matrix)

    def _places(self) -> list[tuple[int, int]]:
        """For each pass, its first row and one past its last key."""
        places, rows = [], 0
        for each in self.passes:
            end = rows + each.num_queries if self.keys_grow else each.num_keys
            places.append((rows, end))
            rows += each.num_queries
        return places


class GrowingTrace:
    """Records the passes of `module` over one sequence and joins them; see the head of the file."""

    def __init__(self, module: nn.Module) -> None:
        self._recorder = Recorder(module)
        self._values: dict[str, list[Tensor]] = {}
        self._aliases: dict[str, str] = {}
        self._attentions: dict[str, _GrowingAttention] = {}
        self._result: tuple[str, Tensor | None] = ("output", None)

    def __enter__(self) -> "GrowingTrace":
        self._recorder.__enter__()
        self._hook = self._recorder.module.register_forward_hook(self._keep_result)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hook.remove()
        self._recorder.__exit__(kind, error, traceback)

    def _keep_result(self, module: nn.Module, _: Any, output: Any) -> None:
        self._result = result_of(module, output)

    def take(self) -> None:
        """Add the last forward pass. A pass that read all tokens again (without a cache) replaces
        the earlier ones.

        Raises `AttentionUnseenError` where some attention can be known only by asking for it.
        """
        seen = self._recorder
        if seen.running.unseen:
            raise AttentionUnseenError
        if not seen.attentions and not any(map(is_recurrent, seen.module.modules())):
            name = type(seen.module).__name__
            raise VitralError("not_traceable", model=name, reason="AttentionInterface")
        name, value = self._result
        if value is not None:
            seen.values[name] = value.detach()
        again = self._read_again(seen.attentions)
        for address, value in seen.values.items():
            kept = [] if again else self._values.get(address, [])
            self._values[address] = [*kept, value]
        for prefix, records in seen.attentions.items():
            grows = not prefix.endswith("cross_attention")
            before = None if again else self._attentions.get(prefix)
            passes = [] if before is None else before.passes
            self._attentions[prefix] = _GrowingAttention([*passes, records[0]], grows)
        self._aliases |= seen.aliases
        seen.start_again()

    def _read_again(self, attentions: dict[str, list[AttentionRecord]]) -> bool:
        """Whether a pass begins at the first token although it is not the first pass: its new
        rows are as many as the keys, and more than were seen before."""
        for prefix, growing in self._attentions.items():
            if growing.keys_grow and prefix in attentions:
                record = attentions[prefix][0]
                rows = sum(each.num_queries for each in growing.passes)
                return record.num_queries == record.num_keys > rows
        return False

    def trace(
        self, name: str, text: str | None, tokens: list[Token], decoder_tokens: list[Token]
    ) -> Trace:
        """The trace of all passes added; arguments as in `Trace`."""
        values = {address: torch.cat(v, dim=1)[0] for address, v in self._values.items()}
        attentions = {prefix: each.record() for prefix, each in self._attentions.items()}
        aliases, edits = dict(self._aliases), list(self._recorder.edits)
        return Trace(name, text, tokens, decoder_tokens, values, aliases, attentions, edits)
