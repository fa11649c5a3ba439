"""The examples of docs/figures.md run as written, and its pictures are there."""

import re
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from vitral.models.catalog import BUNDLED, bundled

PAGE = Path(__file__).parents[2] / "docs" / "figures.md"


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs both bundled models in assets/models")
def test_examples_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert isinstance(names["change"], Figure)
    made = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert made.keys() == {"map.pdf", "lines.svg", "heads.png", "page.html"}
    assert made["page.html"] == pytest.approx(0.43e6, rel=0.1), "the size that the page states"
    assert torch.is_tensor(names["weights"])


def test_its_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(pictures) == 8
    for picture in pictures:
        assert (PAGE.parent / picture).is_file()
