"""What starts with an underscore is used in its own file only; others have a public interface."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "vitral"

ASKED_BY_NAME = {"_repr_mimebundle_"}
"""Names that others have given: Jupyter asks an object for this one."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in ASKED_BY_NAME


def defined_in(tree: ast.Module) -> set[str]:
    """The private members that a file makes: functions, classes, fields, attributes set."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return set(filter(is_private, names))


def borrowed(tree: ast.Module, ours: set[str]) -> set[str]:
    """Private members of another file's class that a file uses, and private names it imports.

    What a class inherits it may use of itself.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vitral":
            found |= {alias.name for alias in node.names if is_private(alias.name)}
        elif isinstance(node, ast.Attribute) and node.attr in ours - defined_in(tree):
            of_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not of_itself:
                found.add(f"{ast.unparse(node.value)}.{node.attr}")
    return found


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")}
OURS = set().union(*map(defined_in, TREES.values()))


@pytest.mark.parametrize("path", sorted(TREES), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_private_member_is_used_elsewhere(path: Path) -> None:
    assert not borrowed(TREES[path], OURS)


@pytest.mark.parametrize(
    "line", ["trace._records(None)", "from vitral.tracing.trace import _records", "a.b._records"]
)
def test_a_borrowed_member_is_seen(line: str) -> None:
    assert borrowed(ast.parse(line), {"_records"})
    assert not borrowed(ast.parse("self._records(None)"), {"_records"})
    assert not borrowed(ast.parse("def _records(): ...\nlike._records()"), {"_records"})
