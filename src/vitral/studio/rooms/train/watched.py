"""The watched sentence's attention at one step, as blocks for the page."""

from pathlib import Path

from pydantic import BaseModel

from vitral.errors import VitralError
from vitral.studio.traces.blocks import encode_block, quantize
from vitral.studio.traces.views import PooledHeader
from vitral.training.watching.watched_files import read_patterns


class WatchedPooledHeader(PooledHeader):
    """The small maps after one step."""

    step: int


class WatchedPatternHeader(BaseModel):
    """One head's weights after one step."""

    step: int
    layer: int
    head: int


def pooled_block(run: Path, step: int, side: int) -> bytes:
    """uint8 [layers, heads, s, s], s = min(tokens, side), with each head's scale: the same block
    as that of a trace. Raises `watched_step_gone`."""
    from torch.nn.functional import adaptive_avg_pool2d

    patterns_LHNN = read_patterns(run, step)
    size = min(side, patterns_LHNN.shape[-1])
    values, scale = quantize(adaptive_avg_pool2d(patterns_LHNN, size).numpy())
    header = WatchedPooledHeader(scale=scale, step=step)
    aggregated = size < patterns_LHNN.shape[-1]
    return encode_block(values, aggregated=aggregated, **header.model_dump())


def pattern_block(run: Path, step: int, layer: int, head: int) -> bytes:
    """float32 [tokens, tokens]: one head's exact weights.

    Raises `watched_step_gone`, `layer_out_of_range`, `head_out_of_range`."""
    patterns_LHNN = read_patterns(run, step)
    num_layers, num_heads = patterns_LHNN.shape[:2]
    if layer >= num_layers:
        raise VitralError("layer_out_of_range", layer=layer, num_layers=num_layers)
    if head >= num_heads:
        raise VitralError("head_out_of_range", head=head, num_heads=num_heads)
    pattern = patterns_LHNN[layer, head].numpy()
    header = WatchedPatternHeader(step=step, layer=layer, head=head)
    return encode_block(pattern, aggregated=False, **header.model_dump())
