"""Folders without weights that nothing shown needs, and folders without those that it does."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import vitral
from parity.random_models import random_model
from parity.test_other_families import SIZE

IDS = [5, 6, 7, 8]
VIT = random_model("vit").config.to_dict()


def saved_without(module: Any, folder: Path, *parts: str) -> None:
    module.save_pretrained(folder)
    path = folder / "model.safetensors"
    kept = {
        name: weight
        for name, weight in load_file(path).items()
        if not any(part in name for part in parts)
    }
    save_file(kept, path, metadata={"format": "pt"})


def bert_without_pooler() -> Any:
    torch.manual_seed(0)
    return transformers.BertModel(transformers.BertConfig(**SIZE)).eval()


MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "BERT": (bert_without_pooler, {"ids": IDS}),
    "MPNet": (
        lambda: transformers.MPNetModel(transformers.MPNetConfig(**SIZE)).eval(),
        {"ids": IDS},
    ),
    "ViT": (
        lambda: transformers.ViTModel(transformers.ViTConfig.from_dict(VIT)).eval(),
        {"pixel_values": torch.ones(1, 3, 12, 12)},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_an_encoder_without_its_pooler(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make, inputs = MODELS[name]
    module = make()
    saved_without(module, tmp_path / "encoder", "pooler")
    with caplog.at_level(logging.WARNING, "vitral"):
        model = vitral.load(tmp_path / "encoder")
    assert "without pooler" in caplog.text
    assert model.module.pooler is None
    trace, whole = model.trace(**inputs), vitral.load(module).trace(**inputs)
    assert trace.addresses() == whole.addresses()
    for address in whole.addresses():
        torch.testing.assert_close(trace[address], whole[address])


@pytest.mark.parametrize("part", ["layer.1.attention.self.query", "word_embeddings", "layer.2"])
def test_what_the_layers_need_is_missed(part: str, tmp_path: Path) -> None:
    saved_without(bert_without_pooler(), tmp_path / "encoder", part)
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(tmp_path / "encoder")
    assert raised.value.key == "weights_damaged"


def test_a_head_is_missed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = transformers.BertForSequenceClassification(transformers.BertConfig(**SIZE))
    saved_without(module, tmp_path / "classifier", "classifier")
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(tmp_path / "classifier")
    assert raised.value.key == "weights_damaged"
    saved_without(module, tmp_path / "pooled", "pooler")  # its classes come through the pooler
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(tmp_path / "pooled")
    assert raised.value.key == "weights_damaged"
