"""The options by which `vitral trace` and `vitral plot` read the weights in another way."""

import re
from typing import TYPE_CHECKING

from vitral.errors import VitralError

if TYPE_CHECKING:
    from vitral.tracing import Trace


def read_as(
    trace: "Trace", *, without_resting: bool, words: bool, mean_of: str | None, head: int | None
) -> "Trace":
    """The trace as it is read; a mean of heads is head 0 of each layer.

    Raises VitralError `option_value_wrong`, `options_clash` and what `Trace.read` raises.
    """
    heads = None
    if mean_of is not None:
        if head is not None:
            raise VitralError("options_clash", first="--mean-of", second="--head")
        if re.fullmatch(r"\s*\d{1,4}\s*(,\s*\d{1,4}\s*)*|all", mean_of) is None:
            raise VitralError(
                "option_value_wrong", option="--mean-of", value=mean_of, example="0,3"
            )
        every = range(trace.num_heads)
        heads = every if mean_of == "all" else [int(each) for each in mean_of.split(",")]
    return trace.read(resting=not without_resting, words=words, heads=heads)
