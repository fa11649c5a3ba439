"""Neurons: what is recorded, what each writes, and what adds up."""

import json

import pytest
import torch
from torch.nn import functional as F

import vitral
from generation.small_decoders import gpt, llama
from vitral.cli.program import run
from vitral.explain import (
    activations,
    logit_attribution,
    neuron_effects,
    promoted,
    strongest_neurons,
    strongest_tokens,
)
from vitral.explain.neurons import written
from vitral.models.catalog import BUNDLED, bundled

IDS = [3, 5, 7, 9, 2, 4]
bundled_only = pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs the bundled models")


def of(make):
    model = vitral.load((make(), None))
    return model, model.trace(ids=IDS, record="*")


def test_gated_neurons_are_the_product() -> None:
    model, trace = of(llama)
    block = model.module.layers[1]
    with torch.no_grad():
        read = block.mlp_norm(trace["layers.1.residual.mid"])
        expected = F.silu(block.mlp.gate_proj(read)) * block.mlp.up_proj(read)
    torch.testing.assert_close(activations(trace, 1), expected, atol=1e-4, rtol=1e-4)
    assert expected.shape == (6, 30)


def test_plain_neurons_are_after_the_activation_function() -> None:
    model, trace = of(gpt)
    block = model.module.layers[2]
    with torch.no_grad():
        read = block.mlp_norm(trace["layers.2.residual.mid"])
        expected = F.gelu(block.mlp.up_proj(read), approximate="tanh")
    torch.testing.assert_close(activations(trace, 2), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("make", [gpt, llama])
def test_they_write_the_parts_output(make) -> None:
    model, trace = of(make)
    for layer in range(3):
        columns = written(trace, model, layer)
        linear = model.module.layers[layer].mlp.down_proj
        torch.testing.assert_close(columns, linear.weight.T.detach(), atol=1e-5, rtol=1e-5)
        bias = 0 if linear.bias is None else linear.bias.detach()
        rebuilt = activations(trace, layer) @ columns + bias
        torch.testing.assert_close(rebuilt, trace[f"layers.{layer}.mlp.out"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("against", [None, 11])
@pytest.mark.parametrize("make", [gpt, llama])
def test_effects_add_up_to_the_parts_share(make, against) -> None:
    """With what the last map's bias does: Σ_n a_n w_n·u + b·u = mlp.out·u."""
    model, trace = of(make)
    found = logit_attribution(trace, model, 4, 7, against=against)
    for layer in range(3):
        effects = neuron_effects(trace, model, layer, 4, 7, against=against)
        bias = model.module.layers[layer].mlp.down_proj.bias
        rest = 0.0 if bias is None else float(bias.detach().double() @ found.directions[layer])
        assert float(effects.sum()) + rest == pytest.approx(
            float(found.mlp[layer]), abs=1e-3, rel=1e-3
        )


def test_an_effect_is_that_of_a_hand_computed_direction() -> None:
    """Of a Llama: a_n · w_n · (γ/rms ⊙ W_U[7])."""
    model, trace = of(llama)
    stream = trace["layers.2.residual.post"][4].double()
    norm, head = model.module.norm, model.module.head
    size = (stream.square().mean() + model.module.config.epsilon).sqrt()
    direction = head.weight[7].detach().double() * norm.weight.detach().double() / size
    column = model.module.layers[2].mlp.down_proj.weight[:, 5].detach().double()
    expected = activations(trace, 2)[4, 5].double() * (column @ direction)
    found = neuron_effects(trace, model, 2, 4, 7)[5]
    assert float(found) == pytest.approx(float(expected), abs=1e-4, rel=1e-4)


def test_what_a_neuron_promotes() -> None:
    """Of a Llama the ids with the largest W_U · (γ ⊙ w_n), the smallest if it is negative."""
    model, trace = of(llama)
    column = model.module.layers[1].mlp.down_proj.weight[:, 3].detach()
    scores = model.module.head.weight.detach() @ (model.module.norm.weight.detach() * column)
    assert [number for number, _ in promoted(trace, model, 1, 3, 4)] == scores.topk(4)[1].tolist()
    lowest = promoted(trace, model, 1, 3, 4, negative=True)
    assert [number for number, _ in lowest] == (-scores).topk(4)[1].tolist()


def test_the_strongest() -> None:
    model, trace = of(llama)
    column = activations(trace, 0)[:, 9]
    found = strongest_tokens(trace, 0, 9, 3)
    assert [each.token for each in found] == column.abs().argsort(descending=True)[:3].tolist()
    assert found[0].activation == pytest.approx(float(column[found[0].token]))
    every = torch.stack([neuron_effects(trace, model, layer, 5, 2) for layer in range(3)])
    best = strongest_neurons(trace, model, 5, 2, count=4)
    order = every.abs().flatten().argsort(descending=True)[:4].tolist()
    assert [each.layer * 30 + each.number for each in best] == order
    only = strongest_neurons(trace, model, 5, 2, layers=[1], count=2)
    assert {each.layer for each in only} == {1}


def test_mistakes() -> None:
    model, trace = of(llama)
    cases = [
        (lambda: activations(trace, 3), "layer_out_of_range"),
        (lambda: strongest_tokens(trace, 0, 30), "neuron_out_of_range"),
        (lambda: promoted(trace, model, 0, -1), "neuron_out_of_range"),
        (lambda: activations(model.trace(ids=IDS), 0), "neurons_not_recorded"),
        (lambda: neuron_effects(trace, model, 0, 9, 1), "token_out_of_range"),
        (lambda: neuron_effects(trace, model, 0, 1, 99), "id_out_of_range"),
    ]
    for ask, key in cases:
        with pytest.raises(vitral.VitralError) as raised:
            ask()
        assert raised.value.key == key


@pytest.mark.parametrize("family", ["bert", "opt", "gpt_neox", "t5"])
def test_other_families(family: str) -> None:
    """What the last map reads, wherever it stands; what it gives is mlp.out."""
    from transformers import AutoConfig, AutoModel

    shape = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    shape |= {"intermediate_size": 24, "ffn_dim": 24, "word_embed_proj_dim": 16, "d_ff": 24}
    shape |= {"d_model": 16, "d_kv": 8, "num_layers": 2, "num_heads": 2, "n_layer": 2, "n_head": 2}
    shape |= {"max_position_embeddings": 32, "pad_token_id": 0}
    torch.manual_seed(0)
    module = AutoModel.from_config(AutoConfig.for_model(family, **shape)).eval()
    model = vitral.load((module, None))
    trace = model.trace(ids=[3, 5, 7, 9], record="*")
    part = trace.first_part
    for layer in range(2):
        assert activations(trace, layer).shape == (4, 24)
        columns = written(trace, model, layer)
        rest = (
            activations(trace, layer) @ columns
            - trace[f"{part + '.' if part else ''}layers.{layer}.mlp.out"]
        )
        torch.testing.assert_close(rest, rest[:1].expand_as(rest), atol=1e-5, rtol=0)


def test_experts_have_none() -> None:
    from transformers import MixtralConfig, MixtralForCausalLM

    shape = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 24}
    shape |= {"num_attention_heads": 2, "num_key_value_heads": 2, "num_local_experts": 4}
    model = vitral.load((MixtralForCausalLM(MixtralConfig(**shape)), None))
    trace = model.trace(ids=[3, 5, 7], record="*")
    with pytest.raises(vitral.VitralError, match=r"layers\.0\.mlp\.out") as raised:
        activations(trace, 0)
    assert raised.value.key == "address_unknown"


@bundled_only
def test_on_the_command_line(capsys) -> None:
    command = ["neurons", "El perro cruzó", "--json"]
    assert run([*command, "--top", "3", "--answer", "la", "--against", "el"]) == 0
    said = json.loads(capsys.readouterr().out)
    model = vitral.load("vitral-es-gpt")
    trace = model.trace("El perro cruzó", record="*")
    ids = {text: model.tokens(text, add_special_tokens=False)[0].id for text in (" la", " el")}
    assert (said["answer"], said["against"]) == (ids[" la"], ids[" el"])
    row = said["neurons"][0]
    effects = neuron_effects(
        trace, model, row["layer"], -1, said["answer"], against=said["against"]
    )
    assert row["effect"] == pytest.approx(float(effects[row["neuron"]]), abs=1e-5)
    assert run([*command, "--layer", "2", "--neuron", "7", "--top", "2"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert len(one["tokens"]) == 2
    assert one["tokens"][0]["activation"] == pytest.approx(
        strongest_tokens(trace, 2, 7, 1)[0].activation
    )
    assert run(["neurons", "El perro cruzó"]) == 0
    assert capsys.readouterr().out.count("\n") > 10
    for wrong in (
        ["--neuron", "3"],
        ["--layer", "2", "--neuron", "7", "--answer", "la"],
        ["--layer", "60"],
        ["--layer", "1", "--neuron", "5000"],
        ["--answer", "paralelepípedo"],
        ["--token", "60"],
        ["--token", "60", "--answer", "la"],
        ["--top", "0"],
    ):
        assert run(["neurons", "El perro cruzó", *wrong]) == 2, wrong
        assert capsys.readouterr().err.count("\n") == 1
