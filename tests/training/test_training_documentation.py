"""docs/training.md: its commands run, and its table of entries is the recipe's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from vitral.training.recipes.recipe_entries import all_entries, takes

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)


def block(language: str) -> str:
    """The first block of that language."""
    return PAGE.split(f"```{language}\n")[1].split("```")[0]


def test_every_entry_stands_in_the_table_as_it_is() -> None:
    found = [row for row in ROW.findall(PAGE) if row[1] != "takes"]
    rows = {path: (kind, default) for path, kind, default in found}
    known = set()
    for path, schema in all_entries():
        form = path.partition("[")[2].partition("]")[0]
        name = path.replace(f"[{form}]", "")
        known.add(name)
        kind, default = rows[name]
        entries = {
            "model": {"form": form or "llama"},
            "phases": [{"teacher": {"model": "x"}}],
            "data": {"pairs": {}},
        }
        if name == "model.form":
            assert form in kind
            continue
        assert kind == takes(name.replace("*", "0"), entries, "en"), name
        value = schema.get("default", "—")
        said = value if isinstance(value, str) else json.dumps(value)
        told = [default, *(each.partition(" (")[0] for each in default.split("), "))]
        told += told[1].split(", ")
        assert said in told, name
    assert set(rows) == known


def test_the_commands_and_the_program_run(tmp_path: Path) -> None:
    (tmp_path / "receta.yaml").write_text(block("yaml"), encoding="utf-8")
    program = tmp_path / "bin" / "vitral"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vitral "$@"\n')
    program.chmod(0o755)
    commands = [line[2:] for line in PAGE.splitlines() if line.startswith("$ ")]
    (tmp_path / "program.py").write_text(block("python"), encoding="utf-8")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for line in [*commands, f"{sys.executable} program.py"]:
        result = subprocess.run(
            line,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert (result.returncode, result.stderr) == (0, ""), line
    assert (tmp_path / "gatos-2" / "model" / "model.safetensors").exists()
