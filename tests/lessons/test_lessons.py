"""Every lesson, by the checks that all pass; and each check finds what it is for.

One lesson alone: pytest tests/lessons/test_lessons.py -k NAME
"""

import shutil
from pathlib import Path

import pytest

from vitral.errors import VitralError
from vitral.lessons import checking, skeleton
from vitral.lessons.checking import CHECKS, problems_of
from vitral.lessons.lesson import Lesson, read_lesson
from vitral.lessons.shelf import OURS, Shelf, folders_in, our_lessons

NAMES = [folder.name for folder in folders_in(OURS)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_lesson(shelf: Shelf, name: str, check: checking.Check) -> None:
    assert list(check(shelf, shelf.lesson(name))) == []


def test_lessons_have_numbers_of_their_own() -> None:
    numbers = [lesson.manifest.number for lesson in our_lessons()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 2


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new lesson of ours, in a folder that stands for Vitral's."""
    monkeypatch.setattr(skeleton, "OURS", tmp_path)
    return skeleton.make_lesson("mine")


def problems(folder: Path, *, ours: bool = True) -> list[str]:
    lesson = read_lesson(folder, ours=ours)
    return problems_of(Shelf(ours=[*our_lessons(), lesson]), lesson)


def test_a_new_lesson_passes(fresh: Path) -> None:
    assert problems(fresh) == []


def test_a_new_lesson_of_others_passes_and_no_code_of_theirs_is_run(tmp_path: Path) -> None:
    folder = skeleton.make_lesson("theirs", tmp_path)
    (folder / "figures.py").write_text("raise SystemExit('was run')")
    (folder / "solution.py").write_text("raise SystemExit('was run')")
    assert problems(folder, ours=False) == []
    shelf = Shelf([tmp_path])
    assert not shelf.lesson("theirs").ours
    assert shelf.lesson("theirs").experiments == {}


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        ("en.md", "$y = 2x$", "$y = 3x$", "formulas differ"),
        ("en.md", "It is {number}`at_two`.", "It is 4.", "numbers differ"),
        ("es.md", "Aquí empieza", "Así empieza", "the Spanish text is"),
        ("en.md", "(exercises)=", "(tasks)=", "its blocks are not those"),
        ("lesson.yaml", "value: y}\n\npre", "value: y, claim: 5}\n\npre", "is not 5"),
        ("lesson.yaml", "range: [-10, 10]", "range: [5, 10]", "out of its range"),
        ("lesson.yaml", "solution: {x: 4}", "solution: {x: 1}", "does not hold at its solution"),
        ("lesson.yaml", "at_least: 6", "at_least: -100", "before anything is moved"),
        ("solution.py", "2 * x", "x", "what the editor holds at first passes"),
        ("mistakes/squared.py", "x * x", "2 * x", "squared is taken for None"),
        ("lesson.yaml", "          return x\n", "          return 2 * x\n", "at first passes"),
        ("lesson.yaml", "With x = {x}", "With x = {z}", "names ['z']"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(fresh: Path, file: str, before: str, after: str, said: str) -> None:
    change(fresh / file, before, after)
    found = problems(fresh)
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("file", "before", "after", "key"),
    [
        ("lesson.yaml", "minutes: 15", "minuts: 15", "lesson_manifest"),
        ("lesson.yaml", "at_two: {figure: line", "at_two: {figure: circle", "lesson_manifest"),
        ("lesson.yaml", "number:", "number: [", "lesson_manifest"),
        ("es.md", "```{figure} line", "```{picture} line", "lesson_text"),
        ("es.md", "(opening)=\n## Un comienzo", "## Un comienzo", "lesson_text"),
        ("en.md", "$y = 2x$", "![y](y.png)", "lesson_text"),
        ("en.md", "$y = 2x$", "[y](http://example.org)", "lesson_text"),
        ("en.md", "{number}`at_two`", "{value}`at_two`", "lesson_text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line(
    fresh: Path, file: str, before: str, after: str, key: str
) -> None:
    change(fresh / file, before, after)
    with pytest.raises(VitralError) as error:
        read_lesson(fresh, ours=True)
    assert error.value.key == key
    assert len(error.value.lines("es")) == 1


def test_a_missing_text_is_named(fresh: Path) -> None:
    (fresh / "en.md").unlink()
    with pytest.raises(VitralError, match=r"en\.md"):
        read_lesson(fresh, ours=True)


def test_folders_without_lessons_and_names_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VitralError) as error:
        Shelf([tmp_path])
    assert error.value.key == "lesson_folder"
    shutil.copytree(OURS / "activations", tmp_path / "activations")
    with pytest.raises(VitralError) as error:
        Shelf([tmp_path])
    assert error.value.key == "lesson_twice"


def test_values_out_of_range_are_refused(shelf: Shelf) -> None:
    lesson: Lesson = shelf.lesson("activations")
    for values in ({"x": 1000}, {"z": 1}, {"activation": "cubic"}, {"x": float("nan")}):
        with pytest.raises(VitralError) as error:
            shelf.draw(lesson, "curves", values)
        assert error.value.key == "lesson_value"
