"""The attention of the last token alone: of each attention that is computed, its last row.

A recorder (`recording.recorder`) keeps everything that a pass computes. During generation much
less is needed, but at every token: one row of each head. An attention that does not report its
weights is not seen here.

    with LastRow(module) as last:
        module(new_BT, cache=cache)
    last.rows  # by the number of the layer, a row [heads, keys]

The decoder of an encoder–decoder attends to two texts, so its last token has two rows per layer:
one over what was generated, one over what the encoder read.

Shapes: H heads, S keys.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType

from torch import Tensor, nn

from vitral.models.description import has_decoder
from vitral.nn.attention_call import AttentionCall
from vitral.tracing.attention.attention_record import records_of
from vitral.tracing.attention.visibility import Bias, Visibility
from vitral.tracing.recording.layers import find_layers, is_cross_attention
from vitral.tracing.recording.observed import observed


class LastRow:
    """Observes `module`, which reads one sequence, inside `with LastRow(module) as last:`; it can
    be entered again.

    `rows` has, by the number of the layer, the weights float32 [H, S] of the last query of each
    attention call. For an encoder–decoder these are the decoder's self-attention; `cross` has
    its cross-attention, and the encoder's rows are left out.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._undo = ExitStack()
        self.rows: dict[int, Tensor] = {}
        self.cross: dict[int, Tensor] = {}
        self._numbers = self._numbered()
        self._crosses = self._in_decoder() if has_decoder(module) else None

    def _in_decoder(self) -> dict[int, bool]:
        """Whether a module of the decoder is cross-attention, by the module's `id`."""
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

    def __enter__(self) -> "LastRow":
        self.rows, self.cross = {}, {}
        self._undo.enter_context(observed(self._module, self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, traceback)

    def observe_attention(self, call: AttentionCall) -> None:
        """Called by the attention function; the call's mask decides what the last query sees."""
        num_keys = call.key.shape[2]
        mask = None if call.mask is None else _last(call.mask)
        bias = None if call.bias is None else _last(call.bias)
        last = replace(
            call,
            query=call.query[:, :, -1:],
            mask=mask,
            bias=bias,
            is_causal=False,  # the last token comes after all others
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
        """Called for an attention that is more than queries, keys and a softmax."""
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
