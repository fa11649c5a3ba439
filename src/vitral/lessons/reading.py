"""From Markdown to the typed tree: CommonMark with the few parts of MyST that lessons use.

    (sigmoid)=                      a block begins: its name, then its heading
    % es: 3f2a9c01                  English only: the digest of the Spanish block it renders
    ## The sigmoid

    The slope at 10 is {number}`slope_at_ten`, and $\\sigma'(x) = \\sigma(x)(1 - \\sigma(x))$.

    ```{figure} curves
    :x: 10
    A caption.
    ```

Directives: figure, predict, exercise, yours, code-cell. In `predict`, `exercise` and `yours`, a
line of three dashes parts what is read first from what is read afterwards; the list at the end of
a question holds its options, that of `yours` its claims.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from vitral.errors import VitralError
from vitral.lessons import tree

_DIRECTIVE = re.compile(r"^\{([a-z-]+)\}\s*(\S*)\s*$")
_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")
_RENDERS = re.compile(r"^es:\s*([0-9a-f]{8})$")
_START = re.compile(r"^\(([^)\s]+)\)=[ \t]*$", re.M)


def parser() -> MarkdownIt:
    """Markdown as lessons may use it: no HTML, no pictures."""
    found = MarkdownIt("commonmark", {"html": False}).disable("image")
    return (
        found.use(dollarmath_plugin, double_inline=False)
        .use(myst_block_plugin)
        .use(myst_role_plugin)
    )


def digest_of(text: str) -> str:
    """The first eight digits of a block's SHA-256; blanks at line ends do not count."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def read_prose(text: str, where: str) -> list[tree.ProseBlock]:
    """The blocks of one language's text.

    Raises VitralError("lesson_text") with the file (`where`), the line and what is wrong there.
    """
    return _Reader(where).blocks(text)


class _Reader:
    def __init__(self, where: str) -> None:
        self.where = where
        self.first_line = 1

    def fail(self, node: SyntaxTreeNode | None, reason: str) -> VitralError:
        place = None if node is None or node.is_root else node.map
        line = self.first_line + (place[0] if place else 0)
        return VitralError("lesson_text", file=self.where, line=line, reason=reason)

    def blocks(self, text: str) -> list[tree.ProseBlock]:
        starts = list(_START.finditer(text))
        if not starts or text[: starts[0].start()].strip():
            raise self.fail(None, "a text begins with the name of its first block: (name)=")
        ends = [*(start.start() for start in starts[1:]), len(text)]
        found = []
        for start, end in zip(starts, ends, strict=True):
            self.first_line = text.count("\n", 0, start.start()) + 1
            found.append(self.block(start[1], text[start.start() : end]))
        return found

    def block(self, name: str, text: str) -> tree.ProseBlock:
        renders = None
        title: list[Any] | None = None
        pieces: list[Any] = []
        for node in SyntaxTreeNode(parser().parse(text)).children:
            if node.type == "myst_target":
                continue
            if node.type == "myst_line_comment":
                said = _RENDERS.match(node.content.strip())
                renders = said[1] if said else renders
            elif node.type == "heading" and title is None and not pieces:
                title = self.inline(node.children)
            elif title is None:
                raise self.fail(node, "a block has a heading before anything else")
            else:
                pieces.append(self.piece(node))
        if title is None:
            raise self.fail(None, "a block has a heading before anything else")
        return tree.ProseBlock(
            name=name, title=title, pieces=pieces, digest=digest_of(text), renders=renders
        )

    def pieces(self, nodes: Sequence[SyntaxTreeNode]) -> list[Any]:
        return [self.piece(node) for node in nodes]

    def piece(self, node: SyntaxTreeNode) -> Any:
        if node.type == "paragraph":
            return tree.ProseParagraph(kind="paragraph", children=self.inline(node.children))
        if node.type == "math_block":
            return tree.ProseEquation(kind="equation", tex=node.content.strip())
        if node.type in ("bullet_list", "ordered_list"):
            items = [self.pieces(item.children) for item in node.children]
            return tree.ProseList(kind="list", ordered=node.type == "ordered_list", items=items)
        if node.type == "blockquote":
            return tree.ProseQuote(kind="quote", children=self.pieces(node.children))
        if node.type == "fence":
            return self.directive(node)
        raise self.fail(node, f"lessons have no {node.type.replace('_', ' ')}")

    def directive(self, node: SyntaxTreeNode) -> Any:
        named = _DIRECTIVE.match(node.info)
        if named is None or not named[2]:
            raise self.fail(node, "a fence is a directive with a name: ```{figure} name")
        kind, name = named[1], named[2]
        options, body = _options(node.content)
        if options and kind != "figure":
            raise self.fail(node, f"{kind} takes no options")
        if kind == "code-cell":
            return tree.ProseCodeCell(kind="code_cell", name=name)
        children = SyntaxTreeNode(parser().parse(body)).children
        if kind == "figure":
            below = self.pieces(children)
            return tree.ProseFigure(kind="figure", name=name, values=options, children=below)
        before, after = _parted(children)
        if kind == "exercise":
            return tree.ProseExercise(
                kind="exercise", name=name, children=self.pieces(before), after=self.pieces(after)
            )
        listed: list[Any] = []
        if before and before[-1].type == "bullet_list":
            for item in before[-1].children:
                inlines = [self.inline(each.children) for each in item.children]
                listed.append([part for one in inlines for part in one])
            before = before[:-1]
        values: dict[str, Any] = {"name": name, "children": self.pieces(before)}
        values["after"] = self.pieces(after)
        if kind == "predict":
            return tree.ProsePrediction(kind="predict", options=listed, **values)
        if kind == "yours":
            return tree.ProseYours(kind="yours", claims=listed, **values)
        raise self.fail(node, f"lessons have no directive {kind}")

    def inline(self, nodes: Sequence[SyntaxTreeNode]) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if node.type == "inline":
                found += self.inline(node.children)
            else:
                found.append(self.one_inline(node))
        return found

    def one_inline(self, node: SyntaxTreeNode) -> Any:
        if node.type in ("text", "softbreak", "hardbreak"):
            return tree.ProseText(kind="text", text=node.content if node.type == "text" else " ")
        if node.type == "code_inline":
            return tree.ProseCode(kind="code", text=node.content)
        if node.type in ("math_inline", "math_single"):
            return tree.ProseFormula(kind="formula", tex=node.content)
        if node.type in ("em", "strong"):
            kind: Any = {"em": "emphasis"}.get(node.type, "strong")
            return tree.ProseStyled(kind=kind, children=self.inline(node.children))
        if node.type == "myst_role":
            if node.meta["name"] != "number":
                raise self.fail(node, f"lessons have no role {node.meta['name']}")
            return tree.ProseNumber(kind="number", name=node.content)
        if node.type == "link":
            to = str(node.attrs["href"])
            if not re.match(r"^(/[\w?=&.+%-]*|[a-z][a-z0-9_]*)$", to):
                raise self.fail(node, f"a link leads to a lesson or within Studio, not to {to}")
            return tree.ProseLink(kind="link", to=to, children=self.inline(node.children))
        raise self.fail(node, f"lessons have no {node.type.replace('_', ' ')}")


def _options(content: str) -> tuple[dict[str, Any], str]:
    """The `:name: value` lines that a directive's body begins with, and the rest."""
    options: dict[str, Any] = {}
    lines = content.splitlines()
    while lines and (option := _OPTION.match(lines[0])):
        options[option[1]] = yaml.safe_load(option[2])
        lines.pop(0)
    return options, "\n".join(lines)


def _parted(
    nodes: Sequence[SyntaxTreeNode],
) -> tuple[list[SyntaxTreeNode], list[SyntaxTreeNode]]:
    """What stands before and after a line of three dashes."""
    at = next((at for at, node in enumerate(nodes) if node.type == "hr"), len(nodes))
    return list(nodes[:at]), list(nodes[at + 1 :])
