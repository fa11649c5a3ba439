"""What a picture opens with is chosen in Python as the front end would choose it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from vitral.notebook.first_look import first_head, first_source
from vitral.tracing import Token, Trace

CASES = json.loads(
    (Path(__file__).parents[2] / "web/tests/trace/first_look.json").read_text(encoding="utf-8")
)
"""Cases whose answers the front end's own function is held to as well, in first_head.test.ts."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["tokens"][1]["text"])
def test_the_choice_is_explores(case: dict[str, Any]) -> None:
    tokens = [Token(**token) for token in case["tokens"]]
    keys = [Token(**token) for token in case["keys"]] if "keys" in case else tokens
    patterns = torch.tensor(case["thousandths"]) / 1000
    assert first_source(tokens) == case["source"]
    assert first_head(patterns, tokens, keys, case["source"]) == (case["layer"], case["head"])


def test_between_two_texts_it_is_the_maps_that_say(bart_folder: Path) -> None:
    trace = vitral.load(str(bart_folder)).trace("El perro ladra.", decoder_text="La niña lee.")
    shown = trace.show(part="cross")
    maps = trace.pooled(24, "cross")
    found = first_head(maps, trace.decoder_tokens, trace.tokens, shown.token)
    assert (shown.layer, shown.head) == found


def test_of_a_longer_text_cells_stand_for_tokens() -> None:
    """Two tokens a cell: those at 4 and 5 are in the third. As in first_head.test.ts."""

    def head(cell: int, seen: int) -> torch.Tensor:
        looks = torch.eye(24)
        looks[cell] = torch.nn.functional.one_hot(torch.tensor(seen), 24)
        return looks.repeat_interleave(2, 0).repeat_interleave(2, 1) / 2

    parked = torch.zeros(48, 48)
    parked[:, 47] = 1
    patterns = torch.stack([torch.stack([parked, head(2, 5)]), torch.stack([head(5, 2), parked])])
    trace = Trace.from_tensors(patterns=patterns)
    maps = trace.pooled(24)
    for source in (4, 5):
        assert first_head(maps, trace.tokens, trace.tokens, source) == (0, 1)
    assert first_head(maps, trace.tokens, trace.tokens, 11) == (1, 0)
    same = Trace.from_tensors(patterns=parked.expand(5, 2, 48, 48))
    assert first_head(same.pooled(24), same.tokens, same.tokens, 3) == (2, 0)
    shown = same.show()
    assert (shown.layer, shown.head) == (2, 0)
