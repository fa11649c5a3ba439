"""What a picture opens with is chosen in Python as the front end would choose it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from made_traces import made_record, made_trace
from vitral.notebook.first_look import first_head, first_source
from vitral.tracing import Token, Trace

CASES = json.loads(
    (Path(__file__).parents[2] / "web/tests/explore/first_look.json").read_text(encoding="utf-8")
)
"""Cases whose answers the front end's own function is held to as well, in first_head.test.ts."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["tokens"][1]["text"])
def test_the_choice_is_explores(case: dict[str, Any]) -> None:
    tokens = [Token(**token) for token in case["tokens"]]
    patterns = torch.tensor(case["thousandths"]) / 1000
    trace = Trace.from_tensors(patterns=patterns, tokens=[token.text for token in tokens])
    assert first_source(tokens) == case["source"]
    assert first_head(trace, "", tokens, case["source"]) == (case["layer"], case["head"])


def test_a_text_too_long_for_small_maps_begins_in_the_middle() -> None:
    trace = made_trace(*[made_record(30, seed=seed) for seed in range(5)])
    assert first_head(trace, "", trace.tokens, 0) == (2, 0)
    shown = trace.show()
    assert (shown.layer, shown.head) == (2, 0)
