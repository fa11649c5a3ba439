"""Whether a text is too long, and if so, how much of it would fit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.limits import Limits

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.tracing.token import Token


def check_length(tokens: "Sequence[Token]", model: "Model", name: str, limits: Limits) -> None:
    """Raises VitralError `text_over_tokens` for more than Studio's limit, `text_too_long` for more
    than the model's; `fits` is how many characters of the text would fit."""
    length = len(tokens)
    if model.context is not None and length > model.context:
        fits = fitting(tokens, model.context)
        raise VitralError(
            "text_too_long", length=length, context=model.context, model=name, fits=fits
        )
    if length > limits.tokens:
        fits = fitting(tokens, limits.tokens)
        raise VitralError("text_over_tokens", length=length, limit=limits.tokens, fits=fits)


def fitting(tokens: "Sequence[Token]", most: int) -> int:
    """How many characters, from the first, come to at most `most` tokens.

    It ends between two words where it can: a word cut in two would be read as other tokens. The
    tokens that a model adds at the end stand there after a shorter text too.
    """
    added = 0
    while added < len(tokens) and tokens[-1 - added].start is None:
        added += 1
    kept = tokens[: max(0, most - added)]
    ends = [token.end for token in kept if token.end is not None]
    if not ends:
        return 0
    following = tokens[len(kept)] if len(kept) < len(tokens) else None
    for before, after in zip(reversed(kept), [following, *reversed(kept)], strict=False):
        if before.end is None or after is None or after.start is None:
            continue
        if after.start > before.end or after.text[:1].isspace():
            return before.end
    return max(ends)
