"""Each family's patterns, as a trace rebuilds them, against its own eager attention."""

from typing import Any

import pytest
import torch

import vitral
from parity.random_models import DECODERS, ENCODER_DECODERS, SIZES, TEXT_MODELS, random_model

IDS = [[3, 8, 5, 9, 11, 4, 7], [21, 13, 40, 6, 22, 17, 30]]
TARGET = [[0, 12, 7, 33], [0, 4, 41, 9]]
PADDINGS = {"none": (0, 0), "right": (0, 3), "left": (3, 0), "both": (1, 2)}


def eager(family: str, **inputs: Any) -> Any:
    model = random_model(family, "eager")
    with torch.no_grad():
        return model(**inputs, output_attentions=True)


def padded(rows: list[list[int]], side: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows with padding put around the second one only, its ids cut to stay as long."""
    before, after = PADDINGS[side]
    ids, mask = torch.tensor(rows), torch.ones(len(rows), len(rows[0]), dtype=torch.long)
    ids[1, :before] = ids[1, len(rows[0]) - after :] = 1
    mask[1, :before] = mask[1, len(rows[0]) - after :] = 0
    return ids, mask


def assert_same(trace: vitral.Trace, part: str | None, eager_heads: Any, index: int) -> None:
    rows, columns = trace.attention(0, 0, part).shape
    for layer, pattern_BHTS in enumerate(eager_heads):
        pattern_HTS = pattern_BHTS[index]
        for head, pattern_TS in enumerate(pattern_HTS):
            rebuilt = trace.attention(layer, head, part)
            expected = pattern_TS[:rows, :columns]
            torch.testing.assert_close(rebuilt, expected, atol=1e-5, rtol=0)
            torch.testing.assert_close(rebuilt.sum(-1), torch.ones(rows), atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", TEXT_MODELS)
def test_one_text(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=IDS[0])
    expected = eager(family, input_ids=torch.tensor(IDS[:1]))
    assert_same(trace, None, expected.attentions, 0)
    assert trace.num_layers == len(expected.attentions) == 3
    assert trace.causal == (family in DECODERS)
    torch.testing.assert_close(trace["logits"], expected.logits[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("side", PADDINGS)
@pytest.mark.parametrize("family", TEXT_MODELS)
def test_batch_with_padding(family: str, side: str) -> None:
    """Padding is no part of a text: each row is what the model makes of it alone."""
    ids, mask = padded(IDS, side)
    traces = vitral.load(random_model(family)).trace(ids=ids, attention_mask=mask)
    before, after = PADDINGS[side]
    for trace, row in zip(traces, [IDS[0], IDS[1][before : len(IDS[0]) - after]], strict=True):
        alone = eager(family, input_ids=torch.tensor([row]))
        assert_same(trace, None, alone.attentions, 0)
        torch.testing.assert_close(trace["logits"], alone.logits[0], atol=1e-5, rtol=1e-5)
        assert [token.id for token in trace.tokens] == row


@pytest.mark.parametrize("side", PADDINGS)
@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_encoder_and_decoder(family: str, side: str) -> None:
    ids, mask = padded(IDS, side)
    model = vitral.load(random_model(family))
    traces = model.trace(ids=ids, attention_mask=mask, decoder_ids=TARGET)
    before, after = PADDINGS[side]
    for index, row in enumerate([IDS[0], IDS[1][before : len(IDS[0]) - after]]):
        trace, target = traces[index], TARGET[index]
        expected = eager(
            family, input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([target])
        )
        assert trace.parts == ["encoder", "decoder", "cross"]
        assert_same(trace, "encoder", expected.encoder_attentions, 0)
        assert_same(trace, "decoder", expected.decoder_attentions, 0)
        assert_same(trace, "cross", expected.cross_attentions, 0)
        assert [token.id for token in trace.decoder_tokens] == target
        torch.testing.assert_close(trace["logits"], expected.logits[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_decoder_texts_of_unequal_length(family: str) -> None:
    short, long = [0, 12], TARGET[1]
    traces = vitral.load(random_model(family)).trace(ids=IDS, decoder_ids=[short, long])
    for index, target in enumerate([short, long]):
        expected = eager(
            family,
            input_ids=torch.tensor(IDS[index : index + 1]),
            decoder_input_ids=torch.tensor([target]),
        )
        assert_same(traces[index], "decoder", expected.decoder_attentions, 0)
        assert_same(traces[index], "cross", expected.cross_attentions, 0)


def test_images() -> None:
    pixels = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    traces = vitral.load(random_model("vit")).trace(pixel_values=pixels)
    expected = eager("vit", pixel_values=pixels)
    for index, trace in enumerate(traces):
        assert_same(trace, None, expected.attentions, index)
        assert len(trace.tokens) == 10  # nine patches and the one that stands for the image
        torch.testing.assert_close(trace["logits"], expected.logits[index], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", TEXT_MODELS)
def test_residual_stream_is_the_models_own(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=IDS[0])
    model = random_model(family)
    with torch.no_grad():
        states = model(torch.tensor(IDS[:1]), output_hidden_states=True).hidden_states
    torch.testing.assert_close(trace["embed"], states[0][0])
    for layer in range(3):
        torch.testing.assert_close(trace[f"layers.{layer}.residual.pre"], states[layer][0])
        if family not in DECODERS or layer < 2:  # the last one, transformers normalises
            post = trace[f"layers.{layer}.residual.post"]
            torch.testing.assert_close(post, states[layer + 1][0])
        if family in DECODERS:  # norms first: the parts add to the stream as it is
            middle = trace[f"layers.{layer}.residual.mid"]
            attention, mlp = (
                trace[f"layers.{layer}.attention.out"],
                trace[f"layers.{layer}.mlp.out"],
            )
            torch.testing.assert_close(middle, states[layer][0] + attention)
            torch.testing.assert_close(trace[f"layers.{layer}.residual.post"], middle + mlp)


@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_residual_stream_of_a_decoder_passes_cross_attention(family: str) -> None:
    trace = vitral.load(random_model(family)).trace(ids=IDS[0], decoder_ids=TARGET[0])
    if family == "t5":
        added = sum(
            trace[f"decoder.layers.1.{name}.out"] for name in ("attention", "cross_attention")
        )
        middle = trace["decoder.layers.1.residual.pre"] + added
        torch.testing.assert_close(trace["decoder.layers.1.residual.mid"], middle)
    else:  # norms last: the middle is what the second norm gave
        norm = random_model("bart").model.decoder.layers[1].encoder_attn_layer_norm
        middle = trace["decoder.layers.1.residual.mid"]
        with torch.no_grad():
            rescaled = (middle - norm.bias) / norm.weight
        torch.testing.assert_close(rescaled.mean(-1), torch.zeros(4), atol=1e-4, rtol=0)


@pytest.mark.parametrize("side", ["none", "right", "left"])
@pytest.mark.parametrize("family", SIZES)
def test_traced_output_is_the_untraced_one_bit_for_bit(family: str, side: str) -> None:
    from vitral.tracing.recording.forward_pass import record

    ids, mask = padded(IDS, side)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if family == "vit":
        inputs = {"pixel_values": torch.randn(2, 3, 12, 12)}
    elif family in ENCODER_DECODERS:
        inputs["decoder_input_ids"] = torch.tensor(TARGET)
    model = random_model(family)
    with torch.no_grad():
        untraced = model(**inputs).logits
    assert torch.equal(record(model, (), inputs).output.logits, untraced)


@pytest.mark.parametrize("family", ["llama", "bert", "t5"])
def test_half_precision(family: str) -> None:
    model = random_model(family).to(torch.bfloat16)
    trace = vitral.load(model).trace(ids=IDS[0])
    pattern = trace.attention(0, 0)
    assert pattern.dtype == torch.float32
    torch.testing.assert_close(pattern.sum(-1), torch.ones(7), atol=1e-5, rtol=0)
