"""The page shapes the distribution by itself (`web/src/write/distribution.ts`): the numbers that
its own tests compare with are made here.

    python tests/generation/test_sampling_page.py    write them anew
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from vitral.generation.sampling import Sampling

FILE = Path(__file__).parents[2] / "web/tests/write/distributions.json"
WAYS: list[dict[str, Any]] = [
    {"temperature": 1.0},
    {"temperature": 0.3},
    {"temperature": 2.5},
    {"temperature": 1.0, "top_k": 5},
    {"temperature": 0.7, "top_k": 1},
    {"temperature": 1.0, "top_k": 1000},
    {"temperature": 1.0, "top_p": 0.8},
    {"temperature": 1.0, "top_p": 0.02},
    {"temperature": 1.0, "top_p": 1.0},
    {"temperature": 1.3, "min_p": 0.1},
    {"temperature": 1.3, "min_p": 1.0},
    {"temperature": 1.0, "repetition_penalty": 1.8},
    {"temperature": 1.0, "repetition_penalty": 0.6},
    {"temperature": 0.9, "top_k": 20, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.3},
    {"temperature": 1.7, "top_k": 12, "min_p": 0.2, "repetition_penalty": 1.1},
    {"temperature": 0.0, "repetition_penalty": 3.0},
    {"temperature": 0.0},
]


def cases() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(5)
    logits_V = torch.randn(60, generator=generator) * 3
    logits_V[7] = logits_V[23]  # a tie
    read = [4, 23, 4, 51, int(logits_V.argmax())]
    shares = []
    for way in WAYS:
        scores_V = Sampling(**way).scores(logits_V[None], torch.tensor([read]))[0]
        if way["temperature"] == 0:
            share_V = torch.zeros(60)
            share_V[scores_V.argmax()] = 1
        else:
            share_V = scores_V.softmax(-1)
        shares.append(share_V.tolist())
    return {"logits": logits_V.tolist(), "read": read, "ways": WAYS, "shares": shares}


def test_the_pages_numbers_are_these() -> None:
    kept, made = json.loads(FILE.read_text(encoding="utf-8")), cases()
    assert {name: kept[name] for name in ("logits", "read", "ways")} == {
        name: made[name] for name in ("logits", "read", "ways")
    }
    for before, now in zip(kept["shares"], made["shares"], strict=True):
        assert before == pytest.approx(now, abs=1e-6)


if __name__ == "__main__":
    FILE.write_text(json.dumps(cases()) + "\n", encoding="utf-8")
