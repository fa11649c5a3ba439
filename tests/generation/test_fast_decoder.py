"""The fast form computes what the module does, and steps aside for whoever watches."""

import pytest
import torch

import vitral
from generation.small_decoders import gpt, llama
from vitral.generation.fast_decoder import FastDecoder
from vitral.generation.fused_weights import can_be_fast
from vitral.generation.reading import OwnReader, reader_of
from vitral.nn.cache import KeyValueCache

IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [5, 3, 5, 8, 9, 7, 9, 3]])
PIECES = ((0, 3), (3, 4), (4, 5), (5, 8))


@pytest.mark.parametrize("build", [gpt, llama])
@pytest.mark.parametrize("room", [0, 8, 20])
def test_the_fast_form_equals_the_module(build, room) -> None:
    model = build()
    assert can_be_fast(model)
    fast, cache = FastDecoder(model, room=room), KeyValueCache(model.config.num_layers)
    with torch.no_grad():
        for first, last in PIECES:
            expected = model(IDS[:, first:last], cache=cache)[:, -1]
            torch.testing.assert_close(fast(IDS[:, first:last]), expected, atol=1e-4, rtol=1e-4)


def test_biases_everywhere_are_added() -> None:
    model = llama(attention_bias=True, mlp_bias=True)
    with torch.no_grad():
        expected = model(IDS)[:, -1]
    torch.testing.assert_close(FastDecoder(model)(IDS), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("build", [gpt, llama])
@pytest.mark.parametrize("fast", [True, False])
def test_padding_changes_nothing(build, fast) -> None:
    """The second text is alone what it is behind three tokens of padding."""
    model = build()
    with torch.no_grad():
        alone = [model(IDS[1:, 3:end])[:, -1] for end in (6, 7, 8)]
    padded = IDS.clone()
    padded[1, :3] = 0
    read = OwnReader(model, True, [0, 3])
    assert read._fast is not None
    if not fast:
        read._fast = None
    with torch.no_grad():
        for expected, (first, last) in zip(alone, ((0, 6), (6, 7), (7, 8)), strict=True):
            found = read(padded[:, first:last])[1:]
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_rows_change_places() -> None:
    model = llama()
    fast, order = FastDecoder(model), torch.tensor([1, 1, 0])
    fast(IDS[:, :7])
    fast.reorder(order)
    with torch.no_grad():
        expected = model(IDS[order])[:, -1]
    torch.testing.assert_close(fast(IDS[order, 7:]), expected, atol=1e-4, rtol=1e-4)


def test_what_it_does_not_know_it_leaves_alone() -> None:
    assert not can_be_fast(llama().train())
    assert not can_be_fast(llama().double())
    hooked = llama()
    hooked.layers[1].mlp.register_forward_hook(lambda *_: None)
    assert not can_be_fast(hooked)
    exchanged = llama()
    exchanged.layers[0].mlp.up_proj = torch.nn.Sequential(exchanged.layers[0].mlp.up_proj)
    assert not can_be_fast(exchanged)
    replaced = llama()
    replaced.layers[0].forward = lambda x, *_, **__: x
    assert not can_be_fast(replaced)


def test_an_edit_begun_in_the_middle_counts_from_there_on() -> None:
    module = llama()
    model = vitral.load(module)
    read, slow = reader_of(module), OwnReader(module, use_cache=False)
    torch.testing.assert_close(read(IDS[:1, :4]), slow(IDS[:1, :4]), atol=1e-4, rtol=1e-4)
    with model.edit() as edit, torch.no_grad():
        edit.silence(layer=1, head=0)
        expected = module(IDS[:1, :6])[:, -1]
        found = read(IDS[:1, 4:6])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        plain = module(IDS[:1, :6])[:, -1]
    assert float((found - plain).abs().max()) > 1e-3
