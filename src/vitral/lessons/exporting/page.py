"""A lesson as one HTML file that works offline: text, formulas as MathML, figures as tables."""

import html
from collections.abc import Mapping

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from vitral.errors import VitralError
from vitral.lessons.exporting.markdown import Language, Part
from vitral.lessons.lesson import Lesson
from vitral.lessons.shelf import Shelf

_STYLE = """\
:root { color-scheme: light dark; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1.1rem/1.6 Georgia, serif; }
table { border-collapse: collapse; margin: 1rem 0; font: 0.95rem/1.4 system-ui, sans-serif; }
td, th { padding: 0.2rem 0.8rem; border-bottom: 1px solid #8888; text-align: left; }
pre { overflow-x: auto; padding: 0.8rem; background: #8882; }
math[display="block"] { margin: 1rem 0; }
"""


def page(shelf: Shelf, lesson: Lesson, language: Language, parts: list[Part]) -> str:
    """The file. Raises VitralError("lesson_needs_library")."""
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        command = "pip install 'vitral[learn]'"
        raise VitralError("lesson_needs_library", kind="page", command=command) from error

    def formula(tex: str, options: Mapping[str, bool]) -> str:
        shape = "block" if options.get("display_mode") else "inline"
        return str(convert(tex, display=shape))

    reader = MarkdownIt("commonmark", {"html": False})
    reader.use(dollarmath_plugin, renderer=formula)
    body = []
    for part in parts:
        if part.kind == "text":
            body.append(reader.render(part.text))
        elif part.kind == "code":
            body.append(f"<pre><code>{html.escape(part.text.strip())}</code></pre>")
        else:
            body.append(_table(shelf, lesson, language, part))
    title = html.escape(getattr(lesson.manifest.title, language))
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style>\n{''.join(body)}</html>\n"
    )


def _table(shelf: Shelf, lesson: Lesson, language: Language, part: Part) -> str:
    figure = lesson.figure(part.text)
    drawing = shelf.draw(lesson, part.text, part.values)
    title = html.escape(getattr(figure.title, language))
    known = {**figure.values, **(part.values or {}), **drawing.values}
    sentence = getattr(figure.sentence, language)
    for name, value in known.items():
        sentence = sentence.replace("{" + name + "}", _shown(value, language))
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(_shown(value, language))}</td></tr>"
        for name, value in drawing.values.items()
    )
    return f"<h4>{title}</h4><p>{html.escape(sentence)}</p><table>{rows}</table>"


def _shown(value: object, language: Language) -> str:
    if isinstance(value, float):
        written = f"{value:.4g}"
        return written.replace(".", ",") if language == "es" else written
    return str(value)
