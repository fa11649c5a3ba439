"""The models that come with Vitral: one folder each below assets/models."""

from importlib.resources import files
from pathlib import Path

DEFAULT = "vitral-es-bert"
"""What is opened where no model is named."""

_NAMES = ("vitral-es-bert", "vitral-es-gpt")


def bundled() -> list[str]:
    """The names of the bundled models that this copy of Vitral holds, the default first."""
    return [name for name in _NAMES if (bundled_folder(name) / "config.json").is_file()]


def bundled_folder(name: str) -> Path:
    """Where the bundled model `name` stands."""
    return Path(str(files("vitral") / "assets" / "models" / name))
