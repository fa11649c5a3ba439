"""The files of a new lesson, which pass the tests as they stand: a beginning to be written over.

In Vitral's own folder a lesson has Python: its figures, solution and mistakes. Elsewhere it is data
only: it shows figures of Vitral's lessons, and its exercise has cases in the place of a solution.
"""

import re
from pathlib import Path

from vitral.errors import VitralError
from vitral.lessons.shelf import OURS, our_lessons
from vitral.lessons.translating import mark_translated

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")

_MANIFEST = """\
number: {number}
title: {{es: "{name}", en: "{name}"}}
summary: {{es: De qué trata la lección., en: What the lesson is about.}}
minutes: 15
blocks: [opening, exercises]

{words}figures:
  line:
    experiment: {experiment}
    title: {{es: Una recta, en: A line}}
    values: {values}
    controls:
      {parameter}: {{label: {{es: {parameter}, en: {parameter}}}, range: [-5, 5], step: 0.1}}
    sentence:
      es: "Con {parameter} = {{{parameter}}} el valor es {{{value}}}."
      en: "With {parameter} = {{{parameter}}} the value is {{{value}}}."

numbers:
  at_two: {{figure: line, values: {{{parameter}: 2}}, value: {value}}}

predictions:
  guess:
    figure: line
    values: {{{parameter}: 2}}
    value: {value}
    range: [-10, 10]
    step: 0.5
    tolerance: 0.3

exercises:
  read: {{kind: observe, figure: line, values: {{{parameter}: 1}}, value: {value}, tolerance: 0.05}}
  move:
    kind: tune
    figure: line
    until: [{{value: {value}, at_least: {goal}}}]
    solution: {{{parameter}: 4}}
  write:
    kind: write
    function: double
    arguments: [x]
    start: |
      def double(x):
          return x
{judged}"""

_JUDGED = """\
    inputs: [{range: [-5, 5]}]
    mistakes:
      squared:
        es: Eso es el cuadrado. El doble es la suma del número consigo mismo.
        en: That is the square. The double is the number added to itself.
"""
_CASES = """\
    cases:
      - [[1], 2]
      - [[-3], -6]
"""
_WORDS = """\
words:
  height: {es: altura, en: height}

"""
_FIGURES = '''\
"""The lesson's experiments."""

from pydantic import Field

from vitral.lessons.experiment import Parameters, experiment
from vitral.lessons.picture import Curve, CurvesPicture, Drawing, MovedPoint


class At(Parameters):
    """A place on the line."""

    x: float = Field(0.0, ge=-5, le=5)


@experiment
def line(at: At) -> Drawing:
    """The line y = 2x, and the place x on it."""
    places = [float(x) for x in range(-5, 6)]
    return Drawing(
        values={"y": 2 * at.x},
        pictures=[
            CurvesPicture(
                kind="curves",
                label="height",
                x_label="x",
                y_label="y",
                x_range=(-5, 5),
                y_range=(-10, 10),
                curves=[Curve(label="y = 2x", x=places, y=[2 * x for x in places])],
                points=[MovedPoint(label="y", x=at.x, y=2 * at.x, sets_x="x")],
            )
        ],
    )
'''
_PROSE = {
    "es": """\
(opening)=
## Un comienzo

Aquí empieza la lección, con su idea y su fórmula, $y = 2x$.

```{predict} guess
¿Cuánto vale la figura en 2?

---

Vale {number}`at_two`.
```

```{figure} line
Mueve el control y lee la frase.
```

(exercises)=
## Tres ejercicios

```{exercise} read
Lee el valor en 1.

---

Se lee en la frase de la figura.
```

```{exercise} move
Mueve la figura hasta que el valor llegue al que se pide.

---

Basta con llevar el control a 4.
```

```{exercise} write
Escribe una función que devuelva el doble de un número.

---

Se multiplica por 2.
```
""",
    "en": """\
(opening)=
## A beginning

Here the lesson begins, with its idea and its formula, $y = 2x$.

```{predict} guess
What is the figure's value at 2?

---

It is {number}`at_two`.
```

```{figure} line
Move the control and read the sentence.
```

(exercises)=
## Three exercises

```{exercise} read
Read the value at 1.

---

It stands in the figure's sentence.
```

```{exercise} move
Move the figure until the value reaches what is asked for.

---

Taking the control to 4 is enough.
```

```{exercise} write
Write a function that returns the double of a number.

---

Multiply by 2.
```
""",
}
_SOLUTION = (
    '"""The functions that the exercises ask for."""\n\n\ndef double(x):\n    return 2 * x\n'
)
_MISTAKE = "def double(x):\n    return x * x\n"


def make_lesson(name: str, folder: Path | None = None) -> Path:
    """Write a new lesson below `folder` (by default Vitral's own); the folder written.

    Raises VitralError: lesson_name, lesson_there, file_unwritable.
    """
    if not _NAME.fullmatch(name):
        raise VitralError("lesson_name", name=name)
    ours = folder is None
    path = (OURS if folder is None else folder) / name
    if path.exists():
        raise VitralError("lesson_there", folder=str(path))
    try:
        for file, text in _files(name, ours).items():
            (path / file).parent.mkdir(parents=True, exist_ok=True)
            (path / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise VitralError("file_unwritable", path=path, reason=error.strerror) from error
    mark_translated(path)
    return path


def _files(name: str, ours: bool) -> dict[str, str]:
    number = 1 + max((lesson.manifest.number for lesson in our_lessons()), default=0)
    values = {
        "number": number,
        "name": name.replace("_", " ").capitalize(),
        "experiment": "line" if ours else "activations.curves",
        "values": "{x: 0}" if ours else "{activation: tanh, x: 0}",
        "parameter": "x",
        "value": "y" if ours else "output",
        "goal": 6 if ours else 0.99,
        "words": _WORDS if ours else "",
        "judged": _JUDGED if ours else _CASES,
    }
    files = {"lesson.yaml": _MANIFEST.format(**values)}
    files |= {f"{language}.md": text for language, text in _PROSE.items()}
    if ours:
        files |= {
            "__init__.py": "",
            "figures.py": _FIGURES,
            "solution.py": _SOLUTION,
            "mistakes/__init__.py": "",
            "mistakes/squared.py": _MISTAKE,
        }
    return files
