"""A run that computes NaN or infinity: where it first does.

A step with a loss that is not finite makes every weight NaN. So the run stops there and reports
the step, the row of its batch, and the first address at which the model computes such a value.
"""

from typing import Any

import torch
from torch import nn

from vitral.errors import VitralError
from vitral.tracing.recording.forward_pass import record
from vitral.training.objectives.batch import Batch


def not_finite(model: nn.Module, batch: Batch, step: int) -> VitralError:
    """The error `training_not_finite` that names the step, the row and the first bad address.

    A weight that is not finite is named directly. Otherwise the model reads the batch row by row
    until one fails. If none does, the error names the weight nearest to the loss whose gradient is
    not finite, since the backward pass starts there.
    """
    for name, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            return _error(step, "—", name)
    device = next(model.parameters()).device
    for row in range(batch.num_rows):
        found = _first_bad_address(model, batch.rows(row, row + 1).to(device))
        if found is not None:
            return _error(step, row, found)
    for name, weight in reversed(list(model.named_parameters())):
        if weight.grad is not None and not bool(weight.grad.isfinite().all()):
            return _error(step, "—", f"{name}.grad")
    return _error(step, "—", "loss")


def _first_bad_address(model: nn.Module, row: Batch) -> str | None:
    inputs = row.inputs
    args: tuple[Any, ...] = (inputs["ids"],)
    if "decoder_ids" in inputs:
        args = (inputs["ids"], inputs["decoder_ids"], inputs.get("attention_mask"))
    try:
        with torch.no_grad():
            recording = record(model, args, {}, measured=False)
        recording.trace(0, model="", text=None, tokens=[], decoder_tokens=[])
    except VitralError as error:
        if error.key == "not_finite":
            return str(error.values["address"])
        if (
            error.key == "pattern_unreadable"
        ):  # a recurrent decoder reports its attention weights as it runs
            return "decoder.layers.0.cross_attention.pattern"
        raise
    return None


def _error(step: int, row: object, address: str) -> VitralError:
    return VitralError("training_not_finite", step=step, row=row, address=address)
