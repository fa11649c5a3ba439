"""Modern Spanish for the bundled models: what they learn from beside the books, and what not.

    python benchmarks/modern_texts.py --data ../shared/data --out runs/textos

Reads the folders `conferencias`, `libros-de-texto` and `paralelo-en-es` of `--data`, and writes
text files that `vitral train` takes as a source:

    conferencias.txt        every second press conference, so that the models do not only talk
                            politics
    estadistica.txt …       textbooks and Python's documentation
    frases.txt              the Spanish sentences of Tatoeba, each once
    apartados/*.txt         held out: one conference in fifty, one chapter of the four textbooks
                            in fifty, one fiftieth of the documentation

Paragraphs with a formula left out ("[…]") and those that are rather numbers than words are
dropped. A chapter starts where "Introducción" stands alone. Documentation has no chapters; its
paragraphs are cut into fifty runs of one length. Which part is held out depends on its place
only. No training paragraph of at least 60 characters stands in a held-out part as well. The same
data gives the same files, byte for byte.
"""

import argparse
import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

EVERY = 50
"""One part in so many is held out, the one in the middle of each fifty."""

TEXTBOOKS = ("estadistica", "fisica", "precalculo", "quimica")
DOCUMENTATION = "python"
REPEATED = 60
"""The least length, in characters, of a paragraph that may not stand on both sides."""

LETTERS = 0.75
"""The least share of letters and spaces in a paragraph that is kept."""

Part = list[str]
"""The paragraphs of a conference, a chapter, a run of documentation."""


def paragraphs(text: str) -> Part:
    """The paragraphs of prose in `text`."""
    blocks = (block.strip() for block in re.split(r"\n\s*\n", text))
    return [block for block in blocks if block and is_prose(block)]


def is_prose(block: str) -> bool:
    """Whether a paragraph is words, none of them left out.

    >>> is_prose("El área es […] veces mayor."), is_prose("$50 $40 $36"), is_prose("Prefacio")
    (False, False, True)
    """
    words = sum(character.isalpha() or character.isspace() for character in block)
    return "[…]" not in block and words >= LETTERS * len(block)


def conferences(folder: Path) -> list[Part]:
    """All press conferences, in the order of their years."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt")))
    return [paragraphs(part) for text in texts for part in re.split(r"\n\n\n+", text)]


def chapters(text: str) -> list[Part]:
    """The chapters of a textbook; what stands before the first one belongs to it."""
    starts = [match.start() for match in re.finditer(r"(?m)^Introducción$", text)][1:]
    bounds = [0, *starts, len(text)]
    return [paragraphs(text[first:last]) for first, last in pairwise(bounds)]


def runs(text: str) -> list[Part]:
    """Documentation in fifty runs of paragraphs."""
    found = paragraphs(text)
    bounds = [len(found) * number // EVERY for number in range(EVERY + 1)]
    return [found[first:last] for first, last in pairwise(bounds)]


def sentences(path: Path) -> Part:
    """The Spanish sentences of a file of pairs, each once, in an order that tells nothing."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = {line.split("\t")[1].strip() for line in lines}
    return sorted(found, key=lambda sentence: hashlib.blake2b(sentence.encode()).digest())


def is_held_out(number: int) -> bool:
    """Whether the part of that number, counted from 0, is kept apart."""
    return number % EVERY == EVERY // 2


def without(parts: Iterable[Part], apart: Iterable[Part]) -> Iterator[str]:
    """The paragraphs of `parts` that do not stand in `apart`."""
    kept_back = {block for part in apart for block in part if len(block) >= REPEATED}
    return (block for part in parts for block in part if block not in kept_back)


def write(path: Path, blocks: Iterable[str]) -> None:
    """Write paragraphs with blank lines between, and say how much it is."""
    text = "\n\n".join(blocks) + "\n"
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(text.encode()) / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with those three")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    arguments = parser.parse_args()
    data, out = arguments.data, arguments.out
    books = data / "libros-de-texto"
    parts = {"conferencias": conferences(data / "conferencias")}
    parts |= {
        name: chapters((books / f"{name}.txt").read_text(encoding="utf-8")) for name in TEXTBOOKS
    }
    documentation = (books / f"{DOCUMENTATION}.txt").read_text(encoding="utf-8")
    parts[DOCUMENTATION] = runs(documentation)

    kept: dict[str, list[Part]] = {name: [] for name in parts}
    apart: dict[str, list[Part]] = {name: [] for name in parts}
    number = 0  # of a chapter, counted through the four textbooks
    for name, found in parts.items():
        first = number if name in TEXTBOOKS else 0
        for place, part in enumerate(found, first):
            (apart if is_held_out(place) else kept)[name].append(part)
        number += len(found) if name in TEXTBOOKS else 0
    kept["conferencias"] = kept["conferencias"][::2]

    (out / "apartados").mkdir(parents=True, exist_ok=True)
    for name in parts:
        write(out / f"{name}.txt", without(kept[name], apart[name]))
        if apart[name]:
            write(out / "apartados" / f"{name}.txt", (b for part in apart[name] for b in part))
    write(out / "frases.txt", sentences(data / "paralelo-en-es" / "tatoeba.tsv"))


if __name__ == "__main__":
    main()
