"""The example of docs/exporting.md runs, and prints what the page says."""

import re
from pathlib import Path

import pytest

from vitral.models.catalog import BUNDLED, bundled

PAGE = Path(__file__).parents[2] / "docs" / "exporting.md"


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs the bundled models")
def test_the_page(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        exec(block, {})
        said = " ".join(re.findall(r"# (.+)", block))
        assert said == capsys.readouterr().out.strip()
