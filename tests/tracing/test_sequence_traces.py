"""What recurrent models and the original Transformer leave behind."""

from pathlib import Path

import pytest
import torch

import vitral
from models.sequence_models import (
    TRANSLATORS,
    VOCABULARY,
    language_model,
    recurrent_translator,
    tokenizer_of_letters,
)
from vitral.errors import VitralError

TEXT, ANSWER = "gatos 12", "doce"
PATTERN = "decoder.layers.0.cross_attention.pattern"
WITH_ATTENTION = [name for name in TRANSLATORS if name != "none"]


def opened(name: str) -> vitral.Model:
    return vitral.load((TRANSLATORS[name](), tokenizer_of_letters()))


def close(left: torch.Tensor, right: torch.Tensor) -> None:
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_trace_holds_what_the_model_computes(name: str) -> None:
    model = opened(name)
    trace = model.trace(TEXT, decoder_text=ANSWER)
    assert [token.text for token in trace.tokens] == [*TEXT, "</s>"]
    assert [token.text for token in trace.decoder_tokens] == ["<pad>", *ANSWER]
    ids = torch.tensor([[token.id for token in trace.tokens]])
    decoder_ids = torch.tensor([[token.id for token in trace.decoder_tokens]])
    with torch.no_grad():
        logits = model.module(ids, decoder_ids)
    assert torch.equal(trace["logits"], logits[0])
    width = model.module.config.hidden_size
    for number in range(model.module.config.num_layers):
        assert trace[f"encoder.layers.{number}.residual.post"].shape == (9, width)
        assert trace[f"decoder.layers.{number}.residual.post"].shape == (5, width)
    assert trace["encoder.embed"].shape == (9, width)
    assert trace.exactness == "exact"


def test_a_transformers_attention_is_queries_and_keys() -> None:
    trace = opened("transformer").trace(TEXT, decoder_text=ANSWER)
    assert trace.parts == ["encoder", "decoder", "cross"]
    assert trace["encoder.layers.1.attention.q"].shape == (4, 9, 5)
    assert trace["decoder.layers.1.attention.pattern"].shape == (4, 5, 5)
    assert trace["decoder.layers.1.cross_attention.pattern"].shape == (4, 5, 9)
    assert trace["decoder.layers.0.cross_attention.out"].shape == (5, 20)
    assert trace["decoder.layers.0.residual.mid"].shape == (5, 20)
    assert torch.equal(trace.attention(1, 3, "decoder").triu(1), torch.zeros(5, 5))


@pytest.mark.parametrize("name", [n for n in WITH_ATTENTION if n != "transformer"])
def test_recurrent_attention_is_seen(name: str) -> None:
    model = opened(name)
    trace = model.trace(TEXT, decoder_text=ANSWER)
    assert trace.parts == ["cross"]
    pattern = trace[PATTERN]
    assert pattern.shape == (1, 5, 9)
    total = pattern.sum(-1)
    predictive = model.module.config.local == "predictive"
    assert bool((total < 1 + 1e-5).all())
    assert bool((total > (0.05 if predictive else 1 - 1e-5)).all())
    assert (bool((total < 1 - 1e-3).any())) is predictive
    attention = model.module.decoder.layers[0].cross_attention
    memory = trace[f"encoder.layers.{model.module.config.num_layers - 1}.residual.post"]
    with torch.no_grad():
        close(trace[PATTERN.replace("pattern", "out")], attention.o_proj(pattern[0] @ memory))
    is_product = name in ("dot", "general", "general-monotonic")
    assert (PATTERN.replace("pattern", "q") in trace) is is_product


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_batch_gives_the_traces_that_its_texts_alone_give(name: str) -> None:
    model = opened(name)
    texts = [TEXT, "3 ñus", "a"]
    for together, text in zip(model.trace(texts=texts, decoder_text="tres"), texts, strict=True):
        alone = model.trace(text, decoder_text="tres")
        assert together.addresses() == alone.addresses()
        for address in alone.addresses():
            close(together[address], alone[address])


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_trace_of_writing_is_that_of_one_pass(name: str) -> None:
    model = opened(name)
    grown = model.trace_generation(TEXT, max_new_tokens=6)
    ids = [token.id for token in grown.decoder_tokens]
    assert 2 <= len(ids) <= 7
    whole = model.trace(TEXT, decoder_ids=ids)
    assert grown.addresses() == whole.addresses()
    for address in whole.addresses():
        close(grown[address], whole[address])


@pytest.mark.parametrize("name", WITH_ATTENTION)
def test_a_trace_is_saved_and_shown(name: str, tmp_path: Path) -> None:
    trace = opened(name).trace(TEXT, decoder_text=ANSWER)
    trace.save(tmp_path / "trace.vitral")
    again = vitral.open_trace(tmp_path / "trace.vitral")
    assert again.addresses() == trace.addresses()
    close(again[PATTERN], trace[PATTERN])
    assert again.exactness == trace.exactness
    assert again.pooled(4, "cross").shape[-1] == 4
    view = trace.view(PATTERN, head=0, height=3, width=3)
    assert view.aggregated


def test_a_language_model_leaves_its_states(tmp_path: Path) -> None:
    model = vitral.load((language_model(), tokenizer_of_letters()))
    assert model.context is None
    trace = model.trace("hola")
    assert trace.addresses() == [
        "embed",
        "layers.0.residual.pre",
        "layers.0.residual.post",
        "layers.1.residual.pre",
        "layers.1.residual.post",
        "logits",
    ]
    assert trace["logits"].shape == (5, VOCABULARY)
    grown = model.trace_generation("hola", max_new_tokens=4)
    whole = model.trace(ids=[token.id for token in grown.tokens])
    for address in whole.addresses():
        close(grown[address], whole[address])
    trace.save(tmp_path / "states.vitral")
    close(vitral.open_trace(tmp_path / "states.vitral")["logits"], trace["logits"])


@pytest.mark.parametrize("ask", ["attention", "pooled", "plot", "to_html"])
def test_asking_for_attention_where_there_is_none_is_said(ask: str) -> None:
    trace = vitral.load((language_model(), tokenizer_of_letters())).trace("hola")
    assert (trace.num_layers, trace.num_heads, trace.causal) == (0, 0, True)
    arguments = {"attention": (0, 0)}.get(ask, ())
    with pytest.raises(VitralError) as caught:
        getattr(trace, ask)(*arguments)
    assert caught.value.key == "no_attention"
    assert "Recurrent" in caught.value.text("es")


@pytest.mark.parametrize("name", ["general", "general-monotonic", "transformer"])
def test_an_alignment_can_be_touched(name: str) -> None:
    model = opened(name)
    before = model.trace(TEXT, decoder_text=ANSWER)
    with model.edit() as edit:
        edit.set_cell(layer=0, head=0, row=2, column=1, value=0.9, part="cross")
        after = model.trace(TEXT, decoder_text=ANSWER)
    assert float(after[PATTERN][0, 2, 1]) == pytest.approx(0.9, abs=1e-6)
    changed = (after["logits"] - before["logits"]).norm(dim=-1)
    assert bool((changed[:2] == 0).all())
    assert float(changed[2]) > 1e-4


def test_a_told_pattern_cannot_be_touched_and_says_so() -> None:
    model = opened("additive")

    def touched() -> None:
        with model.edit() as edit:
            edit.set_cell(layer=0, head=0, row=2, column=1, value=0.9, part="cross")
            model.trace(TEXT, decoder_text=ANSWER)

    with pytest.raises(VitralError) as caught:
        touched()
    assert caught.value.key == "edit_not_reached"


def test_a_state_can_be_patched() -> None:
    model = vitral.load((recurrent_translator(attention="additive"), tokenizer_of_letters()))
    other = model.trace("perros", decoder_text=ANSWER)
    address = "decoder.layers.1.residual.post"
    before = model.trace(TEXT, decoder_text=ANSWER)
    with model.edit() as edit:
        edit.patch(address, other, tokens=[3])
        after = model.trace(TEXT, decoder_text=ANSWER)
    close(after[address][3], other[address][3])
    changed = (after["logits"] - before["logits"]).norm(dim=-1)
    assert [bool(each > 1e-5) for each in changed] == [False, False, False, True, False]
