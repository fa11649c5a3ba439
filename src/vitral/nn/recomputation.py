"""Recomputation: less memory in training for some more time.

The backward pass needs what the forward pass computed, so training keeps every block's inner
values until it comes back to them: that is most of its memory, and it grows with the depth.
Chen et al. 2016 (https://arxiv.org/abs/1604.06174) keep only what enters each block and compute
the rest once more when it is needed. A step then does four thirds of the arithmetic (a forward
pass is a third of it), and the gradients are the same.

Shapes: B batch, T tokens, C width.
"""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def through_blocks(
    blocks: Iterable[nn.Module],
    x_BTC: Tensor,
    *inputs: Any,
    recompute: bool,
    **named_inputs: Any,
) -> Tensor:
    """Send `x` through one block after another; each also gets the other inputs.

    With `recompute`, nothing inside a block is kept for the backward pass. What dropout drew
    the first time it draws again.
    """
    for block in blocks:
        if recompute:
            x_BTC = checkpoint(block, x_BTC, *inputs, use_reentrant=False, **named_inputs)
        else:
            x_BTC = block(x_BTC, *inputs, **named_inputs)
    return x_BTC
