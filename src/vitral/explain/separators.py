"""Separators: how much attention goes to special tokens and punctuation marks."""

import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.explain.measure import measure
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.token import Token


@measure(
    source="Clark et al. 2019, arXiv:1906.04341, section 3.2 ([SEP], periods, commas)",
    cost="O(S), from what each key receives",
)
def separators(record: AttentionRecord, tokens: Sequence[Token]) -> Tensor:
    """The share of all attention that goes to separators: Σ_t Σ_{s∈sep} p_ts / Σ_t Σ_s p_ts: [H].

    Separators are the special tokens ([CLS], [SEP], <s> …) and those that are nothing but
    punctuation. NaN where the tokens are not those of the text (images).
    """
    received = record.statistics.received
    if len(tokens) != record.num_keys:
        return torch.full((record.num_heads,), torch.nan)
    marks = torch.tensor([is_separator(token) for token in tokens])
    return received[:, marks].sum(-1) / received.sum(-1)


def is_separator(token: Token) -> bool:
    """Whether a token is special or nothing but punctuation."""
    text = token.text.strip()
    return token.special or (
        bool(text) and all(unicodedata.category(character)[0] == "P" for character in text)
    )
