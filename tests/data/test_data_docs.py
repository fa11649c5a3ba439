"""The examples of docs/data.md run, in their order, and say what their comments say."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "cuento-0 · —¿Quién llamó? —dijo la niña número 0." in printed
    assert f"{len(names['held_out'])} of 40 are held out" in printed
    assert 0 < len(names["held_out"]) < 12
    assert names["tokens"].ids.dtype == "uint16"
    assert len(names["tokens"].documents) == 40 - len(names["held_out"])
    assert names["windows"].shape in {(16, 32), (8, 64)}
    assert names["rows"].ids.shape == (4, 128)
    assert 0.8 < names["packing"].filled <= 1


def test_the_table_names_all_kinds() -> None:
    from vitral.text.tokenizers import KINDS

    page = PAGE.read_text(encoding="utf-8")
    for kind in KINDS:
        assert page.count(f"| `{kind}` |") == 2  # what it is, and how it compares
