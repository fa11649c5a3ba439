"""`vitral train`: train a model on your own text."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vitral.errors import VitralError
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.training.recipes.recipe import Recipe


def train(
    *sources: Annotated[str, Parameter(help=message("cli.train.sources"))],
    recipe: Annotated[Path | None, Parameter(help=message("cli.train.recipe"))] = None,
    out: Annotated[Path | None, Parameter(help=message("cli.train.out"))] = None,
    minutes: Annotated[float | None, Parameter(help=message("cli.train.minutes"))] = None,
    steps: Annotated[int | None, Parameter(help=message("cli.train.steps"))] = None,
    set_: Annotated[
        tuple[str, ...], Parameter(name="--set", help=message("cli.train.set"), negative="")
    ] = (),
    from_: Annotated[str | None, Parameter(name="--from", help=message("cli.train.from"))] = None,
    name: Annotated[str | None, Parameter(help=message("cli.train.name"))] = None,
    device: Annotated[str, Parameter(help=message("cli.train.device"))] = "auto",
    threads: Annotated[int | None, Parameter(help=message("cli.train.threads"))] = None,
    compile: Annotated[bool, Parameter(help=message("cli.train.compile"), negative="")] = False,
    parallel: Annotated[
        Literal["data", "sharded"] | None, Parameter(help=message("cli.train.parallel"))
    ] = None,
    tensorboard: Annotated[
        bool, Parameter(help=message("cli.train.tensorboard"), negative="")
    ] = False,
) -> int:
    """Train a model on texts, or resume a run that was stopped."""
    if minutes is not None and steps is not None:
        raise VitralError("options_clash", first="--minutes", second="--steps")
    for option, value in (("--minutes", minutes), ("--steps", steps), ("--threads", threads)):
        if value is not None and not value > 0:
            raise VitralError("option_not_positive", option=option, value=value)
    for option, number, most in (
        ("--minutes", minutes, 1_000_000),
        ("--steps", steps, 1_000_000_000),
        ("--threads", threads, 1024),
    ):
        if number is not None and not number <= most:
            raise VitralError("option_range", option=option, value=number, least=0, most=most)
    for path in (*sources, *(str(each) for each in (out, recipe, from_) if each is not None)):
        _check_utf8(path)
    from vitral.cli.train_recipe import settings_of
    from vitral.cli.train_run import Order, carry_out
    from vitral.training.recipes.recipe_file import read_recipe
    from vitral.training.runs.run_folder import RunFolder
    from vitral.training.runs.stopping import interrupted_by_signals

    settings = settings_of(set_, name=name, minutes=minutes, steps=steps)
    given = None if recipe is None else read_recipe(recipe, settings)
    title = _title(name, given, sources, out)
    folder = RunFolder(out if out is not None else Path("runs") / title)
    order = Order(
        folder=folder,
        sources=sources,
        name=title,
        recipe=given,
        settings=settings,
        minutes=minutes,
        start=from_,
        device=device,
        threads=threads,
        compiled=compile,
        kind=parallel,
        tensorboard=tensorboard,
    )
    try:
        with interrupted_by_signals():
            return carry_out(order)
    except KeyboardInterrupt:
        line = message("train.interrupted", out=shlex.quote(str(folder.out)))
        print(line, file=sys.stderr)
        return 130


def _check_utf8(path: str) -> None:
    """Raises `path_not_utf8`: a run notes its sources in files of text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = path.encode(errors="replace").decode()
        raise VitralError("path_not_utf8", path=shown) from None


def _title(
    name: str | None, recipe: "Recipe | None", sources: tuple[str, ...], out: Path | None
) -> str:
    """Its name: as given, or that of its recipe or text. Raises `sources_missing`."""
    if name is not None or recipe is not None:
        return name if name is not None else recipe.name if recipe is not None else ""
    if sources:
        return Path(sources[0].removeprefix("hf:")).stem or "texto"
    if out is None:
        raise VitralError("sources_missing")
    return out.name
