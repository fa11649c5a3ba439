"""The catalogues say the same in both languages, and every error has its words."""

import json
import re
import string
from pathlib import Path

import pytest

from vitral.errors import VitralError
from vitral.messages import LANGUAGES, catalogue, message, preferred_language

MESSAGES = Path(__file__).parents[1] / "src" / "vitral" / "assets" / "messages"

SOURCE = Path(__file__).parents[1] / "src" / "vitral"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("area", sorted({path.name.split(".")[0] for path in MESSAGES.iterdir()}))
def test_an_area_holds_the_same_keys_in_both_languages(area: str) -> None:
    english, spanish = (
        json.loads((MESSAGES / f"{area}.{language}.json").read_text(encoding="utf-8"))
        for language in ("en", "es")
    )
    assert english.keys() == spanish.keys()


def test_the_catalogues_have_the_same_keys_and_placeholders() -> None:
    english, spanish = catalogue("en"), catalogue("es")
    assert english.keys() == spanish.keys()
    for key in english:
        assert placeholders(english[key]) == placeholders(spanish[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_blank(language: str) -> None:
    assert all(text.strip() for text in catalogue(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_is_one_line(language: str) -> None:
    errors = {key: text for key, text in catalogue(language).items() if key.startswith("error.")}
    assert errors
    assert not [key for key, text in errors.items() if "\n" in text]


def test_every_error_that_the_code_raises_has_its_words() -> None:
    raised = set()
    for path in SOURCE.rglob("*.py"):
        raised |= set(re.findall(r"VitralError\(\s*\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert len(raised) > 10
    assert not {key for key in raised if f"error.{key}" not in catalogue("en")}


def test_an_error_speaks_both_languages() -> None:
    error = VitralError("text_too_long", length=900, context=256, model="vitral-es-gpt")
    assert "900" in error.text("es")
    assert "256" in error.text("es")
    assert error.text("es") != error.text("en") == str(error)


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "es_ES.UTF-8", "VITRAL_LANGUAGE": "en"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_chooses_the_language(variables, language, monkeypatch) -> None:
    for name in ("VITRAL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert preferred_language() == language


def test_a_missing_value_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        message("error.text_too_long", "en", length=3)
