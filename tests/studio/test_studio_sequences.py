"""Recurrent models in the Studio, which shows how one text looks at itself, or says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.models import hugging_face

Studio = Callable[..., Any]
EXPECTED = {
    "language-model": "no_attention",
    "none": "no_attention",
    "additive": "trace_of_two_texts",
}


@pytest.mark.parametrize("name", [*EXPECTED, "transformer"])
def test_what_cannot_be_shown_is_said(name: str, tmp_path: Path, open_studio: Studio) -> None:
    model = language_model() if name == "language-model" else TRANSLATORS[name]()
    hugging_face.write(model, tokenizer_of_letters(), tmp_path / name)
    with open_studio(tmp_path / name) as client:
        answer = client.post("/api/traces", json={"model": name, "text": "gatos 12"})
    if name == "transformer":
        assert answer.status_code == 200, answer.text
        assert answer.json()["num_heads"] == 4
    else:
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == EXPECTED[name]
