"""The properties of a model from its configuration, ours or transformers'."""

import inspect
from typing import Any

from torch import nn

from vitral.models.looks_ahead import looks_ahead
from vitral.models.wrapped import model_inside

# Models whose positions are relative: their configuration's n_positions limits nothing.
_RELATIVE_POSITIONS = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})


def configuration(module: nn.Module) -> Any:
    """The configuration that describes the layers; of a model of text and images, the text's; of
    a wrapper, that of the model inside."""
    config: Any = getattr(model_inside(module), "config", None)
    if getattr(config, "num_hidden_layers", None) is None and hasattr(config, "get_text_config"):
        return config.get_text_config()
    return config


def number(module: nn.Module, *names: str) -> int | None:
    """The first of the configuration's entries of those names that is a whole number."""
    config = configuration(module)
    found = (getattr(config, name, None) for name in names)
    return next((each for each in found if isinstance(each, int)), None)


def architecture(module: nn.Module) -> str:
    """The Hugging Face class that a model is, or its own class."""
    ours = getattr(configuration(module), "architecture", None)
    return ours if isinstance(ours, str) else type(model_inside(module)).__name__


def kind(module: nn.Module) -> str:
    """One of "decoder", "encoder", "encoder-decoder", "image".

    Whether a model of transformers, or one of the user's own, is a decoder is measured
    (`models.looks_ahead`): no earlier token changes with a later one.
    """
    ours = getattr(configuration(module), "kind", None)
    if isinstance(ours, str):
        return ours
    if has_decoder(module):
        return "encoder-decoder"
    if _main_input(module) == "pixel_values":
        return "image"
    ahead = looks_ahead(module)
    if ahead is None:  # it reads no ids
        ahead = not any(getattr(part, "is_causal", False) is True for part in module.modules())
    return "encoder" if ahead else "decoder"


def has_decoder(module: nn.Module) -> bool:
    """Whether it is an encoder–decoder, which reads two texts."""
    config = configuration(module)
    ours = getattr(config, "kind", None)
    if isinstance(ours, str):
        return ours == "encoder-decoder"
    # In one that is made of two models, the configuration of the text's layers is one of theirs.
    whole = getattr(model_inside(module), "config", None)
    of_whole = bool(getattr(whole, "is_encoder_decoder", False))
    both = (of_whole and _main_input(module) == "input_ids") or bool(
        getattr(config, "is_encoder_decoder", False)
    )
    return both and _reads_twice(model_inside(module))


def _reads_twice(module: nn.Module) -> bool:
    """Whether a model's forward takes something for a decoder: UMT5's encoder alone does not,
    though its configuration is that of the whole."""
    accepted = inspect.signature(module.forward).parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in accepted.values())
    named = any(name.startswith("decoder_") for name in accepted)
    return named or (open_ended and "input_ids" not in accepted)


def reads(module: nn.Module) -> str:
    """What a model reads: "picture" or "text"."""
    if isinstance(getattr(configuration(module), "kind", None), str) or has_decoder(module):
        return "text"
    return "picture" if _main_input(module) == "pixel_values" else "text"


def _main_input(module: nn.Module) -> str:
    name = getattr(model_inside(module), "main_input_name", "input_ids")
    return name if isinstance(name, str) else "input_ids"


def context(module: nn.Module, side: str = "encoder") -> int | None:
    """The most tokens that a model accepts; None if nothing limits them. Of an encoder–decoder
    the encoder's, or the `side` "decoder"'s.

    It is what the configuration says, or fewer, where the table of positions has fewer, or keeps
    its first ones for padding (RoBERTa, MPNet); less what a soft prompt takes.
    """
    config = configuration(module)
    family = getattr(config, "model_type", None)
    if reads(module) == "picture" or family in _RELATIVE_POSITIONS:
        return None
    if not getattr(config, "limited", True):  # our recurrent models
        return None
    sizes = [number(module, "context", "max_position_embeddings", "n_positions", "max_seq_len")]
    if family is not None:
        sizes.append(_positions(module, side if has_decoder(module) else None))
    known = [each for each in sizes if each is not None and each > 0]  # XLNet says -1
    return min(known) - _num_virtual(module) if known else None


def _num_virtual(module: nn.Module) -> int:
    """How many places a soft prompt or a prefix takes of the context (PEFT)."""
    found = [0]
    for part in module.modules():
        configurations = getattr(part, "peft_config", None)
        if isinstance(configurations, dict):
            named = (getattr(each, "num_virtual_tokens", 0) for each in configurations.values())
            found += [each for each in named if isinstance(each, int)]
    return max(found)


def _positions(module: nn.Module, side: str | None) -> int | None:
    """How many tokens the tables of positions have room for; those of one side of two."""
    rooms = []
    for path, part in model_inside(module).named_modules():
        name = path.rpartition(".")[2]
        if not isinstance(part, nn.Embedding) or name not in _TABLES:
            continue
        if side is not None and side not in path and ("encoder" in path or "decoder" in path):
            continue
        kept = getattr(part, "offset", 0) if part.padding_idx is None else part.padding_idx + 1
        rooms.append(part.num_embeddings - (kept if isinstance(kept, int) else 0))
    return min(rooms, default=None)


# What the families call their table of a vector for each position.
_TABLES = frozenset(
    {
        "embed_positions",
        "position_embedding",
        "position_embeddings",
        "positions_embed",
        "position_embed",
        "wpe",
    }
)


def pad_id(module: nn.Module, tokenizer: Any) -> int:
    """The id to pad with: the configuration's, the tokenizer's, or 0 (padding is masked)."""
    found = number(module, "pad_token_id")
    if found is None and hasattr(tokenizer, "token_to_id"):
        names = map(tokenizer.token_to_id, ("[PAD]", "<pad>", "<|pad|>"))
        found = next((each for each in names if each is not None), None)
    return found if found is not None and found >= 0 else 0


def start_id(module: nn.Module, tokenizer: Any) -> int:
    """The id that an encoder–decoder's decoder begins with, found as transformers finds it: the
    configuration's, or that of the generation configuration, or the one that begins a text;
    otherwise the padding id."""
    generating = getattr(model_inside(module), "generation_config", None)
    named = (
        number(module, "decoder_start_token_id"),
        getattr(generating, "decoder_start_token_id", None),
        getattr(generating, "bos_token_id", None),
    )
    found = next((each for each in named if isinstance(each, int)), None)
    return pad_id(module, tokenizer) if found is None else found
