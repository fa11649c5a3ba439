"""Options that would change nothing are refused; those at their defaults are not."""

import pytest

import vitral
from vitral.errors import VitralError
from vitral.generation.options import GenerationOptions

GOOD = [
    {},
    {"temperature": 0.0, "top_k": None, "seed": None, "stop": (), "windowed": False},
    {"temperature": 0.5, "top_k": 3, "top_p": 0.5, "min_p": 0.1, "seed": 0},
    {"repetition_penalty": 1.2, "stop": ["."], "windowed": True},
    {"num_beams": 3, "length_penalty": 2.0, "temperature": 0.0, "repetition_penalty": 1.0},
    {"num_beams": 3, "stop": ()},
]
BAD = [
    ({"top_k": 3}, "option_needs", ["top_k", "temperature"]),
    ({"top_p": 0.3}, "option_needs", ["top_p", "temperature"]),
    ({"min_p": 0.3}, "option_needs", ["min_p", "temperature"]),
    ({"seed": 0}, "option_needs", ["seed", "temperature"]),
    ({"length_penalty": 1.0}, "option_needs", ["length_penalty", "num_beams"]),
    ({"num_beams": 2, "temperature": 1.0}, "options_clash", ["num_beams", "temperature"]),
    ({"num_beams": 2, "seed": 0}, "options_clash", ["num_beams", "seed"]),
    ({"num_beams": 2, "top_k": 3}, "options_clash", ["num_beams", "top_k"]),
    ({"num_beams": 2, "repetition_penalty": 2.0}, "options_clash", ["repetition_penalty"]),
    ({"num_beams": 2, "stop": ["."]}, "options_clash", ["num_beams", "stop"]),
    ({"num_beams": 2, "windowed": True}, "options_clash", ["num_beams", "windowed"]),
    ({"num_beams": 0}, "option_invalid", ["num_beams", "0"]),
    ({"max_new_tokens": 0}, "option_invalid", ["max_new_tokens", "0"]),
    ({"top_k": 0}, "option_invalid", ["top_k", "0"]),
]


@pytest.mark.parametrize("options", GOOD, ids=str)
def test_what_has_an_effect_is_taken(options) -> None:
    GenerationOptions(**options)


@pytest.mark.parametrize(("options", "key", "words"), BAD, ids=str)
def test_what_has_none_is_refused_in_one_line(options, key, words) -> None:
    with pytest.raises(VitralError) as caught:
        GenerationOptions(**options)
    assert caught.value.key == key
    for language in ("en", "es"):
        line = caught.value.text(language)
        assert "\n" not in line
        assert all(word in line for word in words)


def test_one_string_to_stop_at_is_one_string() -> None:
    assert GenerationOptions(stop="casa").stop == ("casa",)
    model = vitral.load("vitral-es-gpt")
    free = model.generate("La", max_new_tokens=12)
    word = free[2:].split()[2]
    assert model.generate("La", max_new_tokens=12, stop=word) == free[: free.index(word, 2)]
    assert model.generate("La", max_new_tokens=12, stop=[word]) == free[: free.index(word, 2)]


@pytest.mark.parametrize("stop", ["", ["casa", ""], [3]])
def test_nothing_to_stop_at_is_refused(stop) -> None:
    with pytest.raises(VitralError) as raised:
        GenerationOptions(stop=stop)
    assert raised.value.key == "stop_empty"


def test_special_tokens_in_a_prompt_are_text_unless_asked() -> None:
    model = vitral.load("vitral-es-gpt")
    text = "<s>Había una vez"
    plain = model.generate(text, max_new_tokens=3)
    assert plain.startswith(text)
    read = [token.id for token in model.trace_generation(text, max_new_tokens=1).tokens]
    assert read.count(0) == 1
    asked = model.trace_generation(text, max_new_tokens=1, special_tokens=True)
    assert [token.id for token in asked.tokens].count(0) == 2
