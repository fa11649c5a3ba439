"""Which documents a model is trained on, and which are held out for evaluation.

Whole documents are held out, never random lines: neighbouring lines of one book share names and
turns of phrase, and a model that has seen half of them is not being tested. A corpus of a single
document has to be split within it, once, near its end.

Copies of a document, also near ones, are on the same side (`data.copies`): a memorised text is no
test. A share is one of the text, not of the documents: of two books, the larger is not held out.

Otherwise, whether a document is held out depends on the seed and on its own name only. So the
split stays the same while a corpus grows, and needs no list of what is in it.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vitral.data.copies import Copies
from vitral.data.corpus import Cleaning, Document, read_documents
from vitral.errors import VitralError

UNEVEN = 1.15
"""How much further than the share of documents the share of the text may be from the one that was
asked for, before the sizes of the documents decide as well."""


@dataclass(frozen=True)
class Split:
    """Which documents of a corpus are held out, by name; of how many there are, and the share of
    the text that they are. A corpus of one document is split within (`within`)."""

    names: frozenset[str]
    num_documents: int
    share_of_text: float
    within: float | None = None


def split_documents(
    documents: Iterable[Document],
    held_out: list[str] | float | Split,
    *,
    seed: int = 0,
    cleaning: Cleaning = "prose",
) -> Iterator[tuple[Document, bool]]:
    """A stream of documents, each with whether it is held out.

    `held_out` are names, where that of a .jsonl file, a dataset or a file read in parts means all
    of its documents; or the share (0 … 1) of the text to draw, or what `plan_split` has made of
    it. A share leaves at least one document on either side; one document alone is split by
    `split_text`. For a share, all documents must be known before the first one can be assigned:
    a source that can be read only once is kept in a temporary file.

    Raises VitralError: `held_out_missing` (names that the corpus does not have, known at its
    end), `training_empty` (nothing is left to train on), `document_too_short`.
    """
    if isinstance(held_out, list):
        return _by_name(documents, held_out)
    if isinstance(held_out, Split):
        return _by_plan(documents, held_out, cleaning)
    return _by_share(documents, held_out, seed, cleaning)


def read_corpus(folder: Path, held_out: Sequence[str]) -> tuple[list[Document], list[Document]]:
    """The training and the held-out documents of a folder of prose, all of them in memory.

    Raises what `read_documents` and `split_documents` raise.
    """
    kept: list[Document] = []
    apart: list[Document] = []
    for document, is_held_out in split_documents(read_documents([folder]), list(held_out)):
        (apart if is_held_out else kept).append(document)
    return kept, apart


def plan_split(documents: Iterable[Document], share: float, seed: int = 0) -> Split:
    """Which of `documents` are held out so that they are about that share of the text."""
    names: list[str] = []
    sizes: list[int] = []
    copies = Copies()
    for document in documents:
        names.append(document.name)
        sizes.append(len(document.text))
        copies.add(document.text)
    if len(names) < 2:
        return Split(frozenset(), len(names), share, within=share)
    groups = _groups(copies, sizes)
    drawn = sorted((min(draw(names[n], seed) for n in group), group) for group in groups)
    sized = [(number, group, sum(sizes[n] for n in group)) for number, group in drawn]
    held = _as_drawn(sized, share)
    total = sum(sizes)
    by_text = _off(sum(sized[n][2] for n in held) / total, share)
    by_count = _off(sum(len(sized[n][1]) for n in held) / len(names), share)
    if by_text > UNEVEN and by_text > UNEVEN * by_count:
        held = _by_size(sized, share, total)
    chosen = [n for place in held for n in sized[place][1]]
    return Split(
        frozenset(names[n] for n in chosen), len(names), sum(sizes[n] for n in chosen) / total
    )


def _groups(copies: Copies, sizes: list[int]) -> list[list[int]]:
    """Documents that go to one side together. What is more than half of the text is no set of
    copies but a way of writing (forms, a table row by row), and comes apart again."""
    near, same, total = copies.groups(), copies.groups(near=False), sum(sizes)
    for labels in (near, same):
        texts: dict[int, int] = {}
        for label, size in zip(labels, sizes, strict=True):
            texts[label] = texts.get(label, 0) + size
        large = {label for label, size in texts.items() if 2 * size > total}
        finer = same if labels is near else range(len(sizes))
        near = [finer[n] if near[n] in large else near[n] for n in range(len(sizes))]
    found: dict[int, list[int]] = {}
    for number, label in enumerate(near):
        found.setdefault(label, []).append(number)
    return list(found.values())


def _as_drawn(sized: list[tuple[float, list[int], int]], share: float) -> list[int]:
    """The groups whose lot is below the share, at least one and not all."""
    below = sum(number < share for number, _, _ in sized)
    return list(range(min(max(below, 1), len(sized) - 1)))


def _by_size(sized: list[tuple[float, list[int], int]], share: float, total: int) -> list[int]:
    """As drawn, but a group that would bring the share of the text no nearer stays."""
    held: list[int] = []
    size = 0
    for place, (_, _, more) in enumerate(sized):
        if abs(size + more - share * total) < abs(size - share * total):
            held.append(place)
            size += more
    if not held:  # the smallest overshoots, and another would do so by more
        held = [min(range(len(sized)), key=lambda place: sized[place][2])]
    return held if len(held) < len(sized) else held[:-1]


def _off(found: float, wanted: float) -> float:
    """How many times too much or too little."""
    return max(found / wanted, wanted / max(found, 1e-12))


def split_text(text: str, share: float, cleaning: Cleaning) -> tuple[str, str]:
    """A text's beginning and its held-out end, about `share` of it.

    Prose is parted at the paragraph end nearest to that place, and at the nearest space where it
    has no paragraphs; plain text exactly at character int((1 − share) · length), as nanoGPT
    does with its 90 %.
    """
    place = int((1 - share) * len(text))
    if cleaning == "plain":
        return text[:place], text[place:]
    for mark in ("\n", " "):
        near = [text.rfind(mark, 1, place), text.find(mark, place, len(text) - 1)]
        found = [end for end in near if end > 0]
        if found:
            end = min(found, key=lambda end: abs(end - place))
            return text[:end], text[end + 1 :]
    return text[:place], text[place:]


def draw(name: str, seed: int) -> float:
    """A pseudo-random number in [0, 1) that depends on the name and the seed only."""
    digest = hashlib.blake2b(
        f"{seed}:{name}".encode(errors="surrogateescape"), digest_size=8
    ).digest()
    return int.from_bytes(digest, "big") / 2**64


def _by_name(documents: Iterable[Document], names: list[str]) -> Iterator[tuple[Document, bool]]:
    wanted, seen = set(names), set()
    trained = False
    for document in documents:
        found = wanted & {document.name, document.name.rpartition(":")[0]}
        seen |= found
        trained |= not found
        yield document, bool(found)
    if wanted - seen:
        raise VitralError("held_out_missing", names=", ".join(sorted(wanted - seen)))
    if not trained:
        raise VitralError("training_empty")


def _by_share(
    documents: Iterable[Document], share: float, seed: int, cleaning: Cleaning
) -> Iterator[tuple[Document, bool]]:
    if iter(documents) is not documents:  # it can be gone through again
        yield from _by_plan(documents, plan_split(documents, share, seed), cleaning)
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:

        def kept() -> Iterator[Document]:
            for document in documents:
                file.write(json.dumps([document.name, document.text]) + "\n")
                yield document

        plan = plan_split(kept(), share, seed)
        file.seek(0)
        again = (Document(*json.loads(line)) for line in file)
        yield from _by_plan(again, plan, cleaning)


def _by_plan(
    documents: Iterable[Document], split: Split, cleaning: Cleaning
) -> Iterator[tuple[Document, bool]]:
    for document in documents:
        if split.within is None:
            yield document, document.name in split.names
            continue
        parts = split_text(document.text, split.within, cleaning)
        if not all(part.strip() for part in parts):
            raise VitralError("document_too_short", name=document.name)
        yield Document(document.name, parts[0]), False
        yield Document(f"{document.name}:end", parts[1]), True
