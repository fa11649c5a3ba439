"""The documents of a corpus on their two sides, and which of the held-out ones are evaluated on.

The cost of an evaluation is that of its text, and a run makes many. So it reads the beginnings of
held-out documents, and of these at most as many as a recipe allows (`evaluate_characters`), a
random sample of them: its cost is bounded, for ten books as for a million notes.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from vitral.data.corpus import Document, read_documents
from vitral.data.split import Split, draw, plan_split, split_documents
from vitral.training.recipes.recipe import Recipe

SAMPLE_CHARACTERS = 60_000
"""How much of each held-out document the evaluations during training read, at most."""


class HeldOut:
    """Collects the text of a run's evaluations while the documents are streamed."""

    def __init__(self, recipe: Recipe) -> None:
        self._most, self._seed = recipe.evaluate_characters, recipe.seed
        self._kept: list[tuple[float, int, str]] = []  # the largest lots first
        self._size = 0
        self._whole = True
        self._characters = {False: 0, True: 0}
        self._documents = {False: 0, True: 0}

    def add(self, document: Document, *, held_out: bool) -> None:
        """The next document, on its side."""
        self._characters[held_out] += len(document.text)
        self._documents[held_out] += 1
        if not held_out:
            return
        text = document.text[:SAMPLE_CHARACTERS]
        lot = draw(f"evaluated:{document.name}", self._seed)
        heappush(self._kept, (-lot, self._documents[True], text))
        self._size += len(text)
        while len(self._kept) > 1 and self._size - len(self._kept[0][2]) >= self._most:
            self._size -= len(heappop(self._kept)[2])
            self._whole = False

    @property
    def texts(self) -> list[str]:
        """The beginnings of held-out documents: all in their order, or, of more than are read,
        in the order of their lots."""
        ordered = sorted(self._kept, key=lambda kept: kept[1] if self._whole else -kept[0])
        return [text for _, _, text in ordered]

    @property
    def counts(self) -> dict[str, Any]:
        """How the corpus was split."""
        total = sum(self._characters.values())
        return {
            "documents": sum(self._documents.values()),
            "held_out": self._documents[True],
            "share_of_text": self._characters[True] / max(1, total),
        }


class Corpus:
    """The documents that a recipe reads from `sources`; can be read repeatedly."""

    def __init__(self, recipe: Recipe, sources: Sequence[str | Path]) -> None:
        self._recipe, self._sources = recipe, sources

    def training(self, held_out: HeldOut | None = None) -> Iterator[Document]:
        """The training documents as a stream; `held_out` receives all documents."""
        data = self._recipe.data
        for document, apart in split_documents(
            self._read(), self._split, seed=self._recipe.seed, cleaning=data.cleaning
        ):
            if held_out is not None:
                held_out.add(document, held_out=apart)
            if not apart:
                yield document

    @cached_property
    def _split(self) -> list[str] | Split:
        """The held-out documents: those named, or a random choice that is the same every time."""
        data = self._recipe.data
        if isinstance(data.held_out, list):
            return data.held_out
        return plan_split(self._read(), data.held_out, self._recipe.seed)

    def _read(self) -> Iterator[Document]:
        data = self._recipe.data
        return read_documents(self._sources, text_field=data.text_field, cleaning=data.cleaning)


def within(texts: Sequence[str], most: int) -> list[str]:
    """The first of `texts` that have `most` characters together; the last of them is cut, and
    there is at least one."""
    found: list[str] = []
    for text in texts:
        if found and most <= 0:
            break
        found.append(text if len(text) <= most or not text[:most].strip() else text[:most])
        most -= len(text)
    return found
