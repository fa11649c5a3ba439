"""`vitral verify` through the real program."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

Run = Callable[..., Any]


def test_a_folder_of_transformers(process: Run, bert_folder: Path) -> None:
    outcome = process("verify", str(bert_folder), "--text", "El gato duerme.")
    assert outcome.code == 0, outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()[1:4]] == [
        f"layers.{layer}.attention" for layer in range(3)
    ]
    assert "all 3 patterns" in outcome.out


def test_json(command: Run, llama_folder: Path) -> None:
    outcome = command("verify", str(llama_folder), "--json", "--text", "El gato duerme.")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert found["holds"] is True
    assert [each["address"] for each in found["attentions"]] == [
        "layers.0.attention",
        "layers.1.attention",
    ]
    assert found["largest"] <= found["tolerance"] == 1e-5


def test_rounding_is_told_from_a_fault(command: Run, bert_folder: Path, tmp_path: Path) -> None:
    """Sharp scores make the two ways part in float32, not in float64."""
    import vitral
    from vitral.models.hugging_face import read, write

    module = read(bert_folder)
    with torch.no_grad():
        for layer in module.layers:
            layer.attention.q_proj.weight.mul_(60)
    write(module, vitral.load(bert_folder).tokenizer, tmp_path / "sharp")
    outcome = command("verify", str(tmp_path / "sharp"), "--json")
    found = json.loads(outcome.out)
    assert found["largest_in_float32"] > 1e-5
    assert (outcome.code, found["holds"], found["precision"]) == (0, True, "float64")
    assert found["largest"] < 1e-7


def test_a_pattern_that_differs(
    command: Run, bert_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault put into the rebuilt patterns is found, and the exit code says so."""
    from vitral.tracing.attention.attention_record import AttentionRecord

    right = AttentionRecord.pattern

    def wrong(self: AttentionRecord, *args: Any) -> torch.Tensor:
        return right(self, *args).roll(1, dims=-1)

    monkeypatch.setattr(AttentionRecord, "pattern", wrong)
    outcome = command("verify", str(bert_folder), "--text", "El gato duerme.")
    assert outcome.code == 1
    assert "3 of 3 patterns differ" in outcome.out
    assert outcome.out.count("differs") == 3


def test_a_model_that_is_asked_for_its_patterns(command: Run, tmp_path: Path) -> None:
    """`vitral trace` says so too."""
    import transformers

    tokenizer = Path(__file__).parents[2] / "src/vitral/assets/models/vitral-es-gpt/tokenizer.json"
    if not tokenizer.exists():
        pytest.skip("needs a bundled model's tokenizer in assets/models")
    size = {"vocab_size": 8192, "hidden_size": 16, "n_layer": 2, "n_head": 2}
    folder = tmp_path / "bloom"
    transformers.BloomForCausalLM(transformers.BloomConfig(**size)).save_pretrained(folder)
    shutil.copy(tokenizer, folder)
    outcome = command("verify", str(folder), "--json")
    found = json.loads(outcome.out)
    assert (outcome.code, found["largest"]) == (0, None)
    assert [each["given"] for each in found["attentions"]] == [True, True]
    assert "nothing to compare" in command("verify", str(folder)).out
    assert "code of its own" in command("trace", "El gato", "--model", str(folder)).out


def test_bad_input(process: Run, tmp_path: Path, bert_folder: Path) -> None:
    broken = shutil.copytree(bert_folder, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    for arguments, word in (
        (("./no-such-folder",), "no-such-folder"),
        ((str(broken),), "damaged"),
        ((str(bert_folder), "--text", " "), "empty"),
        ((str(bert_folder), "--text", "gato " * 100), "64"),
        ((str(bert_folder), "--tex"), "--text"),
    ):
        outcome = process("verify", *arguments)
        assert outcome.code == 2, (arguments, outcome)
        assert outcome.out == ""
        assert outcome.err.count("\n") == 1
        assert word in outcome.err
