import pytest
import torch

from vitral.errors import VitralError
from vitral.generation.generate import generate_ids
from vitral.generation.sampling import choose
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig


def lively(model):
    """Weights large enough that the text varies."""
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
    return model.eval()


def gpt() -> GPT:
    config = GPTConfig(
        vocab_size=31,
        context=24,
        hidden_size=20,
        num_layers=3,
        num_heads=4,
        num_key_value_heads=4,
        intermediate_size=30,
    )
    return lively(GPT(config))


def llama() -> Llama:
    config = LlamaConfig(
        vocab_size=31,
        context=24,
        hidden_size=24,
        num_layers=3,
        num_heads=4,
        num_key_value_heads=2,
        intermediate_size=30,
    )
    return lively(Llama(config))


PROMPTS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])


@pytest.mark.parametrize("build", [gpt, llama])
@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_generation_with_a_cache_equals_generation_without(build, temperature) -> None:
    model = build()
    with_cache, without = (
        torch.stack(
            list(
                generate_ids(
                    model,
                    PROMPTS,
                    max_new_tokens=12,
                    temperature=temperature,
                    seed=7,
                    use_cache=use_cache,
                )
            )
        )
        for use_cache in (True, False)
    )
    assert with_cache.shape == (12, 2)
    assert torch.equal(with_cache, without)
    assert temperature == 0 or len(with_cache.unique()) > 2


@pytest.mark.parametrize("build", [gpt, llama])
def test_cached_logits_equal_those_of_one_pass(build) -> None:
    from vitral.nn.cache import KeyValueCache

    model = build()
    cache = KeyValueCache(model.config.num_layers)
    with torch.no_grad():
        whole = model(PROMPTS)
        pieces = [model(PROMPTS[:, a:b], cache=cache) for a, b in ((0, 1), (1, 4), (4, 5))]
    assert cache.length == 5
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_generation_ends_where_the_context_does() -> None:
    assert len(list(generate_ids(gpt(), PROMPTS, max_new_tokens=1000))) == 24 - 5


def test_generation_stops_when_every_text_has_ended() -> None:
    tokens = list(generate_ids(gpt(), PROMPTS[:1], max_new_tokens=10))
    end = int(tokens[2])
    first = next(i for i, token in enumerate(tokens) if int(token) == end)
    stopped = list(generate_ids(gpt(), PROMPTS[:1], max_new_tokens=10, end_id=end))
    assert len(stopped) == first + 1


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"temperature": -1.0}, "option_invalid"),
        ({"top_k": 0}, "option_invalid"),
    ],
)
def test_wrong_options_are_refused(options, key) -> None:
    with pytest.raises(VitralError) as caught:
        generate_ids(gpt(), PROMPTS, max_new_tokens=2, **options)
    assert caught.value.key == key


def test_prompts_without_room_are_refused_with_both_lengths() -> None:
    with pytest.raises(VitralError, match=r"24.*24"):
        generate_ids(gpt(), torch.zeros(1, 24, dtype=torch.long), max_new_tokens=1)


def test_drawn_tokens_follow_the_distribution() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]]).expand(40_000, 4)
    drawn = choose(logits, temperature=2.0, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    torch.testing.assert_close(shares, (logits[0] / 2).softmax(-1), atol=0.01, rtol=0)


def test_top_k_draws_among_the_likeliest_only() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]]).expand(500, 4)
    drawn = choose(logits, temperature=5.0, top_k=2, generator=torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == {1, 2}
