"""What a model writes, or is called, does not drive the terminal."""

import io
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console

from vitral.cli.program import run
from vitral.cli.safe_streams import SafeStream, safe_streams
from vitral.model import Model
from vitral.text.control_signs import visible

ATTACK = "hola\x1b]0;dueño\x07\x1b[2J\x9b31m\x08adiós\r\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_signs_stand_for_control_characters() -> None:
    assert visible("a\x1b[2J\x7f\x85\tb\n") == "a␛[2J␡�\tb\n"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_only_colours_links_and_progress_pass(stream: io.StringIO) -> None:
    safe = SafeStream(stream)
    safe.write(
        "\x1b[1;31mrojo\x1b[0m \x1b]8;id=1;http://a/\x1b\\aquí\x1b]8;;\x1b\\ \x1b]52;c;x\x07"
    )
    written = stream.getvalue()
    assert written.startswith("\x1b[1;31mrojo\x1b[0m \x1b]8;id=1;http://a/\x1b\\aquí")
    assert written.endswith("␛]52;c;x␇")
    safe.write("\x1b[2K\x1b[1A")
    assert ("\x1b[2K" in stream.getvalue()) == stream.isatty()


def test_rich_writes_as_ever() -> None:
    plain, safe = Terminal(), Terminal()
    for stream in (plain, SafeStream(safe)):
        console = Console(file=stream, force_terminal=True, width=40)  # type: ignore[arg-type]
        with console.status("espera"):
            console.print("[bold red]hola[/] [link=http://a/]aquí[/]")
    assert "\x1b[1;31mhola" in safe.getvalue()
    assert "␛" not in safe.getvalue()


def test_a_generated_text_and_an_error(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    llama_folder: Path,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(Model, "stream", lambda *_, **__: iter([ATTACK]), raising=False)
    run(["generate", "Hola", "--model", str(llama_folder), "--max-new-tokens", "3"])
    folder = tmp_path / "modelo\x1b[2J"
    shutil.copytree(llama_folder, folder)
    (folder / "config.json").write_text("{", encoding="utf-8")
    run(["trace", "Hola", "--model", str(folder)])
    run(["tokens", "\x1b[2Jhola"])
    written = capsys.readouterr()
    for text in (written.out, written.err):
        assert not set(text) & set(map(chr, (*range(8), *range(14, 32), 0x7F, *range(0x80, 0xA0))))
    assert "␛[2J" in written.err


def test_the_streams_are_given_back() -> None:
    before = sys.stdout, sys.stderr
    with safe_streams():
        assert isinstance(sys.stdout, SafeStream)
    assert (sys.stdout, sys.stderr) == before
