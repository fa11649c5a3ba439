"""Our models as Hugging Face folders, and Hugging Face folders as our models.

A folder holds `config.json` (the shape, in the field's names), `model.safetensors` (the weights)
and `tokenizer.json`. `transformers` opens what `write` saved, without our code, and `read` opens
what transformers saved, if it is one of our forms (`models.forms`). Each form's `FolderFormat` has
the names of the entries and weights in the folder.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vitral.errors import VitralError
from vitral.models.form import Form
from vitral.models.forms import form_of_body, form_of_folder
from vitral.models.whole_folder import write_all


def can_read(folder: Path) -> bool:
    """Whether the folder's model is one of our forms, with nothing unusual about it."""
    config = _config_json(folder)
    form = form_of_folder(_architecture(config))
    return form is not None and form.folder.can_read(config)


def read(folder: Path | str) -> nn.Module:
    """The model in `folder`, in float32 and evaluation mode.

    Raises `folder_without_config`, `architecture_unknown`, or `weights_damaged` if the weights'
    file is missing, cut short, tampered with, or does not fit the configuration.
    """
    folder = Path(folder)
    config_json = _config_json(folder)
    architecture = _architecture(config_json)
    form = form_of_folder(architecture)
    if form is None:
        raise VitralError("architecture_unknown", architecture=architecture, folder=folder)
    with torch.device("meta"), _NoInitialisation():
        model = form.model(form.config(**form.folder.shape_of(config_json)))
    path = folder / "model.safetensors"
    weights = form.folder.from_folder(_read_weights(path), model.state_dict().keys(), path)
    _fill(model, form, weights, path)
    return model.eval()


def is_headless(folder: Path | str) -> bool:
    """Whether the folder has an encoder without the head that names masked words."""
    return form_of_body(_architecture(_config_json(Path(folder)))) is not None


def read_to_train(folder: Path | str) -> nn.Module:
    """As `read`, and encoders that were saved without the head that names masked words, too.

    They get an untrained one: it maps the last layer's vectors through its activation and its
    norm to the token vectors, with a bias of zero. Raises what `read` raises.
    """
    folder = Path(folder)
    config_json = _config_json(folder)
    form = form_of_body(_architecture(config_json))
    if form is None or form.folder.body is None:
        return read(folder)
    path = folder / "model.safetensors"
    prefix = form.folder.body[1]
    found = {
        name if name.startswith(prefix) else prefix + name: weight
        for name, weight in _read_weights(path).items()
    }
    model = form.model(form.config(**form.folder.shape_of(config_json)))
    weights = form.folder.from_folder(found, model.state_dict().keys(), path)
    head = model.get_submodule("head")
    nn.init.eye_(head.get_parameter("dense.weight"))
    for name, weight in head.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(weight)
    fresh = {name: weight for name, weight in model.state_dict().items() if "head." in name}
    _fill(model, form, {**fresh, **weights}, path)
    return model.eval()


def shaped_as(folder: Path | str, **changes: Any) -> nn.Module:
    """A model of the shape of the one in `folder`, but for those entries of its configuration
    that `changes` name; its weights are fresh. Raises what `read` raises of a configuration."""
    folder = Path(folder)
    config_json = _config_json(folder)
    architecture = _architecture(config_json)
    form = form_of_folder(architecture) or form_of_body(architecture)
    if form is None:
        raise VitralError("architecture_unknown", architecture=architecture, folder=folder)
    return form.model(form.config(**form.folder.shape_of(config_json) | changes))


def write(
    model: nn.Module,
    tokenizer: Tokenizer | None,
    folder: Path | str,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Save `model`, one of our forms, and its tokenizer into `folder`, made if missing.

    Raises VitralError `file_unwritable` if a file cannot be written; `folder` is then unchanged.
    """
    write_all(Path(folder), lambda new: write_files(model, tokenizer, new, dtype))


def write_files(
    model: nn.Module,
    tokenizer: Tokenizer | None,
    folder: Path,
    dtype: torch.dtype = torch.float32,
) -> None:
    """The files of `write`, one after another, into a folder that exists. Raises OSError or
    SafetensorError if one cannot be written."""
    config: Any = model.config
    form = form_of_folder(config.architecture)
    assert form is not None, "one of our forms"
    entries = form.folder.entries_of(config) | {"dtype": str(dtype).removeprefix("torch.")}
    specials: dict[str, str] = {}
    if (
        tokenizer is not None and config.kind == "encoder-decoder"
    ):  # whose configuration names the ids
        specials = _special_tokens(tokenizer)
        for name, number in (("pad", config.pad_token_id), ("eos", config.eos_token_id)):
            if (token := tokenizer.id_to_token(number)) is not None:
                specials[f"{name}_token"] = token
    elif tokenizer is not None:
        specials = _special_tokens(tokenizer)
        for token, name in (("bos_token", "bos_token_id"), ("eos_token", "eos_token_id")):
            if config.kind != "encoder" or token in specials:
                entries[name] = (
                    tokenizer.token_to_id(specials[token]) if token in specials else None
                )
        for name in ("pad", "cls", "sep"):
            said = entries.get(f"{name}_token_id")
            wanted = name == "pad" or f"{name}_token_id" in entries
            if said is None and wanted and f"{name}_token" in specials:
                token_id = tokenizer.token_to_id(specials[f"{name}_token"])
                entries[f"{name}_token_id"] = token_id
    weights = form.folder.to_folder(dict(model.named_parameters()))
    save_file(
        {name: weight.detach().to(dtype).contiguous() for name, weight in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it to its owner alone
    _write_json(folder / "config.json", entries)
    if tokenizer is not None:
        # The library's own `save` raises a bare Exception.
        (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
        _write_json(
            folder / "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                **({"model_max_length": config.context} if config.limited else {}),
                "clean_up_tokenization_spaces": False,
                **specials,
            },
        )


class _NoInitialisation(TorchFunctionMode):
    """Inside it, weights are not initialised: those of the file replace them, and random numbers
    for weights without storage would import much of torch's compiler."""

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


def _fill(model: nn.Module, form: Form, weights: dict[str, Tensor], path: Path) -> None:
    """Put `weights` (our names) into `model`, all of them and nothing else."""
    expected = {name: weight.shape for name, weight in model.state_dict().items()}
    shared = {
        copy: original
        for copy, original in form.folder.tied.items()
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
