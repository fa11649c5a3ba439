"""`vitral evaluate`: how well a model predicts a text, as a table or as JSON."""

import json as json_module
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.cli.source_text import source_text
from vitral.messages import message
from vitral.messages.written_numbers import decimal, percent, whole


def evaluate(
    model: Annotated[str, Parameter(help=message("cli.evaluate.model"))],
    file: Annotated[str, Parameter(help=message("cli.evaluate.file"), allow_leading_hyphen=True)],
    /,
    *,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    mask_share: Annotated[float, Parameter(help=message("cli.evaluate.mask_share"))] = 0.15,
    seed: Annotated[int, Parameter(help=message("cli.evaluate.seed"))] = 0,
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
) -> None:
    """Measure how well a model predicts a text: loss, perplexity, bits per byte; or, for an
    encoder, the share of masked tokens that it predicts correctly."""
    text = source_text(None, file)
    import vitral

    loaded = vitral.load(model, base=base)
    found = loaded.evaluate(text, mask_share=mask_share, seed=seed)
    derived = [name for name in vars(type(found)) if isinstance(vars(type(found))[name], property)]
    values = asdict(found) | {name: getattr(found, name) for name in derived}
    if json:
        sys.stdout.write(json_module.dumps({"model": loaded.name} | values) + "\n")
        return
    _print(values, "of_masks" if "accuracy" in values else "of_text")


# A measure, where its error stands, and how it is written.
_ROWS: dict[str, tuple[str | None, Callable[[float], str]]] = {
    "accuracy": ("accuracy_error", percent),
    "nats": ("standard_error", partial(decimal, digits=3)),
    "perplexity": (None, partial(decimal, digits=1)),
    "perplexity_per_word": (None, whole),
    "bits_per_byte": ("bits_per_byte_error", partial(decimal, digits=3)),
}


def _print(values: dict[str, Any], note: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(message("cli.evaluate.measure"))
    table.add_column(message("cli.evaluate.value"), justify="right")
    table.add_column(message("cli.evaluate.error"), justify="right")
    for name, (error, form) in _ROWS.items():
        if name in values:
            spread = "" if error is None else form(values[error])
            table.add_row(message(f"cli.evaluate.{name}"), form(values[name]), spread)
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(message(f"cli.evaluate.{note}", **values)), style="dim")
