"""What can be read can be trained: models of no form of ours, by transformers' own class."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import processors

import vitral
from training import small_runs
from vitral.errors import VitralError
from vitral.text.tokenizers import train_tokenizer
from vitral.training.recipes.plain import plain_recipe
from vitral.training.recipes.recipe import Recipe

WIDE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
WIDE |= {"intermediate_size": 24, "max_position_embeddings": 32}
DISTIL = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 32}
OPT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 24}
OPT |= {"max_position_embeddings": 32, "word_embed_proj_dim": 16}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "GPTNeoXForCausalLM": ("GPTNeoXConfig", WIDE),
    "OPTForCausalLM": ("OPTConfig", OPT),
    "Qwen3ForCausalLM": ("Qwen3Config", WIDE | {"num_key_value_heads": 1, "head_dim": 8}),
    "ElectraForMaskedLM": ("ElectraConfig", WIDE | {"embedding_size": 12}),
    "DistilBertForMaskedLM": ("DistilBertConfig", DISTIL),
    "DistilBertModel": ("DistilBertConfig", DISTIL),  # gets a head
}


def tokenizer_of(name: str) -> Any:
    if "Causal" in name:
        return train_tokenizer([], "byte", 257)
    tokenizer = train_tokenizer([small_runs.BOOK], "wordpiece", 60)
    begin, end = (tokenizer.token_to_id(each) for each in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", begin), ("[SEP]", end)]
    )
    return tokenizer


def start_of(folder: Path, name: str, **changes: Any) -> Path:
    configuration, size = MODELS[name]
    tokenizer = tokenizer_of(name)
    torch.manual_seed(3)
    known = {"vocab_size": tokenizer.get_vocab_size(), "pad_token_id": 0, **size, **changes}
    config = getattr(transformers, configuration)(**known)
    getattr(transformers, name)(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def run_of(start: Path, out: Path, steps: int = 4, **changes: Any) -> Any:
    data = small_runs.books(out.parent / "books")
    recipe = plain_recipe("más", [str(data)], steps, start)
    entries = recipe.model_dump() | {"batch": {"tokens": 64, "lengths": [16, 32]}} | changes
    return small_runs.trainer(Recipe.model_validate(entries), data, out, start=start)


@pytest.mark.parametrize("name", MODELS)
def test_a_run_goes_on_from_it(name: str, tmp_path: Path) -> None:
    start = start_of(tmp_path / "start", name)
    before = {
        key: value.clone()
        for key, value in run_of(start, tmp_path / "a").model.state_dict().items()
    }
    trainer = run_of(start, tmp_path / "run")
    assert all(
        torch.equal(before[name], weight) for name, weight in trainer.model.state_dict().items()
    )
    assert trainer.run()
    assert trainer.state["step"] == 4
    written = tmp_path / "run" / "model"
    head = "DistilBertForMaskedLM" if name == "DistilBertModel" else name
    assert json.loads((written / "config.json").read_text())["architectures"] == [head]
    saved = getattr(transformers, head).from_pretrained(written)
    ids = torch.arange(5, 12)[None]
    with torch.no_grad():
        expected = trainer.model.eval()(input_ids=ids).logits
        assert torch.equal(saved.eval()(input_ids=ids).logits, expected)
    opened = vitral.load(written)
    assert opened.trace("El gato huyó.").attentions
    assert not torch.equal(next(saved.parameters()), next(iter(before.values()))), "it learned"


@pytest.mark.parametrize("name", ["GPTNeoXForCausalLM", "OPTForCausalLM", "ElectraForMaskedLM"])
@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_resumed_is_uninterrupted(name: str, kind: str, tmp_path: Path) -> None:
    start = start_of(tmp_path / "start", name)
    optimizer = {"optimizer": {"kind": kind, "rate": 0.005}}
    whole = run_of(start, tmp_path / "whole", **optimizer)
    assert whole.run()
    first = run_of(start, tmp_path / "parts", **optimizer)
    first.model.train()
    for _ in range(2):
        first.enter_phase()
        first.step()
    first.save()
    again = run_of(start, tmp_path / "parts", **optimizer)
    assert again.state["step"] == 2
    assert again.run()
    for name_of, weight in whole.model.named_parameters():
        assert torch.equal(weight, again.model.get_parameter(name_of)), name_of


def test_the_loss_is_transformers_own(tmp_path: Path) -> None:
    trainer = run_of(start_of(tmp_path / "start", "OPTForCausalLM", dropout=0.0), tmp_path / "run")
    trainer.enter_phase()
    batch = trainer.objective.batch(0)
    ids, targets = batch.inputs["ids"], batch.targets
    loss = trainer.objective.loss(trainer.model)(ids=ids, targets=targets) / batch.num_asked
    logits = trainer.model(input_ids=ids).logits
    theirs = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(loss, theirs)


def test_what_sees_the_next_token_is_not_asked_for_it(tmp_path: Path) -> None:
    size = {"vocab_size": 257, "d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24}
    config = transformers.XLNetConfig(**size)
    transformers.XLNetLMHeadModel(config).save_pretrained(tmp_path / "xlnet")
    with pytest.raises(VitralError) as raised:
        plain_recipe("más", [], 2, tmp_path / "xlnet")
    assert raised.value.key == "start_without_shape"
    config = transformers.BertConfig(vocab_size=60, **WIDE)
    transformers.BertLMHeadModel(config).save_pretrained(tmp_path / "bert")
    recipe = plain_recipe("más", [], 2, tmp_path / "bert")
    assert recipe.phases[0].objective == "masked_words"


def test_what_does_not_go_together_is_said(tmp_path: Path) -> None:
    start = start_of(tmp_path / "start", "OPTForCausalLM")
    for changes, key in (
        ({"tokenizer": {"kind": "byte", "transfer": "mean"}}, "transfer_by_own_class"),
        ({"model": {"form": "other_decoder", "context": 32, "num_layers": 3}}, "start_mismatch"),
        ({"model": {"form": "other_encoder", "context": 32, "num_layers": 2}, "phases": []}, None),
    ):
        with pytest.raises(VitralError) as raised:
            run_of(start, tmp_path / str(key), **changes)
        assert raised.value.key == (key or "special_token_missing")
    data = small_runs.books(tmp_path / "books")
    entries = plain_recipe("más", [], 2, start).model_dump() | {"tokenizer": {"kind": "byte"}}
    recipe = Recipe.model_validate(entries)
    with pytest.raises(VitralError) as raised:
        small_runs.trainer(recipe, data, tmp_path / "alone")
    assert raised.value.key == "form_without_start"
