"""The examples of docs/tracing.md run, in their order, on a small model of the same shape."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from vitral.models import load
from vitral.models.bert import Bert, BertConfig
from vitral.models.hugging_face import write

PAGE = Path(__file__).parents[2] / "docs" / "tracing.md"


@pytest.fixture
def bundled_bert(bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of six layers and eight heads under the name of the bundled one."""
    tokenizer = vitral.load(bert_folder).tokenizer
    size = tokenizer.get_vocab_size()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=size,
        context=64,
        hidden_size=32,
        num_layers=6,
        num_heads=8,
        num_key_value_heads=8,
        intermediate_size=32,
    )
    write(Bert(config), tokenizer, tmp_path / "vitral-es-bert")
    monkeypatch.setattr(load, "bundled", lambda: ["vitral-es-bert"])
    monkeypatch.setattr(load, "bundled_folder", lambda name: tmp_path / name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("bundled_bert")
def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 9
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert names["trace"].num_layers == 6
    assert "persiguió" in capsys.readouterr().out or "persigui" in str(names["trace"].tokens)
    assert names["two"].parts == ["encoder", "decoder", "cross"]
    assert names["view"].aggregated
    assert not names["row"].aggregated
    assert len(names["both"].tokens) <= len(names["trace"].tokens)
    assert names["mean"].num_heads == 1
    torch.testing.assert_close(names["again"]["logits"], names["trace"]["logits"])


def test_every_address_of_the_page_exists(bert_folder: Path) -> None:
    table = re.findall(r"^\| `(layers\S+|embed|logits)`(.*?) \|", PAGE.read_text(), re.MULTILINE)
    addresses = [first.replace("5", "2") for first, _ in table]
    assert len(addresses) == 10
    trace = vitral.load(bert_folder).trace("El gato duerme.")
    for address in addresses:
        assert address in trace
