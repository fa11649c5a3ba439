"""The properties of a model from its configuration, ours or transformers'."""

from typing import Any

from torch import nn

# Models whose first positions are kept for padding: config says 514, text has room for 512.
_POSITIONS_AFTER_PADDING = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "data2vec-text"}
)
# Models whose positions are relative: their configuration's n_positions limits nothing.
_RELATIVE_POSITIONS = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})


def configuration(module: nn.Module) -> Any:
    """The configuration that describes the layers; of a model of text and images, the text's."""
    config: Any = getattr(module, "config", None)
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
    return ours if isinstance(ours, str) else type(module).__name__


def kind(module: nn.Module) -> str:
    """One of "decoder", "encoder", "encoder-decoder", "image"."""
    config = configuration(module)
    ours = getattr(config, "kind", None)
    if isinstance(ours, str):
        return ours
    reads = getattr(module, "main_input_name", "input_ids")
    # In one that is made of two models, the configuration of the text's layers is one of theirs.
    whole = module.config if reads == "input_ids" and hasattr(module, "config") else config
    if getattr(whole, "is_encoder_decoder", False) or getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    if reads == "pixel_values":
        return "image"
    causal = any(getattr(part, "is_causal", False) is True for part in module.modules())
    return "decoder" if causal else "encoder"


def reads(module: nn.Module) -> str:
    """What a model reads: "picture" or "text"."""
    return "picture" if kind(module) == "image" else "text"


def context(module: nn.Module) -> int | None:
    """The largest number of tokens that a model accepts; None if unlimited."""
    family = getattr(configuration(module), "model_type", None)
    if kind(module) == "image" or family in _RELATIVE_POSITIONS:
        return None
    if not getattr(configuration(module), "limited", True):  # our recurrent models
        return None
    size = number(module, "context", "max_position_embeddings", "n_positions")
    if size is None or size < 1:  # XLNet writes -1
        return None
    if family in _POSITIONS_AFTER_PADDING:
        return size - 1 - (number(module, "pad_token_id") or 0)
    return size


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
    generating = getattr(module, "generation_config", None)
    named = (
        number(module, "decoder_start_token_id"),
        getattr(generating, "decoder_start_token_id", None),
        getattr(generating, "bos_token_id", None),
    )
    found = next((each for each in named if isinstance(each, int)), None)
    return pad_id(module, tokenizer) if found is None else found
