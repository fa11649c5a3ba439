"""Our models as Hugging Face folders, and Hugging Face folders as our models.

A folder holds `config.json` (the shape, in the field's names), `model.safetensors` (the weights)
and `tokenizer.json`. `transformers` opens what `write` leaves, with no code of ours, and `read`
opens what transformers saved: GPT2LMHeadModel, LlamaForCausalLM and BertForMaskedLM.

The weights have other names there than here, and GPT-2's are laid out differently: its maps are
stored transposed, and query, key and value stand side by side in one matrix.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vitral.errors import VitralError
from vitral.models.bert import Bert, BertConfig
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.models.weight_names import TIED, from_hugging_face, to_hugging_face
from vitral.nn.feed_forward import ACTIVATIONS

# Our configuration's fields by their names in config.json.
_CONFIG_NAMES: dict[str, dict[str, str]] = {
    "GPT2LMHeadModel": {
        "vocab_size": "vocab_size",
        "n_positions": "context",
        "n_embd": "hidden_size",
        "n_layer": "num_layers",
        "n_head": "num_heads",
        "n_inner": "intermediate_size",
        "layer_norm_epsilon": "epsilon",
        "activation_function": "activation",
        "embd_pdrop": "dropout",
        "attn_pdrop": "dropout",
        "resid_pdrop": "dropout",
    },
    "LlamaForCausalLM": {
        "vocab_size": "vocab_size",
        "max_position_embeddings": "context",
        "hidden_size": "hidden_size",
        "num_hidden_layers": "num_layers",
        "num_attention_heads": "num_heads",
        "num_key_value_heads": "num_key_value_heads",
        "head_dim": "head_size",
        "intermediate_size": "intermediate_size",
        "rms_norm_eps": "epsilon",
        "hidden_act": "activation",
        "tie_word_embeddings": "tied_embeddings",
        "attention_bias": "attention_bias",
        "mlp_bias": "mlp_bias",
        "attention_dropout": "dropout",
    },
    "BertForMaskedLM": {
        "vocab_size": "vocab_size",
        "max_position_embeddings": "context",
        "hidden_size": "hidden_size",
        "num_hidden_layers": "num_layers",
        "num_attention_heads": "num_heads",
        "intermediate_size": "intermediate_size",
        "layer_norm_eps": "epsilon",
        "hidden_act": "activation",
        "type_vocab_size": "num_segments",
        "attention_probs_dropout_prob": "dropout",
        "hidden_dropout_prob": "dropout",
    },
}
_MODEL_TYPES = {"GPT2LMHeadModel": "gpt2", "LlamaForCausalLM": "llama", "BertForMaskedLM": "bert"}
_FORMS: dict[str, tuple[type[Any], Callable[[Any], nn.Module]]] = {
    "GPT2LMHeadModel": (GPTConfig, GPT),
    "LlamaForCausalLM": (LlamaConfig, Llama),
    "BertForMaskedLM": (BertConfig, Bert),
}
# What would change the arithmetic and is not built here: such a model goes to transformers.
_PLAIN: dict[str, dict[str, tuple[Any, ...]]] = {
    "GPT2LMHeadModel": {
        "scale_attn_weights": (True, None),
        "scale_attn_by_inverse_layer_idx": (False, None),
        "add_cross_attention": (False, None),
        "tie_word_embeddings": (True, None),
    },
    "LlamaForCausalLM": {"rope_scaling": (None,), "pretraining_tp": (1, None)},
    "BertForMaskedLM": {
        "position_embedding_type": ("absolute", None),
        "is_decoder": (False, None),
        "add_cross_attention": (False, None),
        "tie_word_embeddings": (True, None),
    },
}


def can_read(folder: Path) -> bool:
    """Whether the folder's model is one of our three forms, with nothing unusual about it."""
    config = _config_json(folder)
    architecture = _architecture(config)
    if architecture not in _FORMS:
        return False
    for name, plain in _PLAIN[architecture].items():
        if config.get(name) not in plain:
            return False
    rope = config.get("rope_parameters") or {}
    activation = config.get("activation_function", config.get("hidden_act", "gelu"))
    return rope.get("rope_type", "default") == "default" and activation in ACTIVATIONS


def read(folder: Path | str) -> nn.Module:
    """The model in `folder`, in float32 and evaluation mode.

    Raises `folder_without_config`, `architecture_unknown`, or `weights_damaged` if the weights'
    file is missing, cut short, tampered with, or does not fit the configuration.
    """
    folder = Path(folder)
    config_json = _config_json(folder)
    architecture = _architecture(config_json)
    if architecture not in _FORMS:
        raise VitralError("architecture_unknown", architecture=architecture, folder=folder)
    config_class, model_class = _FORMS[architecture]
    known = {field.name for field in fields(config_class)}
    shape = {
        ours: config_json[theirs]
        for theirs, ours in _CONFIG_NAMES[architecture].items()
        if config_json.get(theirs) is not None and ours in known
    }
    hidden_size = shape.get("hidden_size", config_class.hidden_size)
    if architecture == "GPT2LMHeadModel":
        shape.setdefault("intermediate_size", 4 * hidden_size)
    heads = shape.get("num_heads", config_class.num_heads)
    shape.setdefault("num_key_value_heads", heads)
    if architecture == "LlamaForCausalLM":
        rope = config_json.get("rope_parameters") or {}
        shape["rope_base"] = float(rope.get("rope_theta", config_json.get("rope_theta", 10_000.0)))
        shape.setdefault("tied_embeddings", False)
    with torch.device("meta"), _NoInitialisation():
        model = model_class(config_class(**shape))
    path = folder / "model.safetensors"
    weights = from_hugging_face(architecture, _read_weights(path), path)
    _fill(model, weights, path)
    return model.eval()


def write(
    model: nn.Module,
    tokenizer: Tokenizer | None,
    folder: Path | str,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Save `model` (GPT, Llama or Bert) and its tokenizer into `folder`, made if missing."""
    folder = Path(folder)
    config: Any = model.config
    architecture: str = config.architecture
    entries: dict[str, Any] = {
        "architectures": [architecture],
        "model_type": _MODEL_TYPES[architecture],
        "dtype": str(dtype).removeprefix("torch."),
    }
    for theirs, ours in _CONFIG_NAMES[architecture].items():
        entries[theirs] = getattr(config, ours)
    if architecture == "LlamaForCausalLM":
        entries["rope_parameters"] = {"rope_theta": config.rope_base, "rope_type": "default"}
    else:
        entries["tie_word_embeddings"] = True
    specials: dict[str, str] = {}
    if tokenizer is not None:
        specials = _special_tokens(tokenizer)
        for token, name in (("bos_token", "bos_token_id"), ("eos_token", "eos_token_id")):
            if architecture != "BertForMaskedLM":
                entries[name] = (
                    tokenizer.token_to_id(specials[token]) if token in specials else None
                )
        if "pad_token" in specials:
            entries["pad_token_id"] = tokenizer.token_to_id(specials["pad_token"])
    folder.mkdir(parents=True, exist_ok=True)
    weights = to_hugging_face(architecture, dict(model.named_parameters()))
    save_file(
        {name: weight.detach().to(dtype).contiguous() for name, weight in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it to its owner alone
    _write_json(folder / "config.json", entries)
    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
        _write_json(
            folder / "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": config.context,
                "clean_up_tokenization_spaces": False,
                **specials,
            },
        )


class _NoInitialisation(TorchFunctionMode):
    """Inside it, fresh weights stay as they are: the file's replace them anyway, and drawing
    numbers for weights without storage would import half of torch's compiler."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return None
        return func(*args, **(kwargs or {}))


def _write_json(path: Path, entries: dict[str, Any]) -> None:
    path.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _special_tokens(tokenizer: Tokenizer) -> dict[str, str]:
    names = {
        "[PAD]": ["pad_token"],
        "[UNK]": ["unk_token"],
        "[CLS]": ["cls_token"],
        "[SEP]": ["sep_token"],
        "[MASK]": ["mask_token"],
        "<s>": ["bos_token", "eos_token"],
    }
    present = {t: n for t, n in names.items() if tokenizer.token_to_id(t) is not None}
    return {name: token for token, entry in present.items() for name in entry}


def _config_json(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise VitralError("folder_without_config", folder=folder)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise VitralError("config_damaged", path=path, reason=str(error)) from None
    if not isinstance(entries, dict):
        raise VitralError("config_damaged", path=path, reason="not a JSON object")
    return entries


def _architecture(config: dict[str, Any]) -> str:
    return next(iter(config.get("architectures") or []), "")


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise VitralError("weights_damaged", path=path, reason=str(error)) from None


def _fill(model: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    """Put `weights` (our names) into `model`, all of them and nothing else."""
    tied = TIED[model.config.architecture]  # type: ignore[union-attr,index]
    expected = {name: weight.shape for name, weight in model.state_dict().items()}
    shared = {
        copy: original
        for copy, original in tied.items()
        if model.get_parameter(copy) is model.get_parameter(original)
    }
    for copy, original in shared.items():
        if original in weights:
            weights[copy] = weights[original]
    for name, shape in expected.items():
        if name not in weights:
            raise VitralError("weights_damaged", path=path, reason=f"{name} is missing")
        if weights[name].shape != shape:
            found = f"{name} is {list(weights[name].shape)}, not {list(shape)}"
            raise VitralError("weights_damaged", path=path, reason=found)
    unknown = sorted(set(weights) - set(expected))
    if unknown:
        raise VitralError("weights_damaged", path=path, reason=f"{unknown[0]} is not expected")
    model.load_state_dict(
        {name: weight.float().contiguous() for name, weight in weights.items()}, assign=True
    )
    for copy, original in shared.items():
        module, _, parameter = copy.rpartition(".")
        setattr(model.get_submodule(module), parameter, model.get_parameter(original))
