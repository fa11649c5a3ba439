"""Chosen addresses: the same values, less memory, and one clear line for all others."""

import gc
from pathlib import Path

import pytest
import torch

import vitral
from generation.small_decoders import gpt, llama
from models.sequence_models import TRANSLATORS, tokenizer_of_letters
from vitral.text.tokenizers import train_tokenizer

TEXT = "El gato duerme."


@pytest.fixture(scope="module")
def model() -> vitral.Model:
    torch.manual_seed(0)
    return vitral.load((llama(), None))


IDS = [3, 5, 7, 9, 2, 4]


@pytest.mark.parametrize("address", ["embed", "logits"])
@pytest.mark.parametrize("make", [gpt, llama])
def test_results_alone(make, address: str) -> None:
    found = vitral.load((make(), None))
    alone = found.trace(ids=IDS, record=[address])
    assert alone.addresses() == [address]
    assert torch.equal(alone[address], found.trace(ids=IDS)[address])


def test_every_address_alone_is_what_it_is_among_all(model: vitral.Model) -> None:
    whole = model.trace(ids=IDS, record="*")
    for address in whole.addresses():
        alone = model.trace(ids=IDS, record=[address])
        assert address in alone
        torch.testing.assert_close(alone[address], whole[address])
        if alone.attentions:
            assert alone.num_layers == 3


def test_the_usual_trace_has_everything_but_the_neurons(model: vitral.Model) -> None:
    usual, whole = model.trace(ids=IDS), model.trace(ids=IDS, record="*")
    neurons = {f"layers.{layer}.mlp.neurons" for layer in range(3)}
    assert set(whole.addresses()) - set(usual.addresses()) == neurons
    assert usual.recorded is None
    for address in usual.addresses():
        assert torch.equal(usual[address], whole[address])


def test_a_pattern_of_addresses(model: vitral.Model) -> None:
    found = model.trace(ids=IDS, record=["layers.*.mlp.out", "layers.1.attention.pattern"])
    assert [each for each in found.addresses() if each.endswith("mlp.out")] == [
        f"layers.{layer}.mlp.out" for layer in range(3)
    ]
    whole = model.trace(ids=IDS)
    assert torch.equal(found.attention(1, 2), whole.attention(1, 2))
    assert (found.num_layers, found.num_heads) == (3, 4)


def test_memory_falls(model: vitral.Model) -> None:
    """What is kept, and what the recorder holds at its end."""
    ids = (IDS * 4)[:24]
    sizes = {}
    for name, record in {"all": None, "one": ["layers.1.mlp.out"]}.items():
        trace = model.trace(ids=ids, record=record)
        sizes[name] = sum(each.numel() * each.element_size() for each in trace.tensors())
        del trace
        gc.collect()
    assert sizes["one"] == 24 * 24 * 4
    assert sizes["all"] > 20 * sizes["one"]


@pytest.mark.parametrize(
    "record",
    [["layers.1.mlp.out"], ["layers.0.attention.q"], ["logits"], ["layers.2.mlp.neurons"]],
)
def test_rows_of_unequal_length(record: list[str], model: vitral.Model) -> None:
    """Padding is cut away, though neither the embedding nor an attention is kept."""
    rows = [[3, 5, 7], [2, 4, 6, 8, 9]]
    together = model.trace(ids=rows, record=record)
    for row, found in zip(rows, together, strict=True):
        alone = model.trace(ids=row)
        for address in found.addresses():
            if not address.endswith("neurons"):
                torch.testing.assert_close(found[address], alone[address], atol=1e-5, rtol=1e-5)
            assert len(row) in found[address].shape


def test_an_encoder_decoder() -> None:
    translator = vitral.load((TRANSLATORS["transformer"](), tokenizer_of_letters()))
    whole = translator.trace("gatos", decoder_text="12")
    for address in ("decoder.layers.0.mlp.out", "logits", "encoder.layers.1.residual.mid"):
        found = translator.trace("gatos", decoder_text="12", record=[address])
        assert found.addresses() == [address]
        torch.testing.assert_close(found[address], whole[address])
    found = translator.trace("gatos", record=["decoder.layers.*.cross_attention.pattern"])
    assert found.parts == ["cross"]


def test_what_was_not_chosen_is_one_clear_line(model: vitral.Model, tmp_path: Path) -> None:
    found = model.trace(ids=IDS, record=["layers.1.mlp.out", "layers.1.attention.q"])
    asks = [
        lambda: found["layers.0.mlp.out"],
        lambda: found["logits"],
        lambda: found.attention(0, 0),
        lambda: found.view("layers.2.attention.pattern", 0),
        lambda: found["layers.1.mlp.neurons"],
    ]
    for ask in asks:
        with pytest.raises(vitral.VitralError, match=r"layers\.1\.mlp\.out") as raised:
            ask()
        assert raised.value.key == "not_recorded"
        assert "record" in raised.value.text("es")
    with pytest.raises(vitral.VitralError) as raised:
        found.save(tmp_path / "t.vitral")
    assert raised.value.key == "trace_not_whole"
    with pytest.raises(vitral.VitralError) as raised:
        model.trace(ids=IDS)["layers.1.mlp.neurons"]
    assert raised.value.key == "neurons_not_recorded"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ([], "record_empty"),
        ([""], "record_empty"),
        ([3], "record_empty"),
        (["layers.9.mlp.out"], "address_unknown"),
        (["layers.*.mpl.out"], "address_unknown"),
        (["layers.0.mlp.out", "cabeza"], "address_unknown"),
    ],
)
def test_mistakes(record, key: str, model: vitral.Model) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        model.trace(ids=IDS, record=record)
    assert raised.value.key == key


def test_a_model_that_was_traced_so_is_left_as_it_was(model: vitral.Model) -> None:
    before = model.trace(ids=IDS)["logits"]
    model.trace(ids=IDS, record=["layers.0.mlp.out"])
    assert torch.equal(model.trace(ids=IDS)["logits"], before)


def test_texts(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([TEXT * 3], "character", 31)
    found = vitral.load((llama(), tokenizer)).trace(TEXT, record="layers.0.residual.post")
    assert found["layers.0.residual.post"].shape == (len(found.tokens), 24)
