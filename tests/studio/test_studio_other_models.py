"""Studio traces what Python traces: without a head, encoders alone, attention of their own."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import vitral
from vitral.studio.traces.blocks import decode_block

TEXT = "El perro que persiguió al gato cruzó la calle."
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "BartModel": (
        "BartConfig",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 37,
            "decoder_ffn_dim": 37,
            "max_position_embeddings": 64,
            "decoder_start_token_id": 3,
        },
    ),
    "UMT5EncoderModel": (
        "UMT5Config",
        {"d_model": 32, "d_kv": 16, "d_ff": 37, "num_layers": 2, "num_heads": 2},
    ),
    "LEDForConditionalGeneration": (
        "LEDConfig",
        {
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 37,
            "decoder_ffn_dim": 37,
            "attention_window": [8, 8],
            "max_encoder_position_embeddings": 64,
            "max_decoder_position_embeddings": 128,
            "decoder_start_token_id": 3,
        },
    ),
    "BloomForCausalLM": ("BloomConfig", {"hidden_size": 32, "n_layer": 2, "n_head": 2}),
    "XGLMForCausalLM": (
        "XGLMConfig",
        {
            "d_model": 32,
            "num_layers": 2,
            "attention_heads": 2,
            "ffn_dim": 37,
            "max_position_embeddings": 64,
        },
    ),
}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, bert_folder: Path) -> dict[str, Path]:
    """A small model of each class, with the words of the small encoder."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bert_folder / "tokenizer.json"))
    size = {"vocab_size": tokenizer.get_vocab_size()}
    found = {}
    for name, (configuration, shape) in SMALL.items():
        torch.manual_seed(0)
        config = getattr(transformers, configuration)(**shape, **size, **SPECIAL)
        model = getattr(transformers, name)(config).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.normal_(std=0.3)
        found[name] = tmp_path_factory.mktemp("others") / name
        model.save_pretrained(found[name])
        tokenizer.save(str(found[name] / "tokenizer.json"))
    return found


@pytest.mark.parametrize("name", SMALL)
def test_a_text_is_traced_and_drawn(name: str, folders: dict[str, Path], open_studio: Any) -> None:
    with open_studio(folders[name]) as client:
        answer = client.post("/api/traces", json={"model": name, "text": TEXT})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        model = vitral.load(folders[name])
        writes = name in ("LEDForConditionalGeneration",)
        if found["answer"] is None:
            expected = model.trace(TEXT)
        elif writes:
            decoded = [token["id"] for token in found["decoder_tokens"]]
            expected = model.trace(TEXT, decoder_ids=decoded)
        else:
            expected = model.trace(TEXT)
            assert found["answer"]["can_write"] is False
        for part in found["parts"]:
            asked = {"address": part["address"].replace("{layer}", "1"), "head": 1}
            block = client.get(f"/api/traces/{found['id']}/view", params=asked).content
            pattern = expected.attention(1, 1, part["name"])
            torch.testing.assert_close(
                torch.tensor(decode_block(block)[1]), pattern, atol=1e-5, rtol=0
            )


def test_what_reads_no_answer_is_an_encoder(folders: dict[str, Path]) -> None:
    assert vitral.load(folders["UMT5EncoderModel"]).kind == "encoder"
    assert vitral.load(folders["BartModel"]).kind == "encoder-decoder"


def test_an_answer_can_be_given_to_a_model_without_a_head(
    folders: dict[str, Path], open_studio: Any
) -> None:
    with open_studio(folders["BartModel"]) as client:
        body = {"model": "BartModel", "text": TEXT, "answer": "La calle."}
        found = client.post("/api/traces", json=body).json()
    assert found["answer"]["given"] is True
    assert len(found["decoder_tokens"]) > 3


@pytest.mark.parametrize("name", ["BloomForCausalLM", "XGLMForCausalLM"])
def test_writing_is_traced_as_one_pass_would_be(name: str, folders: dict[str, Path]) -> None:
    model = vitral.load(folders[name])
    written = model.trace_generation(TEXT, max_new_tokens=4)
    once = model.trace(ids=[token.id for token in written.tokens])
    assert written.exactness == once.exactness == "eager"
    assert written.addresses() == once.addresses()
    for address in once.addresses():
        torch.testing.assert_close(written[address], once[address], atol=1e-5, rtol=1e-4)
    assert written.text == model.generate(TEXT, max_new_tokens=4)


def test_an_encoder_decoders_writing_is_traced_without_its_own_attention(
    folders: dict[str, Path],
) -> None:
    model = vitral.load(folders["LEDForConditionalGeneration"])
    written = model.trace_generation(TEXT, max_new_tokens=4)
    once = model.trace(TEXT, decoder_ids=[token.id for token in written.decoder_tokens])
    for part in ("decoder", "cross"):
        torch.testing.assert_close(
            written.attention(1, 1, part), once.attention(1, 1, part), atol=1e-5, rtol=0
        )


def test_a_stack_that_reads_no_text_is_drawn_by_its_places(
    open_studio: Any, tmp_path: Path
) -> None:
    """CLIP: a text of 12 tokens beside a picture of 17."""
    from parity.sweep import build

    model = vitral.load(build("clip", "CLIPModel"))
    inputs = {"input_ids": torch.arange(20, 32)[None], "pixel_values": torch.randn(1, 3, 32, 32)}
    trace = model.trace(**inputs)
    trace.save(tmp_path / "clip")
    with open_studio() as client:
        content = (tmp_path / "clip").read_bytes()
        answer = client.post("/api/trace-files", params={"name": "clip"}, content=content)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        sides = {
            part["name"]: (part["queries"], part["keys"], part["num_queries"], part["num_keys"])
            for part in found["parts"]
        }
        assert sides == {
            "text_model": ("tokens", "tokens", 12, 12),
            "vision_model": ("numbered", "numbered", 17, 17),
        }
        for part in found["parts"]:
            asked = {"address": part["address"].replace("{layer}", "1"), "head": 2}
            block = client.get(f"/api/traces/{found['id']}/view", params=asked).content
            expected = trace.attention(1, 2, part["name"])
            torch.testing.assert_close(torch.tensor(decode_block(block)[1]), expected)
            for view in ("heads", "graph", "path"):
                named = {"part": part["name"], "token": 1}
                if view == "heads":
                    named.pop("token")
                told = client.get(f"/api/traces/{found['id']}/{view}", params=named)
                assert told.status_code in (200, 404), (view, told.text)
