"""`vitral export`: a model as one file for another program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.cli.new_file import NewFile
from vitral.messages import message

if TYPE_CHECKING:
    from vitral.exporting.gguf_file import Exported


def export(
    model: Annotated[str, Parameter(help=message("cli.export.model"))],
    /,
    *,
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    to: Annotated[str, Parameter(help=message("cli.export.as"))] = "gguf",
    precision: Annotated[str, Parameter(help=message("cli.export.precision"))] = "f16",
    save: Annotated[Path | None, Parameter(help=message("cli.export.save"))] = None,
    overwrite: Annotated[bool, Parameter(help=message("cli.trace.overwrite"), negative="")] = False,
) -> None:
    """Write a model in another program's format."""
    from vitral.exporting.formats import check

    check(to, precision)
    import vitral

    if save is not None:
        target = NewFile(save, overwrite)
        opened = vitral.load(model, base=base)
    else:
        opened = vitral.load(model, base=base)
        target = NewFile(Path(f"{Path(opened.name).name}-{precision}.{to}"), overwrite)
    written: list[Exported] = []
    target.write(lambda path: written.append(opened.export(path, to=to, precision=precision)))
    _report(target.path, written[0])


def _report(path: Path, written: "Exported") -> None:
    from vitral.tracing.memory.byte_size import ByteSize

    console = Console(highlight=False, soft_wrap=True)
    size = ByteSize(written.num_bytes)
    said = message("cli.export.saved", path=path, size=size, precision=written.precision)
    console.print(Text(said))
    if written.kept_f16:
        names = ", ".join(written.kept_f16[:4]) + (" …" if len(written.kept_f16) > 4 else "")
        console.print(
            Text(message("cli.export.kept_f16", count=len(written.kept_f16), names=names))
        )
    for note in written.notes:
        console.print(Text(message(f"export.{note}")))
