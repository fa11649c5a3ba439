"""A model that the disk does not take is one line of ours, and nothing half written."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral import VitralError
from vitral.models import hugging_face
from vitral.models.whole_folder import as_os_error, write_all


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Inside, the system refuses to write more than `size` bytes to a file ("File too large")."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("refused", ["model.safetensors", "tokenizer.json"])
def test_a_model_that_the_disk_does_not_take_leaves_nothing(refused: str, tmp_path: Path) -> None:
    model, tokenizer = TRANSLATORS["additive"](), tokenizer_of_letters()
    folder = tmp_path / "a" / "b"
    hugging_face.write(model, tokenizer, tmp_path / "whole")
    size = (tmp_path / "whole" / "model.safetensors").stat().st_size
    if refused == "tokenizer.json":  # larger than the weights
        tokenizer.add_tokens([f"word{number}" for number in range(size // 50)])
    most = size + 100 if refused == "tokenizer.json" else size // 2
    with files_of_at_most(most), pytest.raises(VitralError, match="File too large") as caught:
        hugging_face.write(model, tokenizer, folder)
    assert caught.value.key == "file_unwritable"
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole"]


def test_the_model_that_stood_there_is_left_as_it_was(tmp_path: Path) -> None:
    hugging_face.write(TRANSLATORS["additive"](), tokenizer_of_letters(), tmp_path)
    before = contents(tmp_path)
    with files_of_at_most(2000), pytest.raises(VitralError):
        hugging_face.write(TRANSLATORS["general"](), None, tmp_path)
    assert contents(tmp_path) == before
    hugging_face.write(TRANSLATORS["general"](), None, tmp_path)
    assert contents(tmp_path)["model.safetensors"] != before["model.safetensors"]


def test_what_tokenizers_raises_is_told_from_other_exceptions(tmp_path: Path) -> None:
    def save(folder: Path) -> None:
        tokenizer_of_letters().save(str(folder / "none" / "tokenizer.json"))

    with pytest.raises(VitralError, match="No such file"):
        write_all(tmp_path / "new", save)
    assert not (tmp_path / "new").exists()
    assert as_os_error(ValueError("a mistake of ours")) is None
    with pytest.raises(ZeroDivisionError):
        write_all(tmp_path / "new", lambda folder: 1 // 0)
    assert not (tmp_path / "new").exists()
