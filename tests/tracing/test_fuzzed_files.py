"""1,000 trace files with something changed: each is one clear line, or a trace whose every view
can be asked for."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from parity.every_view import refusals
from parity.random_models import random_model
from tracing.fuzzed_files import fuzzed
from tracing.test_file import trace_of
from vitral.errors import VitralError

HOW_MANY = 1000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Traces of every kind: rules, biases, two texts, a class token, edits, patterns alone."""
    traces = {family: trace_of(family) for family in ("gpt2", "bert", "t5", "vit")}
    model = vitral.load(random_model("gpt2"))
    with model.edit() as edit:
        edit.silence(layer=0, head=1)
        edit.set_cell(layer=1, head=0, row=2, column=1, value=0.25)
        traces["edited"] = model.trace(ids=[3, 8, 5, 9])
    patterns = torch.randn(2, 2, 4, 4).softmax(-1)
    traces["given"] = vitral.Trace.from_tensors(patterns=patterns, tokens=list("niño"))
    folder = tmp_path_factory.mktemp("files")
    for name, trace in traces.items():
        trace.save(folder / name)
    return [(folder / name).read_bytes() for name in traces]


def opened(path: Path) -> Any:
    """The trace, or the error in its place."""
    try:
        return vitral.open_trace(path), None
    except VitralError as error:
        return None, error


def test_a_file_is_refused_in_one_line_or_every_view_of_it_answers(
    files: list[bytes], tmp_path: Path
) -> None:
    choose, path, found = random.Random(19), tmp_path / "fuzzed", Counter[str]()
    for _ in range(HOW_MANY):
        path.write_bytes(fuzzed(choose.choice(files), choose))
        trace, refusal = opened(path)
        if trace is not None:
            found["opened"] += 1
            refusals(trace, drawn=False)
        else:
            found[refusal.key] += 1
            assert "\n" not in str(refusal)
            assert len(str(refusal)) < 400
    assert set(found) <= {"trace_damaged", "trace_version", "opened"}
    assert found["opened"] > HOW_MANY / 20, "what is refused shows no view"
    assert found["trace_damaged"] > HOW_MANY / 2


def test_what_is_not_changed_opens_whole(files: list[bytes], tmp_path: Path) -> None:
    for number, content in enumerate(files):
        path = tmp_path / str(number)
        path.write_bytes(content)
        refusals(vitral.open_trace(path))
