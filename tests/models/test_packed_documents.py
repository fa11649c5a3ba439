"""Documents packed into one row: each as if it were alone."""

import pytest
import torch

from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.nn.cache import KeyValueCache

SIZE = {
    "vocab_size": 41,
    "context": 16,
    "hidden_size": 20,
    "num_layers": 3,
    "num_heads": 5,
    "intermediate_size": 23,
}
FORMS = {
    "gpt": lambda: GPT(GPTConfig(**SIZE, num_key_value_heads=5)),
    "llama": lambda: Llama(LlamaConfig(**SIZE, num_key_value_heads=1)),
}
LENGTHS = [[5, 1, 7], [13], [2, 2, 9]]


@pytest.fixture(params=FORMS)
def model(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    model = FORMS[request.param]().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    return model


@pytest.fixture
def packed() -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(0, 41, (3, 13), generator=torch.Generator().manual_seed(1))
    documents = [[number for number, n in enumerate(row) for _ in range(n)] for row in LENGTHS]
    return ids, torch.tensor(documents)


@torch.no_grad()
def test_a_packed_row_gives_what_its_documents_give_alone(
    model: torch.nn.Module, packed: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, documents = packed
    logits = model(ids, documents_BT=documents)
    for row, lengths in enumerate(LENGTHS):
        pieces = zip(ids[row].split(lengths), logits[row].split(lengths), strict=True)
        for alone, together in pieces:
            torch.testing.assert_close(together, model(alone[None])[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(logits[0, 6:], model(ids)[0, 6:], atol=1e-2)


@torch.no_grad()
def test_a_padded_packed_row(
    model: torch.nn.Module, packed: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, documents = packed
    padding = torch.ones_like(ids)
    padding[:, 11:] = 0
    logits = model(ids, padding, documents_BT=documents)
    expected = model(ids[:, :11], documents_BT=documents[:, :11])
    torch.testing.assert_close(logits[:, :11], expected, atol=1e-5, rtol=1e-5)
    assert bool(logits.isfinite().all())


@torch.no_grad()
def test_documents_are_written_on_with_a_cache(
    model: torch.nn.Module, packed: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, documents = packed
    cache = KeyValueCache(model.config.num_layers)
    pieces = [
        model(ids[:, first:last], cache=cache, documents_BT=documents[:, :last])
        for first, last in ((0, 4), (4, 5), (5, 13))
    ]
    expected = model(ids, documents_BT=documents)
    torch.testing.assert_close(torch.cat(pieces, dim=1), expected, atol=1e-5, rtol=1e-5)


def test_no_gradient_crosses(
    model: torch.nn.Module, packed: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, documents = packed
    tokens = model.embed.tokens if hasattr(model.embed, "tokens") else model.embed
    read: list[torch.Tensor] = []
    tokens.register_forward_hook(lambda _, __, given: read.append(given) or given.retain_grad())
    model(ids, documents_BT=documents)[0, 6:].sum().backward()
    gradient = read[0].grad[0].abs().sum(dim=1)
    assert torch.all(gradient[:6] == 0)
    assert torch.all(gradient[6:] > 0)
