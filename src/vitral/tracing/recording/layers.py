"""Finding the layers of any model, and their addresses.

A layer is an element of a `ModuleList` of similar elements, some of which contain an attention
module. The innermost such list counts, so T5's blocks are found (their parts are in a list, too,
but of different elements). Elements are similar if they have the same class or, if there is no
such list, classes that end in the same word (Jamba's attention and Mamba "Layers"). All elements
are layers, also those without attention, and keep their number.

Addresses start with a *part* where a model has several stacks of layers: `encoder.` and
`decoder.` in an encoder–decoder, and otherwise the first word in which the stacks' own names
differ (CLIP: `text_model.`, `vision_model.`). A model with one stack has no part. The numbers
continue over the stages of one stack (Swin). Attention outside of lists, such as a pooling head,
is a stack of one layer, whose part is its own name. Vitral's recurrent layers count as layers,
also without any attention.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature

from torch import nn

from vitral.models.wrapped import model_inside
from vitral.nn.recurrent import RecurrentLayer
from vitral.nn.recurrent_decoder_layer import RecurrentDecoderLayer
from vitral.tracing.recording.compiled import written

# Where the feed-forward part is one child of the layer, it goes by one of these names. In other
# models (BERT, BART, T5) its output is that of the layer's last linear map.
FEED_FORWARD_NAMES = frozenset({"mlp", "feed_forward", "ffn", "block_sparse_moe", "moe"})

# The names of cross-attention modules in different families.
CROSS_ATTENTION_NAMES = ("cross", "encdec", "encoder_attn", "encoder_attention")


@dataclass(frozen=True)
class Layer:
    """One layer: its part ("" or e.g. "encoder"), its name in the model, and its module."""

    part: str
    path: str
    module: nn.Module

    @property
    def has_attention(self) -> bool:
        """Whether it contains attention, or recurrence, which may contain attention."""
        return any(is_attention(each) or is_recurrent(each) for each in self.module.modules())


@dataclass(frozen=True)
class Anatomy:
    """The modules of a layer that compute its values: its linear maps and norms, in order, the
    norms that are direct children, and its feed-forward part if that is a direct child."""

    num_attentions: int
    linear_maps: tuple[nn.Module, ...]
    norms: tuple[nn.Module, ...]
    own_norms: tuple[nn.Module, ...]
    feed_forwards: tuple[nn.Module, ...]

    @classmethod
    def of(cls, layer: nn.Module) -> "Anatomy":
        return cls(
            sum(map(_is_innermost_attention, layer.modules())),
            tuple(linear_maps(layer)),
            tuple(each for each in layer.modules() if is_norm(each)),
            tuple(each for each in layer.children() if is_norm(each)),
            tuple(
                each
                for name, each in layer.named_children()
                if name in FEED_FORWARD_NAMES and not is_linear(each) and not _adds_stream(each)
            ),
        )


def _adds_stream(part: nn.Module) -> bool:
    """Whether a feed-forward part is given the stream and adds it itself (Bloom, MPT): what it
    gives is then the layer's output, and its own is that of its last linear map."""
    return "residual" in signature(part.forward).parameters


def find_layers(model: nn.Module) -> list[Layer]:
    """The model's layers in their order; none if it has no attention module in a list."""
    modules = dict(model.named_modules())
    stacks, alone = _stacks(modules)
    config = getattr(model_inside(model), "config", None)
    both = bool(getattr(config, "is_encoder_decoder", False))
    both = both or getattr(config, "kind", None) == "encoder-decoder"
    parts = _parts(stacks, both)
    layers = [
        Layer(parts[stack], f"{stack}.{name}".lstrip("."), written(element))
        for stack in stacks
        for name, element in modules[stack].named_children()
    ]
    return layers + _layers_alone(alone, layers, modules)


def _stacks(modules: dict[str, nn.Module]) -> tuple[list[str], list[str]]:
    """The lists of similar elements that contain attention, and the attention outside of them."""
    stacks: list[str] = []
    alone: list[str] = []
    for path, module in modules.items():
        mixes_tokens = is_attention(module) or is_recurrent(module)
        if not mixes_tokens or isinstance(module, nn.ModuleList):
            continue
        stack = _enclosing_stack(path, modules, _of_one_class)
        if stack is None:
            stack = _enclosing_stack(path, modules, _of_like_names)
        if stack is not None:
            if stack not in stacks:
                stacks.append(stack)
        elif not any(path.startswith(f"{other}.") or not other for other in alone):
            alone.append(path)
    return stacks, alone


def _layers_alone(
    paths: list[str], others: list[Layer], modules: dict[str, nn.Module]
) -> list[Layer]:
    """A layer for each attention module outside the lists: the module around it, or itself.

    The module around it is taken if it contains no other layer.
    """
    taken = {layer.path for layer in others}
    names = {layer.part for layer in others}
    found = []
    for path in paths:
        around = path.rpartition(".")[0]
        holds_more = sum(other.startswith(f"{around}.") for other in [*taken, *paths]) > 1
        layer = path if not around or holds_more else around
        name = _word(layer.rpartition(".")[2])
        if not others and len(paths) == 1:
            name = ""
        part, number = name, 2
        while part in names:
            part, number = f"{name}_{number}", number + 1
        names.add(part)
        found.append(Layer(part, layer, modules[layer]))
    return found


def is_attention(module: nn.Module) -> bool:
    """Whether a module is attention, by the name of its class: no other property is common."""
    name = type(module).__name__.lower()
    return "attention" in name or "attn" in name


def is_recurrent(module: nn.Module) -> bool:
    """Whether a module is one of Vitral's recurrent layers."""
    return isinstance(module, RecurrentLayer | RecurrentDecoderLayer)


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalises: by its class's name, if it is nothing else by what it holds
    (attention that normalises its queries, a linear map with normalised weights)."""
    if "norm" not in type(module).__name__.lower() or is_attention(module) or is_linear(module):
        return False
    return not any(is_attention(each) or is_linear(each) for each in module.modules())


def is_cross_attention(path: str) -> bool:
    """Whether the attention module of that name, within its layer, is cross-attention."""
    return any(name in path.lower() for name in CROSS_ATTENTION_NAMES)


def linear_maps(module: nn.Module) -> Iterator[nn.Module]:
    """The linear maps of a layer. One with an adapter (LoRA) around it counts as one.

    Those of a recurrent layer are parts of its cell and its attention, except for the map of the
    attention's output.
    """
    if isinstance(module, RecurrentDecoderLayer):
        if module.cross_attention is not None:
            yield module.cross_attention.o_proj
        return
    for child in module.children():
        if is_linear(child):
            yield child
        else:
            yield from linear_maps(child)


def is_linear(module: nn.Module) -> bool:
    """`nn.Linear` and its replacements: GPT-2's Conv1D, quantized and adapted maps."""
    return hasattr(module, "in_features") or type(module).__name__ == "Conv1D"


def _is_innermost_attention(module: nn.Module) -> bool:
    within = (part for part in module.modules() if part is not module)
    return is_attention(module) and not any(map(is_attention, within))


def _enclosing_stack(
    path: str, modules: dict[str, nn.Module], alike: Callable[[nn.ModuleList], bool]
) -> str | None:
    words = path.split(".")
    for end in range(len(words) - 1, -1, -1):
        parent = modules.get(".".join(words[:end]))
        if isinstance(parent, nn.ModuleList) and alike(parent):
            return ".".join(words[:end])
    return None


def _of_one_class(elements: nn.ModuleList) -> bool:
    return len({type(written(each)) for each in elements}) == 1


def _of_like_names(elements: nn.ModuleList) -> bool:
    words = {re.sub(r".*(?=[A-Z])", "", type(written(each)).__name__) for each in elements}
    return len(words) == 1


def _parts(stacks: list[str], encoder_decoder: bool) -> dict[str, str]:
    stages = {stack: re.sub(r"\d+", "0", stack) for stack in stacks}
    names = list(dict.fromkeys(stages.values()))
    if len(names) < 2:
        words = _encoder_or_decoder(names[0]) if names and encoder_decoder else ""
        return dict.fromkeys(stacks, words)
    labels = _labels([name.split(".") for name in names])
    if encoder_decoder:
        sides = [_encoder_or_decoder(name) for name in names]
        labels = [
            side if side and sides.count(side) == 1 else label
            for side, label in zip(sides, labels, strict=True)
        ]
    known = dict(zip(names, labels, strict=True))
    return {stack: known[stages[stack]] for stack in stacks}


def _labels(names: list[list[str]]) -> list[str]:
    """For each name, the first word in which it differs from the others; more words if needed."""
    first = next(
        (place for place, words in enumerate(zip(*names, strict=False)) if len(set(words)) > 1),
        min(map(len, names)),
    )
    ends = [first + 1] * len(names)
    labels = [""] * len(names)
    for _ in range(max(map(len, names))):
        labels = [
            "_".join(filter(None, map(_word, name[first:end]))) or _word(name[-1])
            for name, end in zip(names, ends, strict=True)
        ]
        twice = {label for label in labels if labels.count(label) > 1}
        ends = [end + (label in twice) for end, label in zip(ends, labels, strict=True)]
    return labels


def _encoder_or_decoder(name: str) -> str:
    return next((word for word in name.split(".") if word in ("encoder", "decoder")), "")


def _word(word: str) -> str:
    """A word of a module's path as part of an address: "layers" stands there for itself."""
    return re.sub(r"_?(layers|\d+)$", "", word)
