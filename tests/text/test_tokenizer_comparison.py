import pytest

from vitral.errors import VitralError
from vitral.text.tokenizer_comparison import measure
from vitral.text.tokenizers import train_tokenizer

TEXT = "El niño vio el mar.\nEl mar vio al niño."


def test_of_whole_words() -> None:
    tokenizer = train_tokenizer([TEXT] * 3, "word", 10)
    found = measure(tokenizer, [TEXT])
    assert (found.vocab_size, found.num_words, found.num_bytes) == (10, 10, 41)
    assert found.num_tokens == 13  # ten words, two full stops, a line break
    assert found.tokens_per_word == pytest.approx(1.3)
    assert found.bytes_per_token == pytest.approx(41 / 13)
    assert (found.whole_words, found.unknown, found.exact) == (1, 0, 1)
    assert found.tokens_per_second > 100


def test_of_unknown_words() -> None:
    tokenizer = train_tokenizer([TEXT] * 3, "word", 10)
    found = measure(tokenizer, [TEXT, "El barco zarpa\n"])
    assert found.whole_words == pytest.approx(11 / 13)
    assert found.unknown == pytest.approx(2 / 17)
    assert found.exact == pytest.approx(2 / 3)


def test_of_bytes() -> None:
    found = measure(train_tokenizer([TEXT], "byte", 257), [TEXT, "a y ñ"])
    assert found.bytes_per_token == 1
    assert found.whole_words == pytest.approx(2 / 13)  # «a», «y»; «ñ» is two bytes
    assert (found.unknown, found.exact) == (0, 1)


def test_of_nothing() -> None:
    with pytest.raises(VitralError) as caught:
        measure(train_tokenizer([TEXT], "byte", 257), [" \n"])
    assert caught.value.key == "text_empty"
