"""Messages and documentation use the field's plain words: CONTRIBUTING.md, "Words we use".

A phrase below is one that was written here once, and that a reader stumbled over. The failure
names what to write in its place.
"""

import json
import re
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


def test_a_phrase_is_found_and_its_replacement_named() -> None:
    assert stumbled("The model's name (else bert).", ENGLISH) == [
        "“(else bert)”: write (default: …)"
    ]
    assert stumbled("Semilla (si no, 0).", SPANISH) == ["“(si no, ”: write (por defecto, …)"]
