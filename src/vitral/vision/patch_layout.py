"""Which token is which patch of the picture, by measurement.

Models put other tokens before or after the patches ([CLS], registers, detection tokens) or none,
and some mix patches, shuffle them or merge them. So the model itself is asked: the pixels of some
patches are changed, and the tokens that enter its first layer are compared. Patch number n is
changed in picture b if bit b of n is set, and in another picture if it is not; so a token that
follows exactly one patch spells that patch's number, in twice the logarithm of their count of
pictures. A token that follows several patches, or a patch that several tokens follow, spells
nothing, and then no token is given a place.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from vitral.tracing.recording.layers import find_layers
from vitral.tracing.recording.observed import lock_of
from vitral.vision.processor import pixels_for

AT_ONCE = 8
"""Pictures that are run together."""
NOTICED = 1e-3
"""The least change of a token that counts, as a share of the largest."""


@dataclass(frozen=True)
class PatchLayout:
    """A grid of `rows` × `columns` patches of `height` × `width` pixels; `tokens` are (row,
    column) for each token that enters the first layer, None for one that is no patch."""

    rows: int
    columns: int
    height: int
    width: int
    tokens: tuple[tuple[int, int] | None, ...]


_known: WeakKeyDictionary[nn.Module, dict[torch.Size, PatchLayout | None]] = WeakKeyDictionary()


def patch_layout(module: nn.Module, pixels: Tensor) -> PatchLayout | None:
    """The layout of the tokens that `module` makes of `pixels` [1, C, H, W]; None where they are
    not one token for each patch. Measured once for each size of picture."""
    known = _known.setdefault(module, {})
    if pixels.shape not in known:
        known[pixels.shape] = _measured(module, pixels)
    return known[pixels.shape]


def _measured(module: nn.Module, pixels: Tensor) -> PatchLayout | None:
    size = _patch_size(module, pixels.shape[1])
    if size is None:
        return None
    rows, columns = pixels.shape[2] // size[0], pixels.shape[3] // size[1]
    count = rows * columns
    if count < 1:
        return None
    numbers = torch.arange(count)
    bits = range(max(1, (count - 1).bit_length()))
    halves = [((numbers >> bit) & 1).bool() for bit in bits]
    nothing, everything = torch.zeros(count, dtype=torch.bool), torch.ones(count, dtype=torch.bool)
    changed = [nothing, nothing, everything]
    for half in halves:
        changed += [half, ~half]
    moved = _tokens_moved(module, pixels, changed, (rows, columns), size)
    if moved is None or bool(moved[1].any()):  # the same picture twice, and not the same tokens
        return None
    tokens: list[tuple[int, int] | None] = []
    for token in range(moved.shape[1]):
        spelled = moved[3:, token].view(-1, 2)
        if not bool(moved[2, token]):
            tokens.append(None)
            continue
        if bool((spelled.sum(1) != 1).any()):
            return None
        number = sum(1 << bit for bit in bits if bool(spelled[bit, 0]))
        if number >= count:
            return None
        tokens.append(divmod(number, columns))
    placed = [each for each in tokens if each is not None]
    if len(placed) != count or len(set(placed)) != count:
        return None
    return PatchLayout(rows, columns, *size, tuple(tokens))


def _patch_size(module: nn.Module, num_channels: int) -> tuple[int, int] | None:
    """Height and width of a patch: those of the first convolution that does not overlap."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part.in_channels == num_channels:
            no_padding = part.padding in ("valid", (0, 0))
            if part.kernel_size == part.stride and no_padding and part.dilation == (1, 1):
                return part.kernel_size[0], part.kernel_size[1]
            return None
    return None


def _tokens_moved(
    module: nn.Module,
    pixels: Tensor,
    changed: Sequence[Tensor],
    grid: tuple[int, int],
    size: tuple[int, int],
) -> Tensor | None:
    """Which tokens differ from the first picture's, as the patches of `changed` differ: bool
    [pictures, T]; None where the first layer reads something else than tokens."""
    noise = torch.randn(pixels.shape[1:], generator=torch.Generator().manual_seed(0))
    height, width = grid[0] * size[0], grid[1] * size[1]
    first: Tensor | None = None
    distances = []
    for start in range(0, len(changed), AT_ONCE):
        pictures = pixels.float().repeat(1 + len(changed[start : start + AT_ONCE]), 1, 1, 1)
        for picture, patches in zip(pictures[1:], changed[start:], strict=False):
            mask = patches.view(grid).repeat_interleave(size[0], 0).repeat_interleave(size[1], 1)
            picture[:, :height, :width] += noise[:, :height, :width] * mask
        read = _entering(module, pixels_for(module, pictures))
        if read is None or read.dim() != 3 or len(read) != len(pictures):
            return None
        first = read[0] if first is None else first
        if first.shape != read[0].shape:
            return None
        distances.append((read[1:] - read[0]).abs().amax(-1))
        # The first picture stands in every batch, so that it is compared with its like.
    moves = torch.cat(distances)
    return moves > NOTICED * moves[2].max() if float(moves[2].max()) > 0 else None


class _FirstLayerReached(Exception):  # noqa: N818  (no error: it ends a run early)
    """The first layer has been reached; the rest of the model need not run."""


def _entering(module: nn.Module, pixels: Tensor) -> Tensor | None:
    """What enters the first layer: [B, T, C], float32."""
    layers = find_layers(module)
    found: list[Tensor] = []

    def stop(_: nn.Module, args: Any, kwargs: Any) -> None:
        values = [*args, *kwargs.values()]
        found.extend(each for each in values[:1] if isinstance(each, Tensor))
        raise _FirstLayerReached

    if not layers:
        return None
    with lock_of(module), _in_eval_mode(module), torch.no_grad():
        hook = layers[0].module.register_forward_pre_hook(stop, with_kwargs=True)
        try:
            module(pixel_values=pixels)
        except _FirstLayerReached:
            pass
        finally:
            hook.remove()
    return found[0].float().cpu() if found else None


@contextmanager
def _in_eval_mode(module: nn.Module) -> Iterator[None]:
    with ExitStack() as undo:
        for part in module.modules():
            undo.callback(setattr, part, "training", part.training)
            part.training = False
        yield
