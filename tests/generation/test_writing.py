"""Writing with any decoder, ours or transformers', and the trace of it."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

import vitral
from parity.random_models import random_model
from vitral.generation.generate import generate_ids
from vitral.generation.options import GenerationOptions
from vitral.text.tokenizers import train_byte_level_bpe

TEXT = "La niña lee"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    lines = ["La niña lee un cuento.", "El gato cruzó la calle.", "«¿Qué?», dijo él."] * 20
    return train_byte_level_bpe(lines, 300)


def model_of(family: str, tokenizer: Tokenizer) -> vitral.Model:
    return vitral.load((random_model(family), tokenizer))


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_greedy_writing_is_that_of_transformers(family: str) -> None:
    module = random_model(family)
    prompt = torch.tensor([[3, 9, 4, 11]])
    ours = torch.stack(list(generate_ids(module, prompt, max_new_tokens=12)), dim=1)
    theirs = module.generate(prompt, max_new_tokens=12, do_sample=False, eos_token_id=None)
    assert torch.equal(ours, theirs[:, 4:])


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_answers_are_those_of_transformers(family: str) -> None:
    module = random_model(family)
    read, start = torch.tensor([[3, 9, 4, 11, 2]]), torch.tensor([[0]])
    ours = list(generate_ids(module, start, max_new_tokens=10, encoder_ids=read))
    theirs = module.generate(
        read,
        max_new_tokens=10,
        do_sample=False,
        num_beams=1,
        decoder_start_token_id=0,
        eos_token_id=None,
        forced_bos_token_id=None,
        forced_eos_token_id=None,
    )
    assert torch.equal(torch.stack(ours, dim=1), theirs[:, 1:])


def test_the_trace_of_writing_is_that_of_the_written_text(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    trace = model.trace_generation(TEXT, max_new_tokens=9)
    assert trace.text == model.generate(TEXT, max_new_tokens=9)
    whole = model.trace(ids=[token.id for token in trace.tokens])
    assert len(trace.tokens) == len(model.tokens(TEXT)) + 9
    for address in whole.addresses():
        torch.testing.assert_close(trace[address], whole[address], atol=1e-4, rtol=0)


def test_every_written_character_belongs_to_a_token(tokenizer: Tokenizer) -> None:
    """Random weights write single bytes in plenty: characters in pieces, and broken ones."""
    for temperature, seed in ((0.0, None), (1.0, 1), (1.0, 2), (2.0, 3)):
        drawing = {"temperature": temperature, "seed": seed}
        module = random_model("gpt2")
        module.resize_token_embeddings(tokenizer.get_vocab_size())
        model = vitral.load((module, tokenizer))
        trace = model.trace_generation(TEXT, max_new_tokens=40, **drawing)
        assert trace.text is not None
        assert trace.text.startswith(TEXT)
        covered = set()
        for token in trace.tokens:
            if token.start is not None:
                assert trace.text[token.start : token.end] == token.text
                covered |= set(range(token.start, token.end))
        assert covered == set(range(len(trace.text)))


def test_pieces_make_up_the_text_and_split_no_character(tokenizer: Tokenizer) -> None:
    module = random_model("gpt2")
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    model = vitral.load((module, tokenizer))
    for seed in range(6):
        options = {"max_new_tokens": 40, "temperature": 1.5, "seed": seed}
        pieces = list(model.stream(TEXT, **options))
        assert TEXT + "".join(pieces) == model.generate(TEXT, **options)
        assert all(pieces)
    accents = "ñandú, ¿qué? «más» "
    assert _streamed(tokenizer, accents) == accents


def _streamed(tokenizer: Tokenizer, text: str) -> str:
    """A text streamed from a reader that knows it by heart, byte by byte."""
    from vitral.generation import writing

    single = {token: tokenizer.token_to_id(token) for token in tokenizer.get_vocab()}
    pre = tokenizer.pre_tokenizer.pre_tokenize_str(text)
    ids = [single[character] for word, _ in pre for character in word]

    class ByHeart:
        def __init__(self) -> None:
            self.told = 0

        def __call__(self, new_BT: torch.Tensor) -> torch.Tensor:
            logits = torch.zeros(1, tokenizer.get_vocab_size())
            logits[0, ids[self.told]] = 9.0
            self.told += 1
            return logits

        def reorder(self, rows_B: torch.Tensor) -> None:
            raise NotImplementedError

    pieces = list(
        writing.pieces(
            random_model("gpt2"),
            tokenizer,
            "La",
            GenerationOptions(max_new_tokens=len(ids)),
            ByHeart(),
        )
    )
    assert len(ids) > len(text)  # accents took several tokens each
    assert not any("\ufffd" in piece for piece in pieces)
    assert len(pieces) > 5
    return "".join(pieces)


def test_writing_stops_before_a_string(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    whole = model.generate(TEXT, max_new_tokens=20)
    written = whole[len(TEXT) :]
    for start, length in ((3, 1), (5, 4), (0, 2), (8, 7)):
        stop = written[start : start + length]
        stopped = model.generate(TEXT, max_new_tokens=20, stop=["nunca jamás", stop])
        assert stopped == TEXT + written[: written.find(stop)]
    assert model.generate(TEXT, max_new_tokens=20, stop=["nunca jamás"]) == whole


def test_beams_write_a_text_and_clash_with_sampling(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    text = model.generate(TEXT, max_new_tokens=8, num_beams=4)
    assert text.startswith(TEXT)
    assert len(text) > len(TEXT)
    for options in ({"temperature": 1.0}, {"stop": ["a"]}, {"windowed": True}):
        with pytest.raises(vitral.VitralError) as caught:
            model.generate(TEXT, num_beams=4, **options)
        assert caught.value.key == "options_clash"


def test_an_encoder_decoder_answers(tokenizer: Tokenizer) -> None:
    module = random_model("t5")
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    model = vitral.load((module, tokenizer))
    answer = model.generate(TEXT, max_new_tokens=6)
    trace = model.trace_generation(TEXT, max_new_tokens=6)
    assert not answer.startswith(TEXT)
    assert next(token.text for token in trace.tokens if not token.special) == "La"
    assert trace.decoder_tokens[0].id == 0
    shape = trace.attention(0, 0, "cross").shape
    assert shape == (len(trace.decoder_tokens), len(trace.tokens))


def test_who_cannot_write_says_so(tokenizer: Tokenizer, bert_folder: Path) -> None:
    for model in (vitral.load(bert_folder), model_of("roberta", tokenizer)):
        for ask in (model.generate, model.trace_generation):
            with pytest.raises(vitral.VitralError) as caught:
                ask(TEXT, max_new_tokens=3)
            assert caught.value.key == "cannot_write"
    with pytest.raises(vitral.VitralError) as caught:
        vitral.load(random_model("gpt2")).generate(TEXT)
    assert caught.value.key == "tokenizer_missing"
