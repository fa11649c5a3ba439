"""The corpus as tokens on the disk: the same as tokenized at once, never half, never in memory."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vitral.data import token_file
from vitral.data.array_file import ArrayFile
from vitral.data.corpus import Document
from vitral.data.token_file import TokenFile
from vitral.errors import VitralError
from vitral.text.tokenizers import KINDS, train_tokenizer

TEXT = "El perro ladra. El gato duerme.\n—¿Qué? —dijo el Sr. García; ¡el niño!\n" * 30
SIZES = {"character": 100, "word": 20, "byte": 257, "bpe": 60, "byte_bpe": 300}
SIZES |= {"wordpiece": 80, "unigram": 34}


@pytest.mark.parametrize("kind", KINDS)
def test_passages_leave_no_trace(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is cut into passages of a few words gives the tokens of the whole."""
    tokenizer = train_tokenizer([TEXT], kind, SIZES[kind])
    books = [Document("a", TEXT), Document("b", TEXT[:200])]
    whole = TokenFile.write(books, tokenizer, tmp_path / "whole")
    monkeypatch.setattr(token_file, "passages", lambda text: _cut(text, 20))
    parts = TokenFile.write(books, tokenizer, tmp_path / "parts")
    expected = [
        i for book in books for i in tokenizer.encode(book.text, add_special_tokens=False).ids
    ]
    assert whole.ids.tolist() == parts.ids.tolist() == expected
    assert whole.starts.tolist() == parts.starts.tolist()
    assert whole.documents.tolist() == parts.documents.tolist()
    assert len(whole.documents) == 2
    assert tokenizer.decode(list(whole.ids[whole.documents[1] :])) == tokenizer.decode(
        tokenizer.encode(TEXT[:200]).ids
    )


def _cut(text: str, length: int):
    from vitral.text.passages import passages

    found = list(passages(text, length))
    assert len(found) > 3
    return found


def test_a_large_vocabulary_takes_four_bytes(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([TEXT], "byte", 257)
    assert TokenFile.write([Document("a", TEXT)], tokenizer, tmp_path / "a").ids.dtype == np.uint16
    tokenizer.add_tokens([f"palabra{number}" for number in range(65_300)])
    tokens = TokenFile.write([Document("a", "palabra65299")], tokenizer, tmp_path / "b")
    assert tokens.ids.dtype == np.uint32
    assert tokens.ids.tolist() == [257 + 65_299]


def test_nothing_to_write(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([TEXT], "byte", 257)
    with pytest.raises(VitralError) as caught:
        TokenFile.write([], tokenizer, tmp_path / "a")
    assert caught.value.key == "corpus_empty"
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([TEXT], "byte", 257)
    TokenFile.write([Document("a", TEXT)], tokenizer, tmp_path / "a")

    def broken():
        yield Document("b", TEXT)
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="network"):
        TokenFile.write(broken(), tokenizer, tmp_path / "a")
    assert not TokenFile.exists(tmp_path / "a")


def test_an_array_is_only_there_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with ArrayFile(path, np.dtype(np.uint16)) as file:
        for number in range(1000):
            file.append(np.array([number, number]))
            assert not path.exists()
    loaded = np.load(path, mmap_mode="r")
    assert loaded.dtype == np.uint16
    assert np.array_equal(loaded, np.arange(1000).repeat(2))
    with pytest.raises(KeyboardInterrupt), ArrayFile(path, np.dtype(np.uint16)) as file:
        raise KeyboardInterrupt
    assert len(np.load(path)) == 2000
    assert [each.name for each in tmp_path.iterdir()] == ["a.npy"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VitralError) as caught:
        ArrayFile(tmp_path / "file" / "a.npy", np.dtype(np.uint16))
    assert caught.value.key == "file_unwritable"


def test_no_room_left(tmp_path: Path) -> None:
    """No file of this process may grow beyond 10 kB, as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    tokenizer = train_tokenizer([TEXT], "byte", 257)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(VitralError) as caught:
            TokenFile.write([Document("a", TEXT * 20)], tokenizer, tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.key == "file_unwritable"
    assert list(tmp_path.iterdir()) == []


_ENDLESS = """
import sys
from pathlib import Path
from tokenizers import Tokenizer
from vitral.data.corpus import Document
from vitral.data.token_file import TokenFile

def documents():
    print("writing", flush=True)
    while True:
        yield Document("a", "El niño cruzó la calle. " * 5000)

TokenFile.write(documents(), Tokenizer.from_file(sys.argv[1]), Path(sys.argv[2]))
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([TEXT], "byte", 257)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    stem = tmp_path / "tokens"
    TokenFile.write([Document("a", TEXT)], tokenizer, stem)
    command = [sys.executable, "-c", _ENDLESS, str(tmp_path / "tokenizer.json"), str(stem)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        partial = Path(f"{stem}.ids.npy.new")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and partial.stat().st_size < 100_000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert partial.stat().st_size > 50_000
    assert not TokenFile.exists(stem)
    TokenFile.write([Document("a", TEXT)], tokenizer, stem)
    assert len(TokenFile.open(stem).ids) == len(TEXT.encode())
    assert not partial.exists()


_STREAMED = """
import resource, sys
from pathlib import Path
from vitral.data.corpus import read_documents
from vitral.data.split import split_documents
from vitral.data.token_file import TokenFile
from vitral.text.tokenizers import train_tokenizer

def training():
    found = split_documents(read_documents([sys.argv[1]]), 0.01)
    return (document for document, is_held_out in found if not is_held_out)

def most_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

tokenizer = train_tokenizer((document.text for document in training()), "byte_bpe", 300)
before = most_megabytes()
tokens = TokenFile.write(training(), tokenizer, Path(sys.argv[2]))
print(len(tokens.ids), len(tokens.documents), before, most_megabytes())
"""


def test_memory_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    """From files to token ids in a process of its own: the most memory that it ever took, for a
    corpus of 0.6 MB and for one of 3 MB (whose encodings would take 80 MB at once)."""

    def most_megabytes(num_documents: int) -> float:
        path = tmp_path / f"{num_documents}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number in range(num_documents):
                words = " ".join(f"palabra{(number * 7 + n) % 997}" for n in range(1000))
                file.write(f'{{"text": "{words}."}}\n')
        done = subprocess.run(
            [sys.executable, "-c", _STREAMED, str(path), str(tmp_path / "tokens")],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
        )
        num_tokens, documents, _, most = done.stdout.split()
        assert int(num_tokens) > 1000 * int(documents)
        return float(most)

    small, large = most_megabytes(60), most_megabytes(300)
    assert large < small + 35
