"""Whether a model is a decoder is measured: a later token must not change an earlier output."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor, nn

import vitral
from parity.random_models import random_model
from parity.test_other_families import GROUPED, SIZE, random_of
from vitral.models.looks_ahead import looks_ahead

BLOOM = {"vocab_size": 50, "hidden_size": 32, "n_layer": 2, "n_head": 4}
SMALL = {"vocab_size": 50, "n_embd": 32, "n_layer": 2, "n_head": 4}
XLNET = {"vocab_size": 50, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 32}


class SelfAttention(nn.Module):
    def __init__(self, prefix: int | None) -> None:
        super().__init__()
        self.maps = nn.Linear(16, 48)
        self.prefix = prefix

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.maps(x).chunk(3, dim=-1)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool)
        if self.prefix is not None:
            mask = mask.tril()
            mask[:, : self.prefix] = True
        return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


class OwnModel(nn.Module):
    """A model of somebody's own, of which no configuration says anything."""

    def __init__(self, prefix: int | None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(50, 16)
        self.layers = nn.ModuleList(SelfAttention(prefix) for _ in range(2))
        self.head = nn.Linear(16, 50)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        for layer in self.layers:
            x = x + layer(x)
        logits: Tensor = self.head(x)
        return logits


DECODERS: dict[str, Callable[[], Any]] = {
    "bloom": lambda: random_of("Bloom", "CausalLM", **BLOOM),
    "mpt": lambda: random_of("Mpt", "CausalLM", vocab_size=50, d_model=32, n_layers=2, n_heads=4),
    "falcon with alibi": lambda: random_of("Falcon", "CausalLM", **SIZE, alibi=True),
    "openai": lambda: transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**SMALL)),
    "ctrl": lambda: transformers.CTRLLMHeadModel(transformers.CTRLConfig(**SMALL)),
    "bert as a decoder": lambda: transformers.BertLMHeadModel(
        transformers.BertConfig(**SIZE, is_decoder=True)
    ),
    "experts": lambda: random_of("Mixtral", "CausalLM", **GROUPED, num_local_experts=4),
    "a classifier": lambda: random_of("GPT2", "SequenceClassification", **SMALL, pad_token_id=0),
    "no head": lambda: transformers.BloomModel(transformers.BloomConfig(**BLOOM)),
    "half precision": lambda: random_model("llama").to(torch.bfloat16),
    "somebody's own": lambda: OwnModel(prefix=0),
    "wrapped": lambda: nn.DataParallel(random_of("Bloom", "CausalLM", **BLOOM)),
}
ENCODERS: dict[str, Callable[[], Any]] = {
    "bert": lambda: random_model("bert"),
    "bert with a decoder's head": lambda: transformers.BertLMHeadModel(
        transformers.BertConfig(**SIZE)
    ),
    "xlnet": lambda: transformers.XLNetLMHeadModel(transformers.XLNetConfig(**XLNET)),
    "a classifier": lambda: random_of("Bert", "SequenceClassification", **SIZE),
    "half precision": lambda: random_model("bert").to(torch.bfloat16),
    "small fresh weights": lambda: transformers.BertModel(transformers.BertConfig(**SIZE)),
    "somebody's own": lambda: OwnModel(prefix=None),
    "a prefix that sees itself": lambda: OwnModel(prefix=3),
    "wrapped": lambda: nn.DataParallel(random_model("bert")),
}


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder(name: str) -> None:
    assert vitral.load(DECODERS[name]()).kind == "decoder"


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder(name: str) -> None:
    assert vitral.load(ENCODERS[name]()).kind == "encoder"


def test_measuring_leaves_the_module_as_it_was() -> None:
    module = DECODERS["bloom"]().train()
    module.transformer.h[0].eval()
    modes = [part.training for part in module.modules()]
    hooks = [len(part._forward_hooks) for part in module.modules()]
    with torch.random.fork_rng():
        state = torch.get_rng_state()
        assert vitral.load(module).kind == "decoder"
        assert torch.equal(state, torch.get_rng_state())
    assert [part.training for part in module.modules()] == modes
    assert [len(part._forward_hooks) for part in module.modules()] == hooks


def test_it_may_be_asked_while_the_model_is_edited() -> None:
    module = random_of("Bloom", "CausalLM", **BLOOM)
    model = vitral.load(module)
    with model.edit() as edit:
        edit.patch("embed", 0.0, tokens=[1])
        assert model.kind == "decoder"
        model.trace(ids=[5, 6])


def test_what_reads_no_ids_is_not_measured() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, batch_first=True)
    assert looks_ahead(nn.TransformerEncoder(layer, 2)) is None


def test_bloom_is_evaluated_as_a_decoder() -> None:
    words = {f"w{number}": number for number in range(50)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    model = vitral.load((random_of("Bloom", "CausalLM", **BLOOM), tokenizer))
    ids = [5, 6, 7, 8, 9, 10]
    loss = model.evaluate(" ".join(f"w{number}" for number in ids))
    with torch.no_grad():
        logits = model.module(torch.tensor([ids])).logits[0]
    expected = nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]))
    assert loss.nats == pytest.approx(float(expected), abs=1e-5)
