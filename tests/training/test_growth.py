import pytest
import torch

from vitral.models.albert import Albert, AlbertConfig
from vitral.models.bert import Bert, BertConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.models.modernbert import ModernBert, ModernBertConfig
from vitral.training.optimization.growth import grow

SHAPE = {
    "vocab_size": 50,
    "context": 32,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
}


def trained(model: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, mean=float(weight.ndim == 1), std=0.2)
    return model.eval()


@torch.no_grad()
def test_a_grown_decoder_says_what_it_said() -> None:
    model = trained(Llama(LlamaConfig(**SHAPE)))
    ids = torch.randint(0, 50, (2, 9))
    before = model(ids)
    grow(model, 5)
    assert model.config.num_layers == len(model.layers) == 5
    assert torch.equal(model(ids), before)
    for number in (2, 3, 4):
        copied = model.layers[number].attention
        assert copied.layer_idx == number
        assert torch.equal(copied.q_proj.weight, model.layers[number % 2].attention.q_proj.weight)
        assert copied.q_proj.weight is not model.layers[number % 2].attention.q_proj.weight


@torch.no_grad()
@pytest.mark.parametrize("depth", [1, 2])
def test_a_grown_modernbert_is_one_that_was_made_so(depth: int) -> None:
    """What is put on a first layer, which has no norm before its attention, has one."""
    config = ModernBertConfig(**{**SHAPE, "num_layers": depth}, window=3)
    model = trained(ModernBert(config))
    ids = torch.randint(0, 50, (2, 9))
    before = model(ids)
    grow(model, 5)
    assert torch.equal(model(ids), before)
    made = ModernBert(model.config)
    assert made.config.num_layers == 5
    made.load_state_dict(model.state_dict())
    assert torch.equal(made.eval()(ids), before)


@torch.no_grad()
def test_a_grown_encoder_says_nearly_what_it_said() -> None:
    model = trained(Bert(BertConfig(**SHAPE)))
    ids = torch.randint(0, 50, (2, 9))
    before = model(ids)
    grow(model, 4)
    after = model(ids)
    assert not torch.equal(after, before)
    assert torch.nn.functional.cosine_similarity(after, before, dim=-1).min() > 0.98


def test_every_weight_of_a_grown_layer_learns() -> None:
    model = trained(Bert(BertConfig(**SHAPE))).train()
    grow(model, 4)
    for _ in range(2):  # the zero maps first; then what feeds them
        loss = model(torch.randint(0, 50, (2, 9))).logsumexp(-1).mean()
        loss.backward()
        with torch.no_grad():
            for weight in model.parameters():
                weight -= 0.1 * weight.grad
    for name, weight in model.layers[3].named_parameters():
        if not name.endswith("k_proj.bias"):  # which no softmax can feel
            assert weight.grad.abs().max() > 0, name


@torch.no_grad()
def test_albert_goes_through_its_block_more_often() -> None:
    model = trained(Albert(AlbertConfig(**SHAPE, embedding_size=6)))
    block, x = model.layers[0], model.embed(torch.arange(9)[None])
    grow(model, 4)
    assert (model.config.num_layers, len(model.layers)) == (4, 1)
    for _ in range(4):
        x = block(x)
    torch.testing.assert_close(model.encode(torch.arange(9)[None]), x)
