"""Traces made of random queries and keys, with every rule that a record can hold."""

from typing import Any

import torch

from vitral.nn.scaled_dot_product import log_sum_exp
from vitral.tracing import Token, Trace
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Visibility


def made_record(
    length: int, heads: int = 2, key_heads: int = 1, width: int = 3, seed: int = 0, **rules: Any
) -> AttentionRecord:
    """A record of random queries and keys whose log-sum-exp is what its scores give."""
    generator = torch.Generator().manual_seed(seed)

    def random(some: int) -> torch.Tensor:
        return 2 * torch.randn(some, length, width, generator=generator)

    known: dict[str, Any] = {
        "scaling": width**-0.5,
        "visibility": Visibility.rule(length, length, causal=True).item(0),
        "bias": None,
        "uniform_when_blind": False,
        **rules,
    }
    query, key, value = random(heads), random(key_heads), random(key_heads)
    record = AttentionRecord(query, key, value, torch.empty(0), **known)
    scores = record.scores(None, (0, length), (0, length))
    lse = log_sum_exp(scores, record.sinks)
    return AttentionRecord(query, key, value, lse, **known)


def made_trace(*records: AttentionRecord, text: str = "") -> Trace:
    """A trace of these layers; a token for each letter of `text`, or for each query."""
    length = records[0].num_queries
    text = text or "".join(chr(97 + index % 26) for index in range(length))
    assert len(text) == length
    tokens = [Token(ord(letter), letter, i, i + 1) for i, letter in enumerate(text)]
    layers = {f"layers.{number}.attention": record for number, record in enumerate(records)}
    return Trace("made", text, tokens, attentions=layers)
