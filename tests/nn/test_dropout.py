"""Dropout: in training only, as much as asked, and without effect on anything where it is 0."""

import pytest
import torch

from vitral.models.bert import Bert, BertConfig
from vitral.models.gpt import GPT, GPTConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.nn.attention import Attention
from vitral.nn.block import PostNormBlock, PreNormBlock

SIZE = {
    "vocab_size": 31,
    "context": 12,
    "hidden_size": 12,
    "num_layers": 2,
    "num_heads": 3,
    "num_key_value_heads": 3,
    "intermediate_size": 20,
}
FORMS = {"gpt": (GPT, GPTConfig), "llama": (Llama, LlamaConfig), "bert": (Bert, BertConfig)}
IDS = torch.arange(20).reshape(2, 10)


def model_of(form: str, dropout: float) -> torch.nn.Module:
    torch.manual_seed(0)
    model_class, config_class = FORMS[form]
    return model_class(config_class(**SIZE, dropout=dropout))


@pytest.mark.parametrize("form", FORMS)
def test_dropout_acts_in_training_only(form: str) -> None:
    model, plain = model_of(form, 0.3), model_of(form, 0.0)
    with torch.no_grad():
        expected = plain.eval()(IDS)
        assert torch.equal(model.eval()(IDS), expected)
        assert torch.equal(plain.train()(IDS), expected)
        first, second = model.train()(IDS), model(IDS)
    assert not torch.allclose(first, expected, atol=1e-3)
    assert not torch.allclose(first, second, atol=1e-3)


@pytest.mark.parametrize("form", FORMS)
def test_a_share_of_the_embedding_and_of_what_each_part_adds_is_left_out(form: str) -> None:
    model = model_of(form, 0.25).train()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.fill_(0.1)
    seen: list[torch.Tensor] = []
    block = model.layers[0]
    block.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    dropped = block._drop
    block._drop = lambda added: seen.append(dropped(added)) or seen[-1]
    ids = torch.zeros(64, 10, dtype=torch.long)
    with torch.no_grad():
        model(ids)
    assert len(seen) == 3
    for tensor in seen[:3]:
        if tensor.abs().max() > 1e-3:  # BERT's norm makes equal components zero before dropout
            share = float((tensor == 0).float().mean())
            assert 0.22 < share < 0.28


def test_what_is_kept_is_scaled_up() -> None:
    class Ones(torch.nn.Module):
        def forward(self, x: torch.Tensor, mask: None = None) -> torch.Tensor:
            return torch.ones_like(x)

    x = torch.zeros(1, 200, 100)
    identity = torch.nn.Identity()
    for kind in (PreNormBlock, PostNormBlock):
        torch.manual_seed(0)
        y = kind(Ones(), Ones(), identity, identity, dropout=0.2).train()(x)
        values = sorted(set(y.flatten().tolist()))
        assert values == pytest.approx([0.0, 1.25, 2.5])
        assert float(y.mean()) == pytest.approx(2.0, abs=0.03)


def test_attention_weights_are_left_out() -> None:
    """With values that are all one, a row's output is the sum of the weights that are left."""
    torch.manual_seed(0)
    part = Attention(8, 2, causal=False, layer_idx=0, dropout=0.5).train()
    with torch.no_grad():
        part.v_proj.weight.zero_()
        part.v_proj.bias.fill_(1.0)
        part.o_proj.weight.copy_(torch.eye(8))
        part.o_proj.bias.zero_()
        sums = part(torch.randn(4, 300, 8))
        assert float(sums.std()) > 0.03
        assert float(sums.mean()) == pytest.approx(1.0, abs=0.02)
        torch.testing.assert_close(part.eval()(torch.randn(1, 5, 8)), torch.ones(1, 5, 8))
