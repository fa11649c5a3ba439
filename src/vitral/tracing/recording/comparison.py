"""How far a model's traced patterns deviate from those of its own eager attention.

The same model reads the same input twice: traced, and with eager attention, whose patterns are
recorded. Attentions are matched by their module and the number of its call, which depends neither
on names nor on what the model returns.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vitral.errors import VitralError
from vitral.tracing.attention.attention_record import AttentionRecord
from vitral.tracing.attention.given_pattern import GivenPattern
from vitral.tracing.recording.eager import Seen, eager_patterns, explicit_patterns
from vitral.tracing.recording.eager_fallback import asking_for_patterns, patterns_returned
from vitral.tracing.recording.forward_pass import record, result_of
from vitral.tracing.recording.recorder import Recorder, Source

TOLERANCE = 1e-5
"""The largest deviation of a rebuilt pattern from the eager one, in float32."""


@dataclass(frozen=True)
class Deviation:
    """One attention: how far its traced pattern is from the eager one, at most.

    `largest` is None if there is nothing to compare: the pattern is the eager one itself
    (`given`), or the eager implementation returned none, or only NaN.
    """

    address: str
    largest: float | None
    given: bool = False


@dataclass
class Comparison:
    """Every attention of a model, compared. `missing` are the paths of attention modules that ran
    but are not in the trace."""

    deviations: list[Deviation]
    missing: list[str] = field(default_factory=list)
    sharpest: float = 0.0  # a row's largest weight, minus that of a uniform row

    @property
    def largest(self) -> float | None:
        """The largest deviation of all; None if nothing could be compared."""
        known = [each.largest for each in self.deviations if each.largest is not None]
        return max(known, default=None)


def compare(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Comparison:
    """Run `module(*args, **kwargs)` traced and eager. Padding, where a two-dimensional
    `attention_mask` is 0, is left out: traces do not show it either.

    Raises what `record` raises, and VitralError `no_attention` where there is none.
    """
    seed = torch.initial_seed()
    torch.manual_seed(seed)  # some models draw random numbers (ViT-MAE)
    recorder = record(module, args, kwargs).recorder
    if not recorder.attentions:
        raise VitralError("no_attention", model=type(module).__name__)
    torch.manual_seed(seed)
    seen = eager_run(module, args, kwargs)
    mask = kwargs.get("attention_mask")
    real = mask.bool() if isinstance(mask, Tensor) and mask.dim() == 2 else None

    names = {id(part): path for path, part in module.named_modules()}
    eager = _by_source(seen)
    deviations = [
        _deviation(
            prefix, records, [eager.get(source) for source in recorder.sources[prefix]], real
        )
        for prefix, records in recorder.attentions.items()
    ]
    if any(each.largest is None and not each.given for each in deviations):
        deviations = _beside_given(deviations, recorder, module, args, kwargs, real)
    traced = {source for each in recorder.sources.values() for source in each}
    missing = {names.get(part, "?") for part, number in eager if (part, number) not in traced}
    return Comparison(deviations, sorted(missing | recorder.running.unseen), _sharpest(recorder))


def implementations_differ(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> float:
    """How far the results of a model are from those of its own eager implementation, at most.

    More than rounding where transformers has two that are not the same (Falcon with ALiBi, whose
    eager one adds it twice). A trace follows the one that the model is set to.
    """
    results = []
    with torch.no_grad():
        results.append(result_of(module, module(*args, **kwargs))[1])
        with patterns_returned(module):
            results.append(result_of(module, module(*args, **kwargs))[1])
    first, second = results
    if first is None or second is None:
        return 0.0
    return float((first - second).abs().max())


def _beside_given(
    deviations: list[Deviation],
    recorder: Recorder,
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    real: Tensor | None,
) -> list[Deviation]:
    """The same for modules that call PyTorch's kernel and can return their weights."""
    asking = Recorder(module, asking=frozenset(recorder.running.ran))
    wishes = asking_for_patterns(module, kwargs)
    with suppress(TypeError, ValueError), patterns_returned(module), asking:
        module(*args, **wishes)
    found = []
    for each in deviations:
        given = asking.attentions.get(each.address, [])
        if each.largest is None and given and isinstance(given[0], GivenPattern):
            records = recorder.attentions[each.address]
            weights = torch.stack([one.pattern() for one in given])
            each = _deviation(each.address, records, [weights], real)
        found.append(each)
    return found


def eager_run(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Seen:
    """The patterns of the eager attention of `module` in one pass, in eval mode."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = False
        if any(type(part).__module__.startswith("vitral.") for part in module.modules()):
            with torch.no_grad(), explicit_patterns() as seen:
                module(*args, **kwargs)
        else:
            with torch.no_grad(), eager_patterns(module) as seen:
                module(*args, **kwargs)
    finally:
        for part, training in modes:
            part.training = training
    return seen


def _by_source(seen: Seen) -> dict[Source, Tensor]:
    times: Counter[int] = Counter()
    found = {}
    for part, weights in seen:
        found[id(part), times[id(part)]] = weights
        times[id(part)] += 1
    return found


def _deviation(
    prefix: str,
    records: list[AttentionRecord],
    pieces: list[Tensor | None],
    real: Tensor | None,
) -> Deviation:
    if isinstance(records[0], GivenPattern):
        return Deviation(prefix, None, given=True)
    written = [each for each in pieces if each is not None]
    if len(written) < len(pieces):
        return Deviation(prefix, None)
    largest = 0.0
    for index, one in enumerate(records):
        size = len(written[0]) // len(records) if len(written) == 1 else 1
        if size > 1:  # windows, put together in the record
            each = [window.float().cpu() for window in written[0][index * size :][:size]]
        else:
            each = [piece[index if len(piece) > 1 else 0].float().cpu() for piece in written]
        expected = torch.stack([_block_diagonal(heads) for heads in zip(*each, strict=True)])
        pattern = one.pattern().cpu()
        if pattern.shape != expected.shape:
            return Deviation(prefix, float("inf"))
        if pattern.shape[0] > 1 and torch.equal(expected, expected[:1].expand_as(expected)):
            # Some give the mean of the heads in place of each (WavLM).
            pattern, expected = pattern.mean(0, keepdim=True), expected[:1]
        if one.sinks is not None:  # some eager weights do not count the sink's share (Granite)
            pattern, expected = (_even_rows(pattern, expected), expected)
        # A fully masked row is NaN in some eager implementations, and makes the next ones NaN.
        known = ~expected.isnan() | pattern.isnan()
        spoilt = bool(expected.isnan().all())
        difference = torch.where(known, pattern - expected, 0.0).abs()
        if real is not None and real.shape == (len(records), one.num_queries):
            difference = difference[:, real[index].cpu()]
        if spoilt:
            return Deviation(prefix, None)
        if difference.numel():
            largest = max(largest, float(difference.max().nan_to_num(float("inf"))))
    return Deviation(prefix, largest)


def _block_diagonal(blocks: tuple[Tensor, ...]) -> Tensor:
    if len(blocks) == 1:
        return blocks[0]
    rows, columns = (sum(each.shape[side] for each in blocks) for side in (0, 1))
    together = blocks[0].new_zeros(rows, columns)
    row = column = 0
    for each in blocks:
        together[row : row + each.shape[0], column : column + each.shape[1]] = each
        row, column = row + each.shape[0], column + each.shape[1]
    return together


def _even_rows(pattern: Tensor, expected: Tensor) -> Tensor:
    """Rows of a pattern with a sink, scaled to add up to 1 where the expected ones all do."""
    total = expected.sum(-1, keepdim=True)
    whole = bool(((total - 1).abs() < 1e-4).all())
    return pattern / pattern.sum(-1, keepdim=True).clamp(min=1e-20) if whole else pattern


def _sharpest(recorder: Recorder) -> float:
    patterns = [records[0].pattern() for records in recorder.attentions.values()]
    return max((float(each.max()) - 1 / each.shape[-1] for each in patterns), default=0.0)
