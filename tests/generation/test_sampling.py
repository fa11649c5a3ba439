"""The distributions are those of transformers' own processors, and draws follow them."""

import pytest
import torch
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

from vitral.errors import VitralError
from vitral.generation.sampling import Sampling

SETTINGS = [
    {"temperature": 0.7},
    {"temperature": 1.9, "top_k": 5},
    {"temperature": 1.0, "top_p": 0.8},
    {"temperature": 1.0, "top_p": 0.01},
    {"temperature": 1.3, "min_p": 0.2},
    {"temperature": 1.0, "repetition_penalty": 1.4},
    {"temperature": 0.8, "top_k": 20, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 0.8},
]


@pytest.mark.filterwarnings("ignore:Passing `repetition_penalty`")  # no generate() here
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_distribution_is_that_of_transformers(settings) -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=1, vocab_size=40))
    config = GenerationConfig(do_sample=True, **{"top_k": 0} | settings)
    read = torch.randint(0, 40, (6, 9), generator=torch.Generator().manual_seed(1))
    logits = 3 * torch.randn(6, 40, generator=torch.Generator().manual_seed(2))
    processors = model._get_logits_processor(config)
    assert len(processors) >= (1 if settings["temperature"] != 1 else 0) + len(settings) - 1
    expected = processors(read, logits.clone()).softmax(-1)
    torch.testing.assert_close(Sampling(**settings).scores(logits, read).softmax(-1), expected)


def test_drawn_tokens_follow_the_distribution() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]]).expand(40_000, 4)
    read = torch.zeros(40_000, 1, dtype=torch.long)
    generator = torch.Generator().manual_seed(0)
    drawn = Sampling(temperature=2.0).choose(logits, read, generator)
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    torch.testing.assert_close(shares, (logits[0] / 2).softmax(-1), atol=0.01, rtol=0)
    kept = Sampling(temperature=5.0, top_k=2).choose(logits[:500], read[:500], generator)
    assert set(kept.tolist()) == {1, 2}


def test_greedy_takes_the_likeliest_after_repetition() -> None:
    logits = torch.tensor([[2.0, 1.9, -1.0]])
    read = torch.tensor([[0]])
    assert Sampling().choose(logits, read) == 0
    assert Sampling(repetition_penalty=1.2).choose(logits, read) == 1


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"temperature": -1.0}, "option_invalid"),
        ({"top_k": 0}, "option_invalid"),
        ({"top_p": 0.0}, "option_out_of_range"),
        ({"top_p": 1.1}, "option_out_of_range"),
        ({"min_p": -0.1}, "option_out_of_range"),
        ({"repetition_penalty": 0.0}, "option_out_of_range"),
        ({"temperature": float("nan")}, "option_invalid"),
    ],
)
def test_wrong_settings_are_refused(settings, key) -> None:
    with pytest.raises(VitralError) as caught:
        Sampling(**settings)
    assert caught.value.key == key
