"""Running a module edited: where each address is computed, and putting other values there.

The places are those at which the recorder finds the values (see its head). Two of them need
care. The stream between attention and feed-forward, `residual.mid`, is no part's output: a sum
is read by a norm and again by the next sum. It is changed where it stands, in memory, just
before the feed-forward part's norm (or, without one, its first linear map) reads it. And the
last linear map of a layer, `mlp.out`, is known as such only when the layer is done; the one
that stands last in the layer is taken. If either proves not to be it, that is an error, and no
edited run is given out.
"""

from collections import Counter
from contextlib import ExitStack
from inspect import signature
from typing import Any

from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.nn.attention_call import AttentionCall, editor
from vitral.nn.cache import KeyValueCache
from vitral.nn.recurrent import RecurrentState
from vitral.tracing.editing.pattern_change import change_patterns
from vitral.tracing.editing.pattern_order import Frame, Order
from vitral.tracing.editing.value_patch import ValuePatch
from vitral.tracing.recording.layers import (
    FEED_FORWARD_NAMES,
    Layer,
    find_layers,
    is_attention,
    is_cross_attention,
    is_linear,
    is_norm,
    linear_maps,
)


class _EditedLayer:
    """A layer that is being computed: what has been seen of it so far."""

    def __init__(self, prefix: str, path: str, stream: Tensor, num_attentions: int) -> None:
        self.prefix = prefix
        self.path = path
        self.pre = stream
        self.num_attentions = num_attentions
        self.first_input: Tensor | None = None
        self.projecting: str | None = None
        self.attended: dict[int, str] = {}
        self.out: Tensor | None = None
        self.norms: list[tuple[Tensor, Tensor]] = []
        self.mid: Tensor | None = None  # where it was changed
        self.mid_is_sure = False
        self.mlp_is_done = False

    @property
    def in_feed_forward(self) -> bool:
        return len(self.attended) == self.num_attentions and self.projecting is None


class EditedRun:
    """The hooks that edit `module` while they are in place (`install`), and what they carry out:
    `orders` on patterns and `patches` of values. `num_weights` counts the attention weights
    that were computed for it."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.orders: list[Order] = []
        self.patches: list[ValuePatch] = []
        self.num_weights = 0
        self.outer: EditedRun | None = None
        self._entered: list[_EditedLayer] = []
        self._num_entered: Counter[str] = Counter()
        self._past = 0
        self._growing = False
        self._num_new = 0
        self.num_passes = 0
        self._paths = {id(part): path for path, part in module.named_modules()}

    @property
    def descriptions(self) -> list[str]:
        """What is asked, a line each."""
        return [each.description for each in self._asked_for]

    @property
    def _asked_for(self) -> list[Order | ValuePatch]:
        return [*self.orders, *self.patches]

    @property
    def _open(self) -> _EditedLayer | None:
        return self._entered[-1] if self._entered else None

    def install(self, undo: ExitStack) -> None:
        """Put the hooks in place; `undo` takes them away."""
        hooks = [
            self.module.register_forward_pre_hook(self._begin, with_kwargs=True),
            self.module.register_forward_hook(self._end),
        ]
        for layer in find_layers(self.module):
            hooks += self._hooks(layer)
        for hook in hooks:
            undo.callback(hook.remove)

    def _watching(self) -> bool:
        """Whether what runs now is to be edited: the same task, and not another thread."""
        active = editor.get()
        while isinstance(active, EditedRun):
            if active is self:
                return True
            active = active.outer
        return False

    # The whole module: what is known before and after a pass.

    def _begin(self, _: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._watching():
            return
        self.num_passes += 1
        self._entered.clear()
        self._num_entered.clear()
        self._past, self._growing = 0, kwargs.get("use_cache") is True
        for value in (*args, *kwargs.values()):
            if isinstance(value, KeyValueCache | RecurrentState):
                self._past, self._growing = value.length, True
            elif hasattr(value, "get_seq_length"):
                self._past, self._growing = int(value.get_seq_length()), True
        mask = self._mask(args, kwargs)
        padded = isinstance(mask, Tensor) and mask.dim() == 2 and bool((mask[:, 0] == 0).any())
        for each in self._asked_for:
            each.reached = False
            if padded and each.positional:
                raise VitralError("edit_left_padding", what=each.description)

    def _mask(self, args: Any, kwargs: Any) -> Any:
        """The mask of what is read, wherever among the arguments it stands."""
        places = list(signature(self.module.forward).parameters)
        named = dict(zip(places, args, strict=False)) | kwargs
        return named.get("attention_mask", named.get("attention_mask_BS"))

    def _end(self, _: nn.Module, __: Any, output: Any) -> Any:
        if not self._watching():
            return None
        name, result = ("logits", getattr(output, "logits", None))
        if result is None:
            name, result = "output", getattr(output, "last_hidden_state", None)
        if result is None:
            result = _first_tensor(output)
            size = getattr(getattr(self.module, "config", None), "vocab_size", 0)
            name = "logits" if result is not None and result.shape[-1] == size else "output"
        changed = output
        if result is not None:
            # A model that is writing may give the last tokens' result only.
            first = self._past + self._num_new - result.shape[-2] if result.dim() > 2 else 0
            value = self._patched(name, result, max(0, first))
            changed = _with(output, result, value)
        if not self._growing:
            for each in self._asked_for:
                if not each.reached:
                    raise VitralError("edit_not_reached", what=each.description)
        return changed

    # A layer and its parts.

    def _hooks(self, layer: Layer) -> list[Any]:
        attentions = [each for each in layer.module.modules() if _is_innermost_attention(each)]
        linears = list(linear_maps(layer.module))
        named = [
            each
            for name, each in layer.module.named_children()
            if name in FEED_FORWARD_NAMES and not is_linear(each)
        ]

        def enter(_: nn.Module, args: Any, kwargs: Any) -> Any:
            if not self._watching():
                return None
            return self._enter(layer, len(attentions), args, kwargs)

        def leave(_: nn.Module, args: Any, output: Any) -> Any:
            return self._leave(output) if self._watching() and self._entered else None

        def before(part: nn.Module, args: Any) -> None:
            if self._watching() and self._open is not None and args and _is_tensor(args[0]):
                read = self._before_norm if is_norm(part) else self._before_linear
                read(self._open, args[0])

        def norm(_: nn.Module, args: Any, output: Any) -> None:
            if self._watching() and self._open is not None and args and _is_tensor(args[0]):
                self._open.norms.append((args[0], output))

        def linear(part: nn.Module, _: Any, output: Any) -> Any:
            if not self._watching() or self._open is None:
                return None
            return self._linear(self._open, output, last=not named and part is linears[-1])

        def feed_forward(_: nn.Module, __: Any, output: Any) -> Any:
            if not self._watching() or self._open is None:
                return None
            return self._change(output, f"{self._open.prefix}.mlp.out", self._open.pre)

        norms = [each for each in layer.module.modules() if is_norm(each)]
        hooks: list[Any] = [
            layer.module.register_forward_pre_hook(enter, with_kwargs=True),
            layer.module.register_forward_hook(leave),
        ]
        hooks += [each.register_forward_pre_hook(before) for each in (*norms, *linears)]
        hooks += [each.register_forward_hook(norm) for each in norms]
        hooks += [each.register_forward_hook(linear) for each in linears]
        hooks += [each.register_forward_hook(feed_forward) for each in named]
        return hooks

    def _enter(self, layer: Layer, num_attentions: int, args: Any, kwargs: Any) -> Any:
        start = f"{layer.part}." if layer.part else ""
        number = self._num_entered[layer.part]
        self._num_entered[layer.part] += 1
        prefix = f"{start}layers.{number}"
        stream = _first_tensor([*args, kwargs.get("hidden_states"), *kwargs.values()])
        if stream is None:
            return None
        if layer.part != "encoder":
            self._num_new = stream.shape[-2]
        value = self._patched(f"{prefix}.residual.pre", stream, self._first(prefix))
        if number == 0:
            value = self._patched(f"{start}embed", value, self._first(prefix))
        self._entered.append(_EditedLayer(prefix, layer.path, value, num_attentions))
        if value is stream:
            return None
        args = tuple(value if each is stream else each for each in args)
        return args, {name: value if each is stream else each for name, each in kwargs.items()}

    def _before_norm(self, layer: _EditedLayer, read: Tensor) -> None:
        """A norm is about to read: the stream between the parts, if nothing else can be."""
        pre_norm = layer.first_input is not None and not _same(layer.first_input, layer.pre)
        made_by_parts = [layer.pre, layer.out, *(after for _, after in layer.norms)]
        if (
            pre_norm
            and layer.in_feed_forward
            and layer.mid is None
            and not any(each is not None and _same(read, each) for each in made_by_parts)
        ):
            self._change_mid(layer, read)

    def _before_linear(self, layer: _EditedLayer, read: Tensor) -> None:
        if layer.first_input is None:
            layer.first_input = read
        if not layer.in_feed_forward or layer.mid_is_sure:
            return
        given = [before for before, after in layer.norms if _same(after, read)]
        if not given or _same(layer.first_input, layer.pre):
            given = [read]
        if layer.mid is None and not _same(given[-1], layer.pre) and given[-1] is read:
            self._change_mid(layer, read)
        if layer.mid is not None and not _same(given[-1], layer.mid):
            raise VitralError("edit_place_unsure", address=f"{layer.prefix}.residual.mid")
        layer.mid_is_sure = True

    def _change_mid(self, layer: _EditedLayer, read: Tensor) -> None:
        address = f"{layer.prefix}.residual.mid"
        if any(each.address == address for each in self.patches):
            stream = read.reshape(layer.pre.shape)
            new = self._patched(address, stream, self._first(address))
            if new is not stream:
                read.copy_(new.reshape(read.shape))
            layer.mid = read

    def _linear(self, layer: _EditedLayer, output: Any, *, last: bool) -> Any:
        if layer.projecting is not None:
            place = layer.projecting
            layer.projecting = None
            changed = self._change(output, f"{place}.out", layer.pre)
            layer.out = output if changed is None else changed
            return changed
        if layer.mlp_is_done:
            raise VitralError("edit_place_unsure", address=f"{layer.prefix}.mlp.out")
        address = f"{layer.prefix}.mlp.out"
        if not last or not any(each.address == address for each in self.patches):
            return None
        layer.mlp_is_done = True
        return self._change(output, address, layer.pre)

    def _leave(self, output: Any) -> Any:
        layer = self._entered.pop()
        return self._change(output, f"{layer.prefix}.residual.post", layer.pre)

    # Attention.

    def edit_inputs(
        self, module: nn.Module | None, query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        layer = self._open
        if layer is None:
            if self.outer is not None:
                return self.outer.edit_inputs(module, query, key, value)
            return query, key, value
        path = self._paths.get(id(module), "").removeprefix(layer.path)
        seen = f"{layer.prefix}.attention" in layer.attended.values()
        cross = is_cross_attention(path) or (seen and layer.prefix.startswith("decoder."))
        prefix = place = f"{layer.prefix}.{'cross_attention' if cross else 'attention'}"
        number = 2
        while place in layer.attended.values():
            place, number = f"{prefix}_{number}", number + 1
        if id(module) in layer.attended and self._asked(layer.attended[id(module)]):
            raise VitralError("edit_in_pieces", address=layer.attended[id(module)])
        layer.attended[id(module)] = layer.projecting = place
        frame = self._frame(query.shape[2], key.shape[2], cross=cross)
        query = self._patched(f"{place}.q", query, frame.first_row)
        growing = self._growing and not cross
        key = self._patched(f"{place}.k", key, frame.first_key, growing)
        value = self._patched(f"{place}.v", value, frame.first_key, growing)
        return query, key, value

    def edit_output(self, call: AttentionCall, output_BHTD: Tensor) -> tuple[Tensor, AttentionCall]:
        layer = self._open
        if layer is None or layer.projecting is None:
            if layer is None and self.outer is not None:
                return self.outer.edit_output(call, output_BHTD)
            return output_BHTD, call
        mine = [each for each in self.orders if each.prefix == layer.projecting]
        if not mine:
            return output_BHTD, call
        cross = ".cross_attention" in layer.projecting
        frame = self._frame(call.query.shape[2], call.key.shape[2], cross=cross)
        output_BHTD, call, num_weights = change_patterns(call, output_BHTD, mine, frame)
        self.num_weights += num_weights
        return output_BHTD, call

    def _asked(self, place: str) -> bool:
        named = [each.prefix for each in self.orders]
        return place in named + [each.address.rpartition(".")[0] for each in self.patches]

    def _frame(self, num_rows: int, num_keys: int, *, cross: bool) -> Frame:
        """Where a call's rows and keys stand. A sliding window's cache gives the last keys only,
        and one of a fixed size has room after them."""
        assert self._open is not None
        first = self._first(self._open.prefix)
        keys = 0 if cross else max(0, first + num_rows - num_keys)
        return Frame(first, num_rows, keys, num_keys, self._growing_at(self._open.prefix))

    def _first(self, address: str) -> int:
        return 0 if address.startswith("encoder.") else self._past

    def _growing_at(self, address: str) -> bool:
        return self._growing and not address.startswith("encoder.")

    # Values.

    def _change(self, output: Any, address: str, stream: Tensor) -> Any:
        """A part's output with a patch in it; None where there is none."""
        value = _first_tensor(output)
        if value is None or not any(each.address == address for each in self.patches):
            return None
        if value.numel() != stream.numel():
            raise VitralError("edit_place_unsure", address=address)
        changed = self._patched(address, value.reshape(stream.shape), self._first(address))
        return _with(output, value, changed.reshape(value.shape))

    def _patched(
        self, address: str, value: Tensor, first: int, growing: bool | None = None
    ) -> Tensor:
        for each in self.patches:
            if each.address == address:
                still = self._growing_at(address) if growing is None else growing
                value = each.put_into(value, first, growing=still)
        return value


def edits_of(module: nn.Module) -> list[str]:
    """What is being edited of `module` in this context, a line each."""
    active = editor.get()
    while isinstance(active, EditedRun):
        if active.module is module:
            return active.descriptions
        active = active.outer
    return []


def _is_innermost_attention(module: nn.Module) -> bool:
    within = (part for part in module.modules() if part is not module)
    return is_attention(module) and not any(map(is_attention, within))


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _same(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are the same memory (while both are alive)."""
    return left.data_ptr() == right.data_ptr() and left.numel() == right.numel()


def _first_tensor(values: Any) -> Tensor | None:
    if isinstance(values, Tensor):
        return values
    if hasattr(values, "values"):
        values = list(values.values())
    if not isinstance(values, list | tuple):
        return None
    return next((each for each in values if isinstance(each, Tensor)), None)


def _with(output: Any, old: Tensor, new: Tensor) -> Any:
    """A module's output with one tensor of it replaced."""
    if new is old or isinstance(output, Tensor):
        return output if new is old else new
    if hasattr(output, "values"):
        for name, each in list(output.items()):
            if each is old:
                output[name] = new
        return output
    return type(output)(new if each is old else each for each in output)
