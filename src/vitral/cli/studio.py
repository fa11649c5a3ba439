"""`vitral studio`: the page that shows a model's attention, served from this machine."""

import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

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
    host: Annotated[str, Parameter(help=message("cli.studio.host"))] = "127.0.0.1",
    port: Annotated[int, Parameter(help=message("cli.studio.port"))] = 8321,
    no_browser: Annotated[
        bool, Parameter(help=message("cli.studio.no_browser"), negative="")
    ] = False,
) -> None:
    """Start Studio, print its address, open a browser if there is one."""
    from vitral.studio.gate.hosts import is_loopback
    from vitral.studio.rooms.learn.settings import LearnSettings
    from vitral.studio.rooms.train.settings import TrainSettings
    from vitral.studio.server import serve

    def announce(address: str) -> None:
        console = Console(soft_wrap=True, highlight=False)
        console.print(Text.assemble("Vitral Studio  ", (address, f"bold link {address}")))
        console.print(Text(message("cli.studio.stop"), style="dim"))
        sys.stdout.flush()
        if not no_browser and has_browser():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    learn = LearnSettings(lessons=lessons, runs_code=run_code or is_loopback(host))
    serve(model, host, port, announce, [TrainSettings(runs=runs, texts=text), learn])
    sys.stdout.flush()
    os._exit(
        0
    )  # Python would wait for a thread that still runs a model, whose result is not needed


def has_browser() -> bool:
    """Whether the user of this terminal would see a browser window."""
    if os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in {"darwin", "win32"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
