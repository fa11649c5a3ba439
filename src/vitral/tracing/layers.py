"""Finding a model's layers, whoever wrote it, and giving each its place in the addresses.

A layer is an element of a `ModuleList` of like elements that contains an attention module. The
innermost such list counts, so T5's blocks are found (their own parts stand in a list too, but
of unlike elements).

Addresses start with a *part* where a model has several stacks of layers: `encoder.` and
`decoder.` in an encoder–decoder, and otherwise the first word in which the stacks' own names
differ (CLIP: `text_model.`, `vision_model.`). A model with one stack has no part.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

# Where the feed-forward part is one child of the layer, it goes by one of these names. In other
# models (BERT, BART, T5) its output is that of the layer's last linear map.
FEED_FORWARD_NAMES = frozenset({"mlp", "feed_forward", "ffn", "block_sparse_moe", "moe"})

# The names under which families keep the attention that looks at the encoder.
CROSS_ATTENTION_NAMES = ("cross", "encdec", "encoder_attn", "encoder_attention")


@dataclass(frozen=True)
class Layer:
    """One layer: its part ("" or e.g. "encoder"), its name in the model, and itself."""

    part: str
    path: str
    module: nn.Module


def find_layers(model: nn.Module) -> list[Layer]:
    """The model's layers in their order; none if it has no attention module in a list."""
    modules = dict(model.named_modules())
    stacks: dict[str, list[str]] = {}
    for path, module in modules.items():
        if not is_attention(module):
            continue
        layer = _enclosing_layer(path, modules)
        if layer is not None:
            stack = stacks.setdefault(layer.rpartition(".")[0], [])
            if layer not in stack:
                stack.append(layer)
    both = bool(getattr(getattr(model, "config", None), "is_encoder_decoder", False))
    parts = _parts(list(stacks), both)
    return [
        Layer(parts[stack], path, modules[path])
        for stack, paths in stacks.items()
        for path in paths
    ]


def is_attention(module: nn.Module) -> bool:
    """Whether a module is attention, by its class's name: there is no other common sign."""
    name = type(module).__name__.lower()
    return "attention" in name or "attn" in name


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalises."""
    return "norm" in type(module).__name__.lower()


def is_cross_attention(path: str) -> bool:
    """Whether the attention module of that name, within its layer, looks at the encoder."""
    return any(name in path.lower() for name in CROSS_ATTENTION_NAMES)


def linear_maps(module: nn.Module) -> Iterator[nn.Module]:
    """The linear maps of a layer. One with an adapter (LoRA) around it counts as one."""
    for child in module.children():
        if is_linear(child):
            yield child
        else:
            yield from linear_maps(child)


def is_linear(module: nn.Module) -> bool:
    """`nn.Linear` and what stands in for it: GPT-2's Conv1D, quantized and adapted maps."""
    return hasattr(module, "in_features") or type(module).__name__ == "Conv1D"


def _enclosing_layer(path: str, modules: dict[str, nn.Module]) -> str | None:
    words = path.split(".")
    for end in range(len(words), 0, -1):
        parent = modules.get(".".join(words[: end - 1]))
        if isinstance(parent, nn.ModuleList) and len({type(each) for each in parent}) == 1:
            return ".".join(words[:end])
    return None


def _parts(stacks: list[str], encoder_decoder: bool) -> dict[str, str]:
    if encoder_decoder:
        return {
            stack: next((word for word in stack.split(".") if word in ("encoder", "decoder")), "")
            for stack in stacks
        }
    if len(stacks) < 2:
        return dict.fromkeys(stacks, "")
    for names in zip(*(stack.split(".") for stack in stacks), strict=False):
        if len(set(names)) > 1 and not any(name.isdigit() for name in names):
            return dict(zip(stacks, names, strict=True))
        if len(set(names)) > 1:  # stages of one stack, as in Swin
            break
    return dict.fromkeys(stacks, "")
