import pytest
import torch

from generation.small_decoders import gpt, llama
from vitral.errors import VitralError
from vitral.generation.generate import generate_ids
from vitral.generation.sampling import Sampling

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
                    sampling=Sampling(temperature),
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


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_window_goes_on_from_the_last_half(use_cache) -> None:
    model = llama()
    options = {"max_new_tokens": 40, "use_cache": use_cache}
    tokens = torch.cat(list(generate_ids(model, PROMPTS[:1], windowed=True, **options)))
    assert len(tokens) == 40
    read = torch.cat([PROMPTS[0], tokens])
    # Read up to 24 tokens, then from the last 12 on: the 20th new token was chosen from those.
    again = next(generate_ids(model, read[None, 12:24], max_new_tokens=1))
    assert again == tokens[24 - 5]
    long_prompt = read[None, :30]
    first = next(generate_ids(model, long_prompt, max_new_tokens=1, windowed=True))
    assert first == next(generate_ids(model, long_prompt[:, -12:], max_new_tokens=1))


def test_no_tokens_are_no_number_of_tokens() -> None:
    with pytest.raises(VitralError) as caught:
        generate_ids(gpt(), PROMPTS, max_new_tokens=0)
    assert caught.value.key == "option_invalid"


def test_prompts_without_room_are_refused_with_both_lengths() -> None:
    with pytest.raises(VitralError, match=r"24.*24"):
        generate_ids(gpt(), torch.zeros(1, 24, dtype=torch.long), max_new_tokens=1)
