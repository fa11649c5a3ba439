"""The imports of every file, read and not run: Python's, and the front end's.

Also those by a name in a string: where a module calls `import_module`, every string in it that
names a module of ours counts, alone or behind the fixed beginning of what is imported.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vitral"
WEB = ROOT / "web" / "src"


def module_of(path: Path) -> str:
    """A file's name as it is imported: "vitral.tracing.trace"."""
    name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


def modules_imported(source: str, *, for_types: bool = True) -> set[str]:
    """What of ours a module imports, wherever in it the import stands; names that are not
    modules count as the module that has them. Without `for_types`, what stands behind
    TYPE_CHECKING is left out."""
    tree = ast.parse(source)
    names = list(_written_out(tree, for_types)) + list(_by_name(tree))
    found = set()
    for name in names:
        while name not in MODULES and "." in name:
            name = name.rpartition(".")[0]
        if name in MODULES:
            found.add(name)
    return found


def _written_out(node: ast.AST, for_types: bool) -> Iterator[str]:
    if isinstance(node, ast.If) and not for_types and "TYPE_CHECKING" in ast.unparse(node.test):
        for child in node.orelse:
            yield from _written_out(child, for_types)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written out in full"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _written_out(child, for_types)


def _by_name(tree: ast.Module) -> Iterator[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    imports = [call for call in calls if ast.unparse(call.func).endswith("import_module")]
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for call in imports:
        written = call.args[0]
        beginning = ""
        if isinstance(written, ast.JoinedStr) and isinstance(written.values[0], ast.Constant):
            beginning = str(written.values[0].value)
        yield from (name for each in strings if (name := f"{beginning}{each}") in MODULES)


_IMPORT = re.compile(
    r"""(?:^|[\s;{])(?:import|export)\s+(type\s)?[^"'()]*?from\s*["']([^"']+)["']"""
    r"""|(?:^|[\s;{])import\s*["']([^"']+)["']"""
    r"""|\bimport\(\s*["']([^"']+)["']"""
)


def web_files() -> dict[str, Path]:
    """The front end's files by their paths below web/src, without an ending: "trace/lines"."""
    endings = {".ts", ".svelte", ".css"}
    found = [path for path in sorted(WEB.rglob("*")) if path.suffix in endings]
    return {path.relative_to(WEB).as_posix(): path for path in found}


def web_imported(
    source: str, path: str, known: dict[str, Path], *, for_types: bool = True
) -> set[str]:
    """What of the front end's files the file at `path` imports; packages are left out."""
    found = set()
    for match in _IMPORT.finditer(source):
        of_types, *targets = match.groups()
        target = next(each for each in targets if each)
        if not target.startswith(".") or (of_types and not for_types):
            continue
        joined = (WEB / path).parent.joinpath(target).resolve().relative_to(WEB).as_posix()
        found |= {each for each in (joined, f"{joined}.ts") if each in known}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of files that import one another in a circle, by Tarjan's algorithm."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            place = stack.index(name)
            together = sorted(stack[place:])
            del stack[place:]
            if len(together) > 1 or name in graph[name]:
                found.append(together)

    for name in graph:
        if name not in number:
            visit(name)
    return found
