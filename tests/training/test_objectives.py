"""What is asked, and how the answers are weighed: each loss is the sum written out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.word_runs import VOCABULARY, pair_recipe, pairs, prepared, recipe
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.training.objectives import Objective
from vitral.training.objectives.batch import IGNORED
from vitral.training.objectives.masking import Masking
from vitral.training.preparation.corpus_preparation import objective
from vitral.training.recipes.shapes import build_model

MASKING = Masking(mask_id=4, ordinary=np.arange(5, 100), share=0.2)


def asked(form: str, **changes: object) -> tuple[nn.Module, Objective]:
    """A model of that form, and what a recipe asks of it."""
    made = recipe(form, **changes)
    torch.manual_seed(0)
    model = build_model(made.model, VOCABULARY).eval()
    return model, objective(made, made.phases[0], prepared())


def of_pairs(form: str, folder: Path) -> tuple[nn.Module, Objective]:
    made, found = pair_recipe(form), pairs(folder)
    torch.manual_seed(0)
    model = build_model(made.model, found.tokenizer.get_vocab_size()).eval()
    return model, objective(made, made.phases[0], found)


def log_probability(logits_V: Tensor, token: Tensor) -> Tensor:
    return logits_V.log_softmax(-1)[token]


# Masking.


def test_masking_follows_the_shares_of_the_paper() -> None:
    ids = np.random.default_rng(0).integers(5, 100, (200, 250))
    ids[:, 0] = 2
    masked, chosen = MASKING.apply(ids, np.random.default_rng(1))
    assert not chosen[:, 0].any()
    assert np.array_equal(masked[~chosen], ids[~chosen])
    assert abs(chosen[:, 1:].mean() - 0.2) < 0.01
    assert abs((masked[chosen] == 4).mean() - 0.8) < 0.02
    assert abs((masked[chosen] == ids[chosen]).mean() - 0.1) < 0.02


def test_special_tokens_are_found_wherever_they_stand() -> None:
    from tokenizers import AddedToken, Tokenizer, models

    vocab = {"<mask>": 0, "el": 1, "<pad>": 2, "perro": 3, "[unused]": 4}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="el"))
    tokenizer.add_special_tokens([AddedToken("<mask>"), AddedToken("<pad>")])
    masking = Masking.of(tokenizer, 0.5)
    assert masking.mask_id == 0
    assert masking.ordinary.tolist() == [1, 3, 4]
    masked, chosen = masking.apply(np.tile([0, 1, 2, 3], (500, 1)), np.random.default_rng(0))
    assert not chosen[:, [0, 2]].any()
    assert chosen[:, [1, 3]].mean() > 0.4
    assert set(masked[chosen].tolist()) == {0, 1, 3, 4}


def test_all_chosen_words_are_masked_when_asked() -> None:
    ids = np.full((10, 50), 7)
    masked, chosen = MASKING.apply(ids, np.random.default_rng(1), all_masked=True)
    assert (masked[chosen] == 4).all()


# The next token.


@pytest.mark.parametrize("form", ["gpt2", "recurrent"])
def test_next_token_loss_is_the_sum_written_out(form: str) -> None:
    model, next_token = asked(form)
    batch = next_token.batch(3)
    loss = next_token.loss(model)(**batch.inputs, targets=batch.targets)
    logits_BTV = model(batch.inputs["ids"])
    places = [(b, t) for b in range(batch.num_rows) for t in range(batch.targets.shape[1])]
    expected = -sum(log_probability(logits_BTV[p], batch.targets[p]) for p in places)
    torch.testing.assert_close(loss, expected, atol=1e-3, rtol=1e-5)
    assert batch.num_asked == len(places)


def test_targets_are_the_tokens_that_follow() -> None:
    tokenizer = prepared().tokenizer
    for windows in ("sentence", "anywhere"):
        _, next_token = asked("gpt2", data={"windows": windows})
        batch = next_token.batch(0)
        ids = batch.inputs["ids"]
        assert torch.equal(ids[:, 1:], batch.targets[:, :-1])
        marked = ids[:, 0] == tokenizer.token_to_id("<s>")
        assert marked.all() if windows == "sentence" else not marked.any()
        corpus = " ".join(map(str, prepared().tokens.ids.tolist()))
        for row in batch.targets:
            assert " ".join(map(str, row.tolist())) in corpus


def test_windows_anywhere_are_as_long_as_the_recipe_says() -> None:
    _, next_token = asked(
        "gpt2", data={"windows": "anywhere"}, batch={"tokens": 64, "lengths": [16]}
    )
    assert next_token.batch(0).targets.shape == (4, 16)


@pytest.mark.parametrize("form", ["gpt2", "llama"])
def test_packed_documents_lose_what_each_loses_alone(form: str) -> None:
    """With short documents, several of which share a row."""
    made = recipe(form, data={"windows": "packed"}, batch={"tokens": 64, "lengths": [16]})
    found = prepared()
    short = found.tokens.__class__(found.tokens.ids, found.tokens.starts, np.arange(0, 3000, 5))
    found = found.__class__(found.tokenizer, short, found.samples)
    next_token = objective(made, made.phases[0], found)
    torch.manual_seed(0)
    model = build_model(made.model, VOCABULARY).eval()
    batch = next_token.batch(0)
    documents = batch.inputs["documents"]
    assert documents.max() >= 2
    loss = next_token.loss(model)
    together = float(loss(**batch.inputs, targets=batch.targets).detach())
    alone = 0.0
    for row in range(batch.num_rows):
        for number in documents[row].unique():
            here = documents[row] == number
            ids, targets = batch.inputs["ids"][row, here], batch.targets[row, here]
            alone += float(loss(ids=ids[None], targets=targets[None]).detach())
    assert together == pytest.approx(alone, rel=1e-5)
    assert 0 < batch.num_asked <= 64


# Masked words, and whether one passage follows another.


def test_masked_words_loss_asks_for_the_chosen_places_only() -> None:
    model, masked_words = asked("bert")
    batch = masked_words.batch(1)
    loss = masked_words.loss(model)(**batch.inputs, targets=batch.targets)
    logits_BTV = model(batch.inputs["ids"])
    places = (batch.targets != IGNORED).nonzero().tolist()
    assert 0 < len(places) < batch.targets.numel() / 2
    expected = -sum(log_probability(logits_BTV[b, t], batch.targets[b, t]) for b, t in places)
    torch.testing.assert_close(loss, expected, atol=1e-3, rtol=1e-5)


def test_hidden_words_can_be_found_in_the_text_and_marks_are_never_hidden() -> None:
    tokenizer = prepared().tokenizer
    _, masked_words = asked("bert")
    batch = masked_words.batch(0)
    ids, hidden = batch.inputs["ids"], batch.targets != IGNORED
    whole = torch.where(hidden, batch.targets, ids)
    assert (whole[:, 0] == tokenizer.token_to_id("[CLS]")).all()
    assert (whole[:, -1] == tokenizer.token_to_id("[SEP]")).all()
    assert not hidden[:, [0, -1]].any()
    corpus = " ".join(map(str, prepared().tokens.ids.tolist()))
    for row in whole[:, 1:-1]:
        assert " ".join(map(str, row.tolist())) in corpus
    masks = (ids == tokenizer.token_to_id("[MASK]")).sum()
    assert 0 < masks <= hidden.sum()


def test_half_of_the_second_passages_follow() -> None:
    tokenizer = prepared().tokenizer
    _, masked_words = asked("bert", model={"next_sentence": True})
    separator = tokenizer.token_to_id("[SEP]")
    corpus = " ".join(map(str, prepared().tokens.ids.tolist()))
    told = []
    for step in range(40):
        batch = masked_words.batch(step)
        hidden = batch.targets != IGNORED
        whole = torch.where(hidden, batch.targets, batch.inputs["ids"])
        middle = whole.shape[1] // 2
        assert (whole[:, middle] == separator).all()
        assert not hidden[:, middle].any()
        assert (batch.inputs["segments"][:, : middle + 1] == 0).all()
        assert (batch.inputs["segments"][:, middle + 1 :] == 1).all()
        for row, follows in zip(whole, batch.inputs["follows"], strict=True):
            first = " ".join(map(str, row[1:middle].tolist()))
            second = " ".join(map(str, row[middle + 1 : -1].tolist()))
            assert first in corpus
            assert second in corpus
            told.append(bool(follows))
            if follows:  # one token made place for the separator
                assert any(f"{first} {n} {second}" in corpus for n in range(VOCABULARY))
    assert len(told) > 200
    assert abs(np.mean(told) - 0.5) < 0.15


def test_the_two_losses_of_next_sentence_weigh_the_same() -> None:
    model, masked_words = asked("bert", model={"next_sentence": True})
    batch = masked_words.batch(2)
    loss = masked_words.loss(model)(**batch.inputs, targets=batch.targets) / batch.num_asked
    x_BTC = model.encode(batch.inputs["ids"], None, batch.inputs["segments"])  # type: ignore[operator]
    of_words = F.cross_entropy(
        model.head(x_BTC).flatten(0, 1),  # type: ignore[operator]
        batch.targets.flatten(),
        ignore_index=IGNORED,
    )
    of_passages = F.cross_entropy(
        model.next_sentence_logits(x_BTC),  # type: ignore[operator]
        1 - batch.inputs["follows"],
    )
    torch.testing.assert_close(loss, of_words + of_passages, atol=1e-4, rtol=1e-5)


# All of them.

CASES: dict[str, tuple[str, dict[str, object]]] = {
    "next token": ("llama", {}),
    "anywhere": ("gpt2", {"data": {"windows": "anywhere"}}),
    "packed": ("gpt2", {"data": {"windows": "packed"}}),
    "recurrent": ("recurrent", {}),
    "masked words": ("bert", {}),
    "roberta": ("roberta", {}),
    "albert": ("albert", {}),
    "modernbert": ("modernbert", {"model": {"window": 2, "global_every": 2}}),
    "next sentence": ("bert", {"model": {"next_sentence": True}}),
    "pairs": ("transformer", {}),
    "recurrent pairs": ("recurrent_sequence_to_sequence", {}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("number", [2, 3])
def test_gradients_of_parts_add_up_to_that_of_the_batch(
    case: str, number: int, tmp_path: Path
) -> None:
    form, changes = CASES[case]
    model, question = of_pairs(form, tmp_path) if "pairs" in case else asked(form, **changes)
    batch, loss = question.batch(1), question.loss(model)
    assert batch.num_rows >= number
    whole = loss(**batch.inputs, targets=batch.targets)
    whole.backward()
    expected = {name: weight.grad for name, weight in model.named_parameters()}
    model.zero_grad()
    parts = [loss(**part.inputs, targets=part.targets) for part in batch.parts(number)]
    for part in parts:
        part.backward()
    torch.testing.assert_close(torch.stack(parts).sum(), whole, atol=1e-3, rtol=1e-5)
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert expected[name] is not None, name
        torch.testing.assert_close(weight.grad, expected[name], atol=2e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("case", CASES)
def test_a_steps_questions_depend_on_the_seed_and_the_step_only(case: str, tmp_path: Path) -> None:
    form, changes = CASES[case]

    def question() -> Objective:
        return (of_pairs(form, tmp_path) if "pairs" in case else asked(form, **changes))[1]

    one, other = question(), question()
    one.batch(0)
    again, new = other.batch(5), one.batch(5)
    for name, tensor in again.inputs.items():
        assert torch.equal(tensor, new.inputs[name]), name
    assert torch.equal(again.targets, new.targets)
    different = one.batch(6).targets
    assert different.shape != new.targets.shape or not torch.equal(different, new.targets)
