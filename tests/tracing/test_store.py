"""Tensors come back from the store as they went in, wherever they are kept."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from vitral import VitralError
from vitral.tracing.memory.byte_size import ByteSize, num_bytes
from vitral.tracing.memory.store import SMALL, Store


def test_first_in_memory_then_on_disk(tmp_path: Path) -> None:
    store = Store(3 * SMALL, tmp_path)
    given = [torch.randn(SMALL // 4).view(2, -1) for _ in range(5)]
    kept = [store.keep(each) for each in given]
    assert (store.in_memory, store.on_disk) == (3 * SMALL, 2 * SMALL)
    assert list(tmp_path.iterdir()) == [], "the file has no name, so nothing is left behind"
    del store  # tensors outlive it
    for before, after in zip(given, kept, strict=True):
        assert torch.equal(before, after)
        before.zero_()
        assert after.any(), "what was kept is a copy"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.bool])
def test_every_kind_of_tensor(dtype: torch.dtype, tmp_path: Path) -> None:
    store = Store(0, tmp_path)
    given = torch.randn(3, SMALL, 5).to(dtype).transpose(0, 2)
    kept = store.keep(given)
    assert store.on_disk == given.numel() * given.element_size()
    assert kept.dtype == dtype
    assert torch.equal(kept, given)
    kept[0] = 0  # allowed, and changes no other reader's pages


def test_small_tensors_stay_in_memory(tmp_path: Path) -> None:
    store = Store(0, tmp_path)
    assert store.keep(torch.tensor(3.0)) == 3
    assert store.on_disk == 0
    assert Store().keep(torch.zeros(SMALL)).sum() == 0, "no budget: all in memory"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, _: int) -> None: ...

        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    store = Store(0, tmp_path)
    store._file = Full()  # type: ignore[assignment]
    with pytest.raises(VitralError) as raised:
        store.keep(torch.zeros(SMALL))
    assert raised.value.key == "disk_full"
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, 0),
        (1234, 1234),
        ("256 MB", 256_000_000),
        ("1.5GB", 1_500_000_000),
        ("1,5 GB", 1_500_000_000),
        ("2 gib", 2 << 30),
        ("77", 77),
    ],
)
def test_sizes_people_write(given: int | str, expected: int) -> None:
    assert num_bytes(given) == expected


@pytest.mark.parametrize("given", ["", "GB", "-1 GB", "2 apples", -5, 1.5, True, None])
def test_sizes_that_are_none(given: Any) -> None:
    with pytest.raises(VitralError) as raised:
        num_bytes(given)
    assert raised.value.key == "size_unreadable"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (65_536, "66 kB"),
        (256_000_000, "256 MB"),
        (1_500_000_000, "1.5 GB"),
        (34_000_000_000, "34 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert ByteSize(size).written("en") == words
    assert ByteSize(size).written("es") == words.replace(".", ",")
