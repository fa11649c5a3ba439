"""Our RoBERTa, ALBERT, ModernBERT and BERT with two heads leave transformers' traces."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer

import vitral
from vitral.models import hugging_face
from vitral.models.albert import Albert, AlbertConfig
from vitral.models.bert import Bert, BertConfig
from vitral.models.modernbert import ModernBert, ModernBertConfig
from vitral.models.roberta import Roberta, RobertaConfig, roberta_positions

TEXTS = ["El perro que persiguió al gato cruzó la calle.", "La niña.", "¿Dónde está?"]

SIZE: dict[str, Any] = {
    "context": 64,
    "hidden_size": 28,
    "num_layers": 3,
    "num_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 37,
}
FORMS = {
    "roberta": lambda size: Roberta(RobertaConfig(vocab_size=size, pad_token_id=0, **SIZE)),
    "albert": lambda size: Albert(AlbertConfig(vocab_size=size, embedding_size=9, **SIZE)),
    "modernbert": lambda size: ModernBert(
        ModernBertConfig(vocab_size=size, pad_token_id=0, **{**SIZE, "hidden_size": 32}, window=2)
    ),
    "bert": lambda size: Bert(BertConfig(vocab_size=size, next_sentence=True, **SIZE)),
}


@pytest.fixture(scope="module")
def tokenizer(bert_folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(bert_folder / "tokenizer.json"))


@pytest.fixture(params=FORMS)
def pair(
    request: pytest.FixtureRequest, tokenizer: Tokenizer, tmp_path: Path
) -> tuple[vitral.Model, vitral.Model]:
    """One of our models, read from its folder, and the same in transformers."""
    torch.manual_seed(0)
    module = FORMS[request.param](tokenizer.get_vocab_size())
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    folder = tmp_path / request.param
    hugging_face.write(module, tokenizer, folder)
    theirs = getattr(transformers, module.config.architecture).from_pretrained(folder)
    ours = vitral.load(folder)
    assert type(ours.module) is type(module)
    return ours, vitral.load((theirs.eval(), tokenizer))


def assert_same(mine: torch.Tensor, other: torch.Tensor) -> None:
    """Within 1e-5 of the largest value, or of one where all are smaller."""
    scale = max(1.0, float(other.abs().max()))
    torch.testing.assert_close(mine, other, atol=1e-5 * scale, rtol=0)


def test_what_is_known(pair: tuple[vitral.Model, vitral.Model]) -> None:
    for model in pair:
        assert (model.kind, model.num_layers, model.num_heads) == ("encoder", 3, 4)
        assert model.context == 64
    assert pair[0].architecture == pair[1].architecture


def test_a_trace_is_that_of_transformers(pair: tuple[vitral.Model, vitral.Model]) -> None:
    ours, theirs = (model.trace(texts=TEXTS) for model in pair)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.num_layers == 3
        addresses = set(mine.addresses())
        if mine.model == "bert":  # transformers' has two results, and calls neither "logits"
            addresses.remove("logits")
        assert addresses == set(other.addresses())
        assert mine.tokens == other.tokens
        for address in addresses:
            assert_same(mine[address], other[address])


def test_a_module_in_hand_is_traced_alike(
    pair: tuple[vitral.Model, vitral.Model], tokenizer: Tokenizer
) -> None:
    ours, _ = pair
    trace = ours.trace(TEXTS[0])
    in_hand = vitral.load((ours.module, tokenizer)).trace(TEXTS[0])
    assert in_hand.addresses() == trace.addresses()
    assert torch.equal(in_hand["logits"], trace["logits"])
    assert trace.attention(layer=2, head=3).shape == (len(trace.tokens),) * 2
    first, last = (trace.attention(layer=layer, head=0) for layer in (0, 2))
    assert not torch.allclose(first, last, atol=1e-3)


def test_an_edit_is_that_of_transformers(pair: tuple[vitral.Model, vitral.Model]) -> None:
    changed = []
    for model in pair:
        plain = model.trace(TEXTS[0])["layers.2.residual.post"]
        with model.edit() as edit:
            edit.silence(2, 1)
            changed.append(model.trace(TEXTS[0])["layers.2.residual.post"])
        assert not torch.allclose(plain, changed[-1], atol=1e-3)
    assert_same(*changed)


def test_padding_is_not_counted() -> None:
    ids = torch.tensor([[5, 9, 4, 1, 1], [1, 5, 1, 9, 4]])
    assert roberta_positions(ids, 1).tolist() == [[2, 3, 4, 1, 1], [1, 2, 1, 3, 4]]
    assert roberta_positions(ids, 0).tolist() == [[1, 2, 3, 4, 5]] * 2


def test_albert_has_a_fraction_of_the_weights() -> None:
    def size(module: torch.nn.Module) -> int:
        return sum(weight.numel() for weight in module.parameters())

    config = AlbertConfig(vocab_size=500, embedding_size=9, **SIZE)
    deeper = Albert(AlbertConfig(**{**vars(config), "num_layers": 12}))
    assert size(Albert(config)) == size(deeper)
    ids = torch.arange(12)[None]
    with torch.no_grad():
        block, x = deeper.layers[0], deeper.embed(ids)
        for _ in range(12):
            x = block(x)
        torch.testing.assert_close(deeper.encode(ids), x)


def test_the_second_head_is_there_only_if_asked_for() -> None:
    plain = Bert(BertConfig(vocab_size=50, **SIZE))
    assert plain.config.architecture == "BertForMaskedLM"
    assert not [name for name, _ in plain.named_parameters() if "next_sentence" in name]
