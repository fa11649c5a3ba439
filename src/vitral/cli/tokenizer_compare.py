"""`vitral tokenizer compare`: several tokenizers side by side on held-out text."""

import json as json_module
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.errors import VitralError
from vitral.messages import message
from vitral.messages.written_numbers import decimal, percent, whole

if TYPE_CHECKING:
    from vitral.text.tokenizer_comparison import TokenizerFigures

DEFAULT_SIZE = 8192


def compare(
    *sources: Annotated[str, Parameter(help=message("cli.tokenizer.sources"))],
    tokenizers: Annotated[
        tuple[str, ...],
        Parameter(help=message("cli.tokenizer.tokenizers"), negative="", consume_multiple=True),
    ] = (),
    vocab_size: Annotated[int | None, Parameter(help=message("cli.tokenizer.compare_size"))] = None,
    held_out: Annotated[float, Parameter(help=message("cli.tokenizer.held_out"))] = 0.1,
    seed: Annotated[int, Parameter(help=message("cli.tokenizer.seed"))] = 0,
    cleaning: Annotated[str, Parameter(help=message("cli.tokenizer.cleaning"))] = "prose",
    text_field: Annotated[str, Parameter(help=message("cli.tokenizer.text_field"))] = "text",
    json: Annotated[bool, Parameter(help=message("cli.trace.json"), negative="")] = False,
) -> None:
    """Compare tokenizers, trained here or existing ones, on the held-out part of texts."""
    from vitral.cli.tokenizer_texts import both_parts, check_sources, tokenizer_called
    from vitral.models.catalog import BUNDLED
    from vitral.text.tokenizer_comparison import measure
    from vitral.text.tokenizers import KINDS

    chosen = check_sources(sources, cleaning)
    if not 0 < held_out < 1:
        raise VitralError("option_out_of_range", option="--held-out", value=held_out, most=1)
    training, apart = both_parts(sources, held_out, seed, chosen, text_field)
    figures: dict[str, TokenizerFigures] = {}
    with Console(stderr=True).status("") as status:
        for name in tokenizers or (*KINDS, *BUNDLED):
            status.update(message("cli.tokenizer.measuring", name=name))
            tokenizer = tokenizer_called(name, training, vocab_size, DEFAULT_SIZE)
            figures[name] = measure(tokenizer, apart)
    if json:
        values = {name: _values(each) for name, each in figures.items()}
        sys.stdout.write(json_module.dumps(values) + "\n")
    else:
        _print(figures)


def _values(figures: "TokenizerFigures") -> dict[str, Any]:
    derived = ("tokens_per_word", "bytes_per_token")
    return asdict(figures) | {name: getattr(figures, name) for name in derived}


_COLUMNS: dict[str, Callable[[float], str]] = {  # a figure, and how it is written
    "vocab_size": whole,
    "tokens_per_word": decimal,
    "bytes_per_token": decimal,
    "whole_words": percent,
    "unknown": partial(percent, digits=2),
    "exact": percent,
    "tokens_per_second": whole,
}


def _print(figures: "dict[str, TokenizerFigures]") -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(message("cli.tokenizer.name"), no_wrap=True)
    for column in _COLUMNS:
        key = "vocab_size_column" if column == "vocab_size" else column
        header = message(f"cli.tokenizer.{key}")
        # What narrows a table may part a header's words, but not cut one.
        table.add_column(header, justify="right", min_width=max(map(len, header.split())))
    for name, each in figures.items():
        values = _values(each) | {"tokens_per_second": each.tokens_per_second / 1e3}
        table.add_row(Text(name), *(form(values[column]) for column, form in _COLUMNS.items()))
    first = next(iter(figures.values()))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        Text(message("cli.tokenizer.note", words=first.num_words, bytes=first.num_bytes)),
        style="dim",
    )
