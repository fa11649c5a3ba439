"""Messages, documentation and code use the field's plain words: CONTRIBUTING.md, "Words we use".

A phrase below is one that was written here once, and that a reader stumbled over. The failure
names what to write in its place. Of the code, docstrings and comments are checked.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MESSAGES = ROOT / "src" / "vitral" / "assets" / "messages"
CARDS = ROOT / "src" / "vitral" / "assets" / "models"

ENGLISH = {
    r"\(else [\w.]+\)": "(default: …)",
    r"if not given\b": "default: …",
    r"if nothing is said": "default: …",
    r"\b(bits|nats|tokens|bytes|cells?|perplexity) an? (byte|token|word|second|head|cell)\b": "per",
    r"\bcompany vectors\b": "co-occurrence vectors",
    r"\blikeliest\b": "most likely",
    r"\bwhoever\b|\bsomebody\b|\bnobody\b": "name the agent: Vitral, the page, a client, no token",
    r"\b(is|are|was) told\b": "name the agent: the page says",
    r"\bis said\b|\bis said so\b": "name the agent: Vitral says",
    r"\btakes? (it )?back\b|\btaken back\b": "undo",
    r"\bnewest\b": "most recent",
    r"\bthe processor\b|(?<!image )\bprocessor's\b|\bprocessor time\b": "CPU",
    r"\b(at|of) each look\b|\blooks at held-out\b": "evaluation",
    r"\bgoes? on with\b|\bgoing on from\b": "resume, continue",
    r"\bone word too many\b": "not expected here",
    r"\bpiped in\b": "standard input",
    r"\bgreatest\b": "largest",
    r"\bin a way of its own\b": "with code of its own",
    r"\bheld-out loss\b": "validation loss",
}
IN_CODE = ENGLISH | {
    r"\bmay look\b|\bthose (that look|looked at)\b": "see, attend to, query, key, masked",
    r"\bgives? back\b|\bgave back\b": "return, undo, release",
    r"\b(is|are|be) had\b": "name what it is",
    r"\bgo(es|ing)? on (from|with)\b": "resume, continue, start from",
    r"\b(writes?|writing|written) (it |a text )?on (from|with|alike)\b": "continue",
    r"\bunless (it is )?told\b|\bunless a person\b": "by default",
    r"\bforeseen?\b": "estimate, forecast",
    r"\bas it stands\b": "current state",
    r"\bpieces of work\b": "jobs",
    r"\bdrawn by lot\b": "random",
    r"\bcannot take (it|them)\b|\bthe disk (refuses|does not take)\b": "cannot be written",
}
"""In docstrings and comments, also these."""

SPANISH = {
    r"\(si no, ": "(por defecto, …)",
    r"\bsi no se (indica|dice)\b|\blo habitual\b|\blo normal\b": "por defecto",
    r"\brastro\b": "traza",
    r"\bórden(es)?\b|\bla orden\b|\bninguna orden\b": "comando",
    r"\bprocesador\b(?! de imágenes)": "CPU",
    r"\b(esta|la) máquina\b|\bordenador\b": "equipo",
    r"\bcuentas\b|\baritmética\b": "cálculo",
    r"\btuberías?\b": "aristas, o entrada estándar",
    r"\bsortea\b|\bsorteo\b": "muestrea, muestreo",
    r"\botra suerte\b": "otra semilla",
    r"\bmiradas? (al|a lo)\b|\buna mirada y otra\b": "evaluación",
    r"\blo reservado\b": "validación",
    r"\bpuntos? guardados?\b": "punto de control",
    r"\ba quién\b": "a qué",
    r"\becha(n|r)? de menos\b": "di cuánto peor se predice el texto",
    r"\bdejarla hablar\b": "reactivar esta cabeza",
    r"\bcorriente residual\b": "flujo residual",
    r"(?<![-\w])lleva \{": "se esperaba",
}
PLAIN_TEXT = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|\"[^\"]*\"|“[^”]*”", re.DOTALL)
"""Code, addresses and quotations are other people's words."""


def english_pages() -> list[Path]:
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    docs = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "primeros-pasos.md"]
    return [*top, *docs, ROOT / "benchmarks" / "README.md", *CARDS.glob("*/README.md")]


def spanish_pages() -> list[Path]:
    return [
        ROOT / "README.es.md",
        ROOT / "docs" / "primeros-pasos.md",
        *CARDS.glob("*/README.es.md"),
    ]


def stumbled(text: str, phrases: dict[str, str]) -> list[str]:
    """Each phrase found, with what to write in its place."""
    return [
        f"“{found[0]}”: write {instead}"
        for phrase, instead in phrases.items()
        if (found := re.search(phrase, text, re.IGNORECASE))
    ]


@pytest.mark.parametrize(
    ("language", "phrases"), [("en", ENGLISH), ("es", SPANISH)], ids=["en", "es"]
)
def test_messages_are_plain(language: str, phrases: dict[str, str]) -> None:
    found = {
        key: mistakes
        for path in MESSAGES.glob(f"*.{language}.json")
        for key, text in json.loads(path.read_text(encoding="utf-8")).items()
        if (mistakes := stumbled(text, phrases))
    }
    assert not found


@pytest.mark.parametrize(
    ("page", "phrases"),
    [
        *((page, ENGLISH) for page in english_pages()),
        *((page, SPANISH) for page in spanish_pages()),
    ],
    ids=lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else "",
)
def test_pages_are_plain(page: Path, phrases: dict[str, str]) -> None:
    text = page.read_text(encoding="utf-8").partition("## Words we use")[0]
    assert not stumbled(PLAIN_TEXT.sub(" ", text), phrases)


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings and comments of a file, with their lines."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for line in body if isinstance(body, list) else []:
            if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
                yield line.lineno, str(line.value.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize(
    "package",
    sorted(path for path in (ROOT / "src" / "vitral").iterdir() if path.name[0] != "_"),
    ids=lambda path: path.name,
)
def test_code_is_plain(package: Path) -> None:
    files = package.rglob("*.py") if package.is_dir() else [package]
    found = {
        f"{path.relative_to(ROOT)}:{line}": mistakes
        for path in files
        if path.suffix == ".py"
        for line, text in prose_of(path.read_text(encoding="utf-8"))
        if (mistakes := stumbled(PLAIN_TEXT.sub(" ", text), IN_CODE))
    }
    assert not found


def test_docstrings_and_comments_are_read_and_code_is_not() -> None:
    source = 'newest = "likeliest"  # whoever\n\n\ndef f():\n    """Nobody."""\n'
    assert [text for _, text in prose_of(source)] == ["Nobody.", "# whoever"]


def test_a_phrase_is_found_and_its_replacement_named() -> None:
    assert stumbled("The model's name (else bert).", ENGLISH) == [
        "“(else bert)”: write (default: …)"
    ]
    assert stumbled("Semilla (si no, 0).", SPANISH) == ["“(si no, ”: write (por defecto, …)"]
