"""Wrong input through the real program: one clear line on stderr, exit code 2, nothing lost."""

import json
import os
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
LONG = "gato " * 100


def refused(outcome: Any, *words: str) -> None:
    """Exit code 2, nothing on stdout, one line on stderr that holds all of `words`."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("vitral: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith("\n")
    for word in words:
        assert word in outcome.err


def test_empty_text(process: Run) -> None:
    refused(process("trace", "  "), "empty")
    refused(process("tokens", "", VITRAL_LANGUAGE="es"), "está vacío")


def test_text_longer_than_the_context(process: Run, bert_folder: Path) -> None:
    refused(process("trace", LONG, "--model", str(bert_folder)), "102", "64", "small-bert")


def test_unknown_model(process: Run) -> None:
    refused(process("trace", "El gato", "--model", "./no-such-folder"), "no-such-folder")


def test_folder_without_config(process: Run, tmp_path: Path) -> None:
    refused(process("trace", "El gato", "--model", str(tmp_path)), str(tmp_path), "config.json")


def test_truncated_weights(process: Run, tmp_path: Path, bert_folder: Path) -> None:
    folder = shutil.copytree(bert_folder, tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    refused(process("trace", "El gato", "--model", str(folder)), str(weights), "damaged")


def test_tampered_weights(process: Run, tmp_path: Path, bert_folder: Path) -> None:
    folder = shutil.copytree(bert_folder, tmp_path / "tampered")
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[:8] = struct.pack("<Q", 2**40)
    weights.write_bytes(data)
    refused(process("trace", "El gato", "--model", str(folder)), str(weights), "damaged")


def test_pickled_weights_are_not_opened(process: Run, tmp_path: Path, bert_folder: Path) -> None:
    """The pickle would write a file if anybody opened it."""
    folder = tmp_path / "pickled"
    folder.mkdir()
    shutil.copy(bert_folder / "config.json", folder)
    proof = tmp_path / "opened"
    program = b"cos\nsystem\n(S'touch " + str(proof).encode() + b"'\ntR."
    (folder / "pytorch_model.bin").write_bytes(program)
    refused(process("trace", "El gato", "--model", str(folder)), "pickle", "save_file")
    refused(process("studio", "--model", str(folder), "--port", "0"), "pickle", "save_file")
    assert not proof.exists()


def test_hub_without_network(process: Run) -> None:
    name = "somebody/some-model-that-is-not-here"
    refused(process("trace", "El gato", "--model", name), name, "network")


def test_layer_or_head_out_of_range(process: Run, bert_folder: Path) -> None:
    model = ("--model", str(bert_folder))
    refused(process("trace", "El gato", *model, "--layer", "3"), "layer 3", "has 3")
    refused(process("trace", "El gato", *model, "--head", "-1", "--json"), "head -1", "has 4")


def test_file_that_is_not_utf8(process: Run, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("La niña".encode("latin-1"))
    refused(process("trace", "--file", str(path)), str(path), "UTF-8", "byte 5")
    refused(process("tokens", "--file", "-", stdin=path.read_bytes()), "UTF-8")
    refused(process("trace", "La ni\xf1a".encode("latin-1")), "UTF-8", "position 5")


def test_port_that_is_taken(process: Run, bert_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(process("studio", "--model", str(bert_folder), "--port", port), port, "--port")
        refused(process("--model", str(bert_folder), "--port", port), port, "--port")


def test_trace_of_a_newer_version(process: Run, tmp_path: Path, bert_folder: Path) -> None:
    path = tmp_path / "trace.safetensors"
    saved = process("trace", "El gato", "--model", str(bert_folder), "--save", str(path))
    assert saved.code == 0, saved.err
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    entry = json.loads(header["__metadata__"]["vitral.trace"])
    entry["version"] = 99
    header["__metadata__"]["vitral.trace"] = json.dumps(entry)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    refused(process("trace", "--open", str(path)), str(path), "99", "newer")


def test_trace_file_that_is_cut_or_missing(process: Run, tmp_path: Path) -> None:
    path = tmp_path / "trace.safetensors"
    path.write_bytes(b"not a trace")
    refused(process("trace", "--open", str(path)), str(path))
    refused(process("trace", "--open", str(tmp_path / "none")), "none")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trazar"], ["trazar", "studio, models, train, tokens, tokenizer, trace"]),
        (["trace", "a", "--laier", "3"], ["--laier", "--layer"]),
        (["trace", "a", "--zzzz"], ["--zzzz", "--help"]),
        (["trace", "a", "--layer", "two"], ["--layer", "two", "42"]),
        (["trace", "a", "--layer"], ["--layer", "needs a value"]),
        (["trace", "a", "--layer", "1", "--layer", "2"], ["--layer", "more than once"]),
        (["trace", "El", "gato"], ["gato", "quotation marks"]),
        (["trace"], ["--file"]),
        (["trace", "a", "--file", "b"], ["--file"]),
        (["trace", "a", "--json=9"], ["--json", "no value"]),
        (["trace", "a", "--json", "--rows", "0:3"], ["--json", "--rows"]),
        (["trace", "a", "--open", "b"], ["--open", "TEXT"]),
        (["trace", "--file", "/no/such/file"], ["/no/such/file"]),
        (["tokens", "--file", "/"], ["cannot be read"]),
        (["models", "a"], ["“a”"]),
        (["studio", "a"], ["“a”"]),
        (["--port", "x"], ["--port", "x"]),
        (["--port", "70000"], ["70000"]),
        (["--version", "x"], ["--version"]),
        (["trace", "a", "--save", "/no/such/folder/x"], ["/no/such/folder/x"]),
        (["trace", "a", "--save", "/"], ["cannot be written"]),
    ],
)
def test_command_lines_that_cannot_be_understood(
    command: Run, arguments: list[str], words: list[str]
) -> None:
    refused(command(*arguments), *words)


@pytest.mark.parametrize("language", ["en", "es"])
def test_command_line_errors_speak_the_readers_language(process: Run, language: str) -> None:
    outcome = process("trace", "a", "--laier", "3", VITRAL_LANGUAGE=language)
    refused(outcome, {"en": "There is no option", "es": "No existe la opción"}[language])


def test_existing_files_are_not_replaced(command: Run, tmp_path: Path, bert_folder: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("kept")
    arguments = ("trace", "El gato", "--model", str(bert_folder), "--save", str(path))
    refused(command(*arguments), str(path), "--overwrite")
    assert path.read_text() == "kept"
    failed = command(*arguments, "--overwrite", "--layer", "9")
    refused(failed, "layer 9")
    assert path.read_text() == "kept"
    assert command(*arguments, "--overwrite").code == 0
    assert path.read_bytes()[:4] != b"kept"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("value", ["3", "a:b", "4:2", "0:99", "2:2", "-1:3", "1:2:3"])
def test_ranges_that_are_none(command: Run, bert_folder: Path, value: str) -> None:
    outcome = command("trace", "El gato", "--model", str(bert_folder), f"--rows={value}")
    refused(outcome, "--rows", value, "4 tokens")


@pytest.mark.parametrize("kind", ["device", "pipe", "dangling"])
def test_overwrite_replaces_no_device(command: Run, tmp_path: Path, kind: str) -> None:
    """As root, a rename onto /dev/null would put a file in its place."""
    path = tmp_path / "salida.vitral"
    if kind == "device":
        path.symlink_to("/dev/null")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nada")
    before = path.lstat()
    refused(command("trace", "Hola", "--save", str(path), "--overwrite"), "salida.vitral")
    assert path.lstat().st_ino == before.st_ino
