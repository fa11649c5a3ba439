"""Tokens know their place in the text, whatever kind of tokenizer cut it."""

import unicodedata
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

import vitral
from vitral import VitralError
from vitral.cli.token_labels import labels
from vitral.figures.labels import label
from vitral.text.tokenizers import train_tokenizer
from vitral.tracing.recording.reading import bare_tokens, read_text
from vitral.tracing.token import Token

SPANISH = st.text(alphabet="aábcdeénñoóuü ¿?¡!,.  \n🐧€日", min_size=1, max_size=30)


def bytes_only() -> Tokenizer:
    """Byte-level BPE without merges: every byte is a token, so ñ is two of them and 🐧 four."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def byte_fallback() -> Tokenizer:
    """Llama 2's way: what the vocabulary lacks falls back to bytes; spaces become ▁."""
    words = ["<unk>", "▁", "n", "i", "o", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    return tokenizer


@pytest.mark.parametrize("make", [bytes_only, byte_fallback])
def test_a_split_character_is_shown_whole(make: Any) -> None:
    tokens = [token for token in read_text(make(), "niño 🐧") if token.text]
    assert [token.text for token in tokens if token.text.strip()] == [*"niññ", "o", *"🐧🐧🐧🐧"]
    assert [(t.start, t.end) for t in tokens if t.text == "ñ"] == [(2, 3), (2, 3)]


def test_normalised_text_keeps_the_places_of_the_original() -> None:
    tokenizer = Tokenizer(models.WordLevel({"nino": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    text = "NIN\u0303O, niño"  # the first ñ is a letter and a combining tilde
    tokens = read_text(tokenizer, text)
    assert [token.text for token in tokens] == ["NIN\u0303O", ",", "niño"]
    assert not tokens[1].special, "an unknown word is still the word it is"


@pytest.mark.parametrize("name", ["vitral-es-bert", "vitral-es-gpt"])
def test_composed_and_decomposed_letters_read_alike(name: str) -> None:
    tokenizer = vitral.load(name).tokenizer
    text = "La niña comió piñón y pingüino."
    composed, apart = (
        read_text(tokenizer, unicodedata.normalize(form, text)) for form in ("NFC", "NFD")
    )
    assert [token.id for token in apart] == [token.id for token in composed]
    written = [unicodedata.normalize("NFC", token.text) for token in apart]
    assert written == [token.text for token in composed]


@settings(deadline=None, max_examples=150)
@given(text=SPANISH | st.text(min_size=1, max_size=20), kind=st.sampled_from(["bytes", "fallback"]))
def test_every_character_has_its_tokens(text: str, kind: str) -> None:
    tokenizer = {"bytes": bytes_only, "fallback": byte_fallback}[kind]()
    surrogate = any("\ud800" <= char <= "\udfff" for char in text)
    if surrogate or not text.strip():
        with pytest.raises(VitralError) as raised:
            read_text(tokenizer, text)
        assert raised.value.key == ("text_empty" if not text.strip() else "text_not_unicode")
        return
    tokens = read_text(tokenizer, text)
    covered = set()
    last = 0
    for token in tokens:
        assert token.start is not None
        assert token.end is not None
        assert token.text == text[token.start : token.end]
        assert token.start >= last, "tokens stand in the text's order"
        last = token.start
        covered |= set(range(token.start, token.end))
    assert covered == set(range(len(text)))


def test_special_tokens(bert_folder: Any) -> None:
    tokenizer = Tokenizer.from_file(str(bert_folder / "tokenizer.json"))
    tokens = read_text(tokenizer, "El [MASK] duerme.")
    assert (tokens[0].text, tokens[0].start, tokens[0].special) == ("[CLS]", None, True)
    mask = next(token for token in tokens if token.text == "[MASK]")
    assert (mask.start, mask.end, mask.special) == (3, 9, True)
    assert [token.text for token in bare_tokens([2, mask.id], tokenizer)] == ["[CLS]", "[MASK]"]


def test_the_tokenizer_is_left_as_it_was_and_nothing_is_cut(bert_folder: Any) -> None:
    tokenizer = Tokenizer.from_file(str(bert_folder / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=50)
    before = tokenizer.to_str()
    tokens = read_text(tokenizer, "El gato duerme en el jardín.")
    assert "".join(token.text for token in tokens if not token.special) == "Elgatoduermeeneljardín."
    assert tokenizer.to_str() == before


def test_transformers_tokenizers_read_the_same(bert_folder: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    path = str(bert_folder / "tokenizer.json")
    theirs = PreTrainedTokenizerFast(tokenizer_file=path, cls_token="[CLS]", sep_token="[SEP]")
    theirs.model_max_length = 3  # a length that transformers would warn about or cut at
    text = "¿Dónde está el pingüino?"
    assert read_text(theirs, text) == read_text(Tokenizer.from_file(path), text)


class _Words:
    """A tokenizer in plain Python, which cannot say where its tokens stand."""

    all_special_ids = (0,)
    words = ("<s>", "niño", "gato")

    def __call__(self, text: str, truncation: bool) -> dict[str, list[int]]:
        return {"input_ids": [0, *(self.words.index(word) for word in text.split())]}

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [self.words[number] for number in ids]

    def decode(self, ids: list[int]) -> str:
        return " ".join(self.words[number] for number in ids)


def test_a_tokenizer_without_places() -> None:
    tokens = read_text(_Words(), "niño gato")
    assert [(token.text, token.start) for token in tokens] == [
        ("<s>", None),
        ("niño", None),
        ("gato", None),
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [("", "text_empty"), (" \n\t", "text_empty"), ("ni\udcf1o", "text_not_unicode")],
)
def test_texts_that_cannot_be_read(text: str, key: str) -> None:
    with pytest.raises(VitralError) as raised:
        read_text(bytes_only(), text)
    assert raised.value.key == key
    raised.value.text("es").encode()


def test_bare_ids() -> None:
    assert [token.text for token in bare_tokens([3, 8])] == ["3", "8"]


def characters_of(*texts: str) -> Tokenizer:
    return train_tokenizer(texts, "character", 500)


def test_hangul_in_parts_keeps_all_its_letters() -> None:
    text = unicodedata.normalize("NFD", "한국어 가다")
    tokens = read_text(characters_of("한국어 가다"), text)[1:]
    assert "".join(token.text for token in tokens) == text
    assert [unicodedata.normalize("NFC", token.text) for token in tokens] == [*"한국어 가다"]
    assert [(token.start, token.end) for token in tokens[:3]] == [(0, 3), (3, 6), (6, 8)]


@settings(deadline=None, max_examples=60)
@given(text=st.text(alphabet="aeñ\u0303\u0301한국각ا\u064b\u200d\u200f\ufe0f❤👩 ", min_size=1))
def test_no_letter_is_lost_between_two_tokens(text: str) -> None:
    """Marks, jamo, joiners and selectors belong to a token, however the text was composed."""
    apart = unicodedata.normalize("NFD", text)
    if not apart.strip():
        return
    tokens = read_text(characters_of(text), apart)[1:]
    assert "".join(token.text for token in tokens) == apart


def test_bytes_of_a_character_share_its_marks() -> None:
    tokenizer = train_tokenizer([], "byte", 257)
    tokens = read_text(tokenizer, "nin\u0303o")[1:]
    assert [(t.text, t.start, t.end) for t in tokens[2:4]] == [("n\u0303", 2, 4)] * 2


@pytest.mark.parametrize("text", ["ñ日a", "¿Qué?  👩\u200d👧!", "a\nñ b"])
def test_byt5_knows_where_its_bytes_stand(text: str) -> None:
    from transformers import ByT5Tokenizer

    tokens = read_text(ByT5Tokenizer(), text)
    assert (tokens[-1].text, tokens[-1].special) == ("</s>", True)
    places = [(i, i + 1) for i, letter in enumerate(text) for _ in letter.encode()]
    assert [(token.start, token.end) for token in tokens[:-1]] == places
    assert all(token.text == text[token.start : token.end] != "" for token in tokens[:-1])
    names = [token.text for token in bare_tokens([t.id for t in tokens], ByT5Tokenizer())]
    assert "" not in names
    if text == "ñ日a":
        assert names[:3] == ["<0xC3>", "<0xB1>", "<0xE6>"]


@pytest.mark.parametrize("kind", ["byte", "character", "bpe"])
def test_a_text_is_a_text_unless_asked(kind: str) -> None:
    page = "El <s>perro</s> ladra. <unk>"
    tokenizer = train_tokenizer([page * 3], kind, 28 if kind != "byte" else 257)
    tokens = read_text(tokenizer, page)
    assert [token.special for token in tokens] == [True] + [False] * (len(tokens) - 1)
    assert "".join(token.text for token in tokens[1:]) == page
    asked = read_text(tokenizer, page, special_tokens=True)
    assert ("<s>", 3, 6, True) in [(t.text, t.start, t.end, t.special) for t in asked]
    assert not tokenizer.encode_special_tokens, "the given one is left as it was"


def test_a_mask_is_a_mask_among_names_of_marks(bert_folder: Any) -> None:
    model = vitral.load(bert_folder)
    text = "[CLS] El [MASK] duerme [SEP] y [MASK]."
    tokens = model.tokens(text)
    assert [t.text for t in tokens if t.special] == ["[CLS]", "[MASK]", "[MASK]", "[SEP]"]
    assert [(t.start, t.end) for t in tokens if t.text == "[MASK]"] == [(9, 15), (31, 37)]
    assert all(t.text == text[t.start : t.end] for t in tokens if t.start is not None)
    covered = {i for t in tokens[1:-1] for i in range(t.start, t.end)}
    assert covered == {i for i, letter in enumerate(text) if letter != " "}
    special = model.tokens(text, special_tokens=True)
    assert [t.text for t in special if t.special and t.start is not None] == [
        "[CLS]",
        "[MASK]",
        "[SEP]",
        "[MASK]",
    ]


@pytest.mark.parametrize("text", ["El gato duerme.", "El [MASK] duerme [SEP] y [MASK]."])
@pytest.mark.parametrize("special_tokens", [False, True])
def test_without_added_tokens_only_those_of_the_text_are_left(
    bert_folder: Any, text: str, special_tokens: bool
) -> None:
    from transformers import PreTrainedTokenizerFast

    model = vitral.load(bert_folder)
    fast = PreTrainedTokenizerFast(tokenizer_object=model.tokenizer, mask_token="[MASK]")
    for tokenizer in (model.tokenizer, fast):
        whole = read_text(tokenizer, text, special_tokens=special_tokens)
        own = read_text(tokenizer, text, special_tokens=special_tokens, add_special_tokens=False)
        assert own == whole[1:-1]
    trace = model.trace(text, special_tokens=special_tokens, add_special_tokens=False)
    assert trace.tokens == own
    alone = model.trace(ids=[token.id for token in own])
    assert torch.equal(trace["logits"], alone["logits"])


def test_a_tokenizer_without_places_adds_none_either() -> None:
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer()
    whole = read_text(tokenizer, "ñu")
    assert read_text(tokenizer, "ñu", add_special_tokens=False) == whole[:-1]


def test_options_of_texts_are_refused_where_there_is_none(bert_folder: Any) -> None:
    model = vitral.load(bert_folder)
    for options in ({"special_tokens": True}, {"add_special_tokens": False}):
        with pytest.raises(TypeError, match="go with text"):
            model.trace(ids=[5, 6], **options)


def test_labels_show_what_has_no_shape() -> None:
    tokens = [Token(0, text) for text in ("\u200d", "\ufe0f", "\u200f\u200e", "a\u200d", " ", "")]
    assert labels(tokens)[:3] == ["U+200D", "U+FE0F", "U+200F U+200E"]
    assert [label(token.text) for token in tokens[:3]] == ["U+200D", "U+FE0F", "U+200F U+200E"]
    assert "" not in labels(tokens)
