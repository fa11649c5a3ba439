"""What was written, divided among the tokens that were read: against numbers computed by hand."""

import json

import pytest
import torch

import vitral
from generation.small_decoders import gpt, llama
from vitral.cli.program import run
from vitral.explain import integrated_gradients, logit_attribution, written_attribution
from vitral.explain.written_tokens import second
from vitral.models.catalog import BUNDLED, bundled
from vitral.text.tokenizers import train_tokenizer

IDS = [3, 5, 7, 9, 2, 4]
TEXT = "gato y perro "


def talking(make) -> vitral.Model:
    tokenizer = train_tokenizer([TEXT * 3], "character", 31)
    return vitral.load((make(), tokenizer))


def test_shares_by_token_are_those_computed_by_hand() -> None:
    """keys_s = Σ_l Σ_h α_hts (W_O,h v_hs) · u with u = γ / rms ⊙ (W_U[7] − W_U[11])."""
    module = llama()
    trace = vitral.load((module, None)).trace(ids=IDS)
    found = logit_attribution(trace, module, 4, 7, against=11)
    stream = trace["layers.2.residual.post"][4].double()
    size = (stream.square().mean() + module.config.epsilon).sqrt()
    unembed = module.head.weight.detach().double()
    direction = (unembed[7] - unembed[11]) * module.norm.weight.detach().double() / size
    expected = torch.zeros(6, dtype=torch.float64)
    for layer in range(3):
        value = trace[f"layers.{layer}.attention.v"].double()  # [2 groups, T, 6]
        weight = module.layers[layer].attention.o_proj.weight.detach().double()
        for head in range(4):
            columns = weight[:, head * 6 : (head + 1) * 6]
            handed = value[head // 2] @ columns.T @ direction
            expected += trace.attention(layer, head)[4].double() * handed
    torch.testing.assert_close(found.keys.double(), expected, atol=1e-4, rtol=1e-4)
    assert float(found.keys[5]) == 0.0  # not yet read
    embed = float(trace["embed"][4].double() @ direction)
    inner = sum(float(trace[f"layers.{n}.mlp.out"][4].double() @ direction) for n in range(3))
    assert found.itself == pytest.approx(embed + inner, abs=1e-4)
    difference = trace["logits"][4, 7] - trace["logits"][4, 11]
    assert found.logit == pytest.approx(float(difference), abs=1e-5)
    assert float(found.keys.sum()) + found.itself == pytest.approx(float(difference), abs=1e-3)


@pytest.mark.parametrize("make", [gpt, llama])
def test_a_contrast_is_the_difference_of_two(make) -> None:
    module = make()
    trace = vitral.load((module, None)).trace(ids=IDS)
    one, other = (logit_attribution(trace, module, 5, number) for number in (7, 11))
    both = logit_attribution(trace, module, 5, 7, against=11)
    for name in ("heads", "mlp", "attention_bias", "keys"):
        expected = getattr(one, name) - getattr(other, name)
        torch.testing.assert_close(getattr(both, name), expected, atol=1e-4, rtol=1e-4)
    assert both.total == pytest.approx(one.total - other.total, abs=1e-3)
    assert both.logit == pytest.approx(one.logit - other.logit, abs=1e-5)


@pytest.mark.parametrize("make", [gpt, llama])
@pytest.mark.parametrize("against", [None, "second", 9])
def test_every_step_adds_up(make, against) -> None:
    model = talking(make)
    trace = model.trace_generation("gato y ", max_new_tokens=5)
    start = len(model.tokens("gato y "))
    found = written_attribution(trace, model, start, against=against)
    table = found.table()
    assert table.shape == (len(trace.tokens) - start, len(trace.tokens))
    for row, (step, sums) in enumerate(zip(found.steps, table.sum(1), strict=True)):
        place = start - 1 + row
        logits = trace["logits"][place]
        assert (step.token, step.id) == (place, trace.tokens[place + 1].id)
        other = 0.0 if against is None else float(logits[step.against])
        assert float(sums) == pytest.approx(float(logits[step.id]) - other, abs=2e-3)
        assert not table[row, place + 1 :].any()
        if against == "second":
            assert step.against == second(trace, place, step.id) != step.id


def test_an_answer_comes_from_both_texts() -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    shape = {
        "vocab_size": 31,
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 24,
        "num_layers": 2,
        "num_heads": 2,
    }
    module = T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).eval()
    model = vitral.load((module, None))
    trace = model.trace(ids=[3, 5, 7, 9, 1], decoder_ids=[0, 4, 8, 6])
    found = written_attribution(trace, model, 1, against=2)
    source = found.source_table()
    assert source is not None
    assert source.shape == (3, 5)
    assert found.table().shape == (3, 4)
    for row, step in enumerate(found.steps):
        total = float(source[row].sum() + found.table()[row].sum())
        logits = trace["logits"][row]
        assert total == pytest.approx(float(logits[step.id] - logits[2]), abs=2e-3)


def test_gradients_take_a_contrast() -> None:
    pytest.importorskip("captum", reason="integrated gradients need Captum")
    torch.manual_seed(0)
    from vitral.models.llama import Llama, LlamaConfig

    module = Llama(LlamaConfig(31, 24, 24, 2, 4, 30, 2)).eval()
    trace = vitral.load((module, None)).trace(ids=IDS)
    both = integrated_gradients(trace, module, 5, 7, against=11)
    parts = [integrated_gradients(trace, module, 5, number) for number in (7, 11)]
    expected = parts[0].tokens - parts[1].tokens
    torch.testing.assert_close(both.tokens, expected, atol=1e-4, rtol=1e-3)
    change = (parts[0].logit - parts[1].logit) - (parts[0].baseline - parts[1].baseline)
    assert float(both.tokens.sum()) == pytest.approx(change, abs=0.05 * max(abs(change), 1e-3))


def test_mistakes() -> None:
    model = talking(llama)
    trace = model.trace_generation("gato y ", max_new_tokens=2)
    written = trace.tokens[-1].id
    cases = [
        (lambda: written_attribution(trace, model, 0), "nothing_written"),
        (lambda: written_attribution(trace, model, len(trace.tokens)), "nothing_written"),
        (
            lambda: written_attribution(trace, model, len(trace.tokens) - 1, against=written),
            "contrast_same",
        ),
        (lambda: written_attribution(trace, model, 3, against=99), "id_out_of_range"),
        (
            lambda: written_attribution(model.trace("gato", record="logits"), model, 2),
            "not_recorded",
        ),
    ]
    for ask, key in cases:
        with pytest.raises(vitral.VitralError) as raised:
            ask()
        assert raised.value.key == key


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs the bundled models")
def test_on_the_command_line(capsys) -> None:
    command = ["attribute", "El perro cruzó", "--json"]
    assert run([*command, "--answer", "la", "--against", "el"]) == 0
    [step] = json.loads(capsys.readouterr().out)["steps"]
    model = vitral.load("vitral-es-gpt")
    logits = model.trace("El perro cruzó")["logits"][-1]
    ids = [model.tokens(text, add_special_tokens=False)[0].id for text in (" la", " el")]
    difference = float(logits[ids[0]] - logits[ids[1]])
    assert sum(step["shares"]) + step["itself"] == pytest.approx(difference, abs=1e-3)
    assert run([*command, "--max-new-tokens", "3", "--against", "second"]) == 0
    said = json.loads(capsys.readouterr().out)
    written = model.generate("El perro cruzó", max_new_tokens=3)
    assert "El perro cruzó" + "".join(each["token"] for each in said["steps"]) == written
    for each in said["steps"]:
        assert sum(each["shares"]) + each["itself"] == pytest.approx(each["logit"], abs=1e-3)
    assert run(["attribute", "El perro cruzó", "--max-new-tokens", "2"]) == 0
    assert capsys.readouterr().out.count("\n") > 8
    for wrong in (
        ["--answer", "la", "--max-new-tokens", "2"],
        ["--answer", "la", "--against", "la"],
        ["--answer", "paralelepípedo"],
        ["--max-new-tokens", "0"],
        ["--top", "0"],
        ["--model", "vitral-es-bert"],
    ):
        assert run(["attribute", "El perro cruzó", *wrong]) == 2, wrong
        assert capsys.readouterr().err.count("\n") == 1
