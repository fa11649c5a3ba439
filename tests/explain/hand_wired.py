"""Traces whose patterns are chosen by hand, so that every measure's answer is known exactly.

With keys = the identity, query t's scores are its own vector: set to log p, the softmax gives p.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.visibility import Visibility
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


def hand_wired(
    pattern_HTS: Tensor, *, causal: bool = False, sinks: Tensor | None = None
) -> AttentionRecord:
    """A record whose pattern is `pattern_HTS`; its rows sum to one (or less, with `sinks`)."""
    num_heads, num_queries, num_keys = pattern_HTS.shape
    scores = pattern_HTS.log().clamp(min=-1e4)
    key = torch.eye(num_keys).expand(num_heads, -1, -1).contiguous()
    rule = Visibility.rule(num_queries, num_keys, causal=causal).item(0)
    lse = torch.zeros(num_heads, num_queries)
    return AttentionRecord(scores, key, key, lse, 1.0, rule, None, True, None, sinks)


def trace_of(
    *patterns_HTS: Tensor, words: Sequence[str] | None = None, causal: bool = False
) -> Trace:
    """A trace with one layer for each pattern; words between [ ] are special tokens."""
    size = patterns_HTS[0].shape[-1]
    words = [f"w{place}" for place in range(size)] if words is None else words
    known = {word: number for number, word in enumerate(dict.fromkeys(words))}
    tokens = [Token(known[word], word, special=word.startswith("[")) for word in words]
    records = {
        f"layers.{layer}.attention": hand_wired(pattern, causal=causal)
        for layer, pattern in enumerate(patterns_HTS)
    }
    return Trace("by-hand", None, tokens, attentions=records)


def looking_at(places: Sequence[int], num_keys: int | None = None) -> Tensor:
    """One head [1, T, S] whose query t looks at places[t] and nowhere else."""
    num_keys = len(places) if num_keys is None else num_keys
    return torch.nn.functional.one_hot(torch.tensor(places), num_keys).float()[None]


def even(size: int, *, causal: bool = False) -> Tensor:
    """One head [1, T, T] that looks at all it may see alike."""
    seen = torch.ones(size, size).tril() if causal else torch.ones(size, size)
    return (seen / seen.sum(-1, keepdim=True))[None]
