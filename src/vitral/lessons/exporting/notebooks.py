"""A lesson as a notebook: Jupyter's (nbformat) or marimo's (a Python file)."""

import json

from vitral.errors import VitralError
from vitral.lessons.exporting.markdown import Part

BEGIN = """\
from vitral.lessons.shelf import Shelf

shelf = Shelf()
lesson = shelf.lesson({name!r})
"""


def figure_code(part: Part) -> str:
    """Code that computes a figure, and ends in its values."""
    return f"shelf.draw(lesson, {part.text!r}, {part.values or {}!r}).values"


def notebook(name: str, parts: list[Part]) -> str:
    """A Jupyter notebook, as JSON. Raises VitralError("lesson_needs_library")."""
    try:
        from nbformat import v4, writes
    except ImportError as error:
        command = "pip install 'vitral[learn]'"
        raise VitralError("lesson_needs_library", kind="notebook", command=command) from error
    cells = [v4.new_code_cell(BEGIN.format(name=name).strip())]
    for number, part in enumerate(parts):
        if part.kind == "text":
            cells.append(v4.new_markdown_cell(part.text))
        else:
            code = part.text.strip() if part.kind == "code" else figure_code(part)
            cells.append(v4.new_code_cell(code))
        cells[-1]["id"] = f"part-{number}"
    written: str = writes(v4.new_notebook(cells=cells))
    return written


def marimo(name: str, parts: list[Part]) -> str:
    """A marimo notebook. Names in its cells are local: each piece of code is a function."""
    cells = ["import marimo\n\napp = marimo.App()\n", _cell(_import("mo"), "mo")]
    lines = BEGIN.format(name=name).strip().splitlines()
    cells.append(_cell("\n".join(lines), "lesson, shelf"))
    for part in parts:
        if part.kind == "text":
            quoted = json.dumps(part.text, ensure_ascii=False)
            cells.append(_cell(f"mo.md({quoted})", "", "mo"))
        elif part.kind == "figure":
            cells.append(_cell(figure_code(part), "", "lesson, shelf"))
        else:
            body = "\n".join(f"    {line}".rstrip() for line in part.text.strip().splitlines())
            cells.append(_cell(f"def _shown():\n{body}\n\n_shown()", ""))
    cells.append('if __name__ == "__main__":\n    app.run()\n')
    return "\n\n".join(cells)


def _import(name: str) -> str:
    return f"import marimo as {name}"


def _cell(code: str, gives: str, takes: str = "") -> str:
    body = "\n".join(f"    {line}".rstrip() for line in code.splitlines())
    gives = f"{gives}," if gives and "," not in gives else gives
    return f"@app.cell\ndef _({takes}):\n{body}\n    return {gives}".rstrip() + "\n"
