"""How good are the bundled models? The figures of their cards, on the six held-out books.

    python benchmarks/bundled_models.py --data ../shared/data/libros

The decoder's bits per byte stand beside those of `xz -9e` and of two interpolated Kneser–Ney
5-gram models learned from the same training books, one over bytes and one over the decoder's own
tokens; all four on the same bytes. The encoder's masked-word accuracy is the mean of three draws
of the masks. Besides, that no passage of the held-out books stands in the training books.
Writes benchmarks/results/bundled_models.json, which the cards quote.
"""

import argparse
import json
import lzma
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from ngram import NGram
from tokenizers import Tokenizer

from vitral.data.corpus import Document
from vitral.data.split import read_corpus
from vitral.models import hugging_face
from vitral.models.catalog import bundled_folder
from vitral.training.evaluation import bits_per_byte, masked_loss_of
from vitral.training.recipes.recipe_file import read_recipe

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "bundled_models.json"


def open_bundled(name: str) -> tuple[torch.nn.Module, Tokenizer]:
    folder = bundled_folder(name)
    return hugging_face.read(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))


def bytes_of(documents: list[Document]) -> bytes:
    return "\n".join(document.text for document in documents).encode()


def decoder_figures(training: list[Document], held_out: list[Document]) -> dict[str, object]:
    model, tokenizer = open_bundled("vitral-es-gpt")
    per_book = {d.name: bits_per_byte(model, tokenizer, [d.text]) for d in held_out}
    sizes = {d.name: len(d.text.encode()) for d in held_out}
    total_bits = sum(per_book[name] * size for name, size in sizes.items())
    figures: dict[str, object] = {
        "bits_per_byte": round(total_bits / sum(sizes.values()), 4),
        "bits_per_byte_by_book": {name: round(bits, 4) for name, bits in per_book.items()},
    }
    held_bytes = bytes_of(held_out)
    compressed = lzma.compress(held_bytes, preset=9 | lzma.PRESET_EXTREME)
    figures["xz_9e_bits_per_byte"] = round(8 * len(compressed) / len(held_bytes), 4)

    by_byte = NGram(np.frombuffer(bytes_of(training), dtype=np.uint8), 256)
    bits = by_byte.bits(np.frombuffer(held_bytes, dtype=np.uint8))
    figures["five_gram_of_bytes_bits_per_byte"] = round(bits / len(held_bytes), 4)
    del by_byte

    def ids(documents: list[Document]) -> np.ndarray:
        encodings = (tokenizer.encode(d.text, add_special_tokens=False) for d in documents)
        return np.concatenate([np.array(encoding.ids) for encoding in encodings])

    by_token = NGram(ids(training), tokenizer.get_vocab_size())
    bits = by_token.bits(ids(held_out))
    figures["five_gram_of_tokens_bits_per_byte"] = round(bits / len(held_bytes), 4)
    return figures


def encoder_figures(_: list[Document], held_out: list[Document]) -> dict[str, object]:
    model, tokenizer = open_bundled("vitral-es-bert")
    texts = [document.text for document in held_out]
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
    parser.add_argument("--data", type=Path, required=True, help="the folder of books")
    parser.add_argument("--model", choices=FIGURES, action="append", help="only this one")
    arguments = parser.parse_args()
    started = time.monotonic()
    recipe = read_recipe(ROOT / "recipes" / "vitral-es-gpt.yaml")
    training, held_out = read_corpus(arguments.data, recipe.data.held_out)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results |= {
        "command": "python benchmarks/bundled_models.py --data ../shared/data/libros",
        "held_out_bytes": len(bytes_of(held_out)),
        "training_bytes": len(bytes_of(training)),
        "shared_passages_of_60_characters": shared_passages(training, held_out),
    }
    for name in arguments.model or FIGURES:
        results[name] = FIGURES[name](training, held_out)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
