"""An adapter's folder opens as the model that PEFT computes, and without it as the base."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from generation.model_folders import change
from models.adapter_folders import IDS, base_of, save_adapter

peft = pytest.importorskip("peft", reason="adapters need PEFT")

pytestmark = pytest.mark.filterwarnings("ignore")  # PEFT warns of CUDA and of its own settings


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return base_of(tmp_path_factory.mktemp("models") / "base")


def lora(**options: Any) -> Any:
    chosen = {"task_type": "CAUSAL_LM", "r": 4, "target_modules": ["q_proj", "down_proj"]}
    return peft.LoraConfig(**chosen | options)


KINDS = {
    "LoRA": lora,
    "LoRA of everything": lambda: lora(target_modules="all-linear", use_rslora=True),
    "DoRA": lambda: lora(use_dora=True),
    "with a part saved whole": lambda: lora(modules_to_save=["lm_head"]),
    "LoHa": lambda: peft.LoHaConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], r=4),
    "LoKr": lambda: peft.LoKrConfig(task_type="CAUSAL_LM", target_modules=["v_proj"], r=4),
    "IA3": lambda: peft.IA3Config(
        task_type="CAUSAL_LM",
        target_modules=["k_proj", "down_proj"],
        feedforward_modules=["down_proj"],
    ),
    "VeRA": lambda: peft.VeraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], r=4),
    "norms": lambda: peft.LNTuningConfig(task_type="CAUSAL_LM", target_modules=["input_layernorm"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_logits_are_those_of_peft(kind: str, base: Path, tmp_path: Path) -> None:
    expected = save_adapter(tmp_path / "adapter", base, KINDS[kind]())
    model = vitral.load(tmp_path / "adapter")
    assert (model.name, model.kind, model.num_layers) == ("adapter", "decoder", 2)
    assert model.adapter is not None
    assert model.adapter.base == base
    with torch.no_grad():
        found = model.module(torch.tensor(IDS)).logits
        before = model.without_adapter().module(torch.tensor(IDS)).logits
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)
    assert (before - expected).abs().max() > 0.01


def test_what_the_adapter_changes(base: Path, tmp_path: Path) -> None:
    """Both traces are of the same tokens; a layer below the first change is the same."""
    save_adapter(tmp_path / "adapter", base, lora(layers_to_transform=[1]))
    model = vitral.load(tmp_path / "adapter")
    text = "El perro ladra."
    after, before = model.trace(text), model.without_adapter().trace(text)
    changed = vitral.difference(before, after).pattern(layer=1, head=0)
    assert [token.id for token in after.tokens] == [token.id for token in before.tokens]
    assert torch.equal(before["layers.0.mlp.out"], after["layers.0.mlp.out"])
    assert changed.abs().max() > 1e-3
    assert vitral.load(base).trace(text)["logits"].allclose(before["logits"], atol=1e-4)
    assert model.generate(text, max_new_tokens=8) == vitral.load(
        (model.module, model.tokenizer)
    ).generate(text, max_new_tokens=8)


def test_the_tokenizer_and_the_template_are_the_adapters_own(base: Path, tmp_path: Path) -> None:
    save_adapter(tmp_path / "adapter", base, lora())
    assert vitral.load(tmp_path / "adapter").chat_template is None
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / name, tmp_path / "adapter")
    change(tmp_path / "adapter" / "tokenizer_config.json", chat_template="{{ messages }}")
    template = vitral.load(tmp_path / "adapter").chat_template
    assert template is not None
    assert template.source == "{{ messages }}"


def test_a_classifier_has_the_head_that_came_with_the_adapter(base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=5)
    model.config.pad_token_id = 0
    config = peft.LoraConfig(task_type="SEQ_CLS", target_modules=["q_proj"])
    adapted = peft.get_peft_model(model, config).eval()
    expected = adapted(torch.tensor(IDS)).logits
    adapted.save_pretrained(tmp_path / "adapter")
    found = vitral.load(tmp_path / "adapter")
    torch.testing.assert_close(found.module(torch.tensor(IDS)).logits, expected)
    assert expected.shape == (1, 5)


def test_where_the_base_is(base: Path, tmp_path: Path, monkeypatch) -> None:
    """Named by a path beside the adapter, or given; else one line says so."""
    folder = tmp_path / "adapter"
    save_adapter(folder, base, lora())
    change(folder / "adapter_config.json", base_model_name_or_path="someone/not-here-at-all")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(vitral.VitralError, match="someone/not-here-at-all") as raised:
        vitral.load(folder)
    assert raised.value.key == "adapter_base_unreachable"
    assert vitral.load(folder, base=base).adapter.base == base
    change(folder / "adapter_config.json", base_model_name_or_path="../base")
    shutil.copytree(base, tmp_path / "base")
    assert vitral.load(folder).adapter.base.resolve() == (tmp_path / "base").resolve()


def _other_base(folder: Path, base: Path) -> None:
    from vitral.models.catalog import bundled_folder

    change(
        folder / "adapter_config.json", base_model_name_or_path=str(bundled_folder("vitral-es-gpt"))
    )


def _rank(folder: Path, base: Path) -> None:
    change(folder / "adapter_config.json", r=2)


def _fewer_targets(folder: Path, base: Path) -> None:
    change(folder / "adapter_config.json", target_modules=["q_proj"])


def _more_targets(folder: Path, base: Path) -> None:
    change(folder / "adapter_config.json", target_modules=["q_proj", "down_proj", "v_proj"])


def _cut(folder: Path, base: Path) -> None:
    path = folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-40])


def _pickled(folder: Path, base: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _gone(folder: Path, base: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def _not_json(folder: Path, base: Path) -> None:
    (folder / "adapter_config.json").write_text("[")


def _no_kind(folder: Path, base: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4}))


def _unknown_kind(folder: Path, base: Path) -> None:
    change(folder / "adapter_config.json", peft_type="SORCERY")


def _nan(folder: Path, base: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    weights = load_file(path)
    next(iter(weights.values()))[0, 0] = float("nan")
    save_file(weights, path)


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_other_base, "adapter_does_not_fit"),
        (_rank, "adapter_does_not_fit"),
        (_fewer_targets, "adapter_does_not_fit"),
        (_more_targets, "adapter_does_not_fit"),
        (_unknown_kind, "adapter_does_not_fit"),
        (_cut, "weights_damaged"),
        (_nan, "weights_damaged"),
        (_pickled, "adapter_pickled"),
        (_gone, "weights_missing"),
        (_not_json, "adapter_damaged"),
        (_no_kind, "adapter_damaged"),
    ],
)
def test_a_damaged_adapter_is_one_line(spoil, key: str, base: Path, tmp_path: Path) -> None:
    save_adapter(tmp_path / "adapter", base, lora())
    spoil(tmp_path / "adapter", base)
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(tmp_path / "adapter")
    assert raised.value.key == key
    assert all("\n" not in raised.value.text(language) for language in ("es", "en"))


def test_virtual_tokens_are_refused_by_name(base: Path, tmp_path: Path) -> None:
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    save_adapter(tmp_path / "adapter", base, config)
    with pytest.raises(vitral.VitralError, match="PROMPT_TUNING") as raised:
        vitral.load(tmp_path / "adapter")
    assert raised.value.key == "adapter_not_mergeable"


def test_a_base_for_what_is_no_adapter(base: Path) -> None:
    for source in (base, vitral.load(base)):
        with pytest.raises(vitral.VitralError) as raised:
            vitral.load(source, base=base)
        assert raised.value.key == "base_without_adapter"
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(base).without_adapter()
    assert raised.value.key == "no_adapter"


def test_the_page(tmp_path: Path, monkeypatch, capsys) -> None:
    from vitral.models.catalog import bundled_folder

    base = bundled_folder("vitral-es-gpt")
    if not (base / "config.json").is_file():
        pytest.skip("needs the bundled decoder in assets/models")
    save_adapter(tmp_path / "mi-adaptador", base, lora())
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "adapters.md"
    (block,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(block, {})
    assert capsys.readouterr().out.startswith("LORA")
