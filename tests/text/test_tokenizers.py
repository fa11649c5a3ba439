"""The seven kinds: what they cut, give back, refuse, and what transformers makes of them."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from vitral.errors import VitralError
from vitral.text.tokenizer_folder import read_tokenizer, save_tokenizer
from vitral.text.tokenizers import (
    KINDS,
    special_id,
    train_byte_level_bpe,
    train_tokenizer,
    train_wordpiece,
)

LINES = [
    "El niño cruzó la calle y el niño volvió.",
    "—¿Qué? —dijo «ella» (1.605); ¡adiós, pingüino!\n\nLa papa y el papá…",
    "Cruzó, volvió: dos  espacios.\tY el veloz murciélago hindú comía feliz cardillo y kiwi.",
] * 5
SIZES = {"character": 300, "word": 49, "byte": 257, "bpe": 90, "byte_bpe": 320}
SIZES |= {"wordpiece": 110, "unigram": 60}
TOKENIZERS = {kind: train_tokenizer(LINES, kind, size) for kind, size in SIZES.items()}
LOSSLESS = [kind for kind in KINDS if kind != "wordpiece"]
LETTERS = "".join(sorted(set("".join(LINES))))


@pytest.mark.parametrize("kind", LOSSLESS)
def test_the_text_comes_back(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    for line in LINES[:3]:
        assert tokenizer.decode(tokenizer.encode(line).ids) == line


@settings(deadline=None)
@given(text=st.text(alphabet=LETTERS, max_size=40))
@pytest.mark.parametrize("kind", ["character", "byte", "bpe", "byte_bpe", "unigram"])
def test_any_text_of_known_characters_comes_back(kind: str, text: str) -> None:
    assert TOKENIZERS[kind].decode(TOKENIZERS[kind].encode(text).ids) == text


@settings(deadline=None)
@given(text=st.text(max_size=40))
@pytest.mark.parametrize("kind", ["byte", "byte_bpe"])
def test_bytes_give_back_every_text(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert tokenizer.decode(tokenizer.encode(text).ids) == unicodedata.normalize("NFC", text)


def test_wordpiece_spaces_marks_as_spanish_does() -> None:
    tokenizer = TOKENIZERS["wordpiece"]
    for text in ("¿Qué? ¡adiós, pingüino!", "«ella» (dijo); el niño: volvió."):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_cover_the_text(kind: str) -> None:
    text = "—¿Qué? —dijo el niño."
    encoding = TOKENIZERS[kind].encode(text, add_special_tokens=False)
    places = encoding.offsets
    assert places == sorted(places)
    covered = {i for start, end in places for i in range(start, end)}
    assert {i for i, character in enumerate(text) if character != " "} <= covered
    assert [text[start:end] for start, end in places if "ñ" in text[start:end]]


@pytest.mark.parametrize("kind", KINDS)
def test_decomposed_accents_are_the_same_tokens(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    text = "El niño cruzó"
    decomposed = unicodedata.normalize("NFD", text)
    assert tokenizer.encode(decomposed).ids == tokenizer.encode(text).ids


@pytest.mark.parametrize("kind", KINDS)
def test_the_marks_of_a_text(kind: str) -> None:
    encoding = TOKENIZERS[kind].encode("El niño")
    if kind == "wordpiece":
        assert (encoding.tokens[0], encoding.tokens[-1]) == ("[CLS]", "[SEP]")
    else:
        assert encoding.ids[0] == special_id(TOKENIZERS[kind], "<s>") == 0
        assert 0 not in encoding.ids[1:]


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_the_one_asked_for(kind: str) -> None:
    size = TOKENIZERS[kind].get_vocab_size()
    expected = len(set("".join(LINES))) + 2 if kind == "character" else SIZES[kind]
    assert size == expected


@pytest.mark.parametrize("kind", ["word", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_more_than_the_text_gives_is_refused(kind: str) -> None:
    with pytest.raises(VitralError) as caught:
        train_tokenizer(LINES, kind, 5000)
    assert caught.value.key == "vocabulary_too_large"
    largest = int(str(caught.value.values["largest"]))
    assert str(largest) in str(caught.value)
    assert 45 < largest < 400
    assert train_tokenizer(LINES, kind, largest).get_vocab_size() == largest


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "wordpiece", "unigram"])
def test_less_than_the_characters_is_refused(kind: str) -> None:
    with pytest.raises(VitralError) as caught:
        train_tokenizer(LINES, kind, 20)
    assert caught.value.key == "vocabulary_too_small"
    least = int(str(caught.value.values["least"]))
    assert train_tokenizer(LINES, kind, least).get_vocab_size() == least
    with pytest.raises(VitralError):
        train_tokenizer(LINES, kind, least - 1)


@pytest.mark.parametrize("kind", ["character", "word", "byte", "bpe", "byte_bpe"])
def test_the_same_texts_give_the_same_tokenizer(kind: str) -> None:
    assert train_tokenizer(LINES, kind, SIZES[kind]).to_str() == TOKENIZERS[kind].to_str()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "byte"])
def test_no_text_is_refused(kind: str) -> None:
    for texts in ([], ["", " \n"]):
        with pytest.raises(VitralError) as caught:
            train_tokenizer(texts, kind, 300)
        assert caught.value.key == "corpus_empty"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(VitralError, match="unigram") as caught:
        train_tokenizer(LINES, "sentencepiece", 300)
    assert caught.value.key == "tokenizer_kind"


def test_a_mistake_of_the_texts_is_not_hidden() -> None:
    def texts():
        yield LINES[0]
        raise VitralError("file_binary", path="foto.txt", position=6)

    for kind in ("byte_bpe", "unigram"):
        with pytest.raises(VitralError, match=r"foto\.txt"):
            train_tokenizer(texts(), kind, 300)


def test_only_so_many_characters_are_read() -> None:
    read = []

    def texts():
        for number in range(100):
            read.append(number)
            yield f"palabra{number} " * 10

    train_tokenizer(texts(), "character", 300, most_characters=1000)
    assert 9 <= len(read) <= 12


def test_unknown_words_and_characters_are_told() -> None:
    assert TOKENIZERS["word"].encode("El gato").tokens == ["<s>", "El", "<unk>"]
    assert TOKENIZERS["character"].encode("日").tokens == ["<s>", "<unk>"]
    assert TOKENIZERS["wordpiece"].encode("日").tokens == ["[CLS]", "[UNK]", "[SEP]"]


def test_byte_numbers_are_those_of_utf8() -> None:
    ids = TOKENIZERS["byte"].encode("ñ €\n", add_special_tokens=False).ids
    assert ids == [byte + 1 for byte in "ñ €\n".encode()]


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_opens_it(kind: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    tokenizer = TOKENIZERS[kind]
    save_tokenizer(tokenizer, tmp_path)
    text = "El niño cruzó la calle; ¡adiós, pingüino!"
    for opened in (
        AutoTokenizer.from_pretrained(tmp_path),
        PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json")),
    ):
        assert len(opened) == tokenizer.get_vocab_size()
        ids = opened(text)["input_ids"]
        assert ids == tokenizer.encode(text).ids
        assert opened.decode(ids, skip_special_tokens=True) == text
    roles = json.loads((tmp_path / "tokenizer_config.json").read_text())
    expected = "[UNK]" if kind == "wordpiece" else "<unk>"
    assert roles.get("unk_token") == (None if "byte" in kind else expected)
    again = read_tokenizer(tmp_path / "tokenizer.json")
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again.encode(text).ids == tokenizer.encode(text).ids
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(VitralError, match=r"tokenizer\.json") as caught:
        read_tokenizer(tmp_path / "tokenizer.json")
    assert caught.value.key == "tokenizer_damaged"


def test_wordpiece_keeps_case_and_accents() -> None:
    tokenizer: Tokenizer = train_wordpiece(LINES, 80)
    encoding = tokenizer.encode("El papá y la papa")
    assert encoding.tokens.count("[UNK]") == 0
    assert tokenizer.decode(encoding.ids) == "El papá y la papa"
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert [special_id(tokenizer, name) for name in names] == [0, 1, 2, 3, 4]


def test_a_missing_mark_is_named() -> None:
    with pytest.raises(VitralError, match=r"\[MASK\]"):
        special_id(train_byte_level_bpe(LINES, 300), "[MASK]")


@pytest.mark.parametrize("kind", ["byte_bpe", "bpe", "wordpiece", "unigram"])
def test_a_word_without_end_is_learned_from_in_no_time(kind: str) -> None:
    """A word of 200,000 letters took minutes: each pair that is joined goes through all of it."""
    import random
    import time

    generator = random.Random(7)
    word = "".join(generator.choice("abcdefgh") for _ in range(200_000))
    cut = " ".join(word[place : place + 100] for place in range(0, len(word), 100))
    seconds = []
    for text in (cut, word):
        before = time.process_time()
        train_tokenizer([f"El perro {text} ladra."], kind, 300)
        seconds.append(time.process_time() - before)
    assert seconds[1] < 5 * seconds[0] + 2, "about as quick as short words"


def test_cutting_long_words_loses_no_letter() -> None:
    from vitral.text.tokenizers import _shorter_words

    for text in ("uno dos", "a" * 1000, "uno " + "ñ" * 513 + " dos", "x" * 257 + "\n"):
        pieces = list(_shorter_words(text))
        assert "".join(pieces) == text
        assert all(len(word) <= 256 for piece in pieces for word in piece.split())
