"""The models that come with the package."""

from importlib.resources import files
from pathlib import Path

BUNDLED = ("vitral-es-bert", "vitral-es-gpt")
"""Their names, the default first: a Spanish encoder and a Spanish decoder."""


def bundled() -> list[str]:
    """The names of the models that come with the package, the default first."""
    return [name for name in BUNDLED if (bundled_folder(name) / "config.json").is_file()]


def bundled_folder(name: str) -> Path:
    """The folder of a bundled model."""
    return Path(str(files("vitral"))) / "assets" / "models" / name
