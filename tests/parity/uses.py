"""What people do with the trace of a model, whatever the model: see `sweep.py`.

Each function gives what it measured, or the words of what went wrong; nothing here knows a model.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

import vitral
from parity.every_view import refusals
from vitral.errors import VitralError
from vitral.tracing.trace import Trace

LENGTH, PADDING = 7, 3
MOST_POSITIONS = 600


def kept_and_drawn(module: nn.Module, inputs: dict[str, Any], *, drawn: bool = True) -> list[str]:
    """Traces the inputs, saves and opens the last one, and asks everything of what was opened,
    with `drawn` also figures and pages.

    Gives the keys of the refusals. Raises AssertionError where the file gives another trace.
    """
    found = vitral.load(module).trace(**inputs)
    trace: Trace = found[-1] if isinstance(found, list) else found
    with TemporaryDirectory() as folder:
        trace.save(Path(folder) / "trace")
        again = vitral.open_trace(Path(folder) / "trace")
    assert again.addresses() == trace.addresses(), "the file has other addresses"
    assert again.parts == trace.parts, "the file has other parts"
    for part in trace.parts:
        first = next(iter(trace.layers(part).values()))
        sides = (len(trace.query_tokens(part)), len(trace.key_tokens(part)))
        assert sides == (first.num_queries, first.num_keys), f"tokens of {part}"
        for layer, record in trace.layers(part).items():
            same = again.layers(part)[layer].pattern()
            assert torch.allclose(same, record.pattern(), atol=1e-6), f"pattern of {part} {layer}"
    return refusals(again, drawn=drawn)


def reads_ids(inputs: dict[str, Any]) -> bool:
    """Whether a model that took these inputs can be given ids alone: it is a model of text."""
    return set(inputs) <= {"input_ids", "attention_mask", "use_cache", "decoder_input_ids"} and (
        "input_ids" in inputs
    )


def padding(module: nn.Module, left: bool) -> float:
    """How far a row's patterns are from those of the row alone, with padding on one side."""
    model = vitral.load(module)
    row = list(range(23, 23 + LENGTH))
    longer = list(range(30, 30 + LENGTH + PADDING))
    blank = [module.config.get_text_config().pad_token_id or 0] * PADDING
    mask = [0] * PADDING + [1] * LENGTH if left else [1] * LENGTH + [0] * PADDING
    ids = [blank + row if left else row + blank, longer]
    alone = model.trace(ids=row)
    padded = model.trace(ids=ids, attention_mask=[mask, [1] * len(longer)])[0]
    largest = 0.0
    for prefix, record in alone.attentions.items():
        pattern, other = record.pattern(), padded.attentions[prefix].pattern()
        if pattern.shape != other.shape:
            return float("inf")
        largest = max(largest, float((pattern - other).abs().max()))
    return largest


def kind_said(module: nn.Module) -> str:
    """ "" where `Model.kind` is what a measurement finds, else both."""
    said = vitral.load(module).kind
    if said == "encoder-decoder":
        return ""
    measured = _measured_kind(module)
    return "" if measured in (None, said) else f"says {said}, is {measured}"


def _measured_kind(module: nn.Module) -> str | None:
    """ "decoder" if a later token changes no earlier output, else "encoder"; None where there is
    one output for the whole text."""
    ids = torch.arange(23, 23 + LENGTH)[None]
    other = ids.clone()
    other[0, -1] += 5
    with torch.no_grad():
        first, second = (_result(module(input_ids=each)) for each in (ids, other))
    if first.dim() != 3 or first.shape[1] != LENGTH:
        return None
    same = torch.allclose(first[:, :-1], second[:, :-1], atol=1e-4)
    return "decoder" if same else "encoder"


def runs_on(module: nn.Module, length: int) -> bool:
    """Whether the model takes so many tokens."""
    ids = torch.full((1, length), 23)
    named = {}
    if getattr(module.config, "is_encoder_decoder", False):
        named["decoder_input_ids"] = ids[:, :2]
    try:
        with torch.no_grad():
            module(input_ids=ids, **named)
    except (IndexError, RuntimeError, ValueError):
        return False
    return True


def context_said(module: nn.Module) -> str:
    """ "" where as many tokens as `context` says can be read, or, where it says that nothing
    limits them, a good many; else what is wrong."""
    said = vitral.load(module).context
    if said is None:
        return "" if runs_on(module, MOST_POSITIONS) else f"says none, but {MOST_POSITIONS} fail"
    if said > MOST_POSITIONS:
        return ""
    if not runs_on(module, said):
        return f"says {said}, which fail"
    return ""


def _result(output: Any) -> Tensor:
    for name in ("logits", "last_hidden_state"):
        value = getattr(output, name, None)
        if isinstance(value, Tensor):
            return value
    raise VitralError("not_traceable", model="", reason="no result")
