"""The examples of docs/writing.md run, in their order, on the bundled decoder."""

import re
from pathlib import Path
from typing import Any

import torch

PAGE = Path(__file__).parents[2] / "docs" / "writing.md"


def test_the_page() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    trace = names["trace"]
    assert trace.text.startswith("El perro que persiguió al gato")
    assert trace.text[trace.tokens[-1].start : trace.tokens[-1].end] == trace.tokens[-1].text
    whole = names["model"].trace("El gato duerme.")
    torch.testing.assert_close(names["piecewise"]["logits"], whole["logits"], atol=1e-4, rtol=1e-5)
