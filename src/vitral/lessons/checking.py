"""What is wrong with a lesson, found by machine: for the tests, and for `vitral lessons check`.

Both languages have the same blocks, formulas, numbers and parts; every name leads somewhere; every
figure can be drawn at its values and at the ends of its controls; every claim holds; every solution
passes and every mistake fails with words of its own.
"""

import string
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from vitral.errors import VitralError
from vitral.lessons import tree
from vitral.lessons.answering import holding, right_answer, tuned
from vitral.lessons.lesson import Lesson
from vitral.lessons.manifest import Control, ObserveEntry, PredictEntry, TuneEntry
from vitral.lessons.running.judge import judge
from vitral.lessons.running.process import run_code
from vitral.lessons.running.properties import PROPERTIES
from vitral.lessons.shelf import Shelf

Problems = Iterator[str]
Check = Callable[[Shelf, Lesson], Problems]


def problems_of(shelf: Shelf, lesson: Lesson) -> list[str]:
    """One line for each thing that is wrong; none for a lesson as it should be."""
    found: list[str] = []
    for check in CHECKS:
        try:
            found += check(shelf, lesson)
        except VitralError as error:
            found.append(f"{check.__name__}: {error}")
    return found


def languages(shelf: Shelf, lesson: Lesson) -> Problems:
    """Both texts have the manifest's blocks, and in each the same formulas, numbers and parts."""
    spanish, english = lesson.prose["es"], lesson.prose["en"]
    for language, blocks in lesson.prose.items():
        if [block.name for block in blocks] != lesson.manifest.blocks:
            yield f"{language}.md: its blocks are not those of lesson.yaml, in that order"
    for block, other in zip(spanish, english, strict=False):
        for what, kinds in _SAME.items():
            ours, theirs = _all(block, kinds), _all(other, kinds)
            if ours != theirs:
                yield f"block {block.name}: {what} differ: {ours} in Spanish, {theirs} in English"


def translated(shelf: Shelf, lesson: Lesson) -> Problems:
    """Each English block says which Spanish text it renders."""
    digests = {block.name: block.digest for block in lesson.prose["es"]}
    for block in lesson.prose["en"]:
        wanted = digests.get(block.name)
        if wanted is not None and block.renders != wanted:
            yield f'en.md, block {block.name}: the Spanish text is "% es: {wanted}" now'


def names(shelf: Shelf, lesson: Lesson) -> Problems:
    """Each part of the manifest stands in the prose once, and the prose names no other."""
    manifest = lesson.manifest
    parts: dict[str, dict[str, Any]] = {
        "predict": dict(manifest.predictions),
        "exercise": dict(manifest.exercises),
        "yours": dict(manifest.yours),
        "code_cell": dict(manifest.code),
    }
    for kind, known in parts.items():
        used = [name for block in lesson.prose["es"] for name in _all(block, (kind,))]
        if sorted(used) != sorted(known):
            yield f"{kind}: the prose has {used}, lesson.yaml {list(known)}"
    for kind, known in (("figure", manifest.figures), ("number", manifest.numbers)):
        used = [name for block in lesson.prose["es"] for name in _all(block, (kind,))]
        if set(used) - set(known) or (kind == "number" and set(known) - set(used)):
            yield f"{kind}: the prose has {sorted(set(used))}, lesson.yaml {list(known)}"
    for language, blocks in lesson.prose.items():
        for piece in (piece for block in blocks for piece in _walk(block)):
            if isinstance(piece, tree.ProsePrediction):
                options = manifest.predictions[piece.name].options or []
                if len(piece.options) != len(options):
                    yield f"{language}.md: {piece.name} lists {len(piece.options)} options"
            if isinstance(piece, tree.ProseYours):
                claims = manifest.yours[piece.name].claims
                if len(piece.claims) != len(claims):
                    yield f"{language}.md: {piece.name} lists {len(piece.claims)} claims"
    for needed in manifest.needs:
        if needed not in shelf.lessons:
            yield f"needs: there is no lesson {needed}"
    for link in (piece.to for block in lesson.prose["es"] for piece in _walk(block)
                 if isinstance(piece, tree.ProseLink)):  # fmt: skip
        if not link.startswith("/") and link not in shelf.lessons:
            yield f"a link leads to {link}, which is no lesson"


def figures(shelf: Shelf, lesson: Lesson) -> Problems:
    """Each figure can be drawn at its values and at the ends of each control; what its sentence
    names is there, and what is drawn is always finite."""
    for name, figure in lesson.manifest.figures.items():
        known = set(shelf.draw(lesson, name).values)
        known |= set(shelf.experiment(lesson, name).parameters.model_fields)
        for language, sentence in figure.sentence.model_dump().items():
            unknown = set(_placeholders(sentence)) - known
            if unknown:
                yield f"figure {name}: its {language} sentence names {sorted(unknown)}"
        for moved, control in figure.controls.items():
            for end in _ends(control):
                shelf.draw(lesson, name, {moved: end})
    for block in lesson.prose["es"]:
        for piece in _walk(block):
            if isinstance(piece, tree.ProseFigure):
                shelf.draw(lesson, piece.name, piece.values)


def numbers(shelf: Shelf, lesson: Lesson) -> Problems:
    """Every number of the prose is computed, and every claim about one holds."""
    for name, entry in lesson.manifest.numbers.items():
        found = shelf.number(lesson, entry)
        if entry.claim is not None and abs(found - entry.claim) > entry.tolerance:
            yield f"number {name}: {found!r} is not {entry.claim} ± {entry.tolerance}"
    for name, yours in lesson.manifest.yours.items():
        drawing = shelf.draw(lesson, yours.figure, yours.values)
        for wanted, holds in zip(yours.claims, holding(drawing, yours.claims), strict=True):
            if not holds:
                yield f"yours {name}: {wanted.value} is {drawing.values[wanted.value]!r}"


def questions(shelf: Shelf, lesson: Lesson) -> Problems:
    """Predictions and exercises ① and ② have answers, which are computed; none holds at once."""
    manifest = lesson.manifest
    for name, asked in manifest.predictions.items():
        answer = right_answer(shelf, lesson, asked)
        if asked.options is not None and str(answer) not in asked.options:
            yield f"predict {name}: {answer!r} is none of its options"
        if asked.range is not None and not _between(asked, answer):
            yield f"predict {name}: {answer!r} is out of its range"
    for name, exercise in manifest.exercises.items():
        if isinstance(exercise, ObserveEntry):
            right_answer(shelf, lesson, exercise)
        elif isinstance(exercise, TuneEntry):
            if all(tuned(shelf, lesson, exercise, {})):
                yield f"exercise {name}: holds before anything is moved"
            if not all(tuned(shelf, lesson, exercise, exercise.solution)):
                yield f"exercise {name}: does not hold at its solution"
        else:
            for word in set(exercise.properties) - PROPERTIES.keys():
                yield f"exercise {name}: there is no property {word}"


def code(shelf: Shelf, lesson: Lesson) -> Problems:
    """Every piece of code that is shown runs."""
    for name, shown in lesson.manifest.code.items():
        error = run_code(shown).error
        if error is not None:
            yield f"code {name}: {error}"


def functions(shelf: Shelf, lesson: Lesson) -> Problems:
    """The solution passes; what the editor holds at first does not; every mistake fails, and is
    told so in words that are its own."""
    for name, exercise in lesson.writes():
        if judge(lesson, name, exercise, exercise.start).passed:
            yield f"exercise {name}: what the editor holds at first passes"
        said = [words.es for words in exercise.mistakes.values()]
        said += [words.en for words in exercise.mistakes.values()]
        if len(set(said)) < len(said):
            yield f"exercise {name}: two mistakes are told the same"
        if not lesson.ours:
            continue
        source = (lesson.folder / "solution.py").read_text(encoding="utf-8")
        verdict = judge(lesson, name, exercise, source)
        if not verdict.passed:
            yield f"exercise {name}: the solution fails: {verdict.line}"
        for mistake in exercise.mistakes:
            wrong = (lesson.folder / "mistakes" / f"{mistake}.py").read_text(encoding="utf-8")
            found = judge(lesson, name, exercise, wrong)
            if found.passed or found.mistake != mistake:
                yield f"exercise {name}: {mistake} is taken for {found.mistake}: {found.line}"
    listed = {each for _, exercise in lesson.writes() for each in exercise.mistakes}
    files = {path.stem for path in lesson.folder.glob("mistakes/*.py")} - {"__init__"}
    if lesson.ours and files != listed:
        yield f"mistakes: lesson.yaml has {sorted(listed)}, the folder {sorted(files)}"


_SAME: dict[str, tuple[str, ...]] = {
    "formulas": ("formula", "equation"),
    "numbers": ("number",),
    "parts": ("figure", "predict", "exercise", "yours", "code_cell"),
}


def _walk(node: object) -> Iterator[Any]:
    """Every part of a block's tree, in reading order."""
    if isinstance(node, BaseModel):
        yield node
        for name in type(node).model_fields:
            yield from _walk(getattr(node, name))
    elif isinstance(node, list):
        for each in node:
            yield from _walk(each)


def _all(block: tree.ProseBlock, kinds: tuple[str, ...]) -> list[str]:
    """The names, or the formulas, of such parts; two languages may say numbers and formulas in
    another order."""
    found = [part for part in _walk(block) if getattr(part, "kind", "") in kinds]
    said = [part.tex if hasattr(part, "tex") else part.name for part in found]
    return sorted(said) if kinds[0] in ("formula", "number") else said


def _placeholders(sentence: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(sentence) if name]


def _ends(control: Control) -> list[Any]:
    if control.range is not None:
        return list(control.range)
    if control.switch:
        return [True, False]
    return list(control.options or ())


def _between(asked: PredictEntry, answer: object) -> bool:
    assert asked.range is not None
    low, high = asked.range
    return isinstance(answer, float | int) and low <= answer <= high


CHECKS: tuple[Check, ...] = (
    languages, names, translated, figures, numbers, questions, code, functions,
)  # fmt: skip
