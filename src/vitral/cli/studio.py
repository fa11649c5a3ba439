"""`vitral studio`: the page that shows a model's attention, served from this machine."""

import os
import sys
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from vitral.messages import message


def studio(
    *,
    model: Annotated[
        tuple[str, ...],
        Parameter(help=message("cli.studio.model"), negative="", consume_multiple=True),
    ] = (),
    base: Annotated[str | None, Parameter(help=message("cli.base"))] = None,
    runs: Annotated[Path, Parameter(help=message("cli.studio.runs"))] = Path("runs"),
    text: Annotated[
        tuple[str, ...],
        Parameter(help=message("cli.studio.text"), negative="", consume_multiple=True),
    ] = (),
    lessons: Annotated[
        tuple[Path, ...],
        Parameter(help=message("cli.studio.lessons"), negative="", consume_multiple=True),
    ] = (),
    run_code: Annotated[bool, Parameter(help=message("cli.studio.run_code"), negative="")] = False,
    host: Annotated[str | None, Parameter(help=message("cli.studio.host"))] = None,
    port: Annotated[int, Parameter(help=message("cli.studio.port"))] = 8321,
    class_: Annotated[
        bool, Parameter(name="--class", help=message("cli.studio.class"), negative="")
    ] = False,
    no_browser: Annotated[
        bool, Parameter(help=message("cli.studio.no_browser"), negative="")
    ] = False,
) -> None:
    """Start Studio, print its address, open a browser if there is one."""
    from vitral.studio.gate.entry import CLASS
    from vitral.studio.gate.hosts import is_loopback
    from vitral.studio.opener import forget
    from vitral.studio.rooms.learn.settings import LearnSettings
    from vitral.studio.rooms.train.settings import TrainSettings
    from vitral.studio.server import Doors, serve

    openers: list[Path] = []

    def announce(doors: Doors) -> None:
        console = Console(soft_wrap=True, highlight=False)
        once = doors.once
        console.print(Text.assemble("Vitral Studio  ", (once, f"bold link {once}")))
        if doors.keys is not None:
            console.print(Text(message("cli.studio.key", address=doors.address)))
            console.print(Text(f"  {doors.keys.key}", "bold"))
        if doors.keys is not None and doors.keys.reading is not None:
            console.print(Text(message("cli.studio.class_key", page=f"{doors.address}{CLASS[1:]}")))
            console.print(Text(f"  {doors.keys.reading}", "bold"))
            _print_code(f"{doors.address}?token={doors.keys.reading}")
        console.print(Text(message("cli.studio.stop"), style="dim"))
        sys.stdout.flush()
        if not no_browser and has_browser():
            shown = doors.opener()
            if doors.keys is not None:
                openers.append(Path(unquote(urlsplit(shown).path)).parent)
            threading.Thread(target=webbrowser.open, args=(shown,), daemon=True).start()

    if host is None:
        host = "0.0.0.0" if class_ else "127.0.0.1"
    learn = LearnSettings(lessons=lessons, runs_code=run_code or is_loopback(host))
    rooms = [TrainSettings(runs=runs, texts=text), learn]
    serve(model, host, port, announce, rooms, for_class=class_, base=base)
    for folder in openers:
        forget(folder)
    sys.stdout.flush()
    os._exit(
        0
    )  # Python would wait for a thread that still runs a model, whose result is not needed


def _print_code(address: str) -> None:
    """A QR code of the address, for phones."""
    import segno

    with suppress(UnicodeEncodeError):  # a terminal without half blocks
        segno.make(address, error="l").terminal(out=sys.stdout, border=2, compact=True)


def has_browser() -> bool:
    """Whether the user of this terminal would see a browser window."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
