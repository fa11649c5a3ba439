"""Beams are those of transformers, token for token."""

import pytest
import torch

from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.generation.beam_search import beam_search
from vitral.generation.generate import generate_ids

PROMPT = torch.tensor([3, 9, 4, 11])


def theirs(module, num_beams, length_penalty, end_id, read=None):
    written = module.generate(
        PROMPT[None] if read is None else read,
        do_sample=False,
        num_beams=num_beams,
        num_return_sequences=num_beams,
        length_penalty=length_penalty,
        early_stopping=False,
        max_new_tokens=12,
        eos_token_id=end_id,
        pad_token_id=49,
        return_dict_in_generate=True,
        output_scores=True,
        **({} if read is None else {"decoder_start_token_id": 0, "forced_eos_token_id": None}),
    )
    return written.sequences, written.sequences_scores


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 2.5])
@pytest.mark.parametrize("num_beams", [2, 5])
def test_beams_are_those_of_transformers(family, length_penalty, num_beams) -> None:
    module = random_model(family)
    for end_id in (7, 22, 41):
        found = beam_search(
            module,
            PROMPT,
            num_beams=num_beams,
            max_new_tokens=12,
            length_penalty=length_penalty,
            end_id=end_id,
        )
        sequences, scores = theirs(module, num_beams, length_penalty, end_id)
        assert len(found) == num_beams
        for ours, sequence, score in zip(found, sequences, scores, strict=True):
            assert ours.ids == sequence[4 : 4 + len(ours.ids)].tolist()
            assert ours.score == pytest.approx(float(score), abs=1e-4)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_answers_are_those_of_transformers(family) -> None:
    module = random_model(family)
    read = torch.tensor([[3, 9, 4, 11, 2]])
    found = beam_search(
        module, torch.tensor([0]), num_beams=3, max_new_tokens=12, end_id=7, encoder_ids=read
    )
    sequences, _ = theirs(module, 3, 1.0, 7, read)
    assert found[0].ids == sequences[0, 1 : 1 + len(found[0].ids)].tolist()


def test_one_beam_is_greedy_and_a_cache_changes_nothing() -> None:
    module = random_model("llama")
    greedy = [int(i) for i in generate_ids(module, PROMPT[None], max_new_tokens=9)]
    [found] = beam_search(module, PROMPT, num_beams=1, max_new_tokens=9)
    assert found.ids == greedy
    with_cache, without = (
        beam_search(module, PROMPT, num_beams=4, max_new_tokens=9, use_cache=use_cache)
        for use_cache in (True, False)
    )
    assert [each.ids for each in with_cache] == [each.ids for each in without]


def test_a_beam_finds_a_likelier_text_than_greedy() -> None:
    module = random_model("gpt2")

    @torch.no_grad()
    def likelihood(ids):
        whole = torch.cat([PROMPT, torch.tensor(ids)])
        logits = module(whole[None]).logits[0, 3:-1].log_softmax(-1)
        return float(logits.gather(1, whole[4:, None]).sum())

    greedy = [int(i) for i in generate_ids(module, PROMPT[None], max_new_tokens=8)]
    found = beam_search(module, PROMPT, num_beams=8, max_new_tokens=8)
    assert likelihood(found[0].ids) > likelihood(greedy)
    assert likelihood(found[0].ids) / 8 == pytest.approx(found[0].score, abs=1e-4)


def test_no_beam_is_refused() -> None:
    with pytest.raises(VitralError) as caught:
        beam_search(random_model("gpt2"), PROMPT, num_beams=0, max_new_tokens=3)
    assert caught.value.key == "option_invalid"
