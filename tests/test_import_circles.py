"""No file imports itself by way of others: neither in Python, wherever the import stands, nor in
the front end. Imports for types alone are apart: they are gone when the program runs."""

import pytest

from imports import MODULES, circles, modules_imported, web_files, web_imported
from test_import_direction import UPWARDS


def python_graph() -> dict[str, set[str]]:
    """What each module imports, but for the arrows that point up by declaration."""
    graph = {}
    for module, path in MODULES.items():
        found = modules_imported(path.read_text(encoding="utf-8"), for_types=False)
        up = UPWARDS.get(module, set())
        graph[module] = {each for each in found - {module} if not {*each.split(".")[1:2]} & up}
    return graph


def test_python_has_no_circle() -> None:
    assert not circles(python_graph())


def test_the_front_end_has_no_circle() -> None:
    known = web_files()
    graph = {
        path: web_imported(file.read_text(encoding="utf-8"), path, known, for_types=False)
        for path, file in known.items()
    }
    assert any(graph.values())
    assert not circles(graph)


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"d"}}, [["d"], ["a", "b", "c"]]),
    ],
)
def test_a_circle_is_found(graph: dict[str, set[str]], found: list[list[str]]) -> None:
    assert circles(graph) == found


def test_what_counts_as_an_import() -> None:
    lines = (
        "if TYPE_CHECKING:\n    import vitral.model\nelse:\n    import vitral.errors\n"
        "def f():\n    from vitral.tracing import trace\n"
    )
    assert modules_imported(lines, for_types=False) == {"vitral.errors", "vitral.tracing.trace"}
    assert "vitral.model" in modules_imported(lines)
    home = MODULES["vitral.tracing"].read_text(encoding="utf-8")
    assert "vitral.tracing.files.open_trace" in modules_imported(home, for_types=False)
