"""The walk over a model's layers while it runs, for recording and for editing.

A walk enters and leaves the layers, follows the tensors inside, and reports each value under its
address: to a recorder, which keeps it, or to an edited run, which returns another. It finds the
residual stream and the feed-forward parts by following the tensors, not by knowing the models
(`open_layer` describes how); unusual architectures are handled here, once for both.

Layers are counted as they are entered, because ALBERT enters the same one many times.

A value is reported twice. `reach` is called when it is computed, and returns the value that the
model continues with. `keep` is called when the address is certain. For two values it is not
certain at once. The stream between attention and feed-forward, `residual.mid`, is not the output
of a module: a sum is read by a norm and again by the next sum. It is changed in place, in memory,
just before the feed-forward part's norm (or, without one, its first linear map) reads it. And the
last linear map of a layer, `mlp.out`, is certain only when the layer is done; the last one in the
layer is assumed to be it. If either assumption proves wrong, the edited run ends with an error.
"""

from collections import Counter
from contextlib import ExitStack
from typing import Any, Protocol

from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.addresses import NEURONS
from vitral.tracing.recording.layers import (
    Anatomy,
    Layer,
    find_layers,
    is_cross_attention,
    is_norm,
)
from vitral.tracing.recording.open_layer import OpenLayer, same


class Follower(Protocol):
    """A follower of a walk. `changes` is true if it can replace values."""

    changes: bool

    def is_watching(self) -> bool:
        """Whether the current pass is this task's, and not another thread's."""

    def wants(self, address: str) -> bool:
        """Whether the value at an address is to be changed."""

    def entering(self, layer: OpenLayer) -> None:
        """A layer begins; `layer.pre` is its input."""

    def reach(self, address: str, value: Tensor, layer: OpenLayer) -> Tensor:
        """A value is computed; returns the value to continue with."""

    def keep(self, address: str, value: Tensor, layer: OpenLayer) -> None:
        """The address of a value is certain."""


class LayerWalk:
    """Walks over the layers of `module` for a follower, once installed."""

    def __init__(self, module: nn.Module, follower: Follower) -> None:
        self.module = module
        self.follower = follower
        self._entered: list[OpenLayer] = []
        self._num_entered: Counter[str] = Counter()
        self._paths = {id(part): path for path, part in module.named_modules()}

    def install(self, undo: ExitStack) -> None:
        """Register the hooks; `undo` removes them."""
        for layer in find_layers(self.module):
            self._hook(layer, undo)

    def start_again(self) -> None:
        """Reset: another pass begins."""
        self._entered.clear()
        self._num_entered.clear()

    @property
    def open(self) -> OpenLayer | None:
        """The innermost layer that is being computed."""
        return self._entered[-1] if self._entered else None

    def place_of(self, layer: OpenLayer, module: nn.Module | None) -> str:
        """The address of an attention module, in a layer that is open."""
        path = self._paths.get(id(module), "").removeprefix(layer.layer.path)
        cross = is_cross_attention(path) or (
            f"{layer.prefix}.attention" in layer.places and layer.prefix.startswith("decoder.")
        )
        prefix = place = f"{layer.prefix}.{'cross_attention' if cross else 'attention'}"
        number = 2
        while place in layer.places:
            place, number = f"{prefix}_{number}", number + 1
        return place

    def _hook(self, layer: Layer, undo: ExitStack) -> None:
        anatomy = Anatomy.of(layer.module)

        def enter(_: nn.Module, args: Any, kwargs: Any) -> Any:
            stream = first_tensor([*args, kwargs.get("hidden_states"), *kwargs.values()])
            if stream is None or not self.follower.is_watching():
                return None
            value = self._enter(layer, anatomy, stream)
            if value is stream:
                return None
            args = tuple(value if each is stream else each for each in args)
            return args, {name: value if each is stream else each for name, each in kwargs.items()}

        def leave(_: nn.Module, args: Any, output: Any) -> Any:
            stream = first_tensor(output)
            if stream is None or not self._entered or not self.follower.is_watching():
                return None
            return _with(output, stream, self._leave(self._entered.pop(), stream))

        def before(part: nn.Module, args: Any) -> None:
            if args and isinstance(args[0], Tensor) and (found := self._current()) is not None:
                read = self._before_norm if is_norm(part) else self._before_linear
                read(found, part, args[0])

        def linear(part: nn.Module, args: Any, output: Any) -> Any:
            read, found = first_tensor(args), self._current()
            if read is None or found is None:
                return None
            return _with(output, output, self._linear(found, part, read, output))

        def norm(_: nn.Module, args: Any, output: Any) -> None:
            read, gave, found = first_tensor(args), first_tensor(output), self._current()
            if read is not None and gave is not None and found is not None:
                found.norms.append((read, gave))

        def begin_feed_forward(_: nn.Module, args: Any) -> None:
            if (found := self._current()) is not None:
                found.mlp_is_running = True

        def feed_forward(_: nn.Module, args: Any, output: Any) -> Any:
            found, value = self._current(), first_tensor(output)
            if found is None or value is None:
                return None
            if found.mlp_input is None:  # experts are not always linear maps
                found.mlp_input = first_tensor(args)
            found.mlp_out = self._reach("mlp.out", value, found)
            return _with(output, value, found.mlp_out)

        hooks = [
            layer.module.register_forward_pre_hook(enter, with_kwargs=True),
            layer.module.register_forward_hook(leave),
        ]
        if self.follower.changes:
            parts = (*anatomy.norms, *anatomy.linear_maps)
            hooks += [each.register_forward_pre_hook(before) for each in parts]
        hooks += [each.register_forward_hook(linear) for each in anatomy.linear_maps]
        hooks += [each.register_forward_hook(norm) for each in anatomy.norms]
        for each in anatomy.feed_forwards:
            hooks.append(each.register_forward_pre_hook(begin_feed_forward))
            hooks.append(each.register_forward_hook(feed_forward))
        for hook in hooks:
            undo.callback(hook.remove)

    def _current(self) -> OpenLayer | None:
        return self.open if self.follower.is_watching() else None

    def _enter(self, layer: Layer, anatomy: Anatomy, stream: Tensor) -> Tensor:
        number = self._num_entered[layer.part]
        self._num_entered[layer.part] += 1
        entered = OpenLayer(layer, anatomy, number, stream)
        self.follower.entering(entered)
        value = self._reach("residual.pre", stream, entered)
        if number == 0:
            embed = f"{layer.part}.embed" if layer.part else "embed"
            value = self.follower.reach(embed, value, entered)
            self.follower.keep(embed, value, entered)
        entered.pre = value
        self._entered.append(entered)
        self._keep("residual.pre", value, entered)
        return value

    def _leave(self, layer: OpenLayer, stream: Tensor) -> Tensor:
        middle = layer.residual_mid()
        if middle is not None:
            self._keep("residual.mid", middle, layer)
        neurons = layer.neurons()
        if neurons is not None:
            self._keep(NEURONS, neurons, layer)
        mlp_out = layer.last_linear if layer.mlp_out is None else layer.mlp_out
        if mlp_out is not None:
            self._keep("mlp.out", mlp_out, layer)
        stream = self._reach("residual.post", stream, layer)
        self._keep("residual.post", stream, layer)
        return stream

    def _linear(self, layer: OpenLayer, part: nn.Module, read: Tensor, gave: Tensor) -> Tensor:
        if layer.first_input is None:
            layer.first_input = read
        if layer.projecting is not None:
            address, layer.projecting = f"{layer.projecting}.out", None
            layer.out = self.follower.reach(address, gave, layer)
            self.follower.keep(address, layer.out, layer)
            return layer.out
        if layer.mlp_is_done:
            raise VitralError("edit_place_unsure", address=f"{layer.prefix}.mlp.out")
        if not layer.anatomy.feed_forwards and part is layer.anatomy.linear_maps[-1]:
            layer.mlp_is_done = self.follower.wants(f"{layer.prefix}.mlp.out")
            gave = self._reach("mlp.out", gave, layer)
        if layer.attended:
            if layer.mlp_input is None:
                layer.mlp_input = read
            layer.last_linear, layer.last_read = gave, read
        return gave

    # The stream between the parts, changed in place.

    def _before_norm(self, layer: OpenLayer, part: nn.Module, read: Tensor) -> None:
        expected = layer.in_feed_forward or (
            not layer.anatomy.num_attentions and part in layer.anatomy.own_norms
        )
        if expected and layer.mid is None and layer.may_be_mid(read):
            self._change_mid(layer, read)

    def _before_linear(self, layer: OpenLayer, part: nn.Module, read: Tensor) -> None:
        if layer.first_input is None:
            layer.first_input = read
        if not layer.in_feed_forward or layer.mid_is_sure:
            return
        source = layer.behind_norm(read)
        if layer.mid is None and source is read and not same(source, layer.pre):
            self._change_mid(layer, read)
        if layer.mid is not None and not same(source, layer.mid):
            raise VitralError("edit_place_unsure", address=f"{layer.prefix}.residual.mid")
        layer.mid_is_sure = True

    def _change_mid(self, layer: OpenLayer, read: Tensor) -> None:
        if self.follower.wants(f"{layer.prefix}.residual.mid"):
            new = self._reach("residual.mid", read, layer)
            if new is not read:
                read.copy_(new)
            layer.mid = read

    def _reach(self, value: str, tensor: Tensor, layer: OpenLayer) -> Tensor:
        return self.follower.reach(f"{layer.prefix}.{value}", tensor, layer)

    def _keep(self, value: str, tensor: Tensor, layer: OpenLayer) -> None:
        self.follower.keep(f"{layer.prefix}.{value}", tensor, layer)


def first_tensor(values: Any) -> Tensor | None:
    """The first tensor in a module's inputs or outputs: by convention, the residual stream."""
    if isinstance(values, Tensor):
        return values
    if hasattr(values, "values"):  # a model's output object is a dictionary too
        values = list(values.values())
    if not isinstance(values, list | tuple):
        return None
    return next((each for each in values if isinstance(each, Tensor)), None)


def _with(output: Any, old: Tensor, new: Tensor) -> Any:
    """A module's output with one tensor of it replaced; None if nothing was replaced."""
    if new is old:
        return None
    return with_tensor(output, old, new)


def with_tensor(output: Any, old: Tensor, new: Tensor) -> Any:
    """A module's output with one tensor of it replaced."""
    if new is old or isinstance(output, Tensor):
        return output if new is old else new
    if hasattr(output, "values"):
        for name, each in list(output.items()):
            if each is old:
                output[name] = new
        return output
    return type(output)(new if each is old else each for each in output)
