"""What a difference says of two traces."""

import pytest
import torch

import vitral
from parity.random_models import random_model

IDS = [3, 8, 5, 9, 11]


def test_it_says_what_changed_and_nothing_else() -> None:
    model = vitral.load(random_model("gpt2"))
    before = model.trace(ids=IDS)
    with model.edit() as edit:
        edit.silence(1, 2)
        edit.set_cell(2, 0, 3, 1, 1.0)
        after = model.trace(ids=IDS)
    changed = vitral.difference(before, after)
    assert torch.equal(changed.logits, after["logits"] - before["logits"])
    torch.testing.assert_close(changed.probabilities.sum(-1), torch.zeros(5), atol=1e-5, rtol=0)
    assert bool((changed.divergence > 0).all())
    assert changed.changed[0] == "layers.1.attention.out", "nothing before the edit has moved"
    norm = changed.norms["layers.1.residual.post"][4]
    moved = after["layers.1.residual.post"][4] - before["layers.1.residual.post"][4]
    torch.testing.assert_close(norm, moved.norm())
    elsewhere = changed.attention()
    assert elsewhere.shape == (3, 4)
    assert not elsewhere[0].any()
    assert float(elsewhere[1, 2]) == pytest.approx(0.5)
    assert torch.equal(changed.pattern(1, 2), -before.attention(1, 2))


def test_a_trace_and_itself() -> None:
    trace = vitral.load(random_model("t5")).trace(ids=IDS, decoder_ids=[0, 4])
    changed = vitral.difference(trace, trace)
    assert not changed.changed
    assert not changed.logits.any()
    assert not changed.divergence.any()
    assert not changed.attention("cross").any()


def test_traces_of_other_texts_are_refused() -> None:
    model = vitral.load(random_model("gpt2"))
    with pytest.raises(vitral.VitralError) as raised:
        vitral.difference(model.trace(ids=IDS), model.trace(ids=IDS[:3]))
    assert raised.value.key == "traces_differ"
