"""Writing a token at a time: any way through it gives what `generate` gives."""

from pathlib import Path

import pytest
import torch

import vitral
from generation.small_decoders import gpt
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.generation.sampling import Sampling
from vitral.generation.spelling import gained, spelled
from vitral.generation.stepping import Stepping
from vitral.text.raw_bytes import BROKEN, raw_bytes
from vitral.tracing.recording.last_row import LastRow

TEXT = "La niña lee"
WAYS = [
    {},
    {"temperature": 1.1, "seed": 4},
    {"temperature": 0.8, "top_k": 30, "top_p": 0.9, "min_p": 0.02, "seed": 9},
    {"repetition_penalty": 1.4},
]


def sampling_of(way: dict) -> Sampling:
    return Sampling(**{name: value for name, value in way.items() if name != "seed"})


def written(stepping: Stepping, way: dict, count: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < count and stepping.ended(ids) is None:
        ids.append(stepping.draw(ids, sampling_of(way), way.get("seed", 0)).id)
    return ids


def text_of(model: vitral.Model, stepping: Stepping, ids: list[int]) -> str:
    read = [token.id for token in stepping.prompt]
    text = TEXT
    for token in ids:
        text += gained(model.tokenizer, read, token)
        read.append(token)
    return text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("windowed", [True, False])
def test_tokens_are_those_of_generate(
    llama_folder: Path, way: dict, watched: bool, windowed: bool
) -> None:
    model = vitral.load(llama_folder)
    stepping = Stepping(model.module, model.tokenizer, TEXT, windowed=windowed, watched=watched)
    ids = written(stepping, way, 200)
    whole = model.generate(TEXT, max_new_tokens=200, windowed=windowed, **way)
    # A character that was never completed is shown by generate alone.
    assert text_of(model, stepping, ids).rstrip(BROKEN) == whole.rstrip(BROKEN)
    assert len(ids) > 60


def test_a_branch_is_what_it_would_be_alone(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    way = {"temperature": 1.0, "seed": 3}
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    first = written(stepping, way, 12)
    forced = [*first[:5], (first[5] + 1) % 400]
    drawn = [stepping.draw(forced, sampling_of(way), 3).id]
    alone = Stepping(model.module, model.tokenizer, TEXT)
    assert alone.draw(forced, sampling_of(way), 3).id == drawn[0]
    # Back on the first branch, the luck is as it was.
    assert stepping.draw(first[:7], sampling_of(way), 3).id == first[7]
    again, fresh = stepping.look(first[:4]), alone.look(first[:4])
    torch.testing.assert_close(again.logits, fresh.logits, atol=1e-5, rtol=0)


def test_what_is_known_is_not_read_again(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    num_read = []
    model.module.register_forward_pre_hook(lambda _, args: num_read.append(args[0].shape[1]))
    ids = written(stepping, {}, 4)
    stepping.look(ids)
    stepping.look(ids)
    assert num_read == [len(stepping.prompt), 1, 1, 1, 1]
    stepping.look(ids[:2])
    assert num_read[-1] == len(stepping.prompt) + 2


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_the_last_row_is_that_of_the_trace(family: str, llama_folder: Path) -> None:
    tokenizer = vitral.load(llama_folder).tokenizer
    module = random_model(family)
    module.resize_token_embeddings(tokenizer.get_vocab_size())
    model = vitral.load((module, tokenizer))
    stepping = Stepping(module, tokenizer, TEXT)
    ids = written(stepping, {}, 6)
    look = stepping.look(ids)
    trace = model.trace(ids=[*(token.id for token in stepping.prompt), *ids])
    assert look.attention is not None
    assert len(look.attention) == trace.num_layers
    for layer, rows in look.attention.items():
        assert rows.shape == (trace.num_heads, len(trace.tokens))
        for head, row in enumerate(rows):
            torch.testing.assert_close(row, trace.attention(layer, head)[-1], atol=1e-5, rtol=0)
    torch.testing.assert_close(look.logits, trace["logits"][-1], atol=1e-4, rtol=0)


def test_a_row_behind_a_mask_is_the_masked_one() -> None:
    """Two documents in one row: the newest token sees its own alone."""
    module = gpt()
    ids_BT = torch.tensor([[3, 9, 4, 11, 2]])
    with LastRow(module) as newest:
        module(ids_BT, documents_BT=torch.tensor([[0, 0, 1, 1, 1]]))
    assert len(newest.rows) == 3
    for row in newest.rows.values():
        assert float(row[:, :2].abs().max()) == 0
        torch.testing.assert_close(row.sum(-1), torch.ones(4))


def test_probability_and_rank_are_the_models_own(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    logits = stepping.look([]).logits
    step = stepping.draw([], Sampling(1.5, top_k=20), 11)
    assert step.log_probability == pytest.approx(float(logits.log_softmax(-1)[step.id]))
    assert step.rank == int((logits > logits[step.id]).sum()) + 1
    kept = Sampling(1.5, top_k=20).scores(logits[None], torch.zeros(1, 0, dtype=torch.long))
    assert step.share == pytest.approx(float(kept.softmax(-1)[0, step.id]))
    assert stepping.draw([], Sampling(), 11).share == 1


def test_memory_of_the_cache(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)
    stepping = Stepping(model.module, model.tokenizer, TEXT)
    stepping.look([5, 6])
    # Two layers, keys and values, two key heads, eight numbers of four bytes.
    assert stepping.num_bytes == (len(stepping.prompt) + 2) * 2 * 2 * 2 * 8 * 4
    theirs = Stepping(random_model("gpt2"), model.tokenizer, "a")
    assert theirs.num_bytes == 0


def test_what_cannot_step_is_refused(bert_folder: Path, llama_folder: Path) -> None:
    bert = vitral.load(bert_folder)
    with pytest.raises(VitralError) as caught:
        Stepping(bert.module, bert.tokenizer, TEXT)
    assert caught.value.key == "cannot_write"
    model = vitral.load(llama_folder)
    with pytest.raises(VitralError) as caught:
        Stepping(model.module, model.tokenizer, TEXT * 60)
    assert caught.value.key == "text_too_long"
    long = Stepping(model.module, model.tokenizer, TEXT * 60, windowed=True)
    assert len(long.prompt) - long.start([]) == 64


def test_bytes_of_a_character(llama_folder: Path) -> None:
    tokenizer = vitral.load(llama_folder).tokenizer
    ids = tokenizer.encode("¡🎉!").ids
    pieces, read = [], []
    for token in ids:
        pieces.append(gained(tokenizer, read, token))
        read.append(token)
    assert "".join(pieces) == "¡🎉!" == spelled(tokenizer, ids)
    assert [piece for piece in pieces if piece] == ["¡", "🎉", "!"]
    names = [raw_bytes(tokenizer, token) for token in ids]
    party = " ".join(name for name in names if name is not None)
    assert party.endswith("F0 9F 8E 89")
    assert raw_bytes(tokenizer, tokenizer.encode("!").ids[0]) is None


@pytest.mark.parametrize("count", [1, 63, 64, 65, 127, 128, 129, 300])
def test_a_window_begins_where_generates_does(llama_folder: Path, count: int) -> None:
    model = vitral.load(llama_folder)
    text = " ".join(["a"] * count)
    stepping = Stepping(model.module, model.tokenizer, text, windowed=True)
    total = len(stepping.prompt)
    start = total - 64 if total >= 128 else 0
    for num_written in range(200):
        if total - start >= 128:
            start = total - 64
        assert stepping.start([0] * num_written) == start
        total += 1
