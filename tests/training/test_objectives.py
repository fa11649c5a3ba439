import numpy as np
import torch

from vitral.models.bert import Bert, BertConfig
from vitral.training.objectives import (
    Masking,
    masked_words_loss,
    next_token_loss,
    phase_at,
    see_only_the_past,
)
from vitral.training.recipe import Phase

MASKING = Masking(mask_id=4, ordinary=np.arange(5, 100), share=0.2)


def small_bert() -> Bert:
    torch.manual_seed(0)
    return Bert(
        BertConfig(
            vocab_size=100,
            context=32,
            hidden_size=16,
            num_layers=2,
            num_heads=2,
            num_key_value_heads=2,
            intermediate_size=32,
        )
    ).eval()


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


def test_next_token_loss_equals_the_sum_written_out() -> None:
    model = small_bert()
    see_only_the_past(model, True)
    ids = torch.randint(5, 100, (2, 9))
    log_probabilities = model(ids).log_softmax(-1)
    expected = -torch.stack(
        [log_probabilities[b, t, ids[b, t + 1]] for b in range(2) for t in range(8)]
    ).mean()
    torch.testing.assert_close(next_token_loss(model, ids), expected, atol=1e-5, rtol=1e-5)


def test_masked_words_loss_asks_for_the_chosen_places_only() -> None:
    model = small_bert()
    ids = torch.randint(5, 100, (2, 9))
    masked = ids.clone()
    masked[0, 3] = masked[1, 7] = 4
    places = torch.tensor([[0, 3], [1, 7]])
    loss = masked_words_loss(model, model.encode, masked, ids, places)
    logits = model(masked)
    rows = torch.stack([logits[0, 3], logits[1, 7]])
    target = torch.stack([ids[0, 3], ids[1, 7]])
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(rows, target))


def test_a_causal_encoder_does_not_see_what_comes_after() -> None:
    model = small_bert()
    ids = torch.randint(5, 100, (1, 9))
    changed = ids.clone()
    changed[0, 8] = (changed[0, 8] - 4) % 95 + 5
    see_only_the_past(model, True)
    torch.testing.assert_close(model(ids)[:, :8], model(changed)[:, :8], atol=0, rtol=0)
    see_only_the_past(model, False)
    assert not torch.allclose(model(ids)[:, :8], model(changed)[:, :8])


def test_phases_follow_one_another() -> None:
    phases = [Phase(objective="next_token", until=0.4), Phase(objective="masked_words")]
    assert [phase_at(p, phases).objective for p in (0.0, 0.39, 0.4, 1.0)] == [
        "next_token",
        "next_token",
        "masked_words",
        "masked_words",
    ]
