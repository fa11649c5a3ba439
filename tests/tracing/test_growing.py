"""Reading piece by piece leaves the trace that one pass over the whole text leaves."""

from typing import Any

import pytest
import torch
import transformers

import vitral
from parity.random_models import random_model
from vitral.generation.reading import reader_of
from vitral.tracing.recording.growing import GrowingTrace
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.trace import Trace

PIECES = [torch.tensor([[3, 9, 4, 11]]), *(torch.tensor([[i]]) for i in (5, 9, 2, 6, 40, 3))]
IDS = torch.cat(PIECES, dim=1)
SMALL = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MORE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a window": (
        "MistralForCausalLM",
        "MistralConfig",
        {"sliding_window": 4},
    ),
    "capped scores and a window": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        {"sliding_window": 3, "attn_logit_softcapping": 5.0, "query_pre_attn_scalar": 6},
    ),
    "sinks": (
        "GptOssForCausalLM",
        "GptOssConfig",
        {"sliding_window": 3, "num_local_experts": 2, "num_experts_per_tok": 1},
    ),
}


def build(name: str) -> torch.nn.Module:
    if name not in MORE:
        return random_model(name)
    architecture, configuration, more = MORE[name]
    torch.manual_seed(1)
    config = getattr(transformers, configuration)(**SMALL, **more, attn_implementation="eager")
    model: torch.nn.Module = getattr(transformers, architecture)(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.3)
    return model


def grown(
    module: torch.nn.Module,
    pieces: list[torch.Tensor],
    encoder_ids: torch.Tensor | None = None,
    *,
    use_cache: bool = True,
) -> Trace:
    with GrowingTrace(module) as growing:
        read = reader_of(module, encoder_ids=encoder_ids, use_cache=use_cache)
        for piece in pieces:
            read(piece)
            growing.take()
    tokens = bare_tokens(torch.cat(pieces, 1)[0].tolist())
    if encoder_ids is None:
        return growing.trace("grown", None, tokens, [])
    return growing.trace("grown", None, bare_tokens(encoder_ids[0].tolist()), tokens)


def assert_same(found: Trace, expected: Trace) -> None:
    assert set(found.addresses()) == set(expected.addresses())
    for address in expected.addresses():
        a, b = found[address], expected[address]
        assert a.shape == b.shape, address
        tolerance = 1e-5 * max(1.0, float(b[b.isfinite()].abs().max()))
        torch.testing.assert_close(a, b, atol=tolerance, rtol=0, msg=address)
    assert found.causal == expected.causal
    for prefix, record in found.attentions.items():
        for name in ("entropy", "received"):
            ours = getattr(record.statistics, name)
            theirs = getattr(expected.attentions[prefix].statistics, name)
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["gpt2", "llama", *MORE])
def test_token_by_token_equals_at_once(name: str) -> None:
    module = build(name)
    assert_same(grown(module, PIECES), vitral.load(module).trace(ids=IDS[0].tolist()))


@pytest.mark.parametrize("name", ["gpt2", "a window"])
def test_a_prompt_of_one_token(name: str) -> None:
    module = build(name)
    pieces = [IDS[:, i : i + 1] for i in range(IDS.shape[1])]
    assert_same(grown(module, pieces), vitral.load(module).trace(ids=IDS[0].tolist()))


def test_without_a_cache_the_last_reading_counts() -> None:
    module = build("llama")
    found = grown(module, PIECES, use_cache=False)
    assert_same(found, vitral.load(module).trace(ids=IDS[0].tolist()))


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_an_encoder_is_read_once_and_seen_by_every_row(name: str) -> None:
    module = build(name)
    read = torch.tensor([[7, 8, 9, 10, 11, 2]])
    found = grown(module, PIECES, read)
    expected = vitral.load(module).trace(ids=read[0].tolist(), decoder_ids=IDS[0].tolist())
    assert found.parts == ["encoder", "decoder", "cross"]
    assert_same(found, expected)


def test_a_grown_trace_is_small_and_survives_the_file(tmp_path) -> None:
    found = grown(build("a window"), PIECES)
    rule = found.attentions["layers.0.attention"].visibility
    assert rule.dense is None  # still said in three vectors
    found.save(tmp_path / "grown.vitral")
    again = vitral.open_trace(tmp_path / "grown.vitral")
    assert torch.equal(again.attention(1, 2), found.attention(1, 2))


def test_the_module_is_left_as_it_was() -> None:
    module = build("llama").train()
    hooks = sum(len(part._forward_hooks) for part in module.modules())
    with pytest.raises(RuntimeError, match="enough"), GrowingTrace(module):
        raise RuntimeError("enough")
    assert sum(len(part._forward_hooks) for part in module.modules()) == hooks
    assert all(part.training for part in module.modules())
