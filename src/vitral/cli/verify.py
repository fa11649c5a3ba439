"""`vitral verify`: whether a model's traced patterns are those of its own eager attention."""

import json as json_module
import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.source_text import source_text
from vitral.messages import message
from vitral.messages.written_numbers import scientific

if TYPE_CHECKING:
    from vitral.model import Model
    from vitral.tracing.recording.comparison import Comparison, Deviation

DIFFERS = 1
"""The exit code where a pattern is not the eager one."""


def verify(
    model: Annotated[str | None, Parameter(help=message("cli.verify.model"))] = None,
    /,
    *,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    text: Annotated[str | None, Parameter(help=message("cli.verify.text"))] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    json: Annotated[bool, Parameter(help=message("cli.verify.json"), negative="")] = False,
) -> int:
    """Compare every pattern of a model with its eager attention; 1 if one differs."""
    written = None if text is None and file is None else source_text(text, file)
    import vitral
    from vitral.models.catalog import BUNDLED
    from vitral.tracing.recording.comparison import compare

    opened = vitral.load(model or BUNDLED[0], base=base)
    opened.module.float()  # what is compared is the method, not the rounding of small numbers
    args, named = _inputs(opened, written)
    found = compare(opened.module, args, named)
    rounding = None
    if not all(map(_holds, found.deviations)):
        # Two exact computations may differ by rounding that grows with the layers, not in float64.
        rounding = found.largest
        opened.module.double()
        found = compare(opened.module, *_in_float64(args, named))
    if json:
        _print_json(opened.name, found, rounding)
    else:
        _print_table(opened.name, found)
        if rounding is not None:
            note = message("cli.verify.in_float64", largest=scientific(rounding))
            Console(highlight=False, soft_wrap=True).print(Text(note))
        if not all(map(_holds, found.deviations)):
            _print_two_implementations(opened, *_in_float64(args, named))
    return 0 if all(map(_holds, found.deviations)) else DIFFERS


def _inputs(model: "Model", text: str | None) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the model reads: the text, a sentence of ours, or noise for an image model."""
    if model.kind == "image" and text is None:
        import torch

        from vitral.tracing.recording.inputs import device_of

        config: Any = model.module.config
        size = config.image_size
        sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
        noise = torch.Generator().manual_seed(0)
        pixels = torch.rand(1, config.num_channels, *sides, generator=noise)
        return (), {"pixel_values": pixels.to(device_of(model.module))}
    return model.arguments(message("cli.verify.sentence") if text is None else text)


def _in_float64(
    args: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    import torch

    def doubled(value: Any) -> Any:
        floating = isinstance(value, torch.Tensor) and value.is_floating_point()
        return value.double() if floating else value

    return tuple(map(doubled, args)), {name: doubled(value) for name, value in named.items()}


def _holds(one: "Deviation") -> bool:
    from vitral.tracing.recording.comparison import TOLERANCE

    return one.largest is None or one.largest <= TOLERANCE


def _print_table(name: str, found: "Comparison") -> None:
    from vitral.tracing.recording.comparison import TOLERANCE

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(message("cli.verify.attention"), no_wrap=True)
    table.add_column(message("cli.verify.largest"), justify="right", no_wrap=True)
    table.add_column("")
    for one in found.deviations:
        if one.largest is None:
            key = "cli.verify.given" if one.given else "cli.verify.uncompared"
            table.add_row(one.address, "–", Text(message(key), "dim"))
            continue
        verdict = Text() if _holds(one) else Text(message("cli.verify.differs"), "bold")
        table.add_row(one.address, scientific(one.largest), verdict)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print()
    num_wrong = sum(not _holds(one) for one in found.deviations)
    compared = [one for one in found.deviations if one.largest is not None]
    if not compared:
        key = "cli.verify.nothing"
    else:
        key = "cli.verify.some_differ" if num_wrong else "cli.verify.all_hold"
    values: dict[str, Any] = {"model": name, "compared": len(compared), "wrong": num_wrong}
    largest = 0.0 if found.largest is None else found.largest
    said = message(key, **values, largest=scientific(largest), tolerance=scientific(TOLERANCE, 0))
    console.print(Text(said))
    if found.missing:
        console.print(Text(message("cli.verify.missing", modules=", ".join(found.missing))))


def _print_two_implementations(
    model: "Model", args: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """Where the model's own two implementations are not the same, say which one a trace follows."""
    from vitral.tracing.recording.comparison import TOLERANCE, implementations_differ

    largest = implementations_differ(model.module, args, named)
    if largest > TOLERANCE:
        chosen = getattr(model.module.config, "_attn_implementation", "sdpa")
        said = message(
            "cli.verify.implementations",
            model=model.name,
            largest=f"{largest:.1e}",
            implementation=chosen,
        )
        Console(highlight=False, soft_wrap=True).print(Text(said))


def _print_json(name: str, found: "Comparison", rounding: float | None) -> None:
    """The comparison as JSON on stdout, and nothing else; undefined numbers are null."""
    from vitral.tracing.recording.comparison import TOLERANCE

    document = {
        "model": name,
        "tolerance": TOLERANCE,
        "precision": "float32" if rounding is None else "float64",
        "largest_in_float32": _number(found.largest if rounding is None else rounding),
        "holds": all(map(_holds, found.deviations)),
        "largest": _number(found.largest),
        "attentions": [
            {
                "address": one.address,
                "largest": _number(one.largest),
                "given": one.given,
                "holds": _holds(one),
            }
            for one in found.deviations
        ],
        "missing": found.missing,
    }
    sys.stdout.write(json_module.dumps(document) + "\n")


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
