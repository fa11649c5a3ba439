"""Writing down what a forward pass computes, and leaving the model as it was found.

The attention function tells the recorder of each attention (see `nn.scaled_dot_product`). The
residual stream and the feed-forward parts are found by following the tensors, not by knowing
the models. Within a layer,

- the first linear map after the attention is its output projection: `attention.out`;
- the next one is the first of the feed-forward part. What it reads is `residual.mid`, or, if a
  norm gave it that, what the norm read. (If the attention's own maps read the layer's input
  as it is, norms come last, as in BERT, and what they gave is the stream.) Where that is the
  layer's input itself, attention and feed-forward run side by side and there is no "mid";
- the last one of all is the last of the feed-forward part: `mlp.out`.
"""

from collections import Counter
from contextlib import ExitStack
from threading import Lock, RLock
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from vitral.nn.attention_call import AttentionCall, observer
from vitral.stopping import check_stop
from vitral.tracing.attention.attention_record import AttentionRecord, records_of
from vitral.tracing.attention.edited_record import EditedRecord
from vitral.tracing.attention.given_pattern import GivenPattern, fits
from vitral.tracing.attention.pieces import can_be_joined, joined, windows_joined
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.editing.edited_run import edits_of
from vitral.tracing.memory.free_memory import give_back
from vitral.tracing.memory.store import Store
from vitral.tracing.recording.attention_function import attention_through_vitral
from vitral.tracing.recording.layers import (
    FEED_FORWARD_NAMES,
    Layer,
    find_layers,
    is_cross_attention,
    is_linear,
    is_norm,
    linear_maps,
)
from vitral.tracing.recording.open_layer import OpenLayer, residual_mid, same
from vitral.tracing.recording.own_attention import TorchAttentionWatched, may_call_torch
from vitral.tracing.recording.running_attention import RunningAttention, tokens_come_first

Source = tuple[int, int]
"""Which attention it was: the module's `id`, and how often it had computed any before."""

LARGE = 1 << 25
"""Bytes of a trace from which on freed memory is given back after each layer."""

BYTES_A_CELL = 5
"""Of a mask in a forward pass: one as it is, four as the kernel takes it."""

_locks: WeakKeyDictionary[nn.Module, RLock] = WeakKeyDictionary()
_locks_lock = Lock()


def lock_of(module: nn.Module) -> RLock:
    """What one thread holds while it watches or edits a module; others wait."""
    with _locks_lock:
        return _locks.setdefault(module, RLock())


class Recorder:
    """Records one forward pass of `module`, run inside `with Recorder(module) as recorder:`.

    Afterwards `values` holds tensors [batch, …] by address, `attentions` one record for each
    sequence of the batch, `aliases` the addresses that are another name of the same tensor,
    `suspects` those where a NaN or an infinity may stand. `store` keeps the tensors, by default
    in memory. If `measured`, large patterns are measured while the module runs. Attention modules
    whose paths are in `asking` are known to show nothing but what they return.
    Meanwhile the module is in eval mode, without gradients, and no other trace of it can be
    taken; afterwards it is as it was, whether the pass succeeded or not. A pass that should end
    (see `vitral.stopping`) ends at the next layer.
    """

    def __init__(
        self,
        module: nn.Module,
        store: Store | None = None,
        *,
        measured: bool = False,
        asking: frozenset[str] = frozenset(),
    ) -> None:
        self.module = module
        self.store = Store() if store is None else store
        self.measured = measured
        self.suspects: list[str] = []
        self.square_bytes = 0
        self.values: dict[str, Tensor] = {}
        self.aliases: dict[str, str] = {}
        self.attentions: dict[str, list[AttentionRecord]] = {}
        self.sources: dict[str, list[Source]] = {}
        self.edits: list[str] = []
        self.tokens_first: set[str] = set()  # parts whose stream is [T, B, C]
        self.num_unplaced = 0
        self._entered: list[OpenLayer] = []
        self._num_calls: Counter[int] = Counter()
        self._running = RunningAttention(asking, self._take_given)
        self._num_entered: Counter[str] = Counter()
        self._last_post: dict[str, tuple[str, Tensor]] = {}
        self._paths = {id(part): path for path, part in module.named_modules()}
        self._rules: dict[tuple[int, int, int, bool], tuple[Tensor | None, Visibility]] = {}
        self._biases: dict[int, tuple[Tensor, Bias | None]] = {}
        self._undo = ExitStack()

    def __enter__(self) -> "Recorder":
        with ExitStack() as undo:
            undo.enter_context(lock_of(self.module))
            self.edits = edits_of(self.module)
            for part in self.module.modules():
                undo.callback(setattr, part, "training", part.training)
                part.training = False
            for layer in find_layers(self.module):
                self._hook(layer, undo)
            self._running.hook(self.module, lambda: observer.get() is self, undo)
            undo.enter_context(attention_through_vitral(self.module))
            if may_call_torch(self.module):
                running = self._running
                mode = TorchAttentionWatched(lambda: running.current, lambda: running.asks)
                undo.enter_context(mode)
            undo.enter_context(torch.no_grad())
            token = observer.set(self)
            undo.callback(observer.reset, token)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, traceback)
        self._entered.clear()
        self._rules.clear()
        self._biases.clear()

    def start_again(self) -> None:
        """Forget the pass that was seen, to see another."""
        self.values, self.aliases, self.attentions, self.sources = {}, {}, {}, {}
        for state in (self._entered, self._num_calls, self._num_entered, self._last_post):
            state.clear()
        self._running.start_again()
        self._rules.clear()
        self._biases.clear()

    @property
    def _open(self) -> OpenLayer | None:
        return self._entered[-1] if self._entered else None

    def observe_attention(self, call: AttentionCall) -> None:
        """The attention function's report of one call."""
        source = (id(call.module), self._num_calls[id(call.module)])
        self._num_calls[id(call.module)] += 1
        self._running.mark_seen()
        layer = self._open
        if layer is None:  # attention outside the layers, e.g. a pooling head
            self.num_unplaced += 1
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
        if prefix is not None and can_be_joined(self.attentions[prefix], records):
            # A packed batch, computed one sequence after another.
            self.attentions[prefix] = joined(self.attentions[prefix], records)
            self.sources[prefix].append(source)
        else:
            prefix = self._place(layer, self._paths.get(source[0], ""))
            self.attentions[prefix] = records
            self.sources[prefix] = [source]
        self.suspects += [f"{prefix}.{part}" for part in suspects]
        layer.attended[source[0]] = prefix
        # PyTorch's own module projects without calling its linear map.
        layer.projecting = None if isinstance(call.module, nn.MultiheadAttention) else prefix
        layer.mlp_input = layer.last_linear = None

    def observe_pattern(self, module: nn.Module, pattern_BHTS: Tensor) -> None:
        """The report of an attention that is more than queries, keys and a softmax."""
        self._running.mark_seen()
        path = self._paths.get(id(module), "")
        if self._take_given(path, module, pattern_BHTS, "told"):
            assert self._open is not None
            self._open.projecting = self._open.attended[id(module)]

    @property
    def running(self) -> RunningAttention:
        """Which attention modules ran, and which of them were not seen."""
        return self._running

    def _take_given(
        self, path: str, part: nn.Module, weights: Tensor, source: str = "eager"
    ) -> bool:
        """Keep the pattern [B, H, T, S] that an attention module returned, if it is one."""
        layer = self._open
        if layer is None:
            self.num_unplaced += 1
            return False
        prefix = self._place(layer, path)
        batch = self._batch_size(layer, part)
        stream = layer.pre if batch == len(layer.pre) else layer.pre.transpose(0, 1)
        # Whose weights are what they should be:
        known = source == "told" or isinstance(part, nn.MultiheadAttention)
        if not known and not fits(weights, stream, cross="cross_attention" in prefix):
            return False
        given: list[AttentionRecord] = [GivenPattern.of(each, source) for each in weights]
        self.attentions[prefix] = windows_joined(given, batch) if len(given) > batch else given
        self.sources[prefix] = [(id(part), self._num_calls[id(part)])]
        self._num_calls[id(part)] += 1
        layer.attended[id(part)] = prefix
        layer.mlp_input = layer.last_linear = None
        return True

    def _batch_size(self, layer: OpenLayer, attention: nn.Module | None) -> int:
        if tokens_come_first(attention):
            self.tokens_first.add(layer.prefix.split("layers.")[0].rstrip("."))
            return layer.pre.shape[1]
        return len(layer.pre)

    def _place(self, layer: OpenLayer, path: str) -> str:
        """The address of the attention module at `path`, as it is used in the open layer."""
        cross = is_cross_attention(path.removeprefix(layer.path)) or (
            f"{layer.prefix}.attention" in layer.attended.values()
            and layer.prefix.startswith("decoder.")
        )
        prefix = f"{layer.prefix}.{'cross_attention' if cross else 'attention'}"
        number = 2
        place = prefix
        while place in self.attentions:
            place, number = f"{prefix}_{number}", number + 1
        return place

    def _rule(self, call: AttentionCall) -> Visibility:
        """The mask in its smallest form; found once for all layers that share it."""
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

    def _hook(self, layer: Layer, undo: ExitStack) -> None:
        def enter(_: nn.Module, args: Any, kwargs: Any) -> None:
            stream = _first_tensor([*args, kwargs.get("hidden_states"), *kwargs.values()])
            if observer.get() is self and stream is not None:
                self._enter(layer, stream)

        def leave(_: nn.Module, args: Any, output: Any) -> None:
            stream = _first_tensor(output)
            if observer.get() is self and stream is not None:
                self._leave(layer, stream)

        def linear(_: nn.Module, args: Any, output: Any) -> None:
            read = _first_tensor(args)
            if observer.get() is self and self._open is not None and read is not None:
                self._linear(self._open, read, output)

        def norm(_: nn.Module, args: Any, output: Any) -> None:
            read = _first_tensor(args)
            if observer.get() is self and self._open is not None and read is not None:
                self._open.norms.append((read, output))

        def feed_forward(_: nn.Module, args: Any, output: Any) -> None:
            if observer.get() is self and self._open is not None:
                self._open.mlp_out = _first_tensor(output)
                if self._open.mlp_input is None:  # experts are not always linear maps
                    self._open.mlp_input = _first_tensor(args)

        hooks = [
            layer.module.register_forward_pre_hook(enter, with_kwargs=True),
            layer.module.register_forward_hook(leave),
        ]
        hooks += [each.register_forward_hook(linear) for each in linear_maps(layer.module)]
        hooks += [
            each.register_forward_hook(norm) for each in layer.module.modules() if is_norm(each)
        ]
        hooks += [
            each.register_forward_hook(feed_forward)
            for name, each in layer.module.named_children()
            if name in FEED_FORWARD_NAMES and not is_linear(each)
        ]
        for hook in hooks:
            undo.callback(hook.remove)

    def _enter(self, layer: Layer, stream: Tensor) -> None:
        check_stop()
        # Layers are counted as they are entered, for ALBERT enters the same one many times.
        start = f"{layer.part}." if layer.part else ""
        prefix = f"{start}layers.{self._num_entered[layer.part]}"
        self._num_entered[layer.part] += 1
        self._entered.append(OpenLayer(prefix, layer.path, stream))
        last = self._last_post.get(layer.part)
        if last is None:
            self._keep(f"{start}embed", stream)
            self.aliases[f"{prefix}.residual.pre"] = f"{start}embed"
        elif same(last[1], stream):
            self.aliases[f"{prefix}.residual.pre"] = last[0]
        else:
            self._keep(f"{prefix}.residual.pre", stream)

    def _linear(self, layer: OpenLayer, read: Tensor, gave: Tensor) -> None:
        if layer.first_input is None:
            layer.first_input = read
        if layer.projecting is not None:
            self._keep(f"{layer.projecting}.out", gave, layer.pre)
            layer.projecting = None
        elif layer.attended:
            if layer.mlp_input is None:
                layer.mlp_input = read
            layer.last_linear = gave

    def _leave(self, layer: Layer, stream: Tensor) -> None:
        if not self._entered:
            return
        done = self._entered.pop()
        middle = residual_mid(done)
        if middle is not None:
            self._keep(f"{done.prefix}.residual.mid", middle, done.pre)
        mlp_out = done.last_linear if done.mlp_out is None else done.mlp_out
        if mlp_out is not None:
            self._keep(f"{done.prefix}.mlp.out", mlp_out, done.pre)
        self._keep(f"{done.prefix}.residual.post", stream)
        self._last_post[layer.part] = (f"{done.prefix}.residual.post", stream)
        if self.store.in_memory + self.store.on_disk > LARGE:
            give_back()

    def _keep(self, address: str, value: Tensor, stream: Tensor | None = None) -> None:
        """Keep a copy of a value, in the shape of the `stream` that it belongs to.

        Some models flatten the batch on the way (OPT). What cannot be a place on the stream at
        all, because it has another size, is not kept: better no value than a wrong one.
        """
        shape = value.shape if stream is None else stream.shape
        if value.numel() == shape.numel():
            if not _may_be_finite(value):
                self.suspects.append(address)
            self.values[address] = self.store.keep(value).reshape(shape)


def _may_be_finite(value: Tensor) -> bool:
    """False if there is a NaN or an infinity in a value; seldom also where its sum overflows."""
    return not value.is_floating_point() or bool(value.sum(dtype=torch.float32).isfinite())


def _square_bytes(call: AttentionCall) -> int:
    """What the model holds of one attention that has as many numbers as the pattern."""
    num_queries, num_keys = call.query.shape[2], call.key.shape[2]
    masks = [each for each in (call.mask, call.bias) if each is not None and each.shape[2] > 1]
    size = sum(each.numel() * BYTES_A_CELL for each in masks)
    if call.lse is None:  # no fused kernel: scores and weights stand in memory
        size += 2 * 4 * call.query.shape[0] * call.query.shape[1] * num_queries * num_keys
    return size


def _first_tensor(values: Any) -> Tensor | None:
    if isinstance(values, Tensor):
        return values
    if hasattr(values, "values"):  # a model's output object is a dictionary too
        values = list(values.values())
    return next((each for each in values if isinstance(each, Tensor)), None)
