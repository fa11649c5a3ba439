"""The examples of docs/sequences.md run, in their order, and the alignment is what it says."""

import re
from pathlib import Path
from typing import Any

import torch

PAGE = Path(__file__).parents[1] / "docs" / "sequences.md"


def test_the_page() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    torch.manual_seed(0)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert float(names["loss"].detach()) < 0.3
    looked = names["alignment"][:7].argmax(dim=1)
    backwards = torch.arange(6, -1, -1)
    assert int((looked - backwards).abs().max()) <= 1
    assert int((looked == backwards).sum()) >= 5
