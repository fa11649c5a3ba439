"""One query beside some keys, as the page asks for it: vectors as a block, with its header."""

import math
import re
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.studio.blocks import encode_block

if TYPE_CHECKING:
    from vitral.tracing import Trace

MOST_KEYS = 128


def query_key_block(
    trace: "Trace", layer: int, head: int, query: int, keys: str, part: str | None = None
) -> bytes:
    """float32 [1 + keys, width]: the query's vector, then each key's.

    `keys` are positions with commas between them, "0,4,5". The header has these `keys`, their
    `scores` (null where the query may not look) and `weights`, and the `scaling`.
    Raises VitralError: keys_unreadable, and what `explain.query_key` raises.
    """
    import torch

    from vitral.explain import query_key

    if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*", keys) or keys.count(",") >= MOST_KEYS:
        raise VitralError("keys_unreadable", value=keys[:40], limit=MOST_KEYS)
    positions = [int(position) for position in keys.split(",")]
    met = query_key(trace, layer=layer, head=head, query=query, keys=positions, part=part)
    return encode_block(
        torch.cat([met.q[None], met.keys]).numpy(),
        aggregated=False,
        keys=positions,
        scaling=met.scaling,
        scores=[None if math.isinf(score) else score for score in met.scores.tolist()],
        weights=met.weights.tolist(),
    )
