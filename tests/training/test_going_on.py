"""What can be read can be trained: shapes that no recipe can ask for, tokenizers of before."""

import json
from pathlib import Path

import pytest
import torch

from training import small_runs
from vitral.errors import VitralError
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.hugging_face import read, write
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.tokenizers import train_tokenizer
from vitral.training.recipes.plain import plain_recipe

SIZE = {"context": 16, "hidden_size": 16, "num_layers": 2, "num_heads": 2}
SIZE |= {"intermediate_size": 24, "num_key_value_heads": 2}
SHAPES = {
    "epsilon": (Llama, LlamaConfig, {"epsilon": 1e-5}),
    "untied": (Llama, LlamaConfig, {"tied_embeddings": False}),
    "head size": (Llama, LlamaConfig, {"head_size": 12}),
    "biases": (Llama, LlamaConfig, {"attention_bias": True, "mlp_bias": True}),
    "padded vocabulary": (Llama, LlamaConfig, {"vocab_size": 320}),
    "relu": (GPT, GPTConfig, {"activation": "relu"}),
    "rope": (Llama, LlamaConfig, {"rope_base": 5e5}),
}


def start_of(folder: Path, shape: str) -> Path:
    model, config, changes = SHAPES[shape]
    torch.manual_seed(1)
    write(
        model(config(**{"vocab_size": 257} | SIZE | changes)),
        train_tokenizer([], "byte", 257),
        folder,
    )
    return folder


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_trained_as_it_is(tmp_path, shape) -> None:
    start = start_of(tmp_path / "start", shape)
    data = small_runs.books(tmp_path / "books")
    recipe = plain_recipe("más", [str(data)], 3, start)
    first = small_runs.trainer(recipe, data, tmp_path / "run", start=start)
    before = first.model.config
    assert before == read(start).config
    first.stop()
    first.run()  # saves and returns: what goes on from here is built from the run's folder
    again = small_runs.trainer(recipe, data, tmp_path / "run", start=start)
    assert again.run()
    assert read(tmp_path / "run" / "model").config == before
    weights = [
        read(each).get_parameter(name)
        for each in (start, tmp_path / "run" / "model")
        for name in [next(n for n, _ in read(start).named_parameters())]
    ]
    assert not torch.equal(*weights), "it learned something"


def test_older_tokenizers_are_read(tmp_path) -> None:
    start = start_of(tmp_path / "start", "epsilon")
    vocabulary = json.loads((start / "tokenizer.json").read_text())["model"]["vocab"]
    (start / "tokenizer.json").unlink()
    (start / "vocab.json").write_text(json.dumps(vocabulary))
    (start / "merges.txt").write_text("#version: 0.2\n")
    named = {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>", "eos_token": "<s>"}
    named["unk_token"] = "<s>"
    (start / "tokenizer_config.json").write_text(json.dumps(named))
    data = small_runs.books(tmp_path / "books")
    recipe = plain_recipe("más", [str(data)], 2, start)
    trainer = small_runs.trainer(recipe, data, tmp_path / "run", start=start)
    assert trainer.prepared.tokenizer.get_vocab() == vocabulary
    assert trainer.run()


def test_what_cannot_go_on_is_said_of_the_model(tmp_path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = start_of(tmp_path / "none", "epsilon")
    (start / "tokenizer.json").unlink()
    (start / "tokenizer_config.json").unlink()
    recipe = plain_recipe("más", [str(data)], 2, start)
    with pytest.raises(VitralError) as raised:
        small_runs.trainer(recipe, data, tmp_path / "run", start=start)
    assert raised.value.key == "folder_without_tokens"
    config = json.loads((start / "config.json").read_text())
    config = config | {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}
    (start / "config.json").write_text(json.dumps(config | {"is_encoder_decoder": True}))
    with pytest.raises(VitralError) as raised:
        plain_recipe("más", [str(data)], 2, start)
    assert raised.value.key == "start_without_shape"
