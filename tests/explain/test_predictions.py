"""What a model says at a place, with the word in sight and without it; roles in other sentences."""

import math
from pathlib import Path

import pytest
import torch

import vitral
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import (
    blanked,
    candidates,
    logit_lens,
    measures,
    probabilities,
    repeated_trace,
    roles_elsewhere,
)
from vitral.explain.mask_token import mask_id_if_any
from vitral.explain.predictions import candidate, expected, lens_probabilities
from vitral.explain.role_constancy import ANSWER, SENTENCES

TEXT = "El gato duerme en la calle."


def test_the_distribution_is_the_softmax_of_the_logits(llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    trace = model.trace(TEXT)
    said = probabilities(trace, 2)
    torch.testing.assert_close(said, trace["logits"][2].softmax(-1))
    best = candidates(said, model, 5)
    assert [each.rank for each in best] == [1, 2, 3, 4, 5]
    assert [each.id for each in best] == trace["logits"][2].topk(5).indices.tolist()
    third = candidate(said, model, best[2].id)
    assert (third.rank, third.text) == (3, best[2].text)
    assert expected(trace, 2, "decoder") == trace.tokens[3].id
    assert expected(trace, len(trace.tokens) - 1, "decoder") is None


def test_a_blanked_token_is_read_as_the_mask(bert_folder: Path) -> None:
    model = vitral.load(str(bert_folder))
    trace = model.trace(TEXT)
    hidden = blanked(trace, model, 2)
    ids = [token.id for token in trace.tokens]
    ids[2] = 4
    assert mask_id_if_any(model) == 4
    assert [token.id for token in hidden.tokens] == ids
    torch.testing.assert_close(hidden["logits"], model.trace(ids=ids)["logits"])
    assert not torch.allclose(hidden["logits"][2], trace["logits"][2], atol=1e-2)
    assert expected(trace, 2, "encoder") == trace.tokens[2].id


def test_the_lens_ends_at_the_answer(bert_folder: Path) -> None:
    model = vitral.load(str(bert_folder))
    trace = model.trace(TEXT)
    said = lens_probabilities(logit_lens(trace, model, [2]))
    torch.testing.assert_close(said[-1, 0], probabilities(trace, 2), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(said.sum(-1), torch.ones(4, 1))


def test_what_cannot_answer_says_so(llama_folder: Path) -> None:
    writer = vitral.load(str(llama_folder))
    trace = writer.trace(TEXT)
    with pytest.raises(VitralError, match="no mask token"):
        blanked(trace, writer, 1)
    bare = vitral.load(random_model("gpt2").transformer)
    with pytest.raises(VitralError, match="language-model head"):
        probabilities(bare.trace(ids=[3, 8]), 0)
    with pytest.raises(VitralError, match="no token"):
        probabilities(trace, 99)


def test_a_role_counts_where_it_holds(bert_folder: Path) -> None:
    model = vitral.load(str(bert_folder))
    sentences = ["El gato duerme.", "La niña lee un libro."]
    repeated = repeated_trace(model)
    found = roles_elsewhere(model, [*sentences, "gato " * 80], repeated=repeated)
    assert (found.sentences, found.num_too_long) == (sentences, 1)
    table = measures(model.trace(TEXT), repeated=repeated)
    shares = found.constancy(table)
    assert shares.shape == (3, 4)
    tables = [measures(model.trace(each), repeated=repeated) for each in sentences]
    for layer in range(3):
        for head in range(4):
            same = [each.role(layer, head) == table.role(layer, head) for each in tables]
            assert float(shares[layer, head]) == sum(same) / 2
    # A text beside itself has all its roles.
    assert roles_elsewhere(model, [TEXT], repeated=repeated).constancy(table).eq(1).all()
    with pytest.raises(VitralError, match="None of the sentences"):
        roles_elsewhere(model, ["gato " * 80]).constancy(table)
    assert not math.isnan(float(shares.sum()))


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_roles_of_an_encoder_decoder_are_those_of_its_answers(bart_folder: Path, part: str) -> None:
    model = vitral.load(str(bart_folder))
    repeated = repeated_trace(model)
    found = roles_elsewhere(model, SENTENCES[:2], part=part, repeated=repeated)
    for sentence, roles in zip(SENTENCES[:2], found.roles, strict=True):
        trace = model.trace_generation(sentence, max_new_tokens=ANSWER)
        table = measures(trace, part, repeated=repeated)
        size = (len(table.layers), table.num_heads)
        assert roles == [[table.role(n, h) for h in range(size[1])] for n in range(size[0])]


def test_only_the_encoder_reads_what_is_said_twice(bart_folder: Path) -> None:
    model = vitral.load(str(bart_folder))
    repeated, trace = repeated_trace(model), model.trace(TEXT, decoder_text=TEXT)
    for part in trace.parts:
        table = measures(trace, part, repeated=repeated)
        measured = measures(repeated if part == "encoder" else trace, part)
        for name in {"duplicate", "induction"} & set(table):
            torch.testing.assert_close(table[name], measured[name], equal_nan=True)
