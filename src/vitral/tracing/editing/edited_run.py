"""Running a module edited: putting other values in the place of those that it computes.

The walk over the layers (`recording.layer_walk`) knows where each address is computed, for the
recorder and for this; here it is looked up what is to stand there instead.
"""

from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.models.description import number
from vitral.models.wrapped import input_names
from vitral.nn.attention_call import AttentionCall, editor
from vitral.nn.cache import KeyValueCache
from vitral.nn.recurrent import RecurrentState
from vitral.tracing.addresses import Address
from vitral.tracing.editing.pattern_change import change_patterns
from vitral.tracing.editing.pattern_order import Frame, Order
from vitral.tracing.editing.value_patch import ValuePatch
from vitral.tracing.recording.layer_walk import LayerWalk, first_tensor, with_tensor
from vitral.tracing.recording.open_layer import OpenLayer


class EditedRun:
    """The hooks that edit `module` while they are in place (`install`), and what they carry out:
    `orders` on patterns and `patches` of values. `num_weights` counts the attention weights
    that were computed for it."""

    changes = True

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.walk = LayerWalk(module, self)
        self.orders: list[Order] = []
        self.patches: list[ValuePatch] = []
        self.num_weights = 0
        self.outer: EditedRun | None = None
        self._past = 0
        self._growing = False
        self._num_new = 0
        self.num_passes = 0

    @property
    def descriptions(self) -> list[str]:
        """What is asked, a line each."""
        return [each.description for each in self._asked_for]

    @property
    def _asked_for(self) -> list[Order | ValuePatch]:
        return [*self.orders, *self.patches]

    def install(self, undo: ExitStack) -> None:
        """Put the hooks in place; `undo` takes them away."""
        hooks = [
            self.module.register_forward_pre_hook(self._begin, with_kwargs=True),
            self.module.register_forward_hook(self._end),
        ]
        for hook in hooks:
            undo.callback(hook.remove)
        self.walk.install(undo)

    def is_watching(self) -> bool:
        """Whether what runs now is to be edited: the same task, and not another thread."""
        active = editor.get()
        while isinstance(active, EditedRun):
            if active is self:
                return True
            active = active.outer
        return False

    # The whole module: what is known before and after a pass.

    def _begin(self, _: nn.Module, args: Any, kwargs: Any) -> None:
        if not self.is_watching():
            return
        self.num_passes += 1
        self.walk.start_again()
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
        places = input_names(self.module)
        named = dict(zip(places, args, strict=False)) | kwargs
        return named.get("attention_mask", named.get("attention_mask_BS"))

    def _end(self, _: nn.Module, __: Any, output: Any) -> Any:
        if not self.is_watching():
            return None
        name, result = ("logits", getattr(output, "logits", None))
        if result is None:
            name, result = "output", getattr(output, "last_hidden_state", None)
        if result is None:
            result = first_tensor(output)
            size = number(self.module, "vocab_size")
            name = "logits" if result is not None and result.shape[-1] == size else "output"
        changed = output
        if result is not None:
            # A model that is writing may give the last tokens' result only.
            first = self._past + self._num_new - result.shape[-2] if result.dim() > 2 else 0
            value = self._patched(name, result, max(0, first))
            changed = with_tensor(output, result, value)
        if not self._growing:
            for each in self._asked_for:
                elsewhere = isinstance(each, Order) and each.of_other_texts
                if not each.reached and not elsewhere:
                    raise VitralError("edit_not_reached", what=each.description)
        return changed

    # Called by the walk.

    def wants(self, address: str) -> bool:
        """Whether another value is to stand there."""
        return any(each.address == address for each in self.patches)

    def entering(self, layer: OpenLayer) -> None:
        """A layer begins: how many tokens are new is known."""
        if layer.layer.part != "encoder":
            self._num_new = layer.pre.shape[-2]

    def reach(self, address: str, value: Tensor, layer: OpenLayer) -> Tensor:
        """A value, with the patches in it.

        Raises VitralError `edit_place_unsure` where it cannot be a place on the layer's stream.
        """
        if not self.wants(address):
            return value
        if value.numel() != layer.pre.numel():
            raise VitralError("edit_place_unsure", address=address)
        changed = self._patched(address, value.reshape(layer.pre.shape), self._first(address))
        return changed.reshape(value.shape)

    def keep(self, address: str, value: Tensor, layer: OpenLayer) -> None:
        """An edited run keeps nothing."""

    # Attention.

    def edit_inputs(
        self, module: nn.Module | None, query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        layer = self.walk.open
        if layer is None:
            if self.outer is not None:
                return self.outer.edit_inputs(module, query, key, value)
            return query, key, value
        if id(module) in layer.attended and self._asked(layer.attended[id(module)]):
            raise VitralError("edit_in_pieces", address=layer.attended[id(module)])
        place = self.walk.place_of(layer, module)
        layer.begin_attention(module, place, projects=True)
        cross = Address.parse(place).is_cross
        frame = self._frame(query.shape[2], key.shape[2], cross=cross)
        query = self._patched(f"{place}.q", query, frame.first_row)
        growing = self._growing and not cross
        key = self._patched(f"{place}.k", key, frame.first_key, growing)
        value = self._patched(f"{place}.v", value, frame.first_key, growing)
        return query, key, value

    def edit_output(self, call: AttentionCall, output_BHTD: Tensor) -> tuple[Tensor, AttentionCall]:
        layer = self.walk.open
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
        layer = self.walk.open
        assert layer is not None
        first = self._first(layer.prefix)
        keys = 0 if cross else max(0, first + num_rows - num_keys)
        return Frame(first, num_rows, keys, num_keys, self._growing_at(layer.prefix))

    def _first(self, address: str) -> int:
        return 0 if address.startswith("encoder.") else self._past

    def _growing_at(self, address: str) -> bool:
        return self._growing and not address.startswith("encoder.")

    # Values.

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
