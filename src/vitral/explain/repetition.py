"""Earlier occurrences of a token, for duplicate-token and induction heads.

Natural text repeats some words and not others, so these two are best measured on a sequence of
random tokens that is repeated once (`repeated_trace`): only the repetition can be followed.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vitral.errors import VitralError
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.token import Token

if TYPE_CHECKING:
    from vitral.tracing.trace import Trace


def earlier_places(tokens: Sequence[Token]) -> tuple[Tensor, Tensor]:
    """Places t whose token stood before, and the last place before t where it did: two [n].

    Special tokens do not count.
    """
    last: dict[int, int] = {}
    rows, columns = [], []
    for place, token in enumerate(tokens):
        if token.special:
            continue
        if token.id in last:
            rows.append(place)
            columns.append(last[token.id])
        last[token.id] = place
    return torch.tensor(rows, dtype=torch.long), torch.tensor(columns, dtype=torch.long)


def mean_of_cells(record: Any, tokens: Sequence[Token], offset: int) -> Tensor:
    """Mean of p[t, earlier(t) + offset] over the repeated tokens [H]; NaN if there is none."""
    nothing = torch.full((record.num_heads,), torch.nan)
    if len(tokens) != record.num_keys or record.num_keys != record.num_queries:
        return nothing
    rows, columns = earlier_places(tokens)
    return record.cells(None, rows, columns + offset).mean(-1).cpu() if len(rows) else nothing


def repeated_trace(model: TraceableModel, *, length: int | None = None, seed: int = 0) -> "Trace":
    """A model's trace of `length` different random tokens, repeated once.

    `model` is a `vitral.Model`. The tokens come from the whole vocabulary except the special
    ones; what the tokenizer puts around a text ([CLS] … [SEP]) is put around them. `length` is
    32 by default, or less where the context or the vocabulary is smaller.
    Raises VitralError `text_too_long` if a length that was asked for does not fit, and
    `repetition_not_available` for a model that reads no tokens.
    """
    size = model.vocabulary_size
    if model.kind == "image" or not size:
        raise VitralError("repetition_not_available", model=model.name)
    before, after, special = _around(model)
    usable = [number for number in range(size) if number not in special]
    room = len(usable)
    if model.context is not None:
        room = min(room, (model.context - len(before) - len(after)) // 2)
    if length is None:
        length = min(32, room)
    if not 2 <= length <= room:
        needed = 2 * max(length, 2) + len(before) + len(after)
        raise VitralError(
            "text_too_long", length=needed, context=model.context or size, model=model.name
        )
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(usable), generator=generator)[:length]
    said = [usable[index] for index in chosen.tolist()]
    trace: Trace = model.trace(ids=[*before, *said, *said, *after])
    return trace


def _around(model: TraceableModel) -> tuple[list[int], list[int], set[int]]:
    """What the tokenizer puts before and after a text, and the ids that are special."""
    tokenizer = model.tokenizer
    if tokenizer is None:
        return [], [], set()
    tokens = model.tokens("a")
    inner = [place for place, token in enumerate(tokens) if not token.special]
    edges = (inner[0], inner[-1] + 1) if inner else (len(tokens), len(tokens))
    if hasattr(tokenizer, "encode_batch"):
        added = tokenizer.get_added_tokens_decoder()
        special = {number for number, token in added.items() if token.special}
    else:
        special = set(tokenizer.all_special_ids)
    # Entries of the model's vocabulary that the tokenizer does not know are no tokens.
    size = model.vocabulary_size or 0
    known = tokenizer.get_vocab_size() if hasattr(tokenizer, "encode_batch") else len(tokenizer)
    special |= set(range(known, size))
    before = [token.id for token in tokens[: edges[0]]]
    after = [token.id for token in tokens[edges[1] :]]
    return before, after, special
