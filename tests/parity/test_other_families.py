"""What the seven families lack: windows, side-by-side parts, experts, shared layers, two stacks.

Nothing in Vitral knows these families; their layers are found by following the tensors.
"""

from typing import Any

import pytest
import torch
import transformers

import vitral

IDS = [3, 8, 5, 9, 11, 4, 7, 12]
SIZE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
GROUPED = SIZE | {"num_key_value_heads": 2}


def random_of(name: str, head: str, **size: Any) -> Any:
    config = getattr(transformers, f"{name}Config")(**size)
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}For{head}")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
    return model


def assert_like_eager(model: Any) -> vitral.Trace:
    trace: vitral.Trace = vitral.load(model).trace(ids=IDS)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        patterns = model(torch.tensor([IDS]), output_attentions=True).attentions
    assert trace.num_layers == len(patterns) == 3
    for layer, pattern in enumerate(patterns):
        rebuilt = trace[f"layers.{layer}.attention.pattern"]
        torch.testing.assert_close(rebuilt, pattern[0], atol=1e-5, rtol=0)
        assert trace.attentions[f"layers.{layer}.attention"].visibility.dense is None
    return trace


def assert_stream_adds_up(trace: vitral.Trace) -> None:
    """In models that normalise first, each part adds to the stream what is named its output."""
    for layer in range(3):
        start = f"layers.{layer}"
        before, after = trace[f"{start}.residual.pre"], trace[f"{start}.residual.post"]
        attention, mlp = trace[f"{start}.attention.out"], trace[f"{start}.mlp.out"]
        torch.testing.assert_close(after, before + attention + mlp, atol=1e-5, rtol=1e-5)
        if f"{start}.residual.mid" in trace:
            torch.testing.assert_close(trace[f"{start}.residual.mid"], before + attention)


def test_a_sliding_window() -> None:
    trace = assert_like_eager(random_of("Mistral", "CausalLM", **GROUPED, sliding_window=3))
    assert_stream_adds_up(trace)
    assert trace.causal
    assert trace.attention(0, 0)[7, :5].sum() == 0, "five tokens back is out of the window"


def test_attention_and_feed_forward_side_by_side() -> None:
    trace = assert_like_eager(random_of("GPTNeoX", "CausalLM", **SIZE))
    assert_stream_adds_up(trace)
    assert "layers.1.residual.mid" not in trace


def test_experts() -> None:
    trace = assert_like_eager(random_of("Mixtral", "CausalLM", **GROUPED, num_local_experts=4))
    assert_stream_adds_up(trace)
    assert "layers.1.residual.mid" in trace


def test_a_layer_that_flattens_its_batch() -> None:
    size = {name: value for name, value in SIZE.items() if name != "intermediate_size"}
    model = random_of("OPT", "CausalLM", **size, ffn_dim=37, word_embed_proj_dim=32)
    assert_stream_adds_up(assert_like_eager(model))
    first, second = vitral.load(model).trace(ids=[IDS[:3], IDS])
    assert first["layers.0.mlp.out"].shape == (3, 32)
    assert second["layers.0.mlp.out"].shape == (8, 32)


def test_a_layer_entered_many_times() -> None:
    trace = assert_like_eager(random_of("Albert", "MaskedLM", **SIZE, embedding_size=16))
    assert trace["layers.2.mlp.out"].shape == (8, 32)


def test_norms_around_each_part() -> None:
    trace = assert_like_eager(random_of("Olmo2", "CausalLM", **SIZE))
    norm = random_of("Olmo2", "CausalLM", **SIZE).model.layers[0].post_attention_layernorm
    with torch.no_grad():
        added = norm(trace["layers.0.attention.out"])
    torch.testing.assert_close(trace["layers.0.residual.mid"], trace["embed"] + added)


def test_two_stacks_that_are_no_encoder_and_decoder() -> None:
    text = {name: value for name, value in SIZE.items() if "token_id" not in name}
    vision = {name: value for name, value in text.items() if name != "vocab_size"}
    config = transformers.CLIPConfig(
        text_config=text | {"eos_token_id": 12, "pad_token_id": 1, "bos_token_id": 0},
        vision_config=vision | {"image_size": 8, "patch_size": 4},
        projection_dim=8,
    )
    model = vitral.load(transformers.CLIPModel(config).eval())
    trace = model.trace(input_ids=torch.tensor([IDS]), pixel_values=torch.ones(1, 3, 8, 8))
    assert trace.parts == ["text_model", "vision_model"]
    assert trace.attention(0, 0, "text_model").shape == (8, 8)
    assert trace.attention(0, 0, "vision_model").shape == (5, 5)


@pytest.mark.parametrize("cap", [0.5, 50.0])
def test_capped_scores(cap: float) -> None:
    size = GROUPED | {"head_dim": 8, "sliding_window": 4, "attn_logit_softcapping": cap}
    trace = assert_like_eager(random_of("Gemma2", "CausalLM", **size))
    assert trace.attentions["layers.0.attention"].softcap == cap


def test_attention_sinks() -> None:
    experts = {"num_local_experts": 2, "num_experts_per_tok": 1}
    size = GROUPED | experts | {"head_dim": 8, "sliding_window": 4}
    trace = assert_like_eager(random_of("GptOss", "CausalLM", **size))
    assert trace.attentions["layers.0.attention"].sinks is not None
    assert (trace.attention(0, 0).sum(-1) < 1).all(), "the sink takes its share"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("Mpt", {"vocab_size": 50, "d_model": 32, "n_layers": 2, "n_heads": 4}),  # ALiBi
        ("Bloom", {"vocab_size": 50, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
        ("GPTJ", {"vocab_size": 50, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4}),
    ],
)
def test_models_that_are_asked_for_their_patterns(name: str, size: dict[str, Any]) -> None:
    model = random_of(name, "CausalLM", **size)
    before = model.config._attn_implementation
    trace = vitral.load(model).trace(ids=IDS)
    assert model.config._attn_implementation == before
    assert trace.exactness == "eager"
    assert "layers.0.attention.q" not in trace
    model.set_attn_implementation("eager")
    with torch.no_grad():
        patterns = model(torch.tensor([IDS]), output_attentions=True).attentions
    for layer, pattern in enumerate(patterns):
        rebuilt = trace[f"layers.{layer}.attention.pattern"]
        torch.testing.assert_close(rebuilt, pattern[0], atol=1e-6, rtol=0)


def test_a_model_that_calls_the_kernel_itself() -> None:
    size = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = random_of("Falcon", "CausalLM", **size)
    trace = vitral.load(model).trace(ids=IDS)
    assert trace.exactness == "exact"
    model.config._attn_implementation = "eager"  # else it is asked without a causal mask
    with torch.no_grad():
        patterns = model(torch.tensor([IDS]), output_attentions=True).attentions
    for layer, pattern in enumerate(patterns):
        rebuilt = trace[f"layers.{layer}.attention.pattern"]
        torch.testing.assert_close(rebuilt, pattern[0], atol=1e-5, rtol=0)
