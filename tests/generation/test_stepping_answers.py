"""An answer written a token at a time: any way through it gives what `generate` gives."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    ProphetNetConfig,
    ProphetNetForConditionalGeneration,
    T5GemmaConfig,
    T5GemmaForConditionalGeneration,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

import vitral
from models.sequence_models import TRANSLATORS, VOCABULARY, tokenizer_of_letters
from parity.random_models import random_model
from parity.tiny_configurations import tiny
from vitral.errors import VitralError
from vitral.generation.sampling import Sampling
from vitral.generation.spelling import gained
from vitral.generation.stepping import Stepping

TEXT = "gatos 12"
WAYS = [
    {},
    {"temperature": 1.1, "seed": 4},
    {"temperature": 0.8, "top_k": 30, "top_p": 0.9, "min_p": 0.02, "seed": 9},
    {"repetition_penalty": 1.4},
]


def theirs(family: str) -> torch.nn.Module:
    module = random_model(family)
    module.resize_token_embeddings(VOCABULARY)
    # Which token is the last, and so the one that BART forces, only `generate` knows.
    module.generation_config.forced_eos_token_id = None
    return module


def two_berts() -> torch.nn.Module:
    sides = [
        BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=20,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=37,
            initializer_range=0.3,
        )
        for _ in range(2)
    ]
    config = EncoderDecoderConfig.from_encoder_decoder_configs(*sides)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 4, 0, 1
    torch.manual_seed(2)
    return EncoderDecoderModel(config).eval()


def t5_gemma() -> torch.nn.Module:
    torch.manual_seed(2)
    return T5GemmaForConditionalGeneration(tiny(T5GemmaConfig, "t5gemma")).eval()


MODELS: dict[str, Callable[[], torch.nn.Module]] = {
    "t5": lambda: theirs("t5"),
    "bart": lambda: theirs("bart"),
    "two-berts": two_berts,
    "t5gemma": t5_gemma,
    **TRANSLATORS,
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> vitral.Model:
    return vitral.load((MODELS[request.param](), tokenizer_of_letters()))


def sampling_of(way: dict) -> Sampling:
    return Sampling(**{name: value for name, value in way.items() if name != "seed"})


def written(stepping: Stepping, way: dict, count: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < count and stepping.ended(ids) is None:
        ids.append(stepping.draw(ids, sampling_of(way), way.get("seed", 0)).id)
    return ids


def text_of(model: vitral.Model, ids: list[int]) -> str:
    return "".join(gained(model.tokenizer, ids[:place], ids[place]) for place in range(len(ids)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("windowed", [True, False])
def test_tokens_are_those_of_generate(model: vitral.Model, way: dict, windowed: bool) -> None:
    stepping = Stepping(model.module, model.tokenizer, TEXT, windowed=windowed)
    ids = written(stepping, way, 40)
    whole = model.generate(TEXT, max_new_tokens=40, windowed=windowed, **way)
    assert text_of(model, ids) == whole
    if not windowed:
        trace = model.trace_generation(TEXT, max_new_tokens=40, **way)
        assert ids == [token.id for token in trace.decoder_tokens[1:]]


@pytest.mark.parametrize("name", ["t5", "two-berts", "t5gemma"])
def test_an_answer_begins_where_transformers_begins_it(name: str) -> None:
    module = MODELS[name]()
    module.generation_config.bos_token_id = 7  # begins it where nothing else is said
    stepping = Stepping(module, tokenizer_of_letters(), TEXT)
    ids = written(stepping, {}, 8)
    answer = module.generate(
        stepping.encoder_ids,
        do_sample=False,
        max_new_tokens=8,
        eos_token_id=1,
        pad_token_id=0,
    )
    assert [stepping.prompt[0].id, *ids] == answer[0, : len(ids) + 1].tolist()
    assert stepping.prompt[0].id == {"t5": 0, "two-berts": 4, "t5gemma": 7}[name]


def test_the_last_rows_are_those_of_the_trace(model: vitral.Model) -> None:
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    ids = written(stepping, {"temperature": 1.0, "seed": 1}, 6)
    ids = ids[:-1] if stepping.ended(ids) else ids
    look = stepping.look(ids)
    assert stepping.source == model.tokens(TEXT)
    if model.num_heads == 0:  # a recurrent network without attention leaves no trace
        assert look.attention is None
        assert look.cross is None
        return
    trace = model.trace(TEXT, decoder_ids=[[stepping.prompt[0].id, *ids]])
    torch.testing.assert_close(look.logits, trace["logits"][-1], atol=1e-4, rtol=0)
    seen = {"decoder": look.attention, "cross": look.cross}
    assert {name for name, rows in seen.items() if rows} == {*trace.parts} - {"encoder"}
    for name, rows in seen.items():
        for layer, row in (rows or {}).items():
            pattern = [trace.attention(layer, head, name)[-1] for head in range(len(row))]
            torch.testing.assert_close(row, torch.stack(pattern), atol=1e-5, rtol=0)


def test_a_branch_is_what_it_would_be_alone(model: vitral.Model) -> None:
    stepping, alone = (Stepping(model.module, model.tokenizer, TEXT) for _ in range(2))
    first = written(stepping, {"temperature": 1.0, "seed": 3}, 8)
    forced = [*first[:2], (first[2] + 5) % VOCABULARY]
    torch.testing.assert_close(
        stepping.look(forced).logits, alone.look(forced).logits, atol=1e-5, rtol=0
    )
    # Back on the first branch, the luck is as it was.
    assert stepping.draw(first[:4], Sampling(1.0), 3).id == first[4]


def test_the_encoder_reads_once(model: vitral.Model) -> None:
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    encoder = model.module.get_encoder() if hasattr(model.module, "get_encoder") else None
    read: list[str] = []
    parts = [encoder] if encoder is not None else [model.module.encoder.layers[0]]
    for part in parts:
        part.register_forward_hook(lambda *_: read.append("read"))
    written(stepping, {}, 4)
    assert read == ["read"]


def test_memory_of_the_cache() -> None:
    model = vitral.load((TRANSLATORS["transformer"](), tokenizer_of_letters()))
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    assert stepping.num_bytes == 0
    stepping.look([5, 6])
    num_read = len(model.tokens(TEXT))
    # Two layers, keys and values of 20 numbers of four bytes; and what the encoder made.
    assert stepping.num_bytes == (3 + num_read) * 2 * 2 * 20 * 4 + num_read * 20 * 4


def test_a_text_longer_than_the_encoder_takes_is_refused(bart_folder: Path) -> None:
    bart = vitral.load(bart_folder)
    for windowed in (False, True):
        with pytest.raises(VitralError) as caught:
            Stepping(bart.module, bart.tokenizer, "a " * 70, windowed=windowed)
        assert caught.value.key == "text_too_long"
        assert caught.value.values["length"] == 72
        assert caught.value.values["context"] == 64


def test_a_model_whose_attention_nobody_sees_writes_all_the_same() -> None:
    torch.manual_seed(0)
    module = ProphetNetForConditionalGeneration(tiny(ProphetNetConfig, "prophetnet")).eval()
    model = vitral.load((module, tokenizer_of_letters()))
    stepping = Stepping(module, model.tokenizer, TEXT)
    way = {"temperature": 1.0, "seed": 3}
    ids = written(stepping, way, 6)
    assert text_of(model, ids) == model.generate(TEXT, max_new_tokens=6, **way)
    look = stepping.look(ids[:3])
    assert look.attention is None
    assert look.cross is None


def test_an_encoder_of_sound_answers_no_text() -> None:
    config = WhisperConfig(
        vocab_size=VOCABULARY,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_mel_bins=8,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    with pytest.raises(VitralError) as caught:
        Stepping(WhisperForConditionalGeneration(config), tokenizer_of_letters(), TEXT)
    assert caught.value.key == "cannot_write"
