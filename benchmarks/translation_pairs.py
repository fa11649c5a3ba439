"""Pairs for the bundled translator: Spanish to English, cleaned, and what is held out.

    python benchmarks/translation_pairs.py --data ../shared/data --out runs/pares

Reads `paralelo-en-es` and writes "Spanish TAB English", a pair a line:

    entrenamiento.tsv        what a translator learns from
    apartados/tatoeba.tsv    held out: 2,000 pairs of Tatoeba
    apartados/otros.tsv      held out: 500 of Python's documentation and of XQuAD's questions

Many pairs are variants of one sentence, so it is sentences that are held out, not lines: no pair
that is learned from shares its Spanish or its English with a held-out one, whatever their case,
accents and marks. Dropped are pairs of which one side is empty, much longer than the other, longer
than a hundred words, rather code than words, or the same as the other; and pairs that were there
before, case, accents and marks left aside. The same data gives the same files, byte for byte.
"""

import argparse
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

TATOEBA, OTHERS = 2000, 500
"""How many pairs are held out."""

MOST_WORDS = 100
LONGER = 2.0
"""How many times as long, in characters, one side may be as the other …"""

SLACK = 12
"""… when so many characters are added to both: short sentences differ more."""

OTHERS_THAN_LETTERS = 0.3
"""The largest share of what is neither letters nor spaces; three marks are never too many."""

Pair = tuple[str, str]
"""Spanish, English."""


def plain(sentence: str) -> str:
    """A sentence by which it is known: without case, accents and marks.

    >>> plain("¿Qué hora  es?") == plain("que hora es")
    True
    """
    letters = unicodedata.normalize("NFD", sentence.casefold())
    kept = "".join(each if each.isalnum() or each.isspace() else "" for each in letters)
    return " ".join(kept.split())


def pairs_of(path: Path, *, labelled: bool = False) -> Iterator[Pair]:
    """The pairs of a file "English TAB Spanish"; of a labelled one the questions (Q)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = unicodedata.normalize("NFC", line).split("\t")
        if labelled:
            kind, *parts = parts
            if kind != "Q":
                continue
        if len(parts) == 2:
            english, spanish = (" ".join(part.split()) for part in parts)
            yield spanish, english


def is_sound(pair: Pair) -> bool:
    """Whether the two can be translations of each other."""
    spanish, english = pair
    if not plain(spanish) or not plain(english) or plain(spanish) == plain(english):
        return False
    shorter, longer = sorted((len(spanish) + SLACK, len(english) + SLACK))
    words = max(len(spanish.split()), len(english.split()))
    return longer <= LONGER * shorter and words <= MOST_WORDS and all(map(is_prose, pair))


def is_prose(sentence: str) -> bool:
    """Whether a sentence is rather words than code."""
    marks = sum(not (each.isalpha() or each.isspace()) for each in sentence)
    return marks <= max(3, OTHERS_THAN_LETTERS * len(sentence))


def different(pairs: Iterable[Pair]) -> list[Pair]:
    """The sound pairs, each once."""
    found: dict[Pair, Pair] = {}
    for pair in pairs:
        if is_sound(pair):
            found.setdefault((plain(pair[0]), plain(pair[1])), pair)
    return list(found.values())


def drawn(pairs: list[Pair], count: int) -> list[Pair]:
    """So many pairs, no two with the same Spanish; which ones depends on their Spanish only."""
    by_spanish: dict[str, Pair] = {}
    for pair in pairs:
        by_spanish.setdefault(plain(pair[0]), pair)
    order = sorted(by_spanish, key=lambda text: hashlib.blake2b(text.encode()).digest())
    return [by_spanish[text] for text in order[:count]]


def apart_from(pairs: list[Pair], held_out: Iterable[Pair]) -> list[Pair]:
    """The pairs that share neither side with a held-out one."""
    taken = [set(map(plain, side)) for side in zip(*held_out, strict=True)]
    return [
        pair
        for pair in pairs
        if all(plain(text) not in side for text, side in zip(pair, taken, strict=True))
    ]


def write(path: Path, pairs: Iterable[Pair]) -> None:
    lines = ["\t".join(pair) for pair in pairs]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(lines):,} pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with paralelo-en-es")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    arguments = parser.parse_args()
    folder = arguments.data / "paralelo-en-es"
    tatoeba = different(pairs_of(folder / "tatoeba.tsv"))
    others = different(
        [
            *pairs_of(folder / "python_docs.tsv"),
            *pairs_of(folder / "xquad_en_es.tsv", labelled=True),
        ]
    )
    held_out = {"tatoeba": drawn(tatoeba, TATOEBA), "otros": drawn(others, OTHERS)}
    every = [pair for pairs in held_out.values() for pair in pairs]
    write(arguments.out / "entrenamiento.tsv", apart_from([*tatoeba, *others], every))
    for name, pairs in held_out.items():
        write(arguments.out / "apartados" / f"{name}.tsv", pairs)


if __name__ == "__main__":
    main()
