"""The facade: one object for a module, its tokenizer and what is known of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

import vitral
from parity.random_models import SIZES, random_model

TEXT = "El perro que persiguió al gato cruzó la calle."


@pytest.fixture(scope="module")
def bert(bert_folder: Path) -> vitral.Model:
    return vitral.load(bert_folder)


@pytest.fixture(scope="module")
def llama(llama_folder: Path) -> vitral.Model:
    return vitral.load(llama_folder)


@pytest.mark.parametrize(
    ("family", "kind", "heads", "context"),
    [
        ("gpt2", "decoder", 4, 64),
        ("llama", "decoder", 6, 64),
        ("bert", "encoder", 4, 64),
        ("roberta", "encoder", 4, 64),  # 66 positions, two of which are padding's
        ("t5", "encoder-decoder", 4, None),
        ("bart", "encoder-decoder", 4, 64),
        ("vit", "image", 4, None),
    ],
)
def test_what_is_known(family: str, kind: str, heads: int, context: int | None) -> None:
    model = vitral.load(random_model(family))
    assert (model.kind, model.num_layers, model.num_heads) == (kind, 3, heads)
    assert model.context == context
    assert model.name == model.architecture == SIZES[family][0]


def test_the_api_of_the_first_page(bert: vitral.Model) -> None:
    trace = bert.trace(TEXT)
    token = trace.tokens[3]
    assert TEXT[token.start : token.end] == token.text == "que"
    assert trace.attention(layer=2, head=1).shape == (len(trace.tokens),) * 2
    assert trace["layers.2.attention.pattern"].shape == (4, *trace.attention(2, 1).shape)
    assert trace["layers.2.residual.post"].shape == (len(trace.tokens), 32)
    assert trace["logits"].shape[0] == len(trace.tokens)
    assert trace.text == TEXT
    assert not trace.causal


def test_a_trace_of_our_form_is_that_of_transformers(
    bert: vitral.Model, llama: vitral.Model, bert_folder: Path, llama_folder: Path
) -> None:
    from transformers import BertForMaskedLM, LlamaForCausalLM

    for ours, theirs in (
        (bert, BertForMaskedLM.from_pretrained(bert_folder)),
        (llama, LlamaForCausalLM.from_pretrained(llama_folder)),
    ):
        mine = ours.trace(TEXT)
        other = vitral.load((theirs, ours.tokenizer)).trace(TEXT)
        assert mine.addresses() == other.addresses()
        assert mine.tokens == other.tokens
        assert mine.causal == other.causal
        for address in mine.addresses():
            torch.testing.assert_close(mine[address], other[address], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_a_batch_is_its_texts_one_by_one(name: str, request: pytest.FixtureRequest) -> None:
    model: vitral.Model = request.getfixturevalue(name)
    texts = [TEXT, "La niña.", "¿Dónde está el pingüino? Mañana lo sabré."]
    for text, trace in zip(texts, model.trace(texts=texts), strict=True):
        alone = model.trace(text)
        assert trace.tokens == alone.tokens
        assert trace.causal == alone.causal
        assert trace.addresses() == alone.addresses()
        for address in alone.addresses():
            torch.testing.assert_close(trace[address], alone[address], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("form", [list, tuple, np.array, torch.tensor])
def test_ids_in_any_form(llama: vitral.Model, form: Any) -> None:
    ids = [3, 8, 5]
    trace = llama.trace(ids=form(ids))
    assert [token.id for token in trace.tokens] == ids
    assert trace.tokens[0].start is None
    (same,) = llama.trace(ids=form([ids]))
    assert torch.equal(same["logits"], trace["logits"])


def test_text_of_an_encoder_and_a_decoder(bert_folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(bert_folder / "tokenizer.json"))
    size = {"vocab_size": tokenizer.get_vocab_size()}
    model = vitral.load((random_model("t5"), tokenizer))
    model.module.resize_token_embeddings(size["vocab_size"])
    model = vitral.load((model.module, tokenizer))
    trace = model.trace("La niña lee.", decoder_text="El gato")
    assert [token.text for token in trace.tokens] == ["[CLS]", "La", "niña", "lee", ".", "[SEP]"]
    assert [token.text for token in trace.decoder_tokens][1:] == ["[CLS]", "El", "gato"]
    assert trace.attention(0, 0, "cross").shape == (4, 6)
    assert model.trace("La niña lee.").attention(0, 0, "decoder").shape == (1, 1)
    first, second = model.trace(texts=["La niña lee.", "El gato"], decoder_ids=[[0, 5], [0, 6, 7]])
    assert (len(first.decoder_tokens), len(second.decoder_tokens)) == (2, 3)


def key_of(call: Any) -> str:
    with pytest.raises(vitral.VitralError) as raised:
        call()
    for language in ("en", "es"):
        assert "{" not in raised.value.text(language)
    return raised.value.key


def test_wrong_input(bert: vitral.Model) -> None:
    trace = bert.trace(TEXT)
    assert key_of(lambda: bert.trace(" \n")) == "text_empty"
    assert key_of(lambda: bert.trace(ids=[])) == "text_empty"
    assert key_of(lambda: bert.trace(texts=[])) == "text_empty"
    assert key_of(lambda: bert.trace(texts=["hola", ""])) == "text_empty"
    assert key_of(lambda: bert.trace("ni\udcf1o")) == "text_not_unicode"
    assert key_of(lambda: bert.trace(ids=[3, 10_000])) == "id_out_of_range"
    assert key_of(lambda: bert.trace(ids=[-1])) == "id_out_of_range"
    assert key_of(lambda: bert.trace(ids=["a"])) == "ids_unreadable"
    assert key_of(lambda: bert.trace(ids=[[1, 2]], attention_mask=[[1]])) == "ids_unreadable"
    assert key_of(lambda: trace.attention(3, 0)) == "layer_out_of_range"
    assert key_of(lambda: trace.attention(-1, 0)) == "layer_out_of_range"
    assert key_of(lambda: trace.attention(0, 4)) == "head_out_of_range"
    assert key_of(lambda: trace.attention(0, 0, "decoder")) == "part_single"
    assert key_of(lambda: trace["layers.1.attention.patern"]) == "address_unknown"
    assert key_of(lambda: bert.generate("El gato")) == "cannot_write"
    assert key_of(lambda: vitral.load(random_model("gpt2")).trace("Hola")) == "tokenizer_missing"


def test_a_long_text_is_refused_with_both_lengths(bert: vitral.Model) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        bert.trace("gato " * 63)
    assert raised.value.key == "text_too_long"
    assert raised.value.values == {"length": 65, "context": 64, "model": "small-bert"}
    assert len(bert.trace("gato " * 62).tokens) == 64


def test_the_nearest_addresses_are_named(bert: vitral.Model) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        bert.trace(TEXT)["layers.1.attention.patern"]
    assert "layers.1.attention.pattern" in str(raised.value)


def test_calls_that_make_no_sense(bert: vitral.Model) -> None:
    for arguments in (
        {},
        {"text": "a", "ids": [1]},
        {"text": "a", "attention_mask": [1]},
        {"text": "a", "decoder_text": "b"},
        {"pixel_values": torch.ones(1), "decoder_ids": [1]},
    ):
        with pytest.raises(TypeError):
            bert.trace(**arguments)


def test_writing_on(llama: vitral.Model) -> None:
    text = "La niña lee"
    written = llama.generate(text, max_new_tokens=8)
    assert written.startswith(text)
    assert llama.generate(text, max_new_tokens=8) == written
    chosen = [llama.generate(text, max_new_tokens=8, temperature=1.0, seed=s) for s in (1, 1)]
    assert chosen[0] == chosen[1]


def test_loading_what_is_loaded(bert: vitral.Model) -> None:
    assert vitral.load(bert) is bert
    assert repr(bert) == "<Model small-bert: BertForMaskedLM, encoder, 3 layers, 4 heads>"
    assert repr(bert.trace("El gato")) == "<Trace of small-bert: 4 tokens, 3 layers, 4 heads>"
