"""How good are the bundled models? The figures of their cards.

    python benchmarks/modern_texts.py --data ../shared/data --out runs/textos
    python benchmarks/bundled_models.py --data ../shared/data --modern runs/textos

On the six held-out books and on the held-out modern texts (conferences, chapters of textbooks,
documentation). The decoder's bits per byte stand beside those of `xz -9e` and of two interpolated
Kneser–Ney 5-gram models learned from the texts that it was trained on, one over bytes and one over
its own tokens; all four on the same bytes. How often it prefers the right sentence of a pair, by
`agreement.py`. The encoder's masked-word accuracy is the mean of three draws of the masks;
`--former` is another encoder asked for the same whole words (`same_words.py`); senses by
`senses.py`. Besides, how many passages of the held-out texts stand in the training texts as well.

`--folder vitral-es-gpt=runs/vitral-es-gpt/model` judges another folder in place of the bundled one
and prints the figures only. Else they are written into benchmarks/results/bundled_models.json,
which the cards quote.
"""

import argparse
import json
import lzma
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agreement
import numpy as np
import senses
import torch
from ngram import NGram
from same_words import Reader, same_words
from tokenizers import Tokenizer

from vitral.data.corpus import Document, read_documents
from vitral.data.split import read_corpus
from vitral.models.hugging_face import read_to_train
from vitral.models.load import locate
from vitral.training.evaluation import bits_per_byte, masked_loss_of
from vitral.training.preparation.start_tokens import tokenizer_in
from vitral.training.recipes.recipe_file import read_recipe

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "bundled_models.json"
APART = "apartados/"
"""How the names of the held-out modern texts begin."""


@dataclass(frozen=True)
class Texts:
    """What a model was trained on, and what was held out, by kind."""

    training: list[Document]
    held_out: dict[str, list[Document]]


def open_model(folder: Path) -> tuple[torch.nn.Module, Tokenizer]:
    return read_to_train(folder), tokenizer_in(folder)


def read_texts(data: Path, modern: Path | None) -> Texts:
    """The books, and the modern texts where there are some."""
    names = read_recipe(ROOT / "recipes" / "vitral-es-gpt.yaml").data.held_out
    assert isinstance(names, list)
    books = [name for name in names if not name.startswith(APART)]
    training, held_out = read_corpus(data / "libros", books)
    texts = Texts(training, {"books": held_out})
    if modern is not None:
        documents = list(read_documents([modern]))
        apart = [each for each in documents if each.name.startswith(APART)]
        training.extend(each for each in documents if not each.name.startswith(APART))
        texts.held_out["modern"] = apart
    return texts


def bytes_of(documents: list[Document]) -> bytes:
    return "\n".join(document.text for document in documents).encode()


class FiveGrams:
    """The two 5-gram models of what a decoder was trained on, over bytes and over its tokens."""

    def __init__(self, training: list[Document], tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.of_bytes = NGram(np.frombuffer(bytes_of(training), dtype=np.uint8), 256)
        self.of_tokens = NGram(self._ids(training), tokenizer.get_vocab_size())

    def _ids(self, documents: list[Document]) -> np.ndarray:
        encodings = (self.tokenizer.encode(d.text, add_special_tokens=False) for d in documents)
        return np.concatenate([np.array(encoding.ids, dtype=np.int32) for encoding in encodings])

    def figures(self, held_out: list[Document]) -> dict[str, float]:
        held = bytes_of(held_out)
        bits = {
            "five_gram_of_bytes": self.of_bytes.bits(np.frombuffer(held, dtype=np.uint8)),
            "five_gram_of_tokens": self.of_tokens.bits(self._ids(held_out)),
        }
        return {f"{name}_bits_per_byte": round(b / len(held), 4) for name, b in bits.items()}


def decoder_figures(folder: Path, texts: Texts, options: argparse.Namespace) -> dict[str, Any]:
    model, tokenizer = open_model(folder)
    figures: dict[str, Any] = {}
    for kind, held_out in texts.held_out.items():
        per_text = {d.name: bits_per_byte(model, tokenizer, [d.text]) for d in held_out}
        sizes = {d.name: len(d.text.encode()) for d in held_out}
        total_bits = sum(per_text[name] * size for name, size in sizes.items())
        held = bytes_of(held_out)
        compressed = lzma.compress(held, preset=9 | lzma.PRESET_EXTREME)
        figures[kind] = {
            "bits_per_byte": round(total_bits / sum(sizes.values()), 4),
            "bits_per_byte_by_text": {name: round(bits, 4) for name, bits in per_text.items()},
            "xz_9e_bits_per_byte": round(8 * len(compressed) / len(held), 4),
        }
    if not options.no_n_grams:
        five_grams = FiveGrams(texts.training, tokenizer)
        for kind, held_out in texts.held_out.items():
            figures[kind] |= five_grams.figures(held_out)
            tokens = figures[kind]["five_gram_of_tokens_bits_per_byte"]
            below = 1 - figures[kind]["bits_per_byte"] / tokens
            figures[kind]["below_five_gram_of_tokens"] = round(below, 4)
    figures["agreement"] = agreement.figures(model, tokenizer, agreement.grammar_pairs())
    escola = options.data / "escola"
    if escola.is_dir():
        pairs = agreement.escola_pairs(escola)
        figures["escola"] = agreement.figures(model, tokenizer, pairs)
    return figures


def encoder_figures(folder: Path, texts: Texts, options: argparse.Namespace) -> dict[str, Any]:
    model, tokenizer = open_model(folder)
    figures: dict[str, Any] = {}
    for kind, held_out in texts.held_out.items():
        contents = [document.text for document in held_out]
        figures[kind] = _masked(model, tokenizer, contents)
        if options.former is not None:
            readers = {
                "this": Reader(model, tokenizer),
                "former": Reader(*open_model(locate(options.former)[1])),
            }
            figures[kind]["same_words"] = same_words(readers, contents)
    figures["senses"] = senses.figures(model, tokenizer)
    return figures


def _masked(model: torch.nn.Module, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, Any]:
    draws = [masked_loss_of(model, tokenizer, texts, seed=seed) for seed in range(3)]
    return {
        "masked_accuracy": round(statistics.mean(draw.accuracy for draw in draws), 4),
        "masked_accuracy_deviation": round(statistics.stdev(draw.accuracy for draw in draws), 4),
        "masked_loss_nats": round(statistics.mean(draw.nats for draw in draws), 4),
        "masked_tokens": sum(draw.num_masked for draw in draws),
    }


def shared_passages(
    training: list[Document], held_out: list[Document], *, length: int = 60, stride: int = 7
) -> int:
    """How many passages of `length` characters of the training books, looked at from every
    `stride`-th character, stand in a held-out book as well. 0 for books kept apart; a passage
    common to both is found when it is at least length + stride - 1 long."""
    passages = {
        document.text[start : start + length]
        for document in held_out
        for start in range(len(document.text) - length + 1)
    }
    return sum(
        document.text[start : start + length] in passages
        for document in training
        for start in range(0, len(document.text) - length + 1, stride)
    )


FIGURES = {"vitral-es-gpt": decoder_figures, "vitral-es-bert": encoder_figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that has libros")
    parser.add_argument("--modern", type=Path, help="what modern_texts.py wrote")
    parser.add_argument("--model", choices=FIGURES, action="append", help="only this one")
    parser.add_argument("--folder", action="append", default=[], help="NAME=FOLDER to judge")
    parser.add_argument("--former", help="an encoder to compare with: a name or a folder")
    parser.add_argument("--no-n-grams", action="store_true", help="without the 5-gram models")
    arguments = parser.parse_args()
    started = time.monotonic()
    folders = dict(each.split("=", 1) for each in arguments.folder)
    chosen = arguments.model or list(folders) or list(FIGURES)
    texts = read_texts(arguments.data, arguments.modern)
    found: dict[str, Any] = {
        "command": "python benchmarks/bundled_models.py --data ../shared/data --modern runs/textos",
        "held_out_bytes": {kind: len(bytes_of(each)) for kind, each in texts.held_out.items()},
        "training_bytes": len(bytes_of(texts.training)),
        "shared_passages_of_60_characters": {
            kind: shared_passages(texts.training, held_out)
            for kind, held_out in texts.held_out.items()
        },
    }
    for name in chosen:
        folder = Path(folders[name]) if name in folders else locate(name)[1]
        found[name] = FIGURES[name](folder, texts, arguments)
    if not folders:
        earlier = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(earlier | found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2, ensure_ascii=False))
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
