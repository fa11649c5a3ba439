"""Texts of unequal length, written side by side: each is what it is alone."""

import pytest
import torch
import transformers

import vitral
from generation.small_decoders import gpt, llama
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.generation.generate import ENDED, generate_ids
from vitral.generation.sampling import Sampling
from vitral.models.recurrent import Recurrent, RecurrentConfig
from vitral.text.tokenizers import train_byte_level_bpe

ROWS = [[3, 9, 4, 11, 2, 7], [5], [8, 1, 6]]
TEXTS = ["La niña lee", "El", "«¿Qué?», dijo él, y cruzó la calle"]


def recurrent() -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(
        RecurrentConfig(vocab_size=31, hidden_size=12, num_layers=2, intermediate_size=12)
    ).eval()


def mamba() -> torch.nn.Module:
    """A model that cannot be told of padding: it reads one text after the other."""
    config = transformers.MambaConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, state_size=4, pad_token_id=0
    )
    torch.manual_seed(1)
    return transformers.MambaForCausalLM(config).eval()


def written(module, rows, **options) -> list[list[int]]:
    columns = torch.stack(list(generate_ids(module, rows, **options)), dim=1).tolist()
    return [[token for token in row if token != ENDED] for row in columns]


@pytest.mark.parametrize("build", [gpt, llama, recurrent])
@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling": Sampling(repetition_penalty=1.3)},
        {"sampling": Sampling(temperature=1.4, top_k=9), "seed": 5},
        {"end_id": 14},
        {"windowed": True},
    ],
    ids=str,
)
def test_each_text_is_what_it_is_alone(build, use_cache, options) -> None:
    """30 tokens are more than the context of 24 has room for: texts end one after the other, or
    open their windows at different times."""
    module = build()
    options = {"max_new_tokens": 30, "use_cache": use_cache} | options
    together = written(module, ROWS, **options)
    alone = [written(module, [row], **options)[0] for row in ROWS]
    assert together == alone
    assert len({*map(len, together)}) > 1 or options.get("windowed") or build is recurrent


@pytest.mark.parametrize("family", ["gpt2", "llama", "mamba"])
def test_a_model_of_transformers_reads_padding_too(family) -> None:
    module = mamba() if family == "mamba" else random_model(family)
    together = written(module, ROWS, max_new_tokens=12)
    assert together == [written(module, [row], max_new_tokens=12)[0] for row in ROWS]
    if family != "mamba":
        ids = torch.tensor([[0] * (6 - len(row)) + row for row in ROWS])
        mask = torch.tensor([[0] * (6 - len(row)) + [1] * len(row) for row in ROWS])
        theirs = module.generate(
            ids, attention_mask=mask, max_new_tokens=12, do_sample=False, eos_token_id=None
        )
        assert together == theirs[:, 6:].tolist()


@pytest.fixture(scope="module")
def tokenizer():
    lines = ["La niña lee un cuento.", "El gato cruzó la calle.", "«¿Qué?», dijo él."] * 20
    return train_byte_level_bpe(lines, 300)


@pytest.mark.parametrize("family", ["gpt2", "llama", "t5", "bart"])
def test_a_list_of_texts_gives_a_list(family, tokenizer) -> None:
    module = random_model(family)
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    model = vitral.load((module, tokenizer))
    stop = model.generate(TEXTS[0], max_new_tokens=9)[-3:-1]
    for options in ({}, {"temperature": 1.2, "seed": 3}, {"num_beams": 2}, {"stop": [stop]}):
        options["max_new_tokens"] = 9
        together = model.generate(TEXTS, **options)
        assert together == [model.generate(text, **options) for text in TEXTS]
    assert model.generate([TEXTS[1]], max_new_tokens=3) == [
        model.generate(TEXTS[1], max_new_tokens=3)
    ]
    with pytest.raises(VitralError) as caught:
        model.generate([])
    assert caught.value.key == "text_empty"


def test_equal_texts_draw_alike_with_a_seed_and_differ_without(tokenizer) -> None:
    module = random_model("gpt2")
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    model = vitral.load((module, tokenizer))
    options = {"max_new_tokens": 12, "temperature": 1.5}
    assert len({*model.generate([TEXTS[0]] * 3, seed=1, **options)}) == 1
    assert len({*model.generate([TEXTS[0]] * 3, **options)}) == 3
