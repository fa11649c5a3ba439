"""Recording what a forward pass computes, without changing the model.

The attention function reports each attention to the recorder (see `nn.scaled_dot_product`). The
other values come from the walk over the model's layers (`layer_walk`), which finds their
addresses.
"""

from collections import Counter
from contextlib import ExitStack
from types import TracebackType

import torch
from torch import Tensor, nn

from vitral.nn.attention_call import AttentionCall, observer
from vitral.stopping import check_stop
from vitral.tracing.addresses import NEURONS
from vitral.tracing.attention.attention_record import AttentionRecord, records_of
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.given_pattern import GivenPattern, fits
from vitral.tracing.attention.pieces import can_be_joined, joined, windows_joined
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.editing.edited_run import edits_of
from vitral.tracing.memory.free_memory import give_back
from vitral.tracing.memory.store import Store
from vitral.tracing.recording.layer_walk import LayerWalk
from vitral.tracing.recording.observed import observed
from vitral.tracing.recording.open_layer import OpenLayer, same
from vitral.tracing.recording.own_attention import TorchAttentionWatched, may_call_torch
from vitral.tracing.recording.running_attention import RunningAttention, tokens_come_first
from vitral.tracing.recording.selection import Selection

Source = tuple[int, int]
"""The identity of an attention: the module's `id`, and the number of its call."""

LARGE = 1 << 25
"""Bytes of a trace from which on freed memory is returned to the system after each layer."""

BYTES_A_CELL = 5
"""Bytes per cell of a mask in a forward pass: one as boolean, four as the kernel's float32."""


class Recorder:
    """Records one forward pass of `module`, run inside `with Recorder(module) as recorder:`.

    Afterwards `values` holds tensors [batch, …] by address, `attentions` one record for each
    sequence of the batch, `aliases` the addresses that are another name of the same tensor,
    `suspects` those where a NaN or an infinity may stand. `store` keeps the tensors, by default
    in memory. If `measured`, large patterns are measured while the module runs. Attention modules
    whose paths are in `asking` are known to show nothing but what they return. `selection` says
    what is kept; `lengths` and `num_sequences` are known of parts of which nothing is.
    Meanwhile the module is in eval mode, without gradients, and no other trace of it can be
    taken; afterwards it is as before, whether the pass succeeded or not. A pass that was asked to
    stop (see `vitral.stopping`) ends at the next layer.
    """

    changes = False

    def __init__(
        self,
        module: nn.Module,
        store: Store | None = None,
        *,
        measured: bool = False,
        asking: frozenset[str] = frozenset(),
        selection: Selection | None = None,
    ) -> None:
        self.module = module
        self.store = Store() if store is None else store
        self.measured = measured
        self.selection = Selection() if selection is None else selection
        self.lengths: dict[str, int] = {}
        self.num_sequences = 0
        self.num_skipped = 0
        self.suspects: list[str] = []
        self.square_bytes = 0
        self.values: dict[str, Tensor] = {}
        self.aliases: dict[str, str] = {}
        self.attentions: dict[str, list[AttentionRecord]] = {}
        self.sources: dict[str, list[Source]] = {}
        self.edits: list[str] = []
        self.tokens_first: set[str] = set()  # parts whose stream is [T, B, C]
        self.num_unplaced = 0
        self._walk = LayerWalk(module, self)
        self._num_calls: Counter[int] = Counter()
        self._running = RunningAttention(asking, self._take_given)
        self._last_post: dict[str, tuple[str, Tensor]] = {}
        self._rules: dict[tuple[int, int, int, bool], tuple[Tensor | None, Visibility]] = {}
        self._biases: dict[int, tuple[Tensor, Bias | None]] = {}
        self._undo = ExitStack()

    def __enter__(self) -> "Recorder":
        with ExitStack() as undo:
            undo.enter_context(observed(self.module, self))
            self.edits = edits_of(self.module)
            for part in self.module.modules():
                undo.callback(setattr, part, "training", part.training)
                part.training = False
            self._walk.install(undo)
            self._running.hook(self.module, self.is_watching, undo)
            if may_call_torch(self.module):
                running = self._running
                mode = TorchAttentionWatched(lambda: running.current, lambda: running.asks)
                undo.enter_context(mode)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, traceback)
        self._walk.start_again()
        self._rules.clear()
        self._biases.clear()

    def start_again(self) -> None:
        """Discard the recorded pass, to record another."""
        self.values, self.aliases, self.attentions, self.sources = {}, {}, {}, {}
        self._num_calls.clear()
        self._last_post.clear()
        self._walk.start_again()
        self._running.start_again()
        self._rules.clear()
        self._biases.clear()

    def observe_attention(self, call: AttentionCall) -> None:
        """Called by the attention function."""
        source = (id(call.module), self._num_calls[id(call.module)])
        self._num_calls[id(call.module)] += 1
        self._running.mark_seen()
        layer = self._walk.open
        if layer is None:  # attention outside the layers, e.g. a pooling head
            self.num_unplaced += 1
            return
        place = layer.attended.get(source[0]) if call.module is not None else None
        place = place or self._walk.place_of(layer, call.module)
        projects = not isinstance(call.module, nn.MultiheadAttention)
        if not self._wants(layer, place, call.query.shape[2]):
            layer.begin_attention(call.module, place, projects=projects)
            return
        tensors = {"q": call.query, "k": call.key, "v": call.value}
        suspects = [part for part, each in tensors.items() if not _may_be_finite(each)]
        records = records_of(
            call,
            self._rule(call),
            self._bias(call),
            self.store.keep,
            measured=self.measured and not suspects and call.edits is None,
        )
        if call.edits is not None:
            pairs = zip(records, call.edits, strict=True)
            records = [EditedRecord.of(record, edit) for record, edit in pairs]
        if layer.pre.dim() == 3:
            batch = self._batch_size(layer, call.module)
            if len(records) > batch and len(records) % batch == 0 and call.edits is None:
                records = windows_joined(records, batch)
        self.square_bytes = max(self.square_bytes, _square_bytes(call))
        prefix = layer.attended.get(source[0]) if call.module is not None else None
        if prefix is not None and self._is_next_piece(layer, prefix, records):
            # A packed batch, computed one sequence after another.
            self.attentions[prefix] = joined(self.attentions[prefix], records)
            self.sources[prefix].append(source)
        else:
            prefix = self._walk.place_of(layer, call.module)
            self.attentions[prefix] = records
            self.sources[prefix] = [source]
        self.suspects += [f"{prefix}.{part}" for part in suspects]
        layer.begin_attention(call.module, prefix, projects=projects)

    def _is_next_piece(self, layer: OpenLayer, prefix: str, records: list[AttentionRecord]) -> bool:
        """Whether an attention reads further tokens of the layer's stream. What is computed
        twice for the same ones (DiffLlama's two maps of values) is two attentions."""
        before = self.attentions[prefix]
        length = layer.pre.numel() // layer.pre.shape[-1]
        return (
            can_be_joined(before, records)
            and before[0].num_queries + records[0].num_queries <= length
        )

    def observe_pattern(self, module: nn.Module, pattern_BHTS: Tensor) -> None:
        """Called for an attention that is more than queries, keys and a softmax."""
        self._running.mark_seen()
        self._take_given(module, pattern_BHTS, "told")

    @property
    def running(self) -> RunningAttention:
        """Which attention modules ran, and which of them were not observed."""
        return self._running

    def _take_given(self, part: nn.Module, weights: Tensor, source: str = "eager") -> bool:
        """Keep the pattern [B, H, T, S] that an attention module returned, if it is one."""
        layer = self._walk.open
        if layer is None:
            self.num_unplaced += 1
            return False
        prefix = self._walk.place_of(layer, part)
        batch = self._batch_size(layer, part)
        stream = layer.pre if batch == len(layer.pre) else layer.pre.transpose(0, 1)
        # Weights that are known to be a pattern:
        known = source == "told" or isinstance(part, nn.MultiheadAttention)
        if not known and not fits(weights, stream, cross="cross_attention" in prefix):
            return False
        if not self._wants(layer, prefix, weights.shape[2]):
            layer.begin_attention(part, prefix, projects=source == "told")
            return True
        given: list[AttentionRecord] = [GivenPattern.of(each, source) for each in weights]
        self.attentions[prefix] = windows_joined(given, batch) if len(given) > batch else given
        self.sources[prefix] = [(id(part), self._num_calls[id(part)])]
        self._num_calls[id(part)] += 1
        layer.begin_attention(part, prefix, projects=source == "told")
        return True

    def _wants(self, layer: OpenLayer, prefix: str, num_queries: int) -> bool:
        """Whether an attention is kept; if not, that there was one is."""
        if self.selection.wants_attention(prefix):
            return True
        self.num_skipped += 1
        self.lengths.setdefault(layer.layer.part, num_queries)
        return False

    def _batch_size(self, layer: OpenLayer, attention: nn.Module | None) -> int:
        if tokens_come_first(attention):
            self.tokens_first.add(layer.layer.part)
            return layer.pre.shape[1]
        return len(layer.pre)

    def _rule(self, call: AttentionCall) -> Visibility:
        """The mask in its compact form; computed once for all layers that share it."""
        num_queries, num_keys = call.query.shape[2], call.key.shape[2]
        key = (id(call.mask), num_queries, num_keys, call.is_causal)
        if key not in self._rules:
            if call.mask is None:
                rule = Visibility.rule(num_queries, num_keys, causal=call.is_causal)
            else:
                rule = Visibility.of_mask(
                    call.mask.expand(*call.mask.shape[:2], num_queries, num_keys)
                )
            self._rules[key] = (call.mask, rule)
        return self._rules[key][1]

    def _bias(self, call: AttentionCall) -> Bias | None:
        if call.bias is None:
            return None
        if id(call.bias) not in self._biases:
            shape = (call.query.shape[2], call.key.shape[2])
            bias = Bias.of_matrix(call.bias.detach().expand(*call.bias.shape[:2], *shape))
            self._biases[id(call.bias)] = (call.bias, bias)
        return self._biases[id(call.bias)][1]

    # Called by the walk.

    def is_watching(self) -> bool:
        """Whether the current pass is recorded: it is this task's, and not another thread's."""
        return observer.get() is self

    def wants(self, address: str) -> bool:
        """A recorder changes nothing."""
        return False

    def entering(self, layer: OpenLayer) -> None:
        """End a pass that was asked to stop."""
        check_stop()

    def reach(self, address: str, value: Tensor, layer: OpenLayer) -> Tensor:
        """A recorder changes nothing."""
        return value

    def keep(self, address: str, value: Tensor, layer: OpenLayer) -> None:
        """Keep a copy of a value, or the address of an equal one."""
        part = layer.layer.part
        if address.rpartition(".")[2] == "embed" and value.dim() == 3:
            tokens_first = part in self.tokens_first
            self.lengths.setdefault(part, value.shape[0 if tokens_first else 1])
            self.num_sequences = max(self.num_sequences, value.shape[1 if tokens_first else 0])
        if not self.selection.wants(address):
            if address == f"{layer.prefix}.residual.post":
                self._last_post.pop(part, None)
            return
        if address == f"{layer.prefix}.residual.pre":
            before = self._last_post.get(part)
            embed = f"{part}.embed" if part else "embed"
            if layer.number == 0 and self.selection.wants(embed):
                self.aliases[address] = embed
            elif before is not None and same(before[1], value):
                self.aliases[address] = before[0]
            else:
                self._keep(address, value)
        elif address == f"{layer.prefix}.residual.post":
            self._keep(address, value)
            self._last_post[part] = (address, value)
            if self.store.in_memory + self.store.on_disk > LARGE:
                give_back()
        elif address == f"{layer.prefix}.{NEURONS}":
            self._keep_neurons(address, value, layer.pre)
        else:
            self._keep(address, value, layer.pre)

    def _keep_neurons(self, address: str, value: Tensor, stream: Tensor) -> None:
        """Neurons [B, T, F] are as many as the feed-forward part is wide."""
        num_vectors = stream.shape[:-1].numel()
        if value.numel() % num_vectors == 0:
            if not _may_be_finite(value):
                self.suspects.append(address)
            width = value.numel() // num_vectors
            self.values[address] = self.store.keep(value).reshape(*stream.shape[:-1], width)

    def _keep(self, address: str, value: Tensor, stream: Tensor | None = None) -> None:
        """Keep a copy of a value, in the shape of the `stream` that it belongs to.

        Some models flatten the batch (OPT). A value of another size than the stream cannot be a
        value of the stream and is not kept.
        """
        shape = value.shape if stream is None else stream.shape
        if value.numel() == shape.numel():
            if not _may_be_finite(value):
                self.suspects.append(address)
            self.values[address] = self.store.keep(value).reshape(shape)


def _may_be_finite(value: Tensor) -> bool:
    """False if a value contains NaN or infinity; rarely also if its sum overflows."""
    return not value.is_floating_point() or bool(value.sum(dtype=torch.float32).isfinite())


def _square_bytes(call: AttentionCall) -> int:
    """Bytes of the tensors of one attention that are as large as the pattern."""
    num_queries, num_keys = call.query.shape[2], call.key.shape[2]
    masks = [each for each in (call.mask, call.bias) if each is not None and each.shape[2] > 1]
    size = sum(each.numel() * BYTES_A_CELL for each in masks)
    if call.lse is None:  # no fused kernel: scores and weights are in memory
        size += 2 * 4 * call.query.shape[0] * call.query.shape[1] * num_queries * num_keys
    return size
