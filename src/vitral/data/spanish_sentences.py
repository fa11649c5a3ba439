"""Spanish sentences made by a small grammar: a text to learn from, of any length.

    La niña que miraba a los perros estaba cansada.
    Aquella tarde los panaderos jugaban cerca del río contentos.

Every sentence is correct, and each poses the same question in many ways: which word does this one
agree with? In "La niña que miraba a los perros estaba cansada", *estaba* and *cansada* agree with
*niña*, five words before, and not with *perros*, which stands beside them. A model that predicts
them has to look back past the nearer noun, and its attention shows whether it does.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple


class Noun(NamedTuple):
    """One and many; `feminine` decides the article and the adjective's end."""

    one: str
    many: str
    feminine: bool


_PEOPLE = [
    Noun("niño", "niños", False),
    Noun("niña", "niñas", True),
    Noun("abuela", "abuelas", True),
    Noun("maestro", "maestros", False),
    Noun("maestra", "maestras", True),
    Noun("pintor", "pintores", False),
    Noun("vecina", "vecinas", True),
    Noun("panadero", "panaderos", False),
    Noun("perro", "perros", False),
    Noun("gata", "gatas", True),
    Noun("caballo", "caballos", False),
    Noun("paloma", "palomas", True),
]
_THINGS = [
    Noun("libro", "libros", False),
    Noun("carta", "cartas", True),
    Noun("manzana", "manzanas", True),
    Noun("sombrero", "sombreros", False),
    Noun("flor", "flores", True),
    Noun("reloj", "relojes", False),
]
_KINDS = ["pequeñ", "viej", "delgad", "tímid", "hermos", "distraíd"]
_OF_THINGS = ["pequeñ", "viej", "nuev", "hermos", "blanc", "roj"]
_MOODS = ["cansad", "content", "sol", "tranquil", "nervios"]
_CONDITIONS = [*_MOODS, "quiet", "dormid", "perdid", "despiert"]
_STATES = [("estaba", "estaban"), ("parecía", "parecían"), ("seguía", "seguían")]
_SEES = [
    ("miraba", "miraban"),
    ("buscaba", "buscaban"),
    ("perseguía", "perseguían"),
    ("escuchaba", "escuchaban"),
    ("encontró", "encontraron"),
    ("llamó", "llamaron"),
]
_HOLDS = [("tenía", "tenían"), ("llevaba", "llevaban"), ("perdió", "perdieron"), ("vio", "vieron")]
_GOES = [
    ("corrió", "corrieron"),
    ("cantaba", "cantaban"),
    ("durmió", "durmieron"),
    ("esperaba", "esperaban"),
    ("jugaba", "jugaban"),
    ("lloró", "lloraron"),
]
_PLACES = [
    "en el jardín",
    "en la calle",
    "cerca del río",
    "en la plaza",
    "bajo la lluvia",
    "junto a la ventana",
    "detrás de la casa",
]
_TIMES = ["ayer", "por la mañana", "aquella tarde", "en otoño", "después de la tormenta"]


def sentences(count: int, seed: int = 0) -> Iterator[str]:
    """So many sentences, always the same for one seed."""
    draw = random.Random(seed)
    for _ in range(count):
        yield _sentence(draw)


def _sentence(draw: random.Random) -> str:
    kinds = _KINDS if draw.random() < 0.25 else None
    subject, noun, many = _phrase(draw, _PEOPLE, kinds)
    if draw.random() < 0.5:
        subject += " " + _clause(draw, many)
    words = f"{subject} {_predicate(draw, noun, many)}"
    if draw.random() < 0.2:
        words += f" y {_predicate(draw, noun, many)}"
    if draw.random() < 0.3:
        time = draw.choice(_TIMES)
        return f"{time[0].upper()}{time[1:]} {words}."
    return f"{words[0].upper()}{words[1:]}."


def _phrase(
    draw: random.Random, nouns: list[Noun], kinds: list[str] | None = None
) -> tuple[str, Noun, bool]:
    """A noun with its article, and an adjective of `kinds`: "las flores rojas"."""
    noun, many = draw.choice(nouns), draw.random() < 0.45
    article = {(False, False): "el", (False, True): "la", (True, False): "los", (True, True): "las"}
    words = f"{article[many, noun.feminine]} {noun.many if many else noun.one}"
    if kinds is not None:
        words += " " + _agreeing(draw.choice(kinds), noun, many)
    return words, noun, many


def _clause(draw: random.Random, many: bool) -> str:
    """What stands between the subject and what agrees with it: "que miraba a los perros"."""
    if draw.random() < 0.6:
        other, _, _ = _phrase(draw, _PEOPLE)
        verb = draw.choice(_SEES)[many]
        return f"que {verb} " + (f"al {other[3:]}" if other.startswith("el ") else f"a {other}")
    thing, _, _ = _phrase(draw, _THINGS, _OF_THINGS if draw.random() < 0.3 else None)
    return f"que {draw.choice(_HOLDS)[many]} {thing}"


def _predicate(draw: random.Random, noun: Noun, many: bool) -> str:
    kind = draw.random()
    if kind < 0.55:
        return f"{draw.choice(_STATES)[many]} {_agreeing(draw.choice(_CONDITIONS), noun, many)}"
    words = f"{draw.choice(_GOES)[many]} {draw.choice(_PLACES)}"
    return words if kind < 0.85 else words + " " + _agreeing(draw.choice(_MOODS), noun, many)


def _agreeing(stem: str, noun: Noun, many: bool) -> str:
    """The adjective in the noun's gender and number."""
    return stem + ("a" if noun.feminine else "o") + ("s" if many else "")
