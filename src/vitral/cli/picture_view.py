"""What `vitral trace` prints of a picture: one token's weights, each at its patch of the grid."""

from rich.console import Console
from rich.style import Style
from rich.text import Text

from vitral.cli.color_scale import cell_style, color, shade
from vitral.cli.heat_table import legend
from vitral.cli.pattern_view import title
from vitral.errors import VitralError
from vitral.messages import message
from vitral.surfaces.picture import PictureSurface
from vitral.surfaces.place import Patch
from vitral.tracing import Trace

_DIM = Style(dim=True)
_NUMBER = 4
"""Characters of a cell with a number in it."""


def has_grid(trace: Trace, part: str | None = None) -> bool:
    """Whether a part's query and key tokens are patches of a picture."""
    surfaces = (trace.query_surface(part), trace.key_surface(part))
    return all(isinstance(each, PictureSurface) and each.rows > 0 for each in surfaces)


def print_picture(
    console: Console,
    trace: Trace,
    layer: int,
    head: int,
    token: str | None = None,
    part: str | None = None,
) -> None:
    """Print what `token` ("3,5" or a number; default: the first token that is not a patch)
    attends to; if all tokens are patches, what they attend to on average.

    Raises VitralError `picture_patch`.
    """
    surface = trace.surface
    assert isinstance(surface, PictureSurface)
    at = _token(trace, surface, token)
    weights = trace.attention(layer=layer, head=head, part=part)
    row = weights.mean(0) if at is None else weights[at]
    numbers = row.tolist()
    console.print(Text(title(trace, layer, head, part), style="bold"))
    key = "cli.trace.grid_mean" if at is None else "cli.trace.grid"
    said = message(key, token="" if at is None else _name(trace, at), picture=surface.name)
    console.print(Text(said))
    console.print()
    colored = console.color_system is not None and not console.no_color
    painted = surface.paint([each.place for each in trace.tokens], numbers).tolist()
    margin = len(str(surface.rows - 1)) + 1
    if margin + surface.columns * _NUMBER <= console.width:
        _print_numbers(console, painted, margin, _place(trace, at))
    else:
        _print_shades(console, painted, margin, colored=colored)
    console.print()
    beside = [
        f"{each.text} {100 * weight:.1f} %"
        for each, weight in zip(trace.tokens, numbers, strict=True)
        if each.place is None
    ]
    if beside:
        console.print(Text(message("cli.trace.beside", tokens=" · ".join(beside))))
    if colored:
        console.print(legend())
    console.print(Text(message("cli.trace.grid_rest")))


def _token(trace: Trace, surface: PictureSurface, asked: str | None) -> int | None:
    """The token asked for, by "row,column", its number or its name."""
    if asked is None:
        return next((i for i, each in enumerate(trace.tokens) if each.place is None), None)
    named = [each.text for each in trace.tokens]
    if asked in named:
        return named.index(asked)
    if asked.isdecimal() and int(asked) < len(named):
        return int(asked)
    raise VitralError(
        "picture_patch",
        token=asked,
        rows=surface.rows,
        columns=surface.columns,
        num_tokens=len(named),
    )


def _name(trace: Trace, at: int) -> str:
    place = trace.tokens[at].place
    if isinstance(place, Patch):
        return message("studio.picture_patch", row=place.row, column=place.column)
    return trace.tokens[at].text


def _place(trace: Trace, at: int | None) -> tuple[int, int] | None:
    """Row and column of the token that attends, if it is a patch."""
    place = None if at is None else trace.tokens[at].place
    return (place.row, place.column) if isinstance(place, Patch) else None


def _print_numbers(
    console: Console, painted: list[list[float]], margin: int, asks: tuple[int, int] | None
) -> None:
    """A percentage per patch; the patch that attends is in brackets."""
    line = Text(" " * margin)
    for column in range(len(painted[0])):
        line.append(f"{column:>{_NUMBER - 1}} ", _DIM)
    console.print(line, soft_wrap=True)
    largest = max(map(max, painted))
    for row, weights in enumerate(painted):
        line = Text(f"{row:>{margin - 1}} ", _DIM)
        for column, weight in enumerate(weights):
            percent = str(round(100 * weight)) if round(100 * weight) else "·"
            here = (row, column) == asks
            cell = f"[{percent}]" if here else f"{percent:>{_NUMBER - 1}} "
            line.append(f"{cell:>{_NUMBER}}", cell_style(weight, bold=weight == largest))
        console.print(line, soft_wrap=True)


def _print_shades(
    console: Console, painted: list[list[float]], margin: int, *, colored: bool
) -> None:
    """A grid too wide for numbers: two characters per patch, brightest at the largest weight."""
    largest = max(map(max, painted)) or 1.0
    for row, weights in enumerate(painted):
        line = Text(f"{row:>{margin - 1}} ", _DIM)
        for weight in weights:
            share = weight / largest
            if colored:
                line.append("  ", Style(bgcolor=color(share)))
            else:
                line.append(shade(share) * 2)
        console.print(line, soft_wrap=True)
