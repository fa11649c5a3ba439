"""Which attention modules run during a forward pass, and which of them are observed.

An attention module that calls Vitral's function or PyTorch's kernel is observed. One that
computes its weights with its own code is not; but many such modules can return their weights, and
then these are recorded.
"""

from collections.abc import Callable
from contextlib import ExitStack
from inspect import signature
from typing import Any

from torch import Tensor, nn

from vitral.tracing.attention.given_pattern import is_pattern
from vitral.tracing.recording.layers import is_attention

Take = Callable[[nn.Module, Tensor], bool]


class RunningAttention:
    """Follows the attention modules of a model while hooks are set.

    `asking` are paths of modules that could not be observed: `take` is called with each of them,
    or a module inside, that returns a pattern [B, H, T, S], and returns whether it was recorded.
    """

    def __init__(self, asking: frozenset[str], take: Take) -> None:
        self.asking = asking
        self._take = take
        self._inside: list[tuple[str, nn.Module]] = []
        self._shown: dict[str, bool] = {}

    def hook(self, module: nn.Module, watching: Callable[[], bool], undo: ExitStack) -> None:
        """Follow the attention modules in `module` while `watching()`, until `undo` is closed."""
        for path, part in module.named_modules():
            if is_attention(part):
                self._hook(path, part, watching, undo)

    @property
    def current(self) -> nn.Module | None:
        """The innermost attention module that is being computed."""
        return self._inside[-1][1] if self._inside else None

    @property
    def asks(self) -> bool:
        """Whether the current attention is recorded from what it returns."""
        return bool(self._inside) and self._is_asked(self._inside[-1][0])

    def mark_seen(self) -> None:
        """Note that the current attention was observed."""
        self._shown |= dict.fromkeys((path for path, _ in self._inside), True)

    def start_again(self) -> None:
        self._inside.clear()
        self._shown.clear()

    @property
    def ran(self) -> frozenset[str]:
        """Paths of all attention modules that ran."""
        return frozenset(self._shown)

    @property
    def unseen(self) -> frozenset[str]:
        """Paths of the attention modules that ran unobserved.

        Of nested modules (BERT's) it is enough that one is observed; the others, such as an
        output projection named after the attention, are parts of it.
        """
        outermost = {
            path
            for path in self._shown
            if not any(path.startswith(f"{other}.") for other in self._shown)
        }
        seen = [path for path, shown in self._shown.items() if shown]
        return frozenset(
            path
            for path in outermost
            if not any(other == path or other.startswith(f"{path}.") for other in seen)
        )

    def _hook(
        self, path: str, part: nn.Module, watching: Callable[[], bool], undo: ExitStack
    ) -> None:
        def enter(_: nn.Module, args: Any, kwargs: Any) -> Any:
            if not watching():
                return None
            self._inside.append((path, part))
            self._shown.setdefault(path, False)
            if isinstance(part, nn.MultiheadAttention) and self._is_asked(path):
                given = signature(part.forward).bind(*args, **kwargs).arguments
                return (), given | {"need_weights": True, "average_attn_weights": False}
            return None

        def leave(_: nn.Module, args: Any, output: Any) -> None:
            if not watching() or not self._inside:
                return
            weights = returned_pattern(output) if self._is_asked(path) else None
            windowed = "Longformer" in type(part).__name__ or "LEDEncoder" in type(part).__name__
            new = weights is not None and not windowed and not self._shown_within(path)
            if new and weights is not None and self._take(part, weights):
                self.mark_seen()
            self._inside.pop()

        undo.callback(part.register_forward_pre_hook(enter, with_kwargs=True).remove)
        undo.callback(part.register_forward_hook(leave).remove)

    def _is_asked(self, path: str) -> bool:
        return any(path == other or path.startswith(f"{other}.") for other in self.asking)

    def _shown_within(self, path: str) -> bool:
        """Whether a module inside already returned what `path` now returns."""
        return any(shown and other.startswith(f"{path}.") for other, shown in self._shown.items())


def tokens_come_first(module: nn.Module | None) -> bool:
    """Whether a module reads [T, B, C], the default of PyTorch's own."""
    return isinstance(module, nn.MultiheadAttention) and not module.batch_first


def returned_pattern(output: Any) -> Tensor | None:
    """The attention weights [B, H, T, S] in what a module returned, if there are any."""
    if not isinstance(output, tuple | list):
        return None
    for each in output[1:]:
        if isinstance(each, Tensor) and each.dim() == 4 and is_pattern(each):
            return each
        if isinstance(each, tuple | list) and each and isinstance(each[0], Tensor):
            found = returned_pattern((None, *each))
            if found is not None:
                return found
    return None
