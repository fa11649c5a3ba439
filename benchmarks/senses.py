"""Do an encoder's vectors tell the senses of a word apart?

    python benchmarks/senses.py --model vitral-es-bert

`senses.tsv` has eight ambiguous Spanish words in forty sentences and more each, two or three
senses in equal shares, written for this. For each layer: how often the nearest neighbour of an
occurrence (cosine, all other occurrences of the word) has the same sense. A word's vector is the
mean of its pieces'. By chance it would be 48 % with two senses, 32 % with three.

Shapes: N occurrences, T tokens, C width, L layers.
"""

import argparse
import csv
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from vitral.models.hugging_face import read_to_train
from vitral.models.load import locate
from vitral.training.preparation.start_tokens import tokenizer_in

SENTENCES = Path(__file__).with_name("senses.tsv")


@dataclass(frozen=True)
class Occurrence:
    """A sentence with the word in it, and what it means there."""

    word: str
    sense: str
    sentence: str

    @property
    def place(self) -> tuple[int, int]:
        """The word's first character, and the one past its last."""
        found = re.search(rf"\b{self.word}\b", self.sentence, re.IGNORECASE)
        assert found is not None, self
        return found.span()


def read_senses(path: Path = SENTENCES) -> list[Occurrence]:
    """All occurrences, word by word."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Occurrence(row["word"], row["sense"], row["sentence"]) for row in rows]


@torch.no_grad()
def word_vectors(model: nn.Module, tokenizer: Tokenizer, found: Sequence[Occurrence]) -> Tensor:
    """The vectors [L + 1, N, C] of each occurrence: what goes into the first layer, and what
    comes out of each."""
    encoder: Any = model
    vectors = []
    for each in found:
        encoding = tokenizer.encode(each.sentence)
        first, last = each.place
        pieces = [
            number
            for number, (start, end) in enumerate(encoding.offsets)
            if start < last and end > first and end > start
        ]
        x_BTC = encoder.embed(torch.tensor([encoding.ids]))
        layers = [x_BTC[0, pieces].mean(0)]
        for block in encoder.blocks():
            x_BTC = block(x_BTC, None)
            layers.append(x_BTC[0, pieces].mean(0))
        vectors.append(torch.stack(layers))
    return torch.stack(vectors, dim=1)


def nearest_has_same_sense(vectors_NC: Tensor, senses: Sequence[str]) -> list[bool]:
    """For each occurrence, whether the nearest of the others has its sense."""
    unit_NC = nn.functional.normalize(vectors_NC, dim=-1)
    likeness_NN = (unit_NC @ unit_NC.T).fill_diagonal_(-2.0)
    return [
        senses[near] == sense for near, sense in zip(likeness_NN.argmax(1), senses, strict=True)
    ]


def figures(model: nn.Module, tokenizer: Tokenizer) -> dict[str, Any]:
    """The share that is right, layer by layer (0: before the first), and each word's in the best
    layer."""
    by_word: dict[str, list[Occurrence]] = defaultdict(list)
    for each in read_senses():
        by_word[each.word].append(each)
    right: dict[str, list[list[bool]]] = {}
    for word, found in by_word.items():
        vectors_LNC = word_vectors(model, tokenizer, found)
        senses = [each.sense for each in found]
        right[word] = [nearest_has_same_sense(vectors_NC, senses) for vectors_NC in vectors_LNC]
    num_layers = len(next(iter(right.values())))
    layers = [
        _share([hit for word in right.values() for hit in word[layer]])
        for layer in range(num_layers)
    ]
    best = max(range(num_layers), key=layers.__getitem__)
    return {
        "sentences": sum(map(len, by_word.values())),
        "right_by_layer": layers,
        "best_layer": best,
        "right": layers[best],
        "right_by_word": {word: _share(hits[best]) for word, hits in right.items()},
    }


def _share(hits: Sequence[bool]) -> float:
    return round(sum(hits) / len(hits), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="vitral-es-bert", help="a bundled encoder or a folder")
    folder = locate(parser.parse_args().model)[1]
    found = figures(read_to_train(folder), tokenizer_in(folder))
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
