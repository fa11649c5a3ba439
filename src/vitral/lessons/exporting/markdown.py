"""A lesson's text as Markdown again, its numbers filled in, for what reads Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vitral.lessons import tree
from vitral.lessons.lesson import Lesson
from vitral.lessons.manifest import NumberEntry
from vitral.lessons.shelf import Shelf

Language = Literal["es", "en"]

HEADS = {
    "es": {
        "predict": "Antes de mirar",
        "exercise": "Ejercicio",
        "yours": "Con lo tuyo",
        "after": "Después",
    },
    "en": {
        "predict": "Before you look",
        "exercise": "Exercise",
        "yours": "With your own",
        "after": "Afterwards",
    },
}


@dataclass(frozen=True)
class Part:
    """A stretch of text, a figure (its name and values), or a piece of code."""

    kind: Literal["text", "figure", "code"]
    text: str
    values: dict[str, Any] | None = None


def parts_of(shelf: Shelf, lesson: Lesson, language: Language) -> list[Part]:
    """The lesson in reading order; figures and code stand between its stretches of text."""
    found: list[Part] = []
    for part in _Writer(shelf, lesson, language).parts():
        if part.kind == "text" and found and found[-1].kind == "text":
            found[-1] = Part("text", f"{found[-1].text}\n\n{part.text}")
        else:
            found.append(part)
    return found


def number_text(value: float, entry: NumberEntry, language: Language) -> str:
    """A number as the prose shows it."""
    if entry.percent:
        written = f"{100 * value:.{1 if entry.digits is None else entry.digits}f} %"
    elif entry.digits is not None:
        written = f"{value:.{entry.digits}f}"
    else:
        written = f"{value:.3g}"
    return written.replace(".", ",") if language == "es" else written


class _Writer:
    def __init__(self, shelf: Shelf, lesson: Lesson, language: Language) -> None:
        self.lesson = lesson
        self.language = language
        self.heads = HEADS[language]
        self.numbers = {
            name: number_text(shelf.number(lesson, entry), entry, language)
            for name, entry in lesson.manifest.numbers.items()
        }

    def parts(self) -> list[Part]:
        title = getattr(self.lesson.manifest.title, self.language)
        found = [Part("text", f"# {title}")]
        for block in self.lesson.prose[self.language]:
            found.append(Part("text", f"## {self.inlines(block.title)}"))
            found += self.pieces(block.pieces)
        return found

    def pieces(self, pieces: Sequence[Any]) -> list[Part]:
        found: list[Part] = []
        for piece in pieces:
            found += self.piece(piece)
        return found

    def piece(self, piece: Any) -> list[Part]:
        if isinstance(piece, tree.ProseFigure):
            return [*self.pieces(piece.children), Part("figure", piece.name, piece.values)]
        if isinstance(piece, tree.ProseCodeCell):
            return [Part("code", self.lesson.manifest.code[piece.name])]
        if isinstance(piece, tree.ProsePrediction | tree.ProseExercise | tree.ProseYours):
            head = Part("text", f"### {self.heads[piece.kind]}")
            listed = getattr(piece, "options", getattr(piece, "claims", []))
            options = [Part("text", f"- {self.inlines(each)}") for each in listed]
            after = [Part("text", f"*{self.heads['after']}*"), *self.pieces(piece.after)]
            return [head, *self.pieces(piece.children), *options, *(after if piece.after else [])]
        return [Part("text", self.text(piece))]

    def text(self, piece: Any) -> str:
        if isinstance(piece, tree.ProseParagraph):
            return self.inlines(piece.children)
        if isinstance(piece, tree.ProseEquation):
            return f"$${piece.tex}$$"
        if isinstance(piece, tree.ProseList):
            mark = "1." if piece.ordered else "-"
            items = [" ".join(self.text(each) for each in item) for item in piece.items]
            return "\n".join(f"{mark} {item}" for item in items)
        assert isinstance(piece, tree.ProseQuote)
        return "\n".join(f"> {self.text(each)}" for each in piece.children)

    def inlines(self, parts: Sequence[Any]) -> str:
        return "".join(self.inline(part) for part in parts)

    def inline(self, part: Any) -> str:
        kinds: dict[str, Callable[[], str]] = {
            "text": lambda: part.text,
            "code": lambda: f"`{part.text}`",
            "formula": lambda: f"${part.tex}$",
            "number": lambda: f"**{self.numbers[part.name]}**",
            "emphasis": lambda: f"*{self.inlines(part.children)}*",
            "strong": lambda: f"**{self.inlines(part.children)}**",
            "link": lambda: self.inlines(part.children),
        }
        return kinds[part.kind]()
