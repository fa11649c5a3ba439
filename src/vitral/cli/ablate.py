"""`vitral ablate`: which heads a text needs, found by silencing each in turn."""

import json as json_module
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from vitral.cli.source_text import source_text
from vitral.errors import VitralError
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.explain.ablation import Ablation

UNNOTICED = 0.005
"""A change of less than this (half a percent) is reported as none."""


def ablate(
    text: Annotated[str | None, Parameter(help=message("cli.text"))] = None,
    /,
    *,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    mode: Annotated[str, Parameter(help=message("cli.ablate.mode"))] = "zero",
    top: Annotated[int, Parameter(help=message("cli.ablate.top"))] = 10,
    json: Annotated[bool, Parameter(help=message("cli.ablate.json"), negative="")] = False,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
) -> None:
    """Rank the heads by how much worse the model predicts a text without each."""
    if mode not in ("zero", "uniform"):
        raise VitralError("option_value_wrong", option="--mode", value=mode, example="uniform")
    if top < 1:
        raise VitralError("option_invalid", option="--top", value=top, least=1)
    source = source_text(text, file)
    import vitral
    from vitral.explain.ablation import ablate as ablated
    from vitral.models.catalog import BUNDLED

    loaded = vitral.load(model or BUNDLED[0])
    with _progress() as tell:
        found = ablated(loaded, source, mode=mode, progress=tell)  # type: ignore[arg-type]
    if json:
        _print_json(loaded.name, found)
    else:
        _print_table(loaded.name, found, top)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on stderr, if that is a terminal; removed when done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(message("cli.ablate.progress"), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_json(name: str, found: "Ablation") -> None:
    document = {
        "model": name,
        "mode": found.mode,
        "num_predicted": found.num_predicted,
        "loss": found.loss,
        "heads": [
            {"layer": layer, "head": head, "change": change}
            for layer, head, change in found.ranking()
        ],
    }
    sys.stdout.write(json_module.dumps(document) + "\n")


def _print_table(name: str, found: "Ablation", top: int) -> None:
    ranking = found.ranking()
    console = Console(highlight=False)
    num_layers, num_heads = found.losses.shape
    console.print(
        Text(
            message(
                "cli.ablate.title",
                model=name,
                layers=num_layers,
                heads=num_heads,
                loss=f"{found.loss:.3f}",
                count=found.num_predicted,
            )
        ),
        style="bold",
    )
    console.print(Text(message(f"cli.ablate.mode.{found.mode}")), style="dim")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in ("layer", "head", "change"):
        table.add_column(message(f"cli.ablate.{key}"), justify="right")
    table.add_column(message("cli.ablate.meaning"))
    for layer, head, change in ranking[:top]:
        table.add_row(str(layer), str(head), f"{change:+.4f}", _meaning(change))
    console.print(table)
    rest = len(ranking) - top
    if rest > 0:
        console.print(Text(message("cli.ablate.rest", count=rest, total=len(ranking))), style="dim")


def _meaning(change: float) -> str:
    """A change of the mean log-probability, as that of the probability itself."""
    share = 1 - math.exp(-change)
    if abs(share) < UNNOTICED:
        return message("cli.ablate.unnoticed")
    key = "cli.ablate.less" if share > 0 else "cli.ablate.more"
    return message(key, percent=round(100 * abs(share)))
