"""Models that none of our forms can express, trained by transformers' own class.

A decoder is opened as its model with a language model's head, an encoder as its model that names
masked words; what was saved without that head gets a fresh one. Its folders are written by
transformers, so that whatever opened the model before opens it afterwards.

    module = open_to_train(Path("gpt-neox"))      # GPTNeoXForCausalLM
    kind_to_train(read_config(folder))            # "decoder", "encoder", or None for neither
"""

from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer
from torch import nn

from vitral.errors import VitralError
from vitral.models.description import number
from vitral.models.folder import check_finite, check_weights, read_config
from vitral.models.generation_settings import keep_settings
from vitral.models.load import ONE_AT_A_TIME, from_safetensors, quiet_transformers

Kind = Literal["decoder", "encoder"]

TRIED = 6
"""Tokens with which a decoder is tried."""


def kind_to_train(config: dict[str, Any]) -> Kind | None:
    """What a folder's model learns from a corpus: the next token, masked words, or neither."""
    found = _class_of(config)
    return None if found is None else found[0]


def open_to_train(folder: Path) -> nn.Module:
    """The model in `folder` by its own class, in float32, with the head that it learns with.

    Raises VitralError `start_without_shape` for what reads or writes something else than one text,
    or sees the token that it should predict; `weights_damaged` where more is missing than a head,
    and what `check_weights` raises.
    """
    import transformers

    config = read_config(folder)
    found = _class_of(config)
    if found is None:
        raise VitralError("start_without_shape", folder=folder)
    kind, name = found
    weights = check_weights(folder)[0]
    with ONE_AT_A_TIME, quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of a fresh head
        of_name = getattr(transformers, name)
        module, missing = from_safetensors(of_name, folder, weights, dtype=torch.float32)
    body = getattr(module, "base_model_prefix", "")
    whole = name in (config.get("architectures") or [])
    lost = [each for each in missing if whole or each.startswith(f"{body}.")]
    if lost:
        raise VitralError("weights_damaged", path=str(weights), reason=f"{lost[0]} is missing")
    check_finite(module, weights)
    if kind == "decoder" and _looks_ahead(module):
        raise VitralError("start_without_shape", folder=folder)
    return module.eval()


def shaped_by_own_class(folder: Path, tokenizer: Tokenizer) -> nn.Module:
    """The same without its weights, from the `config.json` in `folder` alone."""
    import transformers

    config = read_config(folder)
    found = _class_of(config)
    if found is None:
        raise VitralError("start_without_shape", folder=folder)
    with ONE_AT_A_TIME, quiet_transformers():
        described = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        module: nn.Module = getattr(transformers, found[1])(described).float()
    keep_settings(module, folder, config, tokenizer)
    return module.eval()


def write_by_own_class(model: Any, tokenizer: Tokenizer, folder: Path) -> None:
    """Save the model as transformers does, and its tokenizer beside it."""
    with ONE_AT_A_TIME, quiet_transformers():
        model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save(str(folder / "tokenizer.json"))


def is_of_own_class(model: nn.Module) -> bool:
    """Whether a model is one of transformers', and none of our forms."""
    return type(model).__module__.startswith("transformers.")


def depth_of(module: nn.Module) -> int:
    """How many layers its configuration says that it has; one where it says nothing."""
    return number(module, "num_hidden_layers", "num_layers", "n_layer") or 1


def _class_of(config: dict[str, Any]) -> tuple[Kind, str] | None:
    """What it learns, and the name of the class with the head for it."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.get("is_encoder_decoder"):
        return None
    family = str(config.get("model_type"))
    next_token = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(family)
    masked = MODEL_FOR_MASKED_LM_MAPPING_NAMES.get(family)
    said = (config.get("architectures") or [None])[0]
    writes = said == next_token and (masked is None or bool(config.get("is_decoder")))
    if isinstance(next_token, str) and (writes or masked is None):
        return "decoder", next_token
    return ("encoder", masked) if isinstance(masked, str) else None


@torch.no_grad()
def _looks_ahead(module: nn.Module) -> bool:
    """Whether a later token changes the scores of an earlier one: then the next token cannot be
    asked for (XLNet, a BERT with a language model's head)."""
    most = (number(module, "vocab_size") or TRIED + 2) - 1
    ids = torch.arange(TRIED)[None].clamp(max=most)
    other = ids.clone()
    other[0, -1] = 0
    first, second = (module.eval()(input_ids=each).logits for each in (ids, other))
    return not torch.allclose(first[:, :-1], second[:, :-1], atol=1e-4, rtol=1e-3)
