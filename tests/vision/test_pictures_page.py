"""The examples of docs/pictures.md run, and its commands as well."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from vitral.cli.program import run
from vitral.surfaces.registry import SURFACES

PAGE = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def beside_a_model(
    vit_folder: Path, picture_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(vit_folder, tmp_path / "path/to/a/vit")
    shutil.copy(picture_file, tmp_path / "foto.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")


def test_the_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    # The page of to_html is built with the front end, which other tests open.
    names: dict[str, Any] = {}
    exec(code.replace('trace.to_html("foto.html")\n', ""), names)
    assert (names["surface"].rows, names["surface"].columns) == (4, 4)
    assert Path("foto.vitral").is_file()


def test_the_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = [line.split("#")[0].split()[1:] for line in block.splitlines()]
    assert [each[0] for each in commands] == ["trace", "trace", "studio"]
    for each in commands[:2]:
        assert run([argument.replace("3,5", "3,2") for argument in each]) == 0
    assert capsys.readouterr().err == ""


def test_how_to_add_a_surface_names_what_there_is() -> None:
    source = Path(__file__).parents[2]
    for name in re.findall(r"`(vitral/surfaces/\w+\.py|vitral/vision/)`", PAGE):
        assert (source / "src" / name).exists()
    for name in ("kinds.ts", "drawings.ts"):
        assert (source / "web/src/trace/surfaces" / name).is_file()
    methods = ("where", "paint", "token_at", "entries", "material", "read")
    for surface in SURFACES.values():
        assert all(hasattr(surface, each) for each in methods)
