"""Which documents a model is trained on, and which are held out for evaluation.

Whole documents are held out, never random lines: neighbouring lines of one book share names and
turns of phrase, and a model that has seen half of them is not being tested. A corpus of a single
document has to be split within it, once, near its end.

Whether a document is held out depends on the seed and on its own name only. So the split stays
the same while a corpus grows, and needs no list of what is in it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vitral.data.corpus import Cleaning, Document, read_documents
from vitral.errors import VitralError


def split_documents(
    documents: Iterable[Document],
    held_out: list[str] | float,
    *,
    seed: int = 0,
    cleaning: Cleaning = "prose",
) -> Iterator[tuple[Document, bool]]:
    """Each document, and whether it is held out, as they stream by.

    `held_out` are names, where that of a .jsonl file, a dataset or a file read in parts means all
    of its documents; or the share (0 … 1) of documents. A share leaves at least one
    document on either side; one document alone is split by `split_text`.

    Raises VitralError: `held_out_missing` (names that the corpus does not have, known at its
    end), `training_empty` (nothing is left to train on), `document_too_short`.
    """
    if isinstance(held_out, list):
        return _by_name(documents, held_out)
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
    """A number in [0, 1) that is always the same for that name and seed."""
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
    """While all documents so far fell on one side, the one that came nearest to the other is
    kept back: it goes there if no other does."""
    kept_back: Document | None = None
    side: bool | None = None  # where all so far fell; None once both sides have some
    number = 0
    for number, document in enumerate(documents, start=1):
        is_held_out = draw(document.name, seed) < share
        if number > 1 and kept_back is None:
            yield document, is_held_out
        elif kept_back is None:
            kept_back, side = document, is_held_out
        elif is_held_out != side:
            yield kept_back, not is_held_out
            yield document, is_held_out
            kept_back = None
        else:
            nearer = (draw(document.name, seed) > draw(kept_back.name, seed)) == is_held_out
            yield (kept_back if nearer else document), is_held_out
            kept_back = document if nearer else kept_back
    if kept_back is None:
        return
    if number > 1:
        yield kept_back, not side
        return
    parts = split_text(kept_back.text, share, cleaning)
    if not all(part.strip() for part in parts):
        raise VitralError("document_too_short", name=kept_back.name)
    yield Document(kept_back.name, parts[0]), False
    yield Document(f"{kept_back.name}:end", parts[1]), True
