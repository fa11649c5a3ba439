"""Whom the newest token looks at: of each attention that is computed, the last row alone.

A recorder (`tracing.recorder`) keeps all that a pass leaves behind. While a text is written one
wants much less, and wants it at every token: one row of each head. An attention that computes
its weights by itself tells nobody, and is not seen here.

    with NewestRow(module) as newest:
        module(new_BT, cache=cache)
    newest.rows  # by the number of the layer, a row [heads, keys]

The decoder of an encoder–decoder looks at two texts, so its newest token has two rows a layer:
one on what was written, one on what the encoder read.

Shapes: H heads, S keys.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType

import torch
from torch import Tensor, nn

from vitral.models.description import has_decoder
from vitral.nn.attention_call import AttentionCall, observer
from vitral.tracing.attention.attention_record import records_of
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.recording.attention_function import attention_through_vitral
from vitral.tracing.recording.compiled import as_written
from vitral.tracing.recording.layers import find_layers, is_cross_attention
from vitral.tracing.recording.recorder import lock_of


class NewestRow:
    """Watches `module`, one text alone, inside `with NewestRow(module) as newest:`, as often as
    it is entered.

    `rows` has, by the number of the layer, the weights float32 [H, S] that the last token of each
    attention call gave to the others. Of an encoder–decoder these are the decoder's own;
    `cross` has those that it gave to what was read, and the encoder's rows are left out.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._undo = ExitStack()
        self.rows: dict[int, Tensor] = {}
        self.cross: dict[int, Tensor] = {}
        self._numbers = self._numbered()
        self._crosses = self._in_decoder() if has_decoder(module) else None

    def _in_decoder(self) -> dict[int, bool]:
        """Which modules of a decoder look at its encoder, by `id`."""
        return {
            id(part): is_cross_attention(path)
            for layer in find_layers(self._module)
            if layer.part.endswith("decoder")
            for path, part in layer.module.named_modules()
        }

    def _numbered(self) -> dict[int, int]:
        """The numbers of the layers that modules stand in, by `id`."""
        numbers: dict[int, int] = {}
        counted: Counter[str] = Counter()
        for layer in find_layers(self._module):
            for part in layer.module.modules():
                numbers[id(part)] = counted[layer.part]
            counted[layer.part] += 1
        return numbers

    def __enter__(self) -> "NewestRow":
        self.rows, self.cross = {}, {}
        with ExitStack() as undo:
            undo.enter_context(lock_of(self._module))
            undo.enter_context(as_written(self._module))
            undo.enter_context(attention_through_vitral(self._module))
            undo.enter_context(torch.no_grad())
            token = observer.set(self)
            undo.callback(observer.reset, token)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, traceback)

    def observe_attention(self, call: AttentionCall) -> None:
        """The attention function's report of one call; its last query sees what the rule says."""
        num_keys = call.key.shape[2]
        mask = None if call.mask is None else _last(call.mask)
        bias = None if call.bias is None else _last(call.bias)
        last = replace(
            call,
            query=call.query[:, :, -1:],
            mask=mask,
            bias=bias,
            is_causal=False,  # the newest token comes after all others
            lse=None if call.lse is None else call.lse[:, :, -1:],
        )
        visibility = (
            Visibility.rule(1, num_keys, causal=False)
            if mask is None
            else Visibility.of_mask(mask.expand(-1, -1, 1, num_keys))
        )
        matrix = None if bias is None else bias.detach().expand(-1, -1, 1, num_keys)
        record = records_of(
            last, visibility, None if matrix is None else Bias.of_matrix(matrix), lambda each: each
        )[0]
        self._take(call.module, record.pattern()[:, 0])

    def observe_pattern(self, module: nn.Module, pattern_BHTS: Tensor) -> None:
        """The report of an attention that is more than queries, keys and a softmax."""
        self._take(module, pattern_BHTS[0, :, -1].detach().float())

    def _take(self, module: nn.Module | None, row_HS: Tensor) -> None:
        rows = self.rows
        if self._crosses is not None:
            if id(module) not in self._crosses:
                return
            rows = self.cross if self._crosses[id(module)] else self.rows
        number = self._numbers.get(id(module))
        if number is None or number in rows:  # one module in several layers (ALBERT)
            number = max(rows, default=-1) + 1
        rows[number] = row_HS


def _last(rule: Tensor) -> Tensor:
    """The last query's row [B or 1, H or 1, 1, S] of a mask or a bias."""
    return rule[:, :, -1:]
