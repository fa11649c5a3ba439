"""`vitral plot`: a trace as a figure for print (PNG, SVG, PDF) or as an HTML page."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.cli.new_file import NewFile
from vitral.cli.opened_or_traced import opened_or_traced
from vitral.cli.read_as import read_as
from vitral.cli.token_range import token_range
from vitral.errors import VitralError, check_range
from vitral.messages import message
from vitral.messages.written_numbers import decimal, whole

if TYPE_CHECKING:
    from vitral.tracing import Trace

PICTURES = (".png", ".svg", ".pdf")
PAGES = (".html", ".htm")
KINDS = ("heat", "lines", "grid", "page")


def plot(
    text: Annotated[str | None, Parameter(help=message("cli.text_or_picture"))] = None,
    /,
    *,
    save: Annotated[Path | None, Parameter(help=message("cli.plot.save"))] = None,
    kind: Annotated[str | None, Parameter(help=message("cli.plot.kind"))] = None,
    model: Annotated[str | None, Parameter(help=message("cli.model"))] = None,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    layer: Annotated[int | None, Parameter(help=message("cli.trace.layer"))] = None,
    head: Annotated[int | None, Parameter(help=message("cli.trace.head"))] = None,
    part: Annotated[str | None, Parameter(help=message("cli.part"))] = None,
    token: Annotated[int | None, Parameter(help=message("cli.plot.token"))] = None,
    without_resting: Annotated[
        bool, Parameter(help=message("cli.read.without_resting"), negative="")
    ] = False,
    words: Annotated[bool, Parameter(help=message("cli.read.words"), negative="")] = False,
    mean_of: Annotated[str | None, Parameter(help=message("cli.read.mean_of"))] = None,
    rows: Annotated[str | None, Parameter(help=message("cli.plot.rows"))] = None,
    columns: Annotated[str | None, Parameter(help=message("cli.plot.columns"))] = None,
    width: Annotated[str | None, Parameter(help=message("cli.plot.width"))] = None,
    scale: Annotated[str | None, Parameter(help=message("cli.plot.scale"))] = None,
    title: Annotated[
        str | None, Parameter(help=message("cli.plot.title"), allow_leading_hyphen=True)
    ] = None,
    dark: Annotated[bool, Parameter(help=message("cli.plot.dark"), negative="")] = False,
    most_megabytes: Annotated[
        float | None, Parameter(help=message("cli.plot.most_megabytes"))
    ] = None,
    file: Annotated[
        str | None, Parameter(help=message("cli.file"), allow_leading_hyphen=True)
    ] = None,
    open: Annotated[Path | None, Parameter(help=message("cli.trace.open"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Draw a head, or all of them, or write a page with the whole trace."""
    if save is None:
        raise VitralError("plot_needs_file")
    kind = _kind(kind, save)
    of_pictures = {
        "--rows": rows,
        "--columns": columns,
        "--width": width,
        "--scale": scale,
        "--title": title,
    }
    unused = of_pictures if kind == "page" else {"--most-megabytes": most_megabytes}
    for option, value in unused.items():
        if value is not None:
            raise VitralError("figure_option", option=option, kind=kind)
    if most_megabytes is not None:
        from vitral.showing.page import LARGEST_LIMIT

        check_range("--most-megabytes", most_megabytes, 0, LARGEST_LIMIT)
    target = NewFile(save, overwrite)
    if kind != "page":
        from vitral.figures.sheet import check_matplotlib

        check_matplotlib()
    traced = read_as(
        opened_or_traced(text, model, file, open, base),
        without_resting=without_resting,
        words=words,
        mean_of=mean_of,
        head=head,
    )
    notes: list[str] = []
    if kind == "page":
        from vitral.showing.page import MOST_MEGABYTES

        content = traced.to_html(
            part=part,
            layer=layer,
            head=head,
            token=token,
            theme="dark" if dark else None,
            most_megabytes=MOST_MEGABYTES if most_megabytes is None else most_megabytes,
        )
        target.write(lambda path: path.write_text(content, encoding="utf-8", newline="\n"))
    else:
        options = {
            "layer": layer,
            "head": head,
            "token": token,
            "part": part,
            **_ranges(traced, part, layer, rows, columns),
        }
        look = {"dark": dark, "title": title, "width": _width(width), "scale": scale or "glass"}
        notes = _draw(traced, target, kind, {**options, **look})
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(message("cli.plot.saved", path=target.path, size=_size(target.path))))
    for note in notes:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"vitral: {note}"))


def _kind(kind: str | None, path: Path) -> str:
    """What to draw: the given kind, or that of the file's extension; the two have to agree."""
    ending = path.suffix.lower()
    if ending not in (*PICTURES, *PAGES):
        known = ", ".join((*PICTURES, PAGES[0]))
        raise VitralError("plot_file_kind", path=path, known=known)
    kind = kind or ("page" if ending in PAGES else "heat")
    if kind not in KINDS:
        raise VitralError("figure_kind", kind=kind, known=", ".join(KINDS))
    if (kind == "page") != (ending in PAGES):
        good = PAGES[0] if kind == "page" else ", ".join(PICTURES)
        raise VitralError("plot_kind_of_file", kind=kind, path=path, good=good)
    return kind


def _width(width: str | None) -> str | float:
    """A name, or millimetres; a figure says what is wrong with others."""
    try:
        return float(width or "column")
    except ValueError:
        return width or "column"


def _ranges(
    traced: "Trace", part: str | None, layer: int | None, rows: str | None, columns: str | None
) -> dict[str, tuple[int, int] | None]:
    if rows is None and columns is None:
        return {}
    record = traced.record(min(traced.layers(part)) if layer is None else layer, part)
    sizes = {"rows": record.num_queries, "columns": record.num_keys}
    found: dict[str, tuple[int, int] | None] = {}
    for name, written in (("rows", rows), ("columns", columns)):
        if written is not None:
            chosen = token_range(f"--{name}", written, sizes[name])
            found[name] = (chosen.start, chosen.stop)
    return found


def _draw(traced: "Trace", target: NewFile, kind: str, options: dict[str, Any]) -> list[str]:
    """Draw and write the figure; the notes that its reader needs."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        figure = traced.plot(kind, **options)  # type: ignore[arg-type]
        target.write(figure.savefig)
    for each in said:
        if each.category is not UserWarning:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return [str(each.message) for each in said if each.category is UserWarning]


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{decimal(size / 1e6, 1)} MB" if size >= 1e6 else f"{whole(size / 1e3)} kB"
