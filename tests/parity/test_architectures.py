"""A sample of the sweep over every architecture (`make parity`), and the page it writes."""

import pytest

from parity.page import PAGE, reason, written
from parity.sweep import Outcome, attempt

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
