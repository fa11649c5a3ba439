"""Opening a model, wherever it is: bundled with Vitral, in a folder, or on the Hugging Face hub.

The forms that Vitral has itself (`vitral.models.forms`) are read by `vitral.models.hugging_face`,
without the seconds that importing transformers takes; all others by transformers' own class,
named in the folder's `config.json`. Weights come from safetensors only, and code in the folder is
never run.
"""

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from vitral.errors import VitralError
from vitral.models.catalog import bundled, bundled_folder
from vitral.models.chat_template import ChatTemplate, read_chat_template
from vitral.models.folder import check_finite, check_weights, read_config, refuse_pickles
from vitral.models.generation_settings import keep_settings
from vitral.models.missing_weights import leave_out

HUB_SECONDS = 5
"""Seconds after which a hub without an answer counts as unreachable."""

ONE_AT_A_TIME = threading.Lock()
"""transformers imports each of its parts on first use. If two threads do so at once, it raises an
error for the second part."""

_HUB_FILES = (".json", ".safetensors", ".txt", ".model")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True)
class Opened:
    """A model as it was found: its name, the module, its tokenizer (None if it has none), and the
    template of its conversations."""

    name: str
    module: nn.Module
    tokenizer: Any
    folder: Path | None
    chat_template: ChatTemplate | None = None


def open_source(source: str | os.PathLike[str]) -> Opened:
    """Open a bundled model by its name, a folder by its path, or a hub id.

    Raises VitralError `model_unknown`, `hub_unreachable`, or what `open_folder` raises.
    """
    name, folder = locate(source)
    return open_folder(folder, name)


def locate(source: str | os.PathLike[str]) -> tuple[str, Path]:
    """A model's name and its folder, fetched from the hub if it has to be; nothing is opened.

    Raises VitralError `model_unknown` or `hub_unreachable`.
    """
    name = os.fspath(source)
    known = bundled()
    if name in known:
        return name, bundled_folder(name)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder.resolve().name, folder
    if name.startswith((".", "/", "~")) or not _HUB_ID.fullmatch(name):
        raise VitralError("model_unknown", name=name, known=", ".join(known))
    return name, _from_hub(name, known)


def open_folder(folder: Path, name: str) -> Opened:
    """Open a folder in the Hugging Face format.

    Raises VitralError `folder_without_config`, `config_damaged`, `architecture_unknown`,
    `weights_pickled`, `weights_missing`, `weights_damaged`, `tokenizer_damaged`.
    """
    config = read_config(folder)
    weights = check_weights(folder)
    architectures = config.get("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else None
    module, wrong = _ours(folder, weights)
    if module is None:
        # Older checkpoints name their tensors differently, which transformers knows about. If
        # it cannot read them either, our own error is the clearer one.
        try:
            with ONE_AT_A_TIME:
                module = _theirs(folder, config, first, weights[0])
        except VitralError as error:
            raise wrong or error from error
    check_finite(module, weights[0])
    tokenizer = open_tokenizer(folder)
    keep_settings(module, folder, config, tokenizer)
    return Opened(name, module.eval(), tokenizer, folder, read_chat_template(folder))


def open_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer, or None if it has none (a vision model, say).

    Raises VitralError `tokenizer_damaged`.
    """
    path = folder / "tokenizer.json"
    if path.is_file():
        from vitral.text.tokenizer_folder import read_tokenizer

        return read_tokenizer(path)
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        return None
    try:
        with ONE_AT_A_TIME:
            from transformers import AutoTokenizer

            known = {"trust_remote_code": False, "local_files_only": True}
            return AutoTokenizer.from_pretrained(folder, **known)
    except Exception as error:  # as many kinds as there are tokenizers
        reason = " ".join(str(error).split())[:300]
        raise VitralError("tokenizer_damaged", path=str(folder), reason=reason) from error


_TOKENIZER_FILES = (
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def _ours(folder: Path, weights: list[Path]) -> tuple[nn.Module | None, VitralError | None]:
    """The model if it has one of our own forms; otherwise the error in its folder, if any."""
    from vitral.models import hugging_face

    if len(weights) > 1 or not hugging_face.can_read(folder):
        return None, None
    try:
        return hugging_face.read(folder), None
    except VitralError as error:
        return None, error


def _theirs(
    folder: Path, config: dict[str, Any], architecture: str | None, weights: Path
) -> nn.Module:
    """The model as transformers reads it, complete but for what nothing needs that a trace shows
    (`missing_weights`), or not at all."""
    import transformers

    found = getattr(transformers, architecture, None) if architecture else transformers.AutoModel
    if found is None or not hasattr(found, "from_pretrained"):
        name = architecture or config.get("model_type")
        raise VitralError("architecture_unknown", folder=str(folder), architecture=name)
    with quiet_transformers():
        module, absent = from_safetensors(found, folder, weights)
    if absent and not leave_out(module, absent, folder.name):
        reason = f"{absent[0]} is missing" + (f", and {len(absent) - 1} more" * (len(absent) > 1))
        raise VitralError("weights_damaged", path=str(weights), reason=reason)
    return module


def from_safetensors(
    found: Any, folder: Path, weights: Path, **options: Any
) -> tuple[nn.Module, list[str]]:
    """A folder's model by a class of transformers, and the names of the weights that it does not
    have. Raises VitralError `weights_damaged`; `weights` is the file that it names."""
    try:
        module, report = found.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # as many kinds as there are models
        reason = " ".join(str(error).split())[:300]
        raise VitralError("weights_damaged", path=str(weights), reason=reason) from error
    return module, sorted(report["missing_keys"])


class quiet_transformers:  # noqa: N801  (used like a function)
    """No progress bars and reports while a model is opened: our errors say what is wrong."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._level, self._bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()

    def __exit__(self, *error: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._level)
        if self._bar:
            logging.enable_progress_bar()


def _from_hub(name: str, known: list[str]) -> Path:
    """The folder of a hub model: the hub's current one, or the copy of an earlier download."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    api = HfApi()
    try:
        # A separate request, because this is the one with a timeout.
        found = api.model_info(name, timeout=HUB_SECONDS)
        names = [file.rfilename for file in found.siblings or [] if "/" not in file.rfilename]
        if "config.json" not in names and "adapter_config.json" not in names:
            raise VitralError("folder_without_config", folder=name)
        refuse_pickles(names, name, before=f"hf download {name} --local-dir {name} && ")
        paths = [
            api.hf_hub_download(name, file, revision=found.sha, etag_timeout=HUB_SECONDS)
            for file in names
            if file.endswith(_HUB_FILES)
        ]
        return Path(paths[0]).parent
    except VitralError:
        raise
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise VitralError("model_unknown", name=name, known=", ".join(known)) from error
    except Exception as unreachable:  # each layer of the network has errors of its own
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except Exception:
            raise VitralError("hub_unreachable", name=name, known=", ".join(known)) from unreachable
