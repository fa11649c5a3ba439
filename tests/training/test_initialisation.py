import numpy as np
import torch

from vitral.models.bert import Bert, BertConfig
from vitral.models.llama import Llama, LlamaConfig
from vitral.training.preparation.initialisation import NEIGHBOURS, initialise, token_weight

SHAPE = {
    "vocab_size": 500,
    "context": 256,
    "hidden_size": 192,
    "num_layers": 2,
    "num_heads": 8,
    "num_key_value_heads": 8,
    "intermediate_size": 64,
}


def test_each_head_of_the_first_layer_looks_at_its_neighbour() -> None:
    import vitral

    model = Bert(BertConfig(**SHAPE)).eval()
    initialise(model, seed=1)
    trace = vitral.load(model).trace(ids=torch.randint(5, 500, (40,)).tolist())
    for head, offset in enumerate(NEIGHBOURS):
        pattern = trace.attention(layer=0, head=head)
        assert pattern.diagonal(offset).mean() > 0.7
    for head, offset in enumerate(NEIGHBOURS[:4]):
        assert trace.attention(layer=1, head=head).diagonal(offset).mean() > 0.7
    free = trace.attention(layer=1, head=6)
    entropy = -(free * free.log()).sum(-1).mean()
    assert 0.2 < entropy / np.log(40) < 0.97  # neither even nor stuck on one token


def test_a_decoder_starts_by_predicting_nothing_in_particular() -> None:
    model = Llama(LlamaConfig(**SHAPE)).eval()
    initialise(model, seed=1)
    ids = torch.randint(5, 500, (1, 20))
    with torch.no_grad():
        embedded = model.embed(ids)
        for layer in model.layers:
            assert layer.attention.o_proj.weight.abs().max() == 0
        probabilities = model(ids).softmax(-1)
    assert embedded.std().item() < 0.03
    assert probabilities.max() < 0.25


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = Bert(BertConfig(**SHAPE)), Bert(BertConfig(**SHAPE))
    initialise(first, seed=3)
    initialise(second, seed=3)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_told_the_corpus_tokens_of_like_company_start_alike() -> None:
    generator = np.random.default_rng(0)
    parts = [[20, int(generator.integers(10, 12)), 21] for _ in range(300)]
    parts += [[30, int(generator.integers(12, 14)), 31] for _ in range(300)]
    ids = np.concatenate([parts[i] for i in generator.permutation(len(parts))]).astype(np.uint16)
    for model in (Bert(BertConfig(**SHAPE)), Llama(LlamaConfig(**SHAPE))):
        initialise(model, 1, ids)
        vectors = torch.nn.functional.normalize(token_weight(model).detach(), dim=1)
        assert vectors[10] @ vectors[11] > vectors[10] @ vectors[12] + 0.3
        if isinstance(model, Bert):
            bias = model.head.decoder.bias.detach()
            assert bias[20] - bias[400] > 5  # one came 300 times, the other never
            assert model.embed.tokens.weight[:, :24].abs().max() == 0
