"""Adapters on the command line, and in Studio's list of models."""

import json
from pathlib import Path

import pytest

from generation.model_folders import change
from models.adapter_folders import base_of, save_adapter
from vitral.cli.program import run
from vitral.studio.catalog.model_catalog import ModelCatalog

peft = pytest.importorskip("peft", reason="adapters need PEFT")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return base_of(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "acento"
    save_adapter(folder, base, peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"]))
    return folder


def test_the_base_is_named(base: Path, adapter: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    command = ["trace", "El perro", "--json", "--model", str(adapter)]
    assert run(command) == 0
    adapted = json.loads(capsys.readouterr().out)
    assert run(["trace", "El perro", "--json", "--model", str(base)]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert adapted["pattern"] != alone["pattern"]
    assert adapted["tokens"] == alone["tokens"]
    change(adapter / "adapter_config.json", base_model_name_or_path="nadie/nada")
    assert run(command) == 2
    said = capsys.readouterr()
    assert "--base" in said.err
    assert said.err.count("\n") == 1
    assert run([*command, "--base", str(base)]) == 0
    assert json.loads(capsys.readouterr().out) == adapted
    assert run(["trace", "El perro", "--base", str(base)]) == 2
    assert "adapter_config.json" in capsys.readouterr().err


def test_studio_offers_it_with_and_without(base: Path, adapter: Path) -> None:
    catalog = ModelCatalog([str(adapter)])
    titles = {each.name: each.title for each in catalog.descriptions("es")}
    assert titles["acento"] == "acento"
    assert titles["acento-base"] == "acento sin su adaptador"
    assert catalog.default == "acento"
    with catalog.borrow("acento-base") as alone:
        before = alone.trace("El perro")
    with catalog.borrow("acento") as adapted:
        after = adapted.trace("El perro")
    assert (before.model, after.model) == ("acento-base", "acento")
    changed = before["layers.0.attention.pattern"] - after["layers.0.attention.pattern"]
    assert changed.abs().max() > 1e-3
    change(adapter / "adapter_config.json", base_model_name_or_path="nadie/nada")
    assert "acento-base" in ModelCatalog([str(adapter)], str(base)).names
