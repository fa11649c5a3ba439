"""Inputs that are given to a model as they are: pictures, sound, vectors, a text beside them.

Their tokens are numbered, unless more is known of them: the ids of a text among the inputs name
its tokens, padding included (a pad token carries its name), and the patches of a picture go by
row and column, as in `vision.picture_trace`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vitral.tracing.memory.store import Store
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.inputs import check_arguments, device_of, rows_of
from vitral.tracing.recording.reading import bare_tokens
from vitral.tracing.recording.selection import Selection
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


def traces_of_inputs(
    module: nn.Module,
    inputs: Mapping[str, Any],
    tokenizer: Any,
    *,
    model: str,
    budget: int,
    selection: Selection | None = None,
) -> list[Trace]:
    """A trace for each sequence of the batch that the inputs are.

    Raises VitralError `inputs_unfit` for names that the module does not take, and what `record`
    raises.
    """
    named = {name: _tensor(value, device_of(module)) for name, value in inputs.items()}
    check_arguments(module, (), named)
    recording = record(module, (), named, store=Store(budget), selection=selection)
    lengths = recording.num_tokens

    def tokens_of(name: str, index: int, length: int) -> list[Token]:
        ids = named.get(name)
        if isinstance(ids, Tensor) and ids.dim() == 2 and ids.shape[1] == length:
            return bare_tokens(rows_of(ids[index if len(ids) > 1 else 0])[0][0], tokenizer)
        return bare_tokens(list(range(length)))

    return [
        recording.trace(
            index,
            model=model,
            text=None,
            tokens=tokens_of("input_ids", index, lengths[0]),
            decoder_tokens=(
                tokens_of("decoder_input_ids", index, lengths[1]) if len(lengths) > 1 else []
            ),
        )
        for index in range(recording.num_sequences)
    ]


def _tensor(value: Any, device: torch.device) -> Any:
    """Arrays and lists of numbers as tensors, where the module computes."""
    if isinstance(value, Tensor):
        return value.to(device)
    if hasattr(value, "__array__") or (isinstance(value, list) and value):
        try:
            return torch.as_tensor(value).to(device)
        except (TypeError, ValueError, RuntimeError):
            return value
    return value
