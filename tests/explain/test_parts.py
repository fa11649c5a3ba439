"""What parts add up to: outputs of heads, norms, value zeroing, lens, attribution, gradients."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import vitral
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import (
    head_output,
    integrated_gradients,
    logit_attribution,
    logit_lens,
    output_norms,
    value_zeroing,
    weighted_norms,
)
from vitral.explain.frozen_norm import FrozenNorm
from vitral.nn.norms import LayerNorm, RMSNorm
from vitral.tracing.trace import Trace

FAMILIES = ["gpt2", "llama", "bert", "roberta", "t5"]
IDS = [3, 8, 5, 9, 11]


def traced(family: str) -> tuple[Any, Trace]:
    model = vitral.load(random_model(family))
    decoder = {"decoder_ids": [0, 4, 7]} if family in ("t5", "bart") else {}
    return model, model.trace(ids=IDS, **decoder)


@pytest.fixture(params=["bert_folder", "llama_folder"])
def ours(request: pytest.FixtureRequest) -> tuple[Any, Trace]:
    model = vitral.load(str(request.getfixturevalue(request.param)))
    return model, model.trace("La niña lee un libro.")


@pytest.mark.parametrize("family", [*FAMILIES, "bart"])
def test_heads_and_bias_add_up_to_the_output(family: str) -> None:
    model, trace = traced(family)
    for part in trace.parts:
        for layer, record in trace.layers(part).items():
            parts = head_output(trace, model, layer, part)
            heads = [parts.of(head) for head in range(record.num_heads)]
            total = torch.stack(heads).sum(0) + parts.bias
            torch.testing.assert_close(
                total, trace[trace.part(part).address("attention.out", layer)], atol=2e-5, rtol=1e-4
            )
            row = parts.of(1, (1, 2))
            torch.testing.assert_close(row, heads[1][1:2], atol=1e-5, rtol=1e-4)


def test_also_in_models_of_ours(ours: tuple[Any, Trace]) -> None:
    model, trace = ours
    parts = head_output(trace, model, 1)
    total = torch.stack([parts.of(head) for head in range(4)]).sum(0) + parts.bias
    torch.testing.assert_close(total, trace["layers.1.attention.out"], atol=2e-5, rtol=1e-4)


def test_norms_are_those_of_the_vectors(ours: tuple[Any, Trace]) -> None:
    model, trace = ours
    parts = head_output(trace, model, 1)
    pattern = trace["layers.1.attention.pattern"]
    vectors = torch.stack([parts.transformed(head) for head in range(4)])
    each = pattern[..., None] * vectors[:, None]
    torch.testing.assert_close(
        weighted_norms(trace, model, 1), each.norm(dim=-1), atol=1e-5, rtol=1e-4
    )
    together = weighted_norms(trace, model, 1, together=True)
    torch.testing.assert_close(together, each.sum(0).norm(dim=-1), atol=1e-4, rtol=1e-3)
    outputs = output_norms(trace, model)
    assert outputs.shape == (trace.num_layers, 4)
    expected = each.sum(2).norm(dim=-1).mean(-1)
    torch.testing.assert_close(outputs[1], expected, atol=1e-5, rtol=1e-4)


def test_value_zeroing_is_what_a_value_of_zeros_does() -> None:
    model, trace = traced("bert")
    found = value_zeroing(trace, model, 1, normalised=False)
    for key in range(len(IDS)):

        def silenced(_: nn.Module, args: Any, output: torch.Tensor, key: int = key) -> torch.Tensor:
            without = output.clone()
            without[:, key] = 0
            return without

        value = model.module.bert.encoder.layer[1].attention.self.value
        hook = value.register_forward_hook(silenced)
        other = model.trace(ids=IDS)
        hook.remove()
        address = "layers.1.residual.post"
        closeness = torch.cosine_similarity(trace[address], other[address], dim=-1)
        torch.testing.assert_close(found[:, key], 1 - closeness, atol=2e-6, rtol=0)
    shares = value_zeroing(trace, model, 1)
    torch.testing.assert_close(shares.sum(-1), torch.ones(5))
    assert not any(each._forward_hooks for each in model.module.modules())


@pytest.mark.parametrize("family", FAMILIES)
def test_value_zeroing_of_other_families(family: str) -> None:
    model, trace = traced(family)
    found = value_zeroing(trace, model, 1)
    torch.testing.assert_close(found.sum(-1), torch.ones(len(found)), atol=1e-5, rtol=0)
    if trace.causal:
        assert float(found.triu(1).abs().max()) < 1e-8


def test_another_model_is_noticed() -> None:
    _, trace = traced("bert")
    other = random_model("bert")
    with torch.no_grad():
        other.bert.encoder.layer[1].intermediate.dense.weight += 0.1
    with pytest.raises(VitralError, match="the model that made the trace"):
        value_zeroing(trace, other, 1)
    with torch.no_grad():
        other.cls.predictions.bias += 1  # the lens asks only what stands behind the layers
    with pytest.raises(VitralError, match="the model that made the trace"):
        logit_lens(trace, other)


@pytest.mark.parametrize("family", [*FAMILIES, "bart"])
def test_the_lens_ends_at_the_models_own_answer(family: str) -> None:
    model, trace = traced(family)
    found = logit_lens(trace, model)
    assert found.shape[1:] == trace["logits"].shape
    torch.testing.assert_close(found[-1], trace["logits"], atol=1e-5, rtol=1e-4)
    some = logit_lens(trace, model, [1])
    torch.testing.assert_close(some, found[:, 1:2])


def test_the_lens_reads_each_layer_through_the_head() -> None:
    model, trace = traced("llama")
    found = logit_lens(trace, model)
    with torch.no_grad():
        for layer, address in enumerate(["embed", "layers.0.residual.post"]):
            stream = model.module.model.norm(trace[address])
            expected = model.module.lm_head(stream)
            torch.testing.assert_close(found[layer], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("token", "number"), [(-1, None), (1, 7)])
def test_shares_add_up_to_the_logit(family: str, token: int, number: int | None) -> None:
    model, trace = traced(family)
    found = logit_attribution(trace, model, token, number)
    assert found.logit == float(trace["logits"][token, found.id])
    assert found.total == pytest.approx(found.logit, abs=1e-4)
    assert number in (None, found.id)
    assert (found.cross_heads is not None) == (family == "t5")


def test_shares_add_up_in_models_of_ours(ours: tuple[Any, Trace]) -> None:
    model, trace = ours
    found = logit_attribution(trace, model)
    assert found.total == pytest.approx(found.logit, rel=1e-4, abs=1e-3)
    assert found.heads.shape == (trace.num_layers, 4)


def test_a_heads_share_is_its_output_seen_from_the_logit() -> None:
    model, trace = traced("gpt2")
    found = logit_attribution(trace, model, 3, 7)
    norm, weight = model.module.transformer.ln_f, model.module.lm_head.weight[7].detach()
    stream = trace["layers.2.residual.post"][3]
    scale = (stream.var(unbiased=False) + norm.eps).rsqrt()
    for layer, head in ((0, 1), (2, 3)):
        given = head_output(trace, model, layer).of(head)[3]
        expected = float(((given - given.mean()) * scale * norm.weight.detach()) @ weight)
        assert float(found.heads[layer, head]) == pytest.approx(expected, abs=1e-5)
    constant = float(norm.bias.detach() @ weight)
    assert found.constant == pytest.approx(constant, abs=1e-5)


def test_what_is_no_sum_is_said() -> None:
    model, trace = traced("bart")
    with pytest.raises(VitralError, match=r"residual\.mid .* is not a sum"):
        logit_attribution(trace, model)
    model, trace = traced("gpt2")
    with pytest.raises(VitralError, match="no token 9"):
        logit_attribution(trace, model, 9)
    with pytest.raises(VitralError, match="99"):
        logit_attribution(trace, model, id=99)
    bare = vitral.load(model.module.transformer)
    with pytest.raises(VitralError, match="language-model head"):
        logit_lens(bare.trace(ids=IDS), bare)
    other = vitral.load(random_model("llama"))
    with pytest.raises(VitralError, match="divided among heads"):
        head_output(trace, other, 1)


@pytest.mark.parametrize("width", [4, 7, 20])
@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm, nn.LayerNorm])
def test_a_norm_held_still_is_the_norm(kind: Any, width: int) -> None:
    torch.manual_seed(width)
    norm = kind(width)
    for each in norm.parameters():
        nn.init.normal_(each)
    x = torch.randn(width) * 3 + 1
    frozen = FrozenNorm.at(norm, x)
    assert frozen is not None
    assert frozen.centres == (kind is not RMSNorm)
    direction = torch.randn(width).double()
    expected = float(direction.float() @ norm(x).detach())
    found = float(frozen.pulled(direction) @ x.double() + direction @ frozen.shift)
    assert found == pytest.approx(expected, abs=1e-4)
    assert FrozenNorm.at(nn.Softmax(-1), x) is None


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_gradients_are_complete(family: str) -> None:
    model, trace = traced(family)
    found = integrated_gradients(trace, model, 2, 7, steps=32)
    assert found.logit == pytest.approx(float(trace["logits"][2, 7]), abs=1e-5)
    change = found.logit - found.baseline
    assert float(found.tokens.sum()) - change == pytest.approx(found.gap, abs=1e-6)
    assert abs(found.gap) < 1e-4 * max(1, abs(change))
    if trace.causal:
        assert float(found.tokens[3:].abs().max()) == 0
    assert all(each.grad is None for each in model.module.parameters())


def test_gradients_from_the_token_itself_are_nothing() -> None:
    model, _ = traced("gpt2")
    same = model.trace(ids=[5, 5, 5])
    found = integrated_gradients(same, model, baseline_id=5, steps=4)
    assert float(found.tokens.abs().max()) == 0


def test_too_few_steps_are_an_error(llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    trace = model.trace("La niña lee un libro.")
    with pytest.raises(VitralError, match="use more steps"):
        integrated_gradients(trace, model, steps=2, tolerance=1e-7)
