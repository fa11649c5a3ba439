"""The original Transformer is transformers' Marian, whoever wrote the folder; recurrent models
come back from theirs as they went in."""

import json
from pathlib import Path

import pytest
import torch
import transformers
from transformers import MarianConfig, MarianMTModel

import vitral
from models.sequence_models import (
    SOURCE,
    SOURCE_MASK,
    TARGET,
    TRANSLATORS,
    VOCABULARY,
    language_model,
    tokenizer_of_letters,
    transformer,
)
from vitral.errors import VitralError
from vitral.generation.beam_search import beam_search
from vitral.generation.generate import generate_ids
from vitral.models import hugging_face
from vitral.models.transformer import Transformer

TOLERANCE = 1e-5


def marian(**entries: object) -> MarianMTModel:
    shape = {
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 31,
        "d_model": 18,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 3,
        "decoder_attention_heads": 3,
        "encoder_ffn_dim": 25,
        "decoder_ffn_dim": 25,
        "activation_function": "relu",
        "scale_embedding": True,
        "pad_token_id": 0,
        "decoder_start_token_id": 0,
        "eos_token_id": 1,
        "forced_eos_token_id": None,
    }
    torch.manual_seed(0)
    model = MarianMTModel(MarianConfig(**shape | entries)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed_positions" not in name:
                weight.add_(torch.randn_like(weight) * 0.2)
        model.final_logits_bias.normal_()
    return model


@torch.no_grad()
def logits_of(theirs: MarianMTModel, mask: torch.Tensor | None = None) -> torch.Tensor:
    logits: torch.Tensor = theirs(
        input_ids=SOURCE, attention_mask=mask, decoder_input_ids=TARGET, use_cache=False
    ).logits
    return logits


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_folder_of_marians_gives_the_same_logits_here(activation: str, tmp_path: Path) -> None:
    theirs = marian(activation_function=activation)
    theirs.save_pretrained(tmp_path)
    assert hugging_face.can_read(tmp_path)
    ours = hugging_face.read(tmp_path)
    assert isinstance(ours, Transformer)
    with torch.no_grad():
        for mask in (None, SOURCE_MASK):
            found = ours(SOURCE, TARGET, mask)
            torch.testing.assert_close(found, logits_of(theirs, mask), atol=TOLERANCE, rtol=1e-5)


def test_a_padded_answer_is_marians_too(tmp_path: Path) -> None:
    theirs = marian()
    theirs.save_pretrained(tmp_path)
    ours = hugging_face.read(tmp_path)
    mask = torch.ones_like(TARGET)
    mask[2, 2:] = 0
    with torch.no_grad():
        expected = theirs(
            input_ids=SOURCE,
            attention_mask=SOURCE_MASK,
            decoder_input_ids=TARGET,
            decoder_attention_mask=mask,
        ).logits
        found = ours(SOURCE, TARGET, SOURCE_MASK, mask)
    real = mask.bool()
    torch.testing.assert_close(found[real], expected[real], atol=TOLERANCE, rtol=1e-5)


def test_transformers_opens_our_folder_and_gives_the_same_logits(tmp_path: Path) -> None:
    ours = transformer()
    hugging_face.write(ours, tokenizer_of_letters(), tmp_path)
    theirs, report = MarianMTModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    with torch.no_grad():
        for mask in (None, SOURCE_MASK):
            expected = logits_of(theirs.eval(), mask)
            found = ours(SOURCE, TARGET, mask)
            torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=1e-5)
    auto = transformers.AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    assert isinstance(auto, MarianMTModel)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = "¿el niño y 12?"
    assert tokenizer(text).input_ids == tokenizer_of_letters().encode(text).ids
    assert (tokenizer.pad_token, tokenizer.eos_token) == ("<pad>", "</s>")


def test_what_no_folder_says_is_the_same_on_both_sides(tmp_path: Path) -> None:
    """Not our arithmetic: such a folder is transformers' to open, and it opens."""
    unlike = {
        "decoder_layers": 1,
        "scale_embedding": False,
        "decoder_ffn_dim": 26,
        "activation_function": "quick_gelu",
    }
    for entry, value in unlike.items():
        folder = tmp_path / entry
        marian(**{entry: value}).save_pretrained(folder)
        assert not hugging_face.can_read(folder), entry
        opened = vitral.load(folder)
        assert isinstance(opened.module, MarianMTModel)
        assert opened.kind == "encoder-decoder"


@pytest.mark.parametrize("length_penalty", [1.0, 0.0])
def test_answers_are_those_of_transformers(length_penalty: float, tmp_path: Path) -> None:
    theirs = marian()
    theirs.save_pretrained(tmp_path)
    ours = hugging_face.read(tmp_path)
    start = torch.tensor([0])
    for row in range(2):
        source = SOURCE[row, SOURCE_MASK[row].bool()][None]
        for end_id in (1, 6, 23):
            named = {
                "do_sample": False,
                "max_new_tokens": 12,
                "eos_token_id": end_id,
                "pad_token_id": 0,
                "bad_words_ids": None,
            }
            greedy = theirs.generate(source, num_beams=1, **named)[0, 1:].tolist()
            for use_cache in (True, False):
                found = generate_ids(
                    ours,
                    start[None],
                    max_new_tokens=12,
                    end_id=end_id,
                    encoder_ids=source,
                    use_cache=use_cache,
                )
                assert [int(each) for each in found] == greedy
            expected = theirs.generate(
                source,
                num_beams=4,
                num_return_sequences=4,
                early_stopping=False,
                length_penalty=length_penalty,
                return_dict_in_generate=True,
                output_scores=True,
                **named,
            )
            for use_cache in (True, False):
                beams = beam_search(
                    ours,
                    start,
                    num_beams=4,
                    max_new_tokens=12,
                    length_penalty=length_penalty,
                    end_id=end_id,
                    encoder_ids=source,
                    use_cache=use_cache,
                )
                for beam, ids, score in zip(
                    beams, expected.sequences, expected.sequences_scores, strict=True
                ):
                    assert beam.ids == ids[1 : 1 + len(beam.ids)].tolist()
                    assert beam.score == pytest.approx(float(score), abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", [*TRANSLATORS, "language-model"])
def test_a_model_comes_back_as_it_went(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    model = language_model(cell="gru", dropout=0.2) if name == "language-model" else None
    model = model or TRANSLATORS[name]()
    hugging_face.write(model, tokenizer_of_letters(), tmp_path, dtype)
    opened = vitral.load(tmp_path)
    assert type(opened.module) is type(model)
    assert opened.module.config == model.config
    assert opened.architecture == model.config.architecture
    pairs = zip(model.named_parameters(), opened.module.named_parameters(), strict=True)
    for (ours, weight), (theirs, read) in pairs:
        assert ours == theirs
        assert torch.equal(weight.to(dtype).float(), read)
    given = (SOURCE,) if name == "language-model" else (SOURCE, TARGET)
    if dtype == torch.float32:
        with torch.no_grad():
            found = opened.module(*given)
            torch.testing.assert_close(found, model(*given), atol=1e-6, rtol=1e-5)


def test_a_recurrent_folder_says_that_it_is_ours(tmp_path: Path) -> None:
    hugging_face.write(language_model(), tokenizer_of_letters(), tmp_path)
    entries = json.loads((tmp_path / "config.json").read_text())
    assert entries["model_type"] == "vitral-recurrent"
    assert entries["cell"] == "lstm"
    with pytest.raises(ValueError, match="vitral-recurrent"):
        transformers.AutoConfig.from_pretrained(tmp_path)


def test_a_cell_that_nobody_has_is_said(tmp_path: Path) -> None:
    hugging_face.write(language_model(), None, tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"lstm"', '"tlsm"'))
    with pytest.raises(VitralError) as caught:
        vitral.load(tmp_path)
    assert caught.value.key == "model_option"


def test_weights_that_do_not_fit_are_said(tmp_path: Path) -> None:
    hugging_face.write(TRANSLATORS["additive"](), None, tmp_path)
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"additive"', '"dot"'))
    with pytest.raises(VitralError) as caught:
        vitral.load(tmp_path)
    assert caught.value.key == "weights_damaged"
