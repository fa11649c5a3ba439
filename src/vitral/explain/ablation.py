"""Ablation: which heads does a text need? Silence each in turn and measure the loss.

    change(head) = loss(text, that head silenced) − loss(text)

A large positive change means that the prediction depends on the head; one near zero, that other
heads do the same or it is not needed; a negative one, that it does harm (Michel, Levy & Neubig
2019, "Are Sixteen Heads Really Better than One?", arXiv:1905.10650; Voita et al. 2019,
arXiv:1905.09418). It is the integral over a gate g on the head's output from 1 to 0:

    change = −∫₀¹ ∂loss/∂g dg

The loss is in nats per token. A decoder predicts every token after the first. An encoder predicts
every token once, in rounds: those of one round, about one in seven, are masked together,
and a fixed seed chooses them.

A batch tries several heads of a layer at once, one per copy of the text. The layers below, which
these heads cannot change, are computed once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.errors import VitralError
from vitral.explain.mask_token import mask_id
from vitral.models.description import number, pad_id
from vitral.stopping import check_stop
from vitral.tracing.editing.edit import Edit
from vitral.tracing.protocols import TraceableModel
from vitral.tracing.recording.inputs import arguments, check_ids, pad
from vitral.tracing.recording.layers import find_layers

Mode = Literal["zero", "uniform"]
TOKENS_AT_ONCE = 2048
"""Tokens of a batch; their logits are what takes memory."""
NUM_ROUNDS = 7
"""Rounds in which an encoder predicts all tokens: about 15 % of them each."""


@dataclass(frozen=True, eq=False)
class Ablation:
    """The loss of a text without each head, in nats per predicted token.

    `loss` is that of the whole model, `losses` [layers, heads] those without a head, NaN where a
    layer has no attention, or fewer heads than another;
    `num_predicted` is over how many tokens they are means.
    """

    loss: float
    losses: Tensor
    num_predicted: int
    mode: Mode

    @property
    def change(self) -> Tensor:
        """[layers, heads]: how much the loss rises."""
        return self.losses - self.loss

    def ranking(self) -> list[tuple[int, int, float]]:
        """(layer, head, change), the most important first."""
        change = self.change
        order = change.flatten().nan_to_num(-torch.inf).argsort(descending=True, stable=True)
        heads = int((~change.isnan()).sum())
        width = change.shape[1]
        return [
            (i // width, i % width, float(change[i // width, i % width]))
            for i in order.tolist()[:heads]
        ]


def ablate(
    model: TraceableModel,
    text: str | None = None,
    *,
    ids: Sequence[int] | None = None,
    mode: Mode = "zero",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Ablation:
    """The change of loss on a text when each head of a `vitral.Model` is silenced.

    `mode` "zero" removes what the head adds; "uniform" makes it attend evenly to all visible
    tokens, so that only its choice is lost. `progress` is called with (heads done, all).

    Raises VitralError `ablation_kind` for a model that is neither decoder nor encoder with a
    language model's head, `ablation_too_short`, `ablation_mode`, `ablation_no_mask`, and what
    `model.tokens` raises.
    """
    if (text is None) == (ids is None):
        raise TypeError("give one of text and ids")
    if mode not in ("zero", "uniform"):
        raise VitralError("ablation_mode", mode=mode)
    if model.kind not in ("decoder", "encoder"):
        raise VitralError("ablation_kind", model=model.name)
    special: set[int] = set()
    if text is not None:
        tokens = model.tokens(text)
        ids = [token.id for token in tokens]
        special = {index for index, token in enumerate(tokens) if token.special}
    assert ids is not None
    check_ids([ids], number(model.module, "vocab_size"))
    if model.context is not None and len(ids) > model.context:
        raise VitralError("text_too_long", length=len(ids), context=model.context, model=model.name)
    rows, asked = _questions(model, list(ids), special, seed)
    with _at_rest(model.module), torch.no_grad():
        return _Trial(model, rows, asked, mode).run(progress)


def _questions(
    model: TraceableModel, ids: list[int], special: set[int], seed: int
) -> tuple[list[list[int]], list[tuple[int, int, int]]]:
    """The rows of ids to run, and what they predict: (row, position of the logits, token)."""
    if model.kind == "decoder":
        if len(ids) < 2:
            raise VitralError("ablation_too_short", least=2)
        return [ids], [(0, place, ids[place + 1]) for place in range(len(ids) - 1)]
    places = [place for place in range(len(ids)) if place not in special]
    if not places:
        raise VitralError("ablation_too_short", least=1)
    mask = mask_id(model)
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(seed)).tolist()
    rounds = min(NUM_ROUNDS, len(places))
    rows, asked = [], []
    for row in range(rounds):
        mine = {places[index] for index in order[row::rounds]}
        rows.append([mask if place in mine else each for place, each in enumerate(ids)])
        asked += [(row, place, ids[place]) for place in sorted(mine)]
    return rows, asked


class _Trial:
    """One text, and the heads of a model one after another."""

    def __init__(
        self,
        model: TraceableModel,
        rows: list[list[int]],
        asked: list[tuple[int, int, int]],
        mode: Mode,
    ) -> None:
        self.model, self.module = model, model.module
        self.rows, self.mode = rows, mode
        self.row, self.place, self.token = torch.tensor(asked).unbind(1)
        self.copies = max(1, TOKENS_AT_ONCE // (len(rows) * len(rows[0])))
        self.layers = [each.module for each in find_layers(self.module)]
        self.below: list[Any] = []

    def run(self, progress: Callable[[int, int], None] | None) -> Ablation:
        with Edit(self.module) as edit:
            loss, num_heads = self._whole()
            losses = torch.full((len(num_heads), max(num_heads)), torch.nan)
            done, total = 0, sum(num_heads)
            for layer, number_of_heads in enumerate(num_heads):
                for first in range(0, number_of_heads, self.copies):
                    check_stop()
                    heads = range(first, min(first + self.copies, number_of_heads))
                    losses[layer, first : heads[-1] + 1] = self._without(edit, layer, heads)
                    done += len(heads)
                    if progress is not None:
                        progress(done, total)
        return Ablation(loss, losses, len(self.token), self.mode)

    def _whole(self) -> tuple[float, list[int]]:
        """The loss of the whole model, and how many heads each layer has; layers' outputs are
        kept, unless one module serves as several layers."""
        with ExitStack() as undo:
            for layer in self.layers:
                hook = layer.register_forward_hook(lambda _, __, out: self.below.append(out))
                undo.callback(hook.remove)
            loss = float(self._losses(1)[0])
        if len({id(each) for each in self.layers}) != len(self.below):
            self.below = []
        trace = self.model.trace(ids=self.rows[0])
        records = trace.layers()
        return loss, [
            records[layer].num_heads if layer in records else 0 for layer in range(trace.num_layers)
        ]

    def _without(self, edit: Edit, layer: int, heads: range) -> Tensor:
        """The losses [heads] without each of some heads of a layer."""
        edit.clear()
        for copy, head in enumerate(heads):
            texts = range(copy * len(self.rows), (copy + 1) * len(self.rows))
            silence = edit.silence if self.mode == "zero" else edit.uniform
            silence(layer, head, texts=texts)
        with self._kept_below(layer, len(heads)):
            losses = self._losses(len(heads))
        edit.clear()
        return losses

    @contextmanager
    def _kept_below(self, layer: int, copies: int) -> Iterator[None]:
        """While open, the layers below one return their outputs of the whole model."""
        with ExitStack() as undo:
            for module, output in zip(self.layers[:layer], self.below[:layer], strict=False):
                before = module.__dict__.get("forward")
                given = _repeated(output, copies)
                module.forward = lambda *_, given=given, **__: given
                if before is None:
                    undo.callback(delattr, module, "forward")
                else:
                    undo.callback(setattr, module, "forward", before)
            yield

    def _losses(self, copies: int) -> Tensor:
        """The mean loss of each of `copies` copies of the text."""
        batch = pad(self.rows * copies, pad_id(self.module, self.model.tokenizer))
        args, named = arguments(self.module, batch, None)
        output = self.module(*args, **named)
        logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
        size = number(self.module, "vocab_size") or int(self.token.max()) + 1
        read = (len(batch.rows), len(batch.rows[0]))
        if (
            not isinstance(logits, Tensor)
            or logits.dim() != 3
            or tuple(logits.shape[:2]) != read
            or logits.shape[-1] < size
        ):
            raise VitralError("ablation_kind", model=self.model.name)
        found = []
        for copy in range(copies):
            mine = logits[copy * len(self.rows) + self.row, self.place].float()
            found.append(F.cross_entropy(mine, self.token.to(mine.device)))
        return torch.stack(found).cpu()


def _repeated(output: Any, copies: int) -> Any:
    if isinstance(output, Tensor):
        return output.repeat(copies, *[1] * (output.dim() - 1)) if output.dim() else output
    if isinstance(output, tuple):
        return tuple(_repeated(each, copies) for each in output)
    return output


@contextmanager
def _at_rest(module: nn.Module) -> Iterator[None]:
    """The module in eval mode; each part's own mode comes back."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, mode in modes:
            part.training = mode
