"""What all encoder–decoders have in common: padding is nothing, steps are the whole, no peeking."""

import pytest
import torch

from models.sequence_models import (
    SOURCE,
    SOURCE_MASK,
    TARGET,
    TRANSLATORS,
    recurrent_translator,
    step_by_step,
    transformer,
)
from vitral.errors import VitralError
from vitral.models.initial_weights import initialise_weights
from vitral.models.recurrent_sequence_to_sequence import RecurrentSequenceToSequenceConfig
from vitral.models.transformer import waves
from vitral.nn.positions import sinusoidal_positions


@torch.no_grad()
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_row_of_a_padded_batch_is_the_row_alone(name: str) -> None:
    model = TRANSLATORS[name]()
    together = model(SOURCE, TARGET, SOURCE_MASK)
    # A Transformer counts positions through padding on the left, as Marian does.
    for row in range(2 if name == "transformer" else 3):
        source = SOURCE[row, SOURCE_MASK[row].bool()][None]
        alone = model(source, TARGET[row][None])
        torch.testing.assert_close(together[row], alone[0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(together, model(SOURCE, TARGET), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_padded_target_is_the_target(name: str) -> None:
    model = TRANSLATORS[name]()
    whole = model(SOURCE, TARGET, SOURCE_MASK)
    mask = torch.ones_like(TARGET)
    mask[1, 3:] = 0
    padded = model(SOURCE, TARGET, SOURCE_MASK, mask)
    real = mask.bool()
    torch.testing.assert_close(padded[real], whole[real], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_step_by_step_is_all_at_once(name: str) -> None:
    model = TRANSLATORS[name]()
    with torch.no_grad():
        whole = model(SOURCE, TARGET, SOURCE_MASK)
    steps = step_by_step(model, SOURCE, SOURCE_MASK, TARGET)
    torch.testing.assert_close(steps, whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_an_answer_sees_the_whole_source_and_nothing_of_what_comes(name: str) -> None:
    model = TRANSLATORS[name]()
    vectors = []
    table = model.get_submodule("embed.tokens" if name == "transformer" else "embed")
    hook = table.register_forward_hook(
        lambda _, __, output: vectors.append(output.detach().requires_grad_()) or vectors[-1]
    )
    logits = model(SOURCE[:1], TARGET[:1])
    hook.remove()
    reached = torch.autograd.grad(logits[0, 2].pow(2).sum(), vectors)
    source, target = (each[0].norm(dim=-1) for each in reached)
    assert bool((source > 1e-6).all())
    assert bool((target[:3] > 1e-6).all())
    assert bool((target[3:] == 0).all())


@pytest.mark.parametrize("name", TRANSLATORS)
def test_rows_may_be_reordered_on_the_way(name: str) -> None:
    model = TRANSLATORS[name]()
    rows = torch.tensor([2, 0])
    cache = model.new_cache()
    with torch.no_grad():
        model(SOURCE, TARGET[:, :3], SOURCE_MASK, None, cache)
        cache.reorder(rows)
        after = model(SOURCE[rows], TARGET[rows][:, 3:], SOURCE_MASK[rows], None, cache)
        whole = model(SOURCE, TARGET, SOURCE_MASK)[rows]
    torch.testing.assert_close(after, whole[:, 3:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["transformer", "additive", "general"])
def test_dropout_is_for_training_only(name: str) -> None:
    made = transformer if name == "transformer" else recurrent_translator
    entries = {} if name == "transformer" else {"attention": name}
    model, plain = made(dropout=0.3, **entries), made(**entries)
    assert torch.equal(model(SOURCE, TARGET), plain(SOURCE, TARGET))
    model.train()
    assert not torch.allclose(model(SOURCE, TARGET), plain(SOURCE, TARGET), atol=1e-3)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_every_weight_learns(name: str) -> None:
    model = TRANSLATORS[name]()
    model(SOURCE, TARGET, SOURCE_MASK).log_softmax(-1)[..., 5].sum().backward()
    for each, weight in model.named_parameters():
        assert weight.grad is not None, each
        assert bool(weight.grad.isfinite().all()), each
        if not each.endswith("k_proj.bias"):  # which shifts all scores of a row alike
            assert float(weight.grad.abs().max()) > 1e-9, each


def test_waves_are_the_papers_in_another_order() -> None:
    ours = waves(torch.arange(50), 16)
    by_turns = sinusoidal_positions(50, 16)
    torch.testing.assert_close(ours[:, :8], by_turns[:, 0::2], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours[:, 8:], by_turns[:, 1::2], atol=1e-5, rtol=0)
    later = waves(torch.arange(30, 50), 16)
    assert torch.equal(later, ours[30:])


@pytest.mark.parametrize("name", TRANSLATORS)
def test_weights_begin_alike_for_the_same_seed(name: str) -> None:
    first, second = TRANSLATORS[name](), TRANSLATORS[name]()
    initialise_weights(first, 5)
    initialise_weights(second, 5)
    pairs = zip(first.named_parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for (_, a), b in pairs)
    initialise_weights(second, 6)
    assert not torch.equal(first.head.weight, second.head.weight)
    width = first.config.hidden_size
    assert float(first.head.weight.detach().std()) == pytest.approx(width**-0.5, rel=0.1)
    for each, weight in first.named_parameters():
        if "weight_hh" in each:
            for gate in weight.detach().split(weight.shape[1]):
                eye = torch.eye(len(gate))
                torch.testing.assert_close(gate @ gate.T, eye, atol=1e-5, rtol=0)


def test_an_lstm_begins_by_remembering() -> None:
    model = recurrent_translator(attention="additive", cell="lstm", num_layers=1)
    initialise_weights(model, 0)
    for cell, suffix in ((model.encoder.layers[0].cell, "_l0"), (model.decoder.layers[0], "")):
        cell = cell if suffix else cell.recurrence
        both = getattr(cell, f"bias_ih{suffix}") + getattr(cell, f"bias_hh{suffix}")
        size = len(both) // 4
        assert both.tolist() == [0] * size + [1] * size + [0] * 2 * size


@pytest.mark.parametrize(
    ("entries", "key"),
    [
        ({"cell": "lsmt"}, "model_option"),
        ({"attention": "luong"}, "model_option"),
        ({"local": "local-p"}, "model_option"),
        ({"window": 0}, "option_invalid"),
        ({"hidden_size": 13}, "option_value_wrong"),
    ],
)
def test_what_no_model_has_is_refused(entries: dict[str, object], key: str) -> None:
    with pytest.raises(VitralError) as caught:
        RecurrentSequenceToSequenceConfig(**entries)
    assert caught.value.key == key
    for value in entries.values():
        assert str(value) in caught.value.text("es")
