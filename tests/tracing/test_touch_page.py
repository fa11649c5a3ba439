"""The examples of docs/touch.md run, in their order, on the bundled models."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from vitral.models.catalog import BUNDLED, bundled

PAGE = Path(__file__).parents[2] / "docs" / "touch.md"


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs both bundled models in assets/models")
def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 7
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        exec(block, names)
        after = names["after"]
        if number == 0:
            assert after.edits[0] == "layers.0.attention: silence head 5"
        if number == 1:
            assert names["changed"].changed[0] == "layers.0.attention.out"
        if number == 2:
            assert 0 < names["change"].moved < 1
            assert names["change"].rose[0].change > 0
        if number == 3:
            row = after.attention(layer=2, head=3)[7]
            assert float(row[2]) == pytest.approx(0.9)
            assert float(row.sum()) == pytest.approx(1.0, abs=1e-5)
            assert not after["layers.5.attention.pattern"][:, :, 4].any()
        if number == 4:
            pattern = names["before"].attention(layer=3, head=1)
            torch.testing.assert_close(after.attention(layer=3, head=1), pattern)
    assert capsys.readouterr().out.startswith("El perro que")
    assert names["found"].change.shape == (6, 8)


def test_the_page_names_every_edit() -> None:
    from vitral.tracing.editing.edit import Edit

    written = PAGE.read_text(encoding="utf-8")
    for name in vars(Edit):
        if not name.startswith("_") and name != "descriptions":
            assert name in written, name
