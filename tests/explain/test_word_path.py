"""A word's path: planes that keep what they say, cosines and neighbours that are the vectors'."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AlbertConfig, AlbertForMaskedLM

import vitral
from parity.random_models import random_model
from vitral.errors import VitralError
from vitral.explain import nearest_tokens, nearest_words, path_cosines, word_paths
from vitral.explain.word_path import input_vectors, levels_of, stream
from vitral.tracing.trace import Trace

CLOSED = "El perro que persiguió al gato cruzó la calle."
GREEN = "El gato dormía en la calle."


@pytest.fixture(params=["bert_folder", "llama_folder"])
def model(request: pytest.FixtureRequest) -> Any:
    return vitral.load(str(request.getfixturevalue(request.param)))


def spread(points: torch.Tensor) -> torch.Tensor:
    return (points - points.mean(0)).square().sum(0)


@pytest.mark.parametrize("directions", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_the_plane_keeps_the_share_that_it_says(
    model: Any, directions: bool, together: bool
) -> None:
    traces = [model.trace(CLOSED), model.trace(GREEN)]
    chosen = None if together else [3, 2]
    found = word_paths(traces, chosen, directions=directions)
    streams = [stream(trace) for trace in traces]
    if directions:
        streams = [each / each.norm(dim=-1, keepdim=True) for each in streams]

    def shown(values: list[torch.Tensor]) -> torch.Tensor:
        picked = values if together else [values[0][:, 3, None], values[1][:, 2, None]]
        return torch.cat([each.flatten(0, 1) for each in picked])

    vectors, points = shown(streams), shown(found.points)
    shares = spread(points) / spread(vectors).sum()
    assert tuple(shares.tolist()) == pytest.approx(found.explained, abs=1e-4)
    assert found.explained[0] >= found.explained[1] > 0
    # No plane keeps more: the two largest singular values say how much there is to keep.
    values = torch.linalg.svdvals((vectors - vectors.mean(0)).double()).square()
    assert sum(found.explained) == pytest.approx(float(values[:2].sum() / values.sum()), abs=1e-5)
    assert [each.shape for each in found.points] == [
        (len(each), each.shape[1], 2) for each in streams
    ]


def test_levels_are_the_streams_addresses(model: Any) -> None:
    trace = model.trace(GREEN)
    levels = levels_of(trace)
    assert levels[0] == "embed"
    assert levels[-1] == f"layers.{trace.num_layers - 1}.residual.post"
    torch.testing.assert_close(stream(trace)[1], trace["layers.0.residual.post"])


def test_a_word_and_itself_are_alike(model: Any) -> None:
    one, two = model.trace(CLOSED), model.trace(GREEN)
    torch.testing.assert_close(path_cosines(one, 3, one, 3), torch.ones(model.num_layers + 1))
    found = path_cosines(one, 3, two, 2)
    last = f"layers.{model.num_layers - 1}.residual.post"
    expected = torch.cosine_similarity(one[last][3], two[last][2], dim=0)
    assert float(found[-1]) == pytest.approx(float(expected), abs=1e-6)


def test_neighbours_in_the_text(model: Any) -> None:
    trace = model.trace(CLOSED)
    rows = nearest_tokens(trace, 3, 4)
    for row, address in zip(rows, levels_of(trace), strict=True):
        vectors = trace[address]
        alike = torch.cosine_similarity(vectors, vectors[3], dim=-1)
        alike[3] = -2
        assert [place for place, _ in row] == alike.topk(4).indices.tolist()
        assert [cosine for _, cosine in row] == pytest.approx(
            alike.topk(4).values.tolist(), abs=1e-5
        )


def test_neighbours_in_the_vocabulary(llama_folder: Path) -> None:
    model = vitral.load(str(llama_folder))
    trace = model.trace(GREEN)
    rows = nearest_words(trace, model, 3)
    id, cosine = rows[0][0]
    assert (id, cosine) == (trace.tokens[3].id, pytest.approx(1, abs=1e-5))
    table = input_vectors(model)
    assert table is not None
    alike = torch.cosine_similarity(table, trace["layers.1.residual.post"][3], dim=-1)
    assert [number for number, _ in rows[2]] == alike.topk(3).indices.tolist()


def test_transformers_models_say_where_their_words_are() -> None:
    model = vitral.load(random_model("gpt2"))
    table = input_vectors(model)
    assert table is not None
    torch.testing.assert_close(table, model.module.transformer.wte.weight.detach())


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_each_text_of_an_encoder_decoder_has_its_paths(family: str) -> None:
    model = vitral.load(random_model(family))
    trace = model.trace(ids=[3, 8, 5, 9], decoder_ids=[0, 4, 7])
    for part, start, length in (("encoder", "encoder", 4), ("decoder", "decoder", 3)):
        levels = levels_of(trace, part)
        layers = range(len(levels) - 1)
        assert levels == [f"{start}.embed", *(f"{start}.layers.{n}.residual.post" for n in layers)]
        assert len(layers) == len(trace.layers(part))
        [points] = word_paths([trace], part=part).points
        assert points.shape == (len(levels), length, 2)
        near = nearest_tokens(trace, 1, 1, part)
        vectors = trace[levels[2]]
        alike = torch.cosine_similarity(vectors, vectors[1], dim=-1)
        alike[1] = -2
        assert near[2] == [(int(alike.argmax()), pytest.approx(float(alike.max()), abs=1e-5))]
    # Across, it is the text that looks whose vectors move.
    assert levels_of(trace, "cross") == levels_of(trace, "decoder")
    assert levels_of(trace) == levels_of(trace, "encoder")
    other = model.trace(ids=[3, 8, 5, 9], decoder_ids=[0, 4, 6])
    torch.testing.assert_close(
        path_cosines(trace, 1, other, 1, "decoder"), torch.ones(len(levels)), atol=1e-5, rtol=0
    )
    assert path_cosines(trace, 2, other, 2, "decoder")[0] < 0.999


def test_what_cannot_be_compared_is_said() -> None:
    bert = vitral.load(random_model("bert"))
    trace = bert.trace(ids=[3, 8, 5])
    other = Trace.from_tensors(patterns=[torch.eye(3)[None]])
    with pytest.raises(VitralError):
        word_paths([other])
    with pytest.raises(VitralError, match="no token"):
        word_paths([trace], [3])
    narrow = AlbertConfig(
        vocab_size=20,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
    )
    albert = vitral.load(AlbertForMaskedLM(narrow))
    short = albert.trace(ids=[3, 8, 5])
    with pytest.raises(VitralError, match="the width"):
        nearest_words(short, albert, 1)
