"""Recurrent models and translators of our own in the Studio, which shows them or says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vitral
from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.explain import measures, probabilities
from vitral.models import hugging_face
from vitral.studio.traces.blocks import decode_block

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


@pytest.mark.parametrize("name", ["additive", "dot"])
def test_what_explains_a_recurrent_translator(
    name: str, tmp_path: Path, open_studio: Studio
) -> None:
    hugging_face.write(TRANSLATORS[name](), tokenizer_of_letters(), tmp_path / name)
    model = vitral.load(str(tmp_path / name))
    trace = model.trace_generation("gatos 12", max_new_tokens=64)
    with open_studio(tmp_path / name) as client:
        found = client.post("/api/traces", json={"model": name, "text": "gatos 12"}).json()

        def ask(path: str, **query: int) -> Any:
            return client.get(f"/api/traces/{found['id']}/{path}", params=query)

        table = measures(trace)
        assert [each["role"] for each in ask("heads").json()["heads"]] == [table.role(0, 0)]
        said = ask("predictions", token=1, count=3).json()
        best = probabilities(trace, 1).topk(3).indices.tolist()
        assert [each["id"] for each in said["candidates"]] == best
        assert said["lens"] is None  # it has no layers to stop at
        assert ask("path", token=1).json()["error"]["code"] == "vectors_missing"
        edits = [
            {"kind": "silence", "part": "cross", "layer": 0, "head": 0},
            {"kind": "blank", "token": 2},
        ]
        for edit in edits:
            body = {"model": name, "text": "gatos 12", "edits": [edit]}
            answer = client.post("/api/touches", json=body)
            if name == "additive":  # it adds up its weights itself, where no edit reaches
                assert answer.json()["error"]["code"] == "edit_not_reached"
                continue
            assert answer.status_code == 200, answer.text
            with model.edit() as open_edit:
                if edit["kind"] == "silence":
                    open_edit.silence(0, 0, part="cross")
                else:
                    open_edit.blank(2, layers=[0], part="cross")
                ids = [token.id for token in trace.decoder_tokens]
                after = model.trace("gatos 12", decoder_ids=ids)
            block = client.get(
                f"/api/traces/{answer.json()['id']}/view",
                params={"address": "decoder.layers.0.cross_attention.pattern", "head": 0},
            ).content
            expected = after.attention(0, 0, "cross").numpy()
            np.testing.assert_allclose(decode_block(block)[1], expected, atol=1e-6)
