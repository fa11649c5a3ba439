"""A sample of the sweep over every architecture (`make parity`), and the page it writes."""

from pathlib import Path

import pytest
import torch

import vitral
from parity import uses
from parity.page import PAGE, reason, written
from parity.sweep import Outcome, accepted_inputs, attempt, build
from vitral.explain import measures

EXACT = [
    ("bert", "BertModel"),
    ("qwen3", "Qwen3ForCausalLM"),  # grouped heads
    ("gemma2", "Gemma2Model"),  # capped scores, windows
    ("gpt_oss", "GptOssModel"),  # sinks
    ("t5", "T5ForConditionalGeneration"),  # relative bias
    ("falcon", "FalconModel"),  # calls the kernel itself
    ("pegasus_x", "PegasusXModel"),  # has eager attention only
    ("deepseek_v32", "DeepseekV32Model"),  # compares the implementation's name
    ("bridgetower", "BridgeTowerModel"),  # PyTorch's own module, two stacks and two more
    ("siglip", "SiglipModel"),  # attention outside the layers
    ("whisper", "WhisperModel"),
    ("wav2vec2", "Wav2Vec2Model"),
]


@pytest.mark.parametrize(("model_type", "name"), EXACT)
def test_patterns_are_the_eager_ones(model_type: str, name: str) -> None:
    outcome = attempt(model_type, name)
    assert (outcome.status, outcome.reason) in [("exact", ""), ("exact", "in float64")]
    blocks = "encoder.layers.0.self_attn, encoder.layers.1.self_attn"  # Pegasus-X's are its own
    assert outcome.missing == (blocks if model_type == "pegasus_x" else "")
    assert outcome.sharpest > 0.1, "patterns of even rows would show nothing"
    assert (outcome.shown, outcome.kind, outcome.context) == ("", "", "")
    assert outcome.right is None or outcome.right < 1e-4


@pytest.mark.parametrize(
    ("model_type", "name", "parts"),
    [
        ("led", "LEDModel", ["decoder", "cross"]),  # whose encoder tells nothing
        ("clip", "CLIPModel", ["text_model", "vision_model"]),
        ("siglip", "SiglipModel", ["head", "text_model", "vision_model"]),  # a head that pools
        ("swin", "SwinModel", [""]),  # stages
        ("bloom", "BloomModel", [""]),  # patterns alone
    ],
)
def test_every_trace_is_saved_opened_and_drawn(
    model_type: str, name: str, parts: list[str], tmp_path: Path
) -> None:
    model = build(model_type, name)
    inputs = accepted_inputs(model, Outcome(model_type, name, ""))
    assert inputs is not None
    uses.kept_and_drawn(model, inputs)  # raises what goes wrong
    trace = vitral.load(model).trace(**inputs)[0]
    assert trace.parts == parts
    trace.save(tmp_path / "trace")
    again = vitral.open_trace(tmp_path / "trace")
    for part in parts:
        assert again.query_tokens(part) == trace.query_tokens(part)
        assert again.key_tokens(part) == trace.key_tokens(part)
        for each in measures(again, part).heads():
            assert each["role"]


def test_what_reads_no_text_goes_by_its_places(tmp_path: Path) -> None:
    """Also where it happens to have as many tokens as the text."""
    model = build("clip", "CLIPModel")
    ids, pixels = torch.arange(20, 37)[None], torch.randn(1, 3, 32, 32)
    trace = vitral.load(model).trace(input_ids=ids, pixel_values=pixels)
    assert len(trace.tokens) == len(trace.query_tokens("vision_model")) == 17
    assert trace.query_tokens("text_model") is trace.tokens
    assert trace.query_tokens("vision_model") is not trace.tokens
    trace.save(tmp_path / "trace")
    assert vitral.open_trace(tmp_path / "trace").apart == {"vision_model"}


def test_batches_of_a_model_with_several_stacks_are_cut() -> None:
    model = vitral.load(build("llava", "LlavaForConditionalGeneration"))
    ids = [[30, 31, 32, 33, 34, 35], [40, 41, 42, 0, 0, 0]]
    padded = model.trace(ids=ids, attention_mask=[[1] * 6, [1, 1, 1, 0, 0, 0]])[1]
    alone = model.trace(ids=[40, 41, 42])
    assert padded.query_tokens() is padded.tokens
    torch.testing.assert_close(padded.attention(1, 1), alone.attention(1, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("model_type", "name", "status"),
    [
        ("bloom", "BloomModel", "eager"),
        ("mamba", "MambaModel", "untraced"),
        ("inkling2_text", "Inkling2TextModel", "untraced"),
    ],
)
def test_what_is_not_exact_says_so(model_type: str, name: str, status: str) -> None:
    assert attempt(model_type, name).status == status


def test_the_page_counts() -> None:
    rows = [
        vars(Outcome("bert", "BertModel", "exact", num_attentions=2, largest=3e-7)),
        vars(Outcome("bert", "BertForMaskedLM", "exact", num_attentions=2, largest=3e-7)),
        vars(Outcome("mamba", "MambaModel", "untraced", "has no attention")),
    ]
    page = written(rows, "5.0", 800)
    assert "| Exact | 1 | 2 |" in page
    assert "| Different from eager | 0 | 0 |" in page
    assert "| mamba | MambaModel | has no attention |" in page


def test_reasons_are_short() -> None:
    assert reason("ImportError: X requires the timm library but it was not found") == "needs timm"
    assert len(reason("ValueError: " + "very " * 100)) < 110


def test_the_page_names_no_silent_mistake() -> None:
    assert PAGE.read_text(encoding="utf-8").count("| Different from eager | 0 | 0 |") == 1
