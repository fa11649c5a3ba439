"""Recurrent models and Transformers write: a cache and company change nothing."""

from pathlib import Path

import pytest
import torch

import vitral
from models.sequence_models import TRANSLATORS, language_model, tokenizer_of_letters
from vitral.generation.beam_search import beam_search
from vitral.generation.generate import generate_ids

START = torch.tensor([[0]])
SOURCE = torch.tensor([[7, 22, 14, 9, 1]])
TEXTS = ["gatos 12", "ñu", "el pingüino"]


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_cache_changes_nothing_of_an_answer(name: str) -> None:
    model = TRANSLATORS[name]()
    for end_id in (None, 13, 30):
        answers = [
            [
                int(each)
                for each in generate_ids(
                    model,
                    START,
                    max_new_tokens=11,
                    end_id=end_id,
                    encoder_ids=SOURCE,
                    use_cache=use_cache,
                )
            ]
            for use_cache in (True, False)
        ]
        assert answers[0] == answers[1]
        beams = [
            beam_search(
                model,
                START[0],
                num_beams=4,
                max_new_tokens=11,
                end_id=end_id,
                encoder_ids=SOURCE,
                use_cache=use_cache,
            )
            for use_cache in (True, False)
        ]
        assert [each.ids for each in beams[0]] == [each.ids for each in beams[1]]
        [greedy] = beam_search(
            model, START[0], num_beams=1, max_new_tokens=11, end_id=end_id, encoder_ids=SOURCE
        )
        assert greedy.ids == answers[0]


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_beam_knows_how_likely_its_answer_is(name: str) -> None:
    model = TRANSLATORS[name]()
    best, *_ = beam_search(model, START[0], num_beams=5, max_new_tokens=6, encoder_ids=SOURCE)
    read = torch.tensor([[0, *best.ids[:-1]]])
    with torch.no_grad():
        logs = model(SOURCE, read).log_softmax(-1)[0]
    total = sum(float(logs[place, token]) for place, token in enumerate(best.ids))
    assert best.score == pytest.approx(total / len(best.ids), abs=1e-5)


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_text_is_answered_as_if_it_were_alone(name: str) -> None:
    model = vitral.load((TRANSLATORS[name](), tokenizer_of_letters()))
    together = model.generate(TEXTS, max_new_tokens=7)
    assert together == [model.generate(each, max_new_tokens=7) for each in TEXTS]


def test_a_language_model_writes_texts_side_by_side_and_without_end() -> None:
    model = vitral.load((language_model(context=4), tokenizer_of_letters()))
    together = model.generate(TEXTS, max_new_tokens=20)
    assert together == [model.generate(each, max_new_tokens=20) for each in TEXTS]
    assert all(len(new) > len(old) + 10 for new, old in zip(together, TEXTS, strict=True))
    prompt = torch.tensor([[8, 5, 30]])
    written = [
        [int(each) for each in generate_ids(model.module, prompt, max_new_tokens=9, use_cache=yes)]
        for yes in (True, False)
    ]
    assert written[0] == written[1]


def test_an_encoder_is_not_given_more_than_it_takes(bart_folder: Path) -> None:
    model = vitral.load(str(bart_folder))
    assert model.context is not None
    text = "El perro cruzó la calle. " * model.context
    for write in (model.generate, model.trace_generation):
        with pytest.raises(vitral.VitralError) as caught:
            write(text, max_new_tokens=2)
        assert caught.value.key == "text_too_long"
        assert caught.value.values["context"] == model.context
