"""Tokenizers in GGUF: llama.cpp cuts every text as they do, or Vitral refuses by name."""

from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import vitral
from exporting.gguf_models import TEXT, small_model
from exporting.llama_cpp import llama_cpp
from vitral.exporting.gguf_tokenizer import PRE_TOKENIZERS, gguf_tokenizer
from vitral.text.tokenizers import train_tokenizer

TEXTS = [
    "El niño cruzó la calle. ¡¿Qué?!",
    "  two  spaces\n\n\ttab   \n end ",
    "I'll say it's 1234567 — y 3,14 €; n.º 5",
    "日本語 한국어 ελληνικά русский עברית हिन्दी",
    "👩‍👧 ½ ² ٣ ǆ A\u00a0B a\u2028b",
    "x" * 60 + "\r\n\r\n" + "'S 'RE 'Ve can't CAN'T",
    "",
]


def byte_level(pattern: str | None = None, before: list | None = None, **model) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**model))
    cut = list(before or [])
    if pattern is not None:
        cut.append(pre_tokenizers.Split(Regex(pattern), "isolated"))
    cut.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cut)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT, *TEXTS] * 3, trainer)
    return tokenizer


def with_marks() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.add_tokens(["[nota]"])
    return tokenizer


CUT = {
    **{
        f"{names[ignores]}": lambda pattern=pattern, ignores=ignores: byte_level(
            pattern, ignore_merges=bool(ignores)
        )
        for pattern, names in PRE_TOKENIZERS.items()
        for ignores in (0, 1)
        if names[ignores] is not None
    },
    "smollm": lambda: byte_level(before=[pre_tokenizers.Digits(individual_digits=True)]),
    "gpt-2, regex of its own": byte_level,
    "bytes alone": lambda: train_tokenizer([], "byte", 257),
    "added words": with_marks,
}


@pytest.mark.parametrize("name", CUT)
def test_llama_cpp_cuts_the_same(name: str, tmp_path: Path) -> None:
    tokenizer = CUT[name]()
    model = vitral.load((small_model("llama", vocab_size=310), tokenizer))
    model.export(tmp_path / "model.gguf")
    with llama_cpp(tmp_path / "model.gguf") as theirs:
        for text in [*TEXTS, "una [nota] al pie"]:
            assert theirs.tokens(text) == tokenizer.encode(text).ids, text


def lowercase() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.Lowercase()
    return tokenizer


def spaced() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return tokenizer


REFUSED = {
    "model: WordLevel": lambda: train_tokenizer([TEXT], "word", 20),
    "model: Unigram": lambda: train_tokenizer([TEXT], "unigram", 40),
    "model: WordPiece": lambda: train_tokenizer([TEXT * 9], "wordpiece", 60),
    "decoder": lambda: train_tokenizer([TEXT], "bpe", 60),
    "normalizer": lowercase,
    "pre_tokenizer": spaced,
    r"\\p{L}": lambda: byte_level(r"\p{L}+|\P{L}"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_gguf_cannot_hold_is_named(what: str) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        gguf_tokenizer(REFUSED[what](), 400, "m")
    assert raised.value.key == "gguf_tokenizer"
    assert what in str(raised.value)
