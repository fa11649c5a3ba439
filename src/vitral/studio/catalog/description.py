"""The description of a model from its config.json: the page lists it before it is loaded.

Architectures name the same setting in different ways; each tuple below holds the names of one
setting in Hugging Face configurations. Missing entries are filled in once the model is loaded.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from vitral.models.forms import OWN, form_of_folder

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "encoder_layers", "n_layers")
_HEADS = ("num_attention_heads", "n_head", "num_heads", "encoder_attention_heads", "n_heads")
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
_DECODERS = ("ForCausalLM", "LMHeadModel", "DoubleHeadsModel")


class ModelDescription(BaseModel):
    """The description of a model before its weights are read."""

    name: str = Field(description="What a request calls it")
    title: str = Field(description="What a person calls it, in the language asked for")
    kind: str = Field(description="encoder, decoder, encoder-decoder, image")
    reads: Literal["text", "picture"]
    num_layers: int
    num_heads: int
    context: int | None = Field(description="Most tokens it takes; null where there is no limit")
    architecture: str
    bundled: bool


def describe(
    config: Mapping[str, Any], *, name: str, title: str, bundled: bool
) -> ModelDescription:
    """The description of the model whose config.json holds `config`.

    A model of several kinds of input keeps the sizes of its text part in `text_config`.
    """
    part = config.get("text_config")
    config = {**part, **config} if isinstance(part, dict) else config
    architecture = next(iter(config.get("architectures") or ()), "") or config.get("model_type", "")
    kind = _kind(config, architecture)
    return ModelDescription(
        name=name,
        title=title,
        kind=kind,
        reads="picture" if kind == "image" else "text",
        num_layers=_first(config, _LAYERS) or 0,
        num_heads=_first(config, _HEADS) or 0,
        context=_first(config, _CONTEXT),
        architecture=architecture,
        bundled=bundled,
    )


def _kind(config: Mapping[str, Any], architecture: str) -> str:
    if str(config.get("model_type")).startswith(OWN):  # which only Vitral has
        form = form_of_folder(architecture)
        return "encoder" if form is None else form.kind
    if config.get("is_encoder_decoder"):
        return "encoder-decoder"
    if architecture.endswith(_DECODERS):
        return "decoder"
    has_vocabulary = "vocab_size" in config and any(name in config for name in _CONTEXT)
    if "image_size" in config and not has_vocabulary:  # BEiT's is one of visual tokens
        return "image"
    return "encoder"


def _first(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """The value of the first of `names` that the file has, or None."""
    for name in names:
        if isinstance(config.get(name), int):
            return int(config[name])
    return None
