"""Taking a new vocabulary over: what stays, what is a mean, what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_runs
import torch
from tokenizers import Tokenizer
from torch import nn

from vitral.errors import VitralError
from vitral.models.bert import Bert, BertConfig
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.hugging_face import read, read_to_train, write
from vitral.models.llama import Llama, LlamaConfig
from vitral.text.piece_spelling import spelled_by
from vitral.text.tokenizer_folder import save_tokenizer
from vitral.text.tokenizers import train_tokenizer
from vitral.training.preparation.vocabulary_transfer import of_tokens, transfer
from vitral.training.trainer import Trainer

SHAPE = {
    "context": 16,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
}
FORMS: dict[str, tuple[type[Any], type[Any], dict[str, Any]]] = {
    "bert": (Bert, BertConfig, {}),
    "gpt2": (GPT, GPTConfig, {"activation": "gelu"}),
    "llama": (Llama, LlamaConfig, {}),
    "llama, untied": (Llama, LlamaConfig, {"tied_embeddings": False}),
}
LEARNED = {"transfer": "mean", "kind": "byte_bpe", "vocab_size": 300}


def tokenizer(kind: str = "byte_bpe", size: int = 290) -> Tokenizer:
    return train_tokenizer([small_runs.BOOK], kind, size)


def model(form: str, size: int, seed: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    model_class, config_class, more = FORMS[form]
    made: nn.Module = model_class(config_class(**SHAPE, **more, vocab_size=size)).eval()
    for weight in made.parameters():
        nn.init.normal_(weight, std=0.3)
    return made


@pytest.mark.parametrize("form", FORMS)
def test_with_the_same_vocabulary_the_model_says_what_it_said(form: str) -> None:
    words = tokenizer("wordpiece", 60)
    old, new = model(form, 60), model(form, 60, seed=2)
    transfer(old, new, spelled_by(words, words))
    ids = torch.randint(5, 60, (2, 12))
    assert torch.equal(old(ids), new(ids))


@pytest.mark.parametrize("form", FORMS)
def test_new_rows_are_means_and_everything_else_stays(form: str) -> None:
    old, new = model(form, 6), model(form, 4, seed=2)
    transfer(old, new, [[5], [0, 2], [1, 1, 3], []])
    before = dict(old.named_parameters())
    rows = 0
    for name, weight in new.named_parameters():
        if name not in of_tokens(new):
            assert torch.equal(weight, before[name])
            continue
        was = before[name]
        assert torch.equal(weight[0], was[5])
        torch.testing.assert_close(weight[1], (was[0] + was[2]) / 2)
        torch.testing.assert_close(weight[2], (2 * was[1] + was[3]) / 3)
        torch.testing.assert_close(weight[3], was.mean(0))
        rows += 1
    assert rows == {"bert": 2, "llama, untied": 2}.get(form, 1)


def test_a_piece_that_both_have_keeps_its_vector() -> None:
    few, many = tokenizer(size=270), tokenizer(size=300)
    old, new = model("llama", 270), model("llama", 300)
    transfer(old, new, spelled_by(many, few))
    for piece, number in few.get_vocab().items():
        assert torch.equal(old.embed.weight[number], new.embed.weight[many.token_to_id(piece)])


def started(folder: Path, form: str, kind: str, size: int) -> Path:
    """The folder of a model with its tokenizer."""
    words = tokenizer(kind, size)
    write(model(form, words.get_vocab_size()), words, folder)
    return folder


@pytest.mark.parametrize(
    ("form", "kind", "size"),
    [("bert", "wordpiece", 50), ("gpt2", "byte_bpe", 270), ("llama", "byte_bpe", 270)],
)
def test_a_run_takes_over_stops_and_ends_like_one_that_did_not_stop(
    form: str, kind: str, size: int, tmp_path: Path
) -> None:
    data = small_runs.books(tmp_path / "books")
    start = started(tmp_path / "start", form, kind, size)
    more = 60 if kind == "wordpiece" else 300
    made = small_runs.recipe(
        form,
        tokenizer={"kind": kind, "vocab_size": more, "transfer": "mean"},
        co_occurrence_vectors=False,
        optimizer={"kind": "adamw", "rate": 1e-3},
    )
    whole = small_runs.trainer(made, data, tmp_path / "whole", start=start)
    assert whole.model.config.vocab_size == more
    assert whole.run()

    (tmp_path / "stopped").mkdir()  # WordPiece breaks ties at random: the same pieces, please
    shutil.copy(tmp_path / "whole" / "tokenizer.json", tmp_path / "stopped")
    stopped = small_runs.trainer(made, data, tmp_path / "stopped", start=start)
    for _ in range(3):
        stopped.enter_phase()
        stopped.step()
    stopped.save()
    taken_up = small_runs.trainer(made, data, tmp_path / "stopped", start=start)
    assert taken_up.state["step"] == 3
    assert taken_up.run()
    first, second = (dict(each.model.named_parameters()) for each in (whole, taken_up))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_first_step_starts_from_the_means(tmp_path: Path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = started(tmp_path / "start", "llama", "byte_bpe", 270)
    made = small_runs.recipe("llama", tokenizer=LEARNED, co_occurrence_vectors=False)
    trainer = small_runs.trainer(made, data, tmp_path / "run", start=start)
    old, words = read(start), Tokenizer.from_file(str(start / "tokenizer.json"))
    spelled = spelled_by(trainer.prepared.tokenizer, words)
    long = max(range(len(spelled)), key=lambda number: len(spelled[number]))
    assert len(spelled[long]) > 1
    expected = old.embed.weight[spelled[long]].mean(0)
    torch.testing.assert_close(trainer.model.embed.weight[long], expected)
    assert torch.equal(old.layers[0].mlp.up_proj.weight, trainer.model.layers[0].mlp.up_proj.weight)


def test_a_folders_tokenizer_is_taken_over(tmp_path: Path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = started(tmp_path / "start", "llama", "byte_bpe", 270)
    other = tokenizer("bpe", 60)
    save_tokenizer(other, tmp_path / "other")
    choice = {"folder": str(tmp_path / "other"), "transfer": "mean"}
    made = small_runs.recipe("llama", tokenizer=choice, co_occurrence_vectors=False)
    trainer = small_runs.trainer(made, data, tmp_path / "run", start=start)
    assert trainer.prepared.tokenizer.get_vocab() == other.get_vocab()
    assert trainer.model.config.vocab_size == other.get_vocab_size()


def headless(folder: Path) -> Path:
    """A folder as sentence encoders have it: BERT's body without a head, saved by transformers."""
    from transformers import BertConfig as TheirConfig
    from transformers import BertModel

    torch.manual_seed(1)
    config = TheirConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=16,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer("wordpiece", 50).save(str(folder / "tokenizer.json"))
    return folder


def test_an_encoder_without_a_head_gets_one(tmp_path: Path) -> None:
    from transformers import BertModel

    start = headless(tmp_path / "start")
    found = read_to_train(start)
    theirs = BertModel.from_pretrained(start, add_pooling_layer=False).eval()
    ids = torch.randint(5, 50, (2, 9))
    with torch.no_grad():
        expected = theirs(ids).last_hidden_state
        torch.testing.assert_close(found.encode(ids), expected, atol=1e-5, rtol=1e-4)
        passed_on = nn.functional.layer_norm(nn.functional.gelu(expected), (16,), eps=1e-12)
        logits = passed_on @ theirs.embeddings.word_embeddings.weight.T
        torch.testing.assert_close(found(ids), logits, atol=1e-4, rtol=1e-4)


def test_its_bias_starts_at_the_frequencies(tmp_path: Path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = headless(tmp_path / "start")
    choice = {"kind": "wordpiece", "vocab_size": 60, "transfer": "mean"}
    made = small_runs.recipe("bert", tokenizer=choice, co_occurrence_vectors=False)
    trainer = small_runs.trainer(made, data, tmp_path / "run", start=start)
    bias = trainer.model.head.decoder.bias
    words = trainer.prepared.tokenizer
    assert bias.exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert bias[words.token_to_id("##ó")] > bias[words.token_to_id("[MASK]")] + 3
    assert trainer.run()
    read(tmp_path / "run" / "model")


def refusal(made: Any, data: Path, out: Path, start: Path | None) -> str:
    with pytest.raises(VitralError) as caught:
        small_runs.trainer(made, data, out, start=start)
    return caught.value.key


def test_mistakes_are_told_by_name(tmp_path: Path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = started(tmp_path / "start", "llama", "byte_bpe", 270)
    made = small_runs.recipe("llama", tokenizer=LEARNED)
    assert refusal(made, data, tmp_path / "a", None) == "transfer_without_start"

    wide = small_runs.recipe("llama", tokenizer=LEARNED, model={"intermediate_size": 32})
    assert refusal(wide, data, tmp_path / "b", start) == "start_mismatch"
    assert refusal(small_runs.recipe("gpt2", tokenizer=LEARNED), data, tmp_path / "c", start) == (
        "start_mismatch"
    )

    save_tokenizer(tokenizer("bpe", 60), tmp_path / "other")
    kept = small_runs.recipe("llama", tokenizer={"folder": str(tmp_path / "other")})
    assert refusal(kept, data, tmp_path / "d", start) == "start_other_words"
    (tmp_path / "empty").mkdir()
    none = small_runs.recipe("llama", tokenizer={"folder": str(tmp_path / "empty")})
    assert refusal(none, data, tmp_path / "e", None) == "folder_without_tokens"


def test_dropout_may_be_another_than_the_models(tmp_path: Path) -> None:
    data = small_runs.books(tmp_path / "books")
    start = started(tmp_path / "start", "llama", "byte_bpe", 270)
    made = small_runs.recipe("llama", tokenizer=LEARNED, model={"dropout": 0.1})
    trainer = small_runs.trainer(made, data, tmp_path / "run", start=start)
    assert trainer.model.config == replace(read(start).config, vocab_size=300, dropout=0.1)
    assert isinstance(trainer, Trainer)


def test_a_modernbert_without_a_head_gets_one_without_biases(tmp_path: Path) -> None:
    from transformers import ModernBertConfig, ModernBertModel

    marks = dict.fromkeys(("pad", "bos", "eos", "cls", "sep"), 0)
    config = ModernBertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=24,
        local_attention=4,
        **{f"{name}_token_id": number for name, number in marks.items()},
    )
    torch.manual_seed(1)
    theirs = ModernBertModel(config).eval()
    theirs.save_pretrained(tmp_path)
    found = read_to_train(tmp_path)
    ids = torch.randint(5, 50, (2, 9))
    with torch.no_grad():
        expected = theirs(ids).last_hidden_state
        torch.testing.assert_close(found.encode(ids), expected, atol=1e-5, rtol=1e-4)
        passed_on = nn.functional.layer_norm(nn.functional.gelu(expected), (16,), eps=1e-5)
        logits = passed_on @ theirs.embeddings.tok_embeddings.weight.T
        torch.testing.assert_close(found(ids), logits, atol=1e-4, rtol=1e-4)
