"""Recurrent models and translators of our own in the Studio, which shows them or says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vitral
from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.models import hugging_face
from vitral.studio.blocks import decode_block

Studio = Callable[..., Any]
PARTS = {
    "language-model": None,
    "none": None,
    "additive": ["cross"],
    "dot-predictive": ["cross"],
    "transformer": ["encoder", "decoder", "cross"],
}


@pytest.mark.parametrize("name", PARTS)
def test_its_parts_are_shown_or_said(name: str, tmp_path: Path, open_studio: Studio) -> None:
    model = language_model() if name == "language-model" else TRANSLATORS[name]()
    hugging_face.write(model, tokenizer_of_letters(), tmp_path / name)
    with open_studio(tmp_path / name) as client:
        answer = client.post("/api/traces", json={"model": name, "text": "gatos 12"})
        if PARTS[name] is None:
            assert answer.status_code == 422
            assert answer.json()["error"]["code"] == "no_attention"
            return
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [part["name"] for part in found["parts"]] == PARTS[name]
        cross = found["parts"][-1]
        assert (cross["queries"], cross["keys"]) == ("decoder_tokens", "tokens")
        # Recurrent attention tells its weights, and not what they were computed of.
        assert cross["computed"] is (name == "transformer")
        address = cross["address"].replace("{layer}", "0")
        block = client.get(
            f"/api/traces/{found['id']}/view", params={"address": address, "head": 0}
        ).content
        _, weights = decode_block(block)
        trace = vitral.load(str(tmp_path / name)).trace_generation("gatos 12", max_new_tokens=64)
        np.testing.assert_allclose(weights, trace.attention(0, 0, "cross").numpy(), atol=1e-6)
        assert weights.shape == (len(found["decoder_tokens"]), len(found["tokens"]))
