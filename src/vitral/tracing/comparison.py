"""How far a model's traced patterns are from those of its own eager attention.

The same weights read the same input twice: traced, and with eager attention that writes each
pattern down. Attentions are matched by the module that computes them and how many times it has
done so, which depends neither on names nor on what the model chooses to return.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from vitral.tracing.eager import Seen, eager_patterns
from vitral.tracing.recorder import Recorder

TOLERANCE = 1e-5
"""The largest deviation of a rebuilt pattern from the eager one, in float32."""


@dataclass(frozen=True)
class Deviation:
    """One attention: how far its traced pattern is from the eager one, at most.

    `largest` is None where the eager implementation wrote no pattern down to compare with.
    """

    address: str
    largest: float | None
    num_cells: int


def eager_run(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Seen:
    """What the eager attention of `module` writes down in one pass."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = False
        with torch.no_grad(), eager_patterns(module) as seen:
            module(*args, **kwargs)
    finally:
        for part, training in modes:
            part.training = training
    return seen


def deviations(recorder: Recorder, seen: Seen, real: Tensor | None = None) -> list[Deviation]:
    """Each attention of a recorded pass beside the eager pass over the same input.

    `real` [B, T] is False at padding, whose rows nobody is shown: what a model computes there
    differs from one implementation to the next.
    """
    times: Counter[int] = Counter()
    eager: dict[tuple[int, int], Tensor] = {}
    for part, weights in seen:
        eager[id(part), times[id(part)]] = weights
        times[id(part)] += 1
    found = []
    for prefix, records in recorder.attentions.items():
        pieces = [eager.get(source) for source in recorder.sources[prefix]]
        written = [each for each in pieces if each is not None]
        if len(written) < len(pieces):
            found.append(Deviation(prefix, None, 0))
            continue
        largest, num_cells = 0.0, 0
        for index, record in enumerate(records):
            expected = torch.block_diag if len(written) > 1 else None
            weights = (
                written[0][index if len(written[0]) > 1 else 0]
                if expected is None
                else torch.stack(
                    [
                        torch.block_diag(*(piece[index][head] for piece in written))
                        for head in range(record.num_heads)
                    ]
                )
            )
            pattern = record.pattern()
            if pattern.shape != weights.shape:
                found.append(Deviation(prefix, float("inf"), 0))
                break
            difference = (pattern - weights.float()).abs()
            if real is not None and real.shape == (len(records), record.num_queries):
                difference = difference[:, real[index]]
            worst = float(difference.max().nan_to_num(float("inf"))) if difference.numel() else 0.0
            largest, num_cells = max(largest, worst), num_cells + difference.numel()
        else:
            found.append(Deviation(prefix, largest, num_cells))
    return found
