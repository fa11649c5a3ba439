"""Two texts read together: token types and separators as the tokenizer's post-processor has it."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.processors import RobertaProcessing, TemplateProcessing

import vitral
from parity.random_models import random_model
from vitral.explain import logit_attribution
from vitral.explain.predictions import blanked

FIRST, SECOND = "El gato duerme.", "¿Dónde está la niña? Lee."


def paired(folder: Path) -> Tokenizer:
    """The tokenizer of a folder, with BERT's template for pairs."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    marks = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=marks
    )
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer(bert_folder: Path) -> Tokenizer:
    return paired(bert_folder)


@pytest.fixture(scope="module")
def theirs(bert_folder: Path) -> Any:
    module = transformers.BertForMaskedLM.from_pretrained(bert_folder)
    with torch.no_grad():
        module.bert.embeddings.token_type_embeddings.weight.normal_(std=0.5)
    return module.eval()


def test_tokens_know_their_text(theirs: Any, tokenizer: Tokenizer) -> None:
    trace = vitral.load((theirs, tokenizer)).trace(FIRST, SECOND)
    encoded = tokenizer.encode(FIRST, SECOND)
    assert [token.id for token in trace.tokens] == encoded.ids
    assert [token.segment for token in trace.tokens] == encoded.type_ids
    assert trace.text == f"{FIRST}\n{SECOND}"
    for token in trace.tokens:
        if token.start is not None:
            assert trace.text[token.start : token.end] == token.text
            assert (token.start > len(FIRST)) == (token.segment == 1)
    assert [token.text for token in trace.tokens if token.special] == ["[CLS]", "[SEP]", "[SEP]"]
    types = torch.tensor([encoded.type_ids])
    with torch.no_grad():
        given = theirs(torch.tensor([encoded.ids]), token_type_ids=types).logits[0]
        without = theirs(torch.tensor([encoded.ids])).logits[0]
    torch.testing.assert_close(trace["logits"], given, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(trace["logits"], without, atol=1e-3)


def test_our_own_form_and_transformers_tokenizers(
    theirs: Any, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    theirs.save_pretrained(tmp_path / "bert")
    tokenizer.save(str(tmp_path / "bert" / "tokenizer.json"))
    own = vitral.load(tmp_path / "bert")
    assert type(own.module).__module__.startswith("vitral.")
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "mask")}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    expected = vitral.load((theirs, tokenizer)).trace(FIRST, SECOND)
    for model in (own, vitral.load((theirs, fast))):
        trace = model.trace(FIRST, SECOND)
        assert trace.tokens == expected.tokens
        torch.testing.assert_close(trace["logits"], expected["logits"], atol=1e-5, rtol=1e-5)
    by_name = own.trace(**fast(FIRST, SECOND, return_token_type_ids=True))
    assert [each.segment for each in by_name.tokens] == [each.segment for each in expected.tokens]
    torch.testing.assert_close(by_name["logits"], expected["logits"], atol=1e-5, rtol=1e-5)


def test_a_model_without_token_types(tokenizer: Tokenizer) -> None:
    marks = [(name, tokenizer.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
    as_roberta = Tokenizer.from_str(tokenizer.to_str())
    as_roberta.post_processor = RobertaProcessing(*marks, trim_offsets=False)
    module = random_model("roberta", type_vocab_size=1)
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    trace = vitral.load((module, as_roberta)).trace(FIRST, SECOND)
    encoded = as_roberta.encode(FIRST, SECOND)
    assert [token.id for token in trace.tokens] == encoded.ids
    assert {token.segment for token in trace.tokens} == {0, 1}
    with torch.no_grad():
        given = module(torch.tensor([encoded.ids])).logits[0]
    torch.testing.assert_close(trace["logits"], given, atol=1e-5, rtol=1e-5)


def test_what_runs_again_keeps_the_types(theirs: Any, tokenizer: Tokenizer) -> None:
    model = vitral.load((theirs, tokenizer))
    trace = model.trace(FIRST, SECOND)
    found = logit_attribution(trace, model, token=2)
    assert found.total == pytest.approx(found.logit, abs=1e-3)
    again = blanked(trace, model, 2)
    ids = [token.id for token in trace.tokens]
    ids[2] = tokenizer.token_to_id("[MASK]")
    types = torch.tensor([[token.segment for token in trace.tokens]])
    with torch.no_grad():
        expected = theirs(torch.tensor([ids]), token_type_ids=types).logits[0]
    torch.testing.assert_close(again["logits"], expected, atol=1e-5, rtol=1e-5)


def test_a_file_keeps_them(theirs: Any, tokenizer: Tokenizer, tmp_path: Path) -> None:
    trace = vitral.load((theirs, tokenizer)).trace(FIRST, SECOND)
    trace.save(tmp_path / "pair.vitral")
    again = vitral.open_trace(tmp_path / "pair.vitral")
    assert again.tokens == trace.tokens
    assert again.text == trace.text


def test_masks_and_names_of_special_tokens(theirs: Any, tokenizer: Tokenizer) -> None:
    model = vitral.load((theirs, tokenizer))
    trace = model.trace("El [MASK] duerme.", SECOND)
    assert [token.text for token in trace.tokens if token.special][1] == "[MASK]"
    plain = model.trace("El [SEP] duerme.", SECOND)
    assert sum(token.special for token in plain.tokens) == 3  # a text is a text


def test_what_is_no_pair(theirs: Any, tokenizer: Tokenizer) -> None:
    model = vitral.load((theirs, tokenizer))
    for call, key in (
        (lambda: model.trace(FIRST, " "), "text_empty"),
        (lambda: model.trace(FIRST * 20, SECOND), "text_too_long"),
        (lambda: vitral.load(random_model("vit")).trace(FIRST, SECOND), "text_to_picture_model"),
    ):
        with pytest.raises(vitral.VitralError) as raised:
            call()
        assert raised.value.key == key
    with pytest.raises(TypeError):
        model.trace(None, SECOND)
