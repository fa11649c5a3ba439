"""Rows that are read together are what each is alone, whatever stands around and between them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor, nn

import vitral
from parity.random_models import TEXT_MODELS, random_model
from parity.test_other_families import GROUPED, SIZE, random_of

ROW, OTHER = [5, 6, 7, 8], [8, 9, 10, 11, 12, 13]
GIVEN = {
    "left": ([0, 0, *ROW], [0, 0, 1, 1, 1, 1]),
    "right": ([*ROW, 0, 0], [1, 1, 1, 1, 0, 0]),
    "middle": ([5, 0, 6, 7, 0, 8], [1, 0, 1, 1, 0, 1]),
    "both ends": ([0, *ROW, 0], [0, 1, 1, 1, 1, 0]),
    "none but other ids": ([9, *ROW, 3], [0, 1, 1, 1, 1, 0]),
}
MODELS: dict[str, Callable[[], nn.Module]] = {
    **{family: lambda family=family: random_model(family) for family in TEXT_MODELS},
    "bloom (ALiBi)": lambda: random_of(
        "Bloom", "CausalLM", vocab_size=50, hidden_size=32, n_layer=3, n_head=4
    ),
    "falcon (ALiBi)": lambda: random_of(
        "Falcon", "CausalLM", **SIZE, alibi=True, new_decoder_architecture=False
    ),
    "mpt (ALiBi)": lambda: random_of(
        "Mpt", "CausalLM", vocab_size=50, d_model=32, n_layers=3, n_heads=4, max_seq_len=64
    ),
    "deberta (relative)": lambda: random_of(
        "DebertaV2", "MaskedLM", **SIZE, relative_attention=True, pos_att_type=["p2c", "c2p"]
    ),
    "convbert (convolutions)": lambda: random_of("ConvBert", "MaskedLM", **SIZE),
    "mistral (window)": lambda: random_of("Mistral", "CausalLM", **GROUPED, sliding_window=3),
    "lfm2 (hybrid)": lambda: random_of(
        "Lfm2",
        "CausalLM",
        **GROUPED,
        layer_types=["conv", "full_attention", "conv"],
    ),
}


def assert_alike(trace: vitral.Trace, alone: vitral.Trace) -> None:
    assert [token.id for token in trace.tokens] == [token.id for token in alone.tokens]
    assert trace.addresses() == alone.addresses()
    for address in alone.addresses():
        torch.testing.assert_close(trace[address], alone[address], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_padding_anywhere_changes_nothing(name: str) -> None:
    model = vitral.load(MODELS[name]())
    rows = [ids for ids, _ in GIVEN.values()] + [OTHER]
    masks = [mask for _, mask in GIVEN.values()] + [[1] * len(OTHER)]
    traces = model.trace(ids=rows, attention_mask=masks)
    alone = model.trace(ids=ROW)
    for trace in traces[:-1]:
        assert_alike(trace, alone)
    assert_alike(traces[-1], model.trace(ids=OTHER))
    by_name = model.trace(input_ids=torch.tensor(rows), attention_mask=torch.tensor(masks))
    assert_alike(by_name[0], alone)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_both_texts_of_an_encoder_decoder(family: str) -> None:
    model = vitral.load(random_model(family))
    alone = model.trace(ids=ROW, decoder_ids=[0, 12, 7])
    for ids, mask in GIVEN.values():
        trace = model.trace(
            input_ids=[ids, OTHER],
            attention_mask=[mask, [1] * 6],
            decoder_input_ids=torch.tensor([[3, 0, 12, 7], [0, 4, 41, 9]]),
            decoder_attention_mask=np.array([[0, 1, 1, 1], [1] * 4]),
        )[0]
        assert_alike(trace, alone)
        assert [token.id for token in trace.decoder_tokens] == [0, 12, 7]
    assert_alike(model.trace(input_ids=ROW), model.trace(ids=ROW))
    with_labels = model.trace(input_ids=[ROW], labels=torch.tensor([[12, 7, 9, -100]]))
    start = model.module.config.decoder_start_token_id
    assert [token.id for token in with_labels.decoder_tokens] == [start, 12, 7]


def test_a_mask_of_nothing_and_masks_that_fit_nothing() -> None:
    model = vitral.load(random_model("bert"))
    for mask, key in (
        ([[0] * 4], "text_empty"),
        ([[1] * 3], "ids_unreadable"),
        ([[2] * 4], "ids_unreadable"),
        ([1] * 3, "ids_unreadable"),
        ("ones", "ids_unreadable"),
    ):
        for name in ("ids", "input_ids"):
            with pytest.raises(vitral.VitralError) as raised:
                model.trace(**{name: [ROW]}, attention_mask=mask)
            assert raised.value.key == key


class Holder(nn.Module):
    """A wrapper of somebody's own: it says nothing of what it passes on."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.whatever_it_is_called = inner
        self.unused = nn.Linear(3, 3)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.whatever_it_is_called(*args, **kwargs)


class OnlyIds(nn.Module):
    """A wrapper that takes no mask at all."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.backbone = inner

    def forward(self, input_ids: Tensor) -> Tensor:
        logits: Tensor = self.backbone(input_ids).logits
        return logits


class KeywordsOnly(Holder):
    def forward(self, **kwargs: Any) -> Any:  # type: ignore[override]
        return self.whatever_it_is_called(**kwargs)


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "DataParallel": nn.DataParallel,
    "of one's own": Holder,
    "keywords only": KeywordsOnly,
    "no mask": OnlyIds,
    "two": lambda inner: Holder(nn.DataParallel(inner)),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama"])
def test_a_wrapper_is_what_stands_inside(family: str, wrapper: str) -> None:
    inner = vitral.load(random_model(family))
    model = vitral.load(WRAPPERS[wrapper](inner.module))
    for name in ("kind", "context", "num_layers", "num_heads", "vocabulary_size", "architecture"):
        assert getattr(model, name) == getattr(inner, name)
    ids, mask = GIVEN["left"]
    traces = model.trace(ids=[ids, OTHER], attention_mask=[mask, [1] * 6])
    assert_alike(traces[0], inner.trace(ids=ROW))
    assert_alike(traces[1], inner.trace(ids=OTHER))
    if wrapper != "no mask":
        assert_alike(model.trace(input_ids=[ids], attention_mask=[mask]), inner.trace(ids=ROW))
    with pytest.raises(vitral.VitralError) as raised:
        model.trace(ids=[5] * 65)
    assert raised.value.key == "text_too_long"


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_wrapped_encoder_decoder(family: str) -> None:
    inner = vitral.load(random_model(family))
    model = vitral.load(Holder(inner.module))
    assert (model.kind, model.context) == (inner.kind, inner.context)
    trace = model.trace(ids=ROW, decoder_ids=[0, 12])
    assert trace.parts == ["encoder", "decoder", "cross"]
    assert_alike(trace, inner.trace(ids=ROW, decoder_ids=[0, 12]))
    with pytest.raises(vitral.VitralError) as raised:  # no way to give it the decoder's text
        vitral.load(OnlyIds(inner.module)).trace(ids=ROW, decoder_ids=[0, 12])
    assert raised.value.key == "inputs_unfit"


def test_two_models_in_one_wrapper_speak_for_nobody() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.asks, self.answers = random_model("bert"), random_model("gpt2")

        def forward(self, input_ids: Tensor) -> Tensor:
            first: Tensor = self.asks(input_ids).logits
            second: Tensor = self.answers(input_ids).logits
            return first + second

    model = vitral.load(Two())
    assert (model.context, model.num_layers, model.vocabulary_size) == (None, 0, None)
    assert model.kind == "encoder"  # its first tokens see the last
    assert sorted(model.trace(ids=ROW).parts) == ["answers", "asks"]


def test_inputs_that_a_module_does_not_take_are_one_line() -> None:
    for given in ({"no_such_input": torch.ones(1)}, {"input_ids": [ROW], "no_such_input": 3}):
        with pytest.raises(vitral.VitralError) as raised:
            vitral.load(OnlyIds(random_model("bert"))).trace(**given)
        assert raised.value.key == "inputs_unfit"
        assert "input" in str(raised.value)


FORMS: dict[str, Callable[[list[list[int]]], Any]] = {
    "tensor": torch.tensor,
    "array": np.array,
    "lists": lambda rows: rows,
    "a list of tensors": lambda rows: [torch.tensor(row) for row in rows],
}


@pytest.mark.parametrize("form", FORMS)
def test_token_types_go_with_their_tokens(form: str) -> None:
    """Padding is cut out of every input by name, and they reach the model."""
    make, module = FORMS[form], random_model("bert")
    model = vitral.load(module)
    trace = model.trace(
        input_ids=make([[0, *ROW, 0], OTHER]),
        attention_mask=make([[0, 1, 1, 1, 1, 0], [1] * 6]),
        token_type_ids=make([[1, 0, 0, 1, 1, 1], [0] * 6]),
    )[0]
    with torch.no_grad():
        expected = module(torch.tensor([ROW]), token_type_ids=torch.tensor([[0, 0, 1, 1]])).logits
    torch.testing.assert_close(trace["logits"], expected[0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(trace["logits"], model.trace(ids=ROW)["logits"], atol=1e-3)


def test_rows_of_unequal_length_without_a_mask() -> None:
    model = vitral.load(random_model("gpt2"))
    first, second = model.trace(input_ids=[ROW, OTHER])
    assert_alike(first, model.trace(ids=ROW))
    assert_alike(second, model.trace(ids=OTHER))


def test_vectors_in_place_of_ids_are_given_as_they_are() -> None:
    module = random_model("gpt2")
    vectors = module.get_input_embeddings()(torch.tensor([ROW])).detach()
    trace = vitral.load(module).trace(inputs_embeds=vectors)
    torch.testing.assert_close(trace["logits"], vitral.load(module).trace(ids=ROW)["logits"])
    assert [token.text for token in trace.tokens] == ["0", "1", "2", "3"]


def test_what_a_tokenizer_gives(bert_folder: Any) -> None:
    model = vitral.load(bert_folder)
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep")}
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(bert_folder / "tokenizer.json"), **names
    )
    texts = ["La niña lee.", "El perro que persiguió al gato cruzó la calle."]
    inside = transformers.BertForMaskedLM.from_pretrained(bert_folder)
    for module in (model, vitral.load((inside, theirs)), vitral.load((inside, model.tokenizer))):
        one = module.trace(**theirs(texts[0], return_tensors="pt"))
        assert [token.id for token in one.tokens] == theirs(texts[0])["input_ids"]
        assert [token.text for token in one.tokens[:2]] == ["[CLS]", "La"]
        assert [token.special for token in one.tokens[:2]] == [True, False]
        for rows in (
            module.trace(**theirs(texts, return_tensors="pt", padding=True)),
            module.trace(**theirs(texts, return_tensors="np", padding=True)),
            module.trace(**theirs(texts)),
        ):
            for text, trace in zip(texts, rows, strict=True):
                assert_alike(trace, module.trace(text))
    assert_alike(model.trace(**theirs(texts[0])), model.trace(texts[0]))
    pair = theirs(texts[0], texts[1], return_tensors="pt")
    pair["token_type_ids"] = torch.tensor([[0] * 6 + [1] * (pair["input_ids"].shape[1] - 6)])
    with torch.no_grad():
        expected = inside(**pair).logits[0]
    torch.testing.assert_close(model.trace(**pair)["logits"], expected, atol=1e-5, rtol=1e-5)
