"""The models that one Studio offers: the bundled ones, and those named when it was started.

A request can name no other model. Each is opened when first asked for, once, and stays open.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitral.errors import VitralError
from vitral.messages import catalogue, message
from vitral.models.adapter_folder import adapter_config, base_folder, is_adapter
from vitral.models.catalog import bundled, bundled_folder
from vitral.models.chat_template import read_chat_template
from vitral.models.folder import check_weights, read_config
from vitral.stopping import check_stop
from vitral.studio.catalog.description import ModelDescription, describe

if TYPE_CHECKING:
    from vitral.model import Model


@dataclass
class CatalogEntry:
    """One model: its source, its description, and the model itself once it is open."""

    source: str
    description: ModelDescription
    model: "Model | None" = None
    base: Path | None = None
    """That of an adapter."""
    adapted: str | None = None
    """Of the base that stands beside an adapter: the adapter's name here."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the model is opened or runs: a model runs one text at a time."""


class ModelCatalog:
    """The models by name, bundled ones first."""

    def __init__(self, sources: Sequence[str] = (), base: str | None = None) -> None:
        """`base` is that of an adapter among the sources, if it is not where it says.

        Raises VitralError for a source that is not there or not whole.
        """
        self._models: dict[str, CatalogEntry] = {}
        self._base = base
        for name in bundled():
            config = read_config(bundled_folder(name))
            self._put(name, name, config, bundled_folder(name), is_bundled=True)
        named = [self._put_source(source) for source in sources]
        if not self._models:
            raise VitralError("no_models")
        self.default = next(iter([*named, *self._models]))

    @property
    def names(self) -> list[str]:
        """The names by which requests call the models."""
        return list(self._models)

    def descriptions(self, language: str) -> list[ModelDescription]:
        """The description of every model, titles in `language`."""
        return [
            entry.description.model_copy(update={"title": _title(entry, language)})
            for entry in list(self._models.values())
        ]

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def check(self, name: str) -> None:
        """Raises VitralError("model_unknown") for a name that is not in the catalog."""
        if name not in self._models:
            known = ", ".join(self._models)
            raise VitralError("model_unknown", name=name[:200], known=known)

    def source(self, name: str) -> str:
        """The source from which any process can open a model: a bundled name, a folder, a hub id.
        Raises VitralError("model_unknown")."""
        self.check(name)
        return self._models[name].source

    def add(self, name: str, folder: Path, title: str | None = None) -> None:
        """Offer one more model, or a newer one by the same name; the page calls it `title`.

        Raises VitralError("model_name_taken") for the name of one that Studio was started with,
        and what reading its folder raises."""
        taken = self._models.get(name)
        if taken is not None and taken.source != str(folder.resolve()):
            raise VitralError("model_name_taken", name=name)
        config = read_config(folder)
        check_weights(folder)
        self._put(name, str(folder.resolve()), config, folder, title=title)

    def remove(self, name: str) -> None:
        """Remove an added model; the default one stays."""
        if name != self.default:
            self._models.pop(name, None)

    @contextmanager
    def borrow(self, name: str) -> Iterator["Model"]:
        """The model for one run, opened if necessary; no other thread runs it at the same time.

        A model that failed to open is opened again next time.
        Raises VitralError: model_unknown, and what `vitral.load` raises.
        """
        self.check(name)
        entry = self._models[name]
        while not entry.lock.acquire(timeout=0.1):
            check_stop()
        try:
            if entry.model is None:
                entry.model = self._opened(name, entry)
                entry.description = _known_now(entry.description, entry.model)
            yield entry.model
        finally:
            entry.lock.release()

    def open(self, name: str) -> None:
        """Open a model for the first run. Raises what `borrow` raises."""
        with self.borrow(name):
            pass

    def _opened(self, name: str, entry: CatalogEntry) -> "Model":
        from vitral.model import load

        if entry.adapted is None:
            return load(entry.source, base=entry.base)
        with self.borrow(entry.adapted) as adapted:
            model = adapted.without_adapter()
        model.name = name
        return model

    def _put_source(self, source: str) -> str:
        """Add a model that the user named; returns its name in requests."""
        if source in self._models:
            return source
        folder = Path(source).expanduser()
        if folder.is_dir() and is_adapter(folder):
            return self._put_adapter(folder.resolve())
        if folder.is_dir():
            config = read_config(folder)
            check_weights(folder)
            path = folder.resolve()
            taken = self._models.get(path.name)
            name = path.name if taken is None or taken.source == str(path) else str(path)
            return self._put(name, str(path), config, path)
        from vitral.models.load import locate

        name, folder = locate(source)
        check_weights(folder)
        return self._put(name, source, read_config(folder), folder)

    def _put_adapter(self, folder: Path) -> str:
        """Add an adapter and, to compare with, its base alone; the adapter's name."""
        base = base_folder(folder, adapter_config(folder), self._base)
        config = read_config(base)
        check_weights(base)
        name = folder.name if folder.name not in self._models else str(folder)
        self._put(name, str(folder), config, folder, base)
        self._models[name].base = base
        alone = self._put(f"{name}-base", str(base), config, base)
        self._models[alone].adapted = name
        return name

    def _put(
        self,
        name: str,
        source: str,
        config: dict[str, Any],
        *folders: Path,
        is_bundled: bool = False,
        title: str | None = None,
    ) -> str:
        """One more model; its chat template stands in one of the folders."""
        chats = any(read_chat_template(folder) is not None for folder in folders)
        description = describe(
            config, name=name, title=title or name, bundled=is_bundled, chats=chats
        )
        self._models[name] = CatalogEntry(source, description)
        return name


def _title(entry: CatalogEntry, language: str) -> str:
    """The catalogue's title for a bundled model, or that of an adapter's base; every other is
    called by its name."""
    if entry.adapted is not None:
        return message("catalog.without_adapter", language, name=entry.adapted)
    key = f"studio.model.{entry.description.name}"
    return message(key, language) if key in catalogue(language) else entry.description.title


def _known_now(description: ModelDescription, model: "Model") -> ModelDescription:
    """The description, corrected by the model itself."""
    return description.model_copy(
        update={
            "kind": model.kind,
            "reads": model.reads,
            "num_layers": model.num_layers,
            "num_heads": model.num_heads,
            "context": model.context,
            "architecture": model.architecture,
        }
    )
