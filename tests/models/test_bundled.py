"""The models that come with the package: what they are, who else opens them, what they can do."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import vitral
from vitral.models import hugging_face
from vitral.models.catalog import BUNDLED, bundled, bundled_folder

ROOT = Path(__file__).parents[2]
FIGURES = json.loads((ROOT / "benchmarks/results/bundled_models.json").read_text(encoding="utf-8"))
SENTENCE = "El perro que persiguió al gato cruzó la calle."


def test_both_are_there_and_the_encoder_is_the_default() -> None:
    assert bundled() == list(BUNDLED) == ["vitral-es-bert", "vitral-es-gpt"]


@pytest.mark.parametrize("name", BUNDLED)
def test_they_are_small_files_of_real_models(name: str) -> None:
    folder = bundled_folder(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20_000_000
    config = hugging_face.read(folder).config
    assert config.num_layers >= 6
    assert config.num_heads == 8
    assert config.context >= 256
    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        assert {weights.get_slice(key).get_dtype() for key in weights.keys()} == {"BF16"}  # noqa: SIM118


@pytest.mark.parametrize("name", BUNDLED)
def test_transformers_opens_model_and_tokenizer(name: str) -> None:
    import transformers

    folder = bundled_folder(name)
    ours = vitral.load(name)
    architecture = getattr(transformers, ours.architecture)
    theirs = architecture.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(SENTENCE, return_tensors="pt")
    trace = ours.trace(SENTENCE)
    assert inputs["input_ids"][0].tolist() == [token.id for token in trace.tokens]
    assert tokenizer.decode(inputs["input_ids"][0], skip_special_tokens=True) == SENTENCE
    with torch.no_grad():
        logits = theirs(**inputs).logits[0]
    torch.testing.assert_close(trace["logits"], logits, atol=1e-4, rtol=1e-4)


def test_the_encoder_fills_in_an_obvious_word() -> None:
    model = vitral.load("vitral-es-bert")
    trace = model.trace("El perro que persiguió [MASK] gato cruzó la calle.")
    mask = next(i for i, token in enumerate(trace.tokens) if token.text == "[MASK]")
    best = trace["logits"][mask].topk(5).indices.tolist()
    assert model.tokenizer.token_to_id("al") in best


def test_the_decoder_writes_spanish() -> None:
    text = vitral.load("vitral-es-gpt").generate("El perro que", max_new_tokens=30)
    assert text.startswith("El perro que")
    words = re.findall(r"\w+", text)
    assert len(words) > 12
    assert len({"de", "la", "el", "que", "y", "a", "en", "no", "se", "le", "los"} & {*words}) > 3


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (
            "vitral-es-gpt",
            [
                "bits_per_byte",
                "xz_9e_bits_per_byte",
                "five_gram_of_bytes_bits_per_byte",
                "five_gram_of_tokens_bits_per_byte",
            ],
        ),
        ("vitral-es-bert", ["masked_accuracy"]),
    ],
)
def test_the_cards_carry_the_measured_figures(name: str, keys: list[str]) -> None:
    for card in ("README.md", "README.es.md"):
        text = (bundled_folder(name) / card).read_text(encoding="utf-8")
        if card.endswith("es.md"):
            text = re.sub(r"(?<=\d),(?=\d)", ".", text)
        for key in keys:
            figure = FIGURES[name][key]
            shown = f"{100 * figure:.1f} %" if "accuracy" in key else f"{figure:.3f}"
            assert shown in text, f"{card}: {key} is {shown}"


def test_the_decoder_beats_what_it_must() -> None:
    figures = FIGURES["vitral-es-gpt"]
    assert figures["bits_per_byte"] <= 2.0
    assert figures["bits_per_byte"] < figures["xz_9e_bits_per_byte"]
    assert figures["bits_per_byte"] < figures["five_gram_of_bytes_bits_per_byte"]
