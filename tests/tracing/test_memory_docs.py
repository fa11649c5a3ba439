"""The examples of docs/memory.md run, in their order."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "memory.md"


def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)
    assert "5,000 tokens" in capsys.readouterr().out
    record = names["record"]
    assert record.is_measured, "while the model ran"
    assert record.statistics.entropy.shape == (2, 5000)
    assert names["trace"].pooled(24).shape == (2, 2, 24, 24)
