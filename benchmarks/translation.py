"""How good is the bundled translator? chrF and BLEU on held-out pairs, and where it looks.

    pip install -e '.[bench]'
    python benchmarks/translation_pairs.py --data ../shared/data --out runs/pares
    python benchmarks/translation.py --model runs/vitral-es-en/model --pairs runs/pares
    python benchmarks/translation.py --model runs/vitral-es-en-bahdanau/model --pairs runs/pares

Greedy, without beams. Scores are sacrebleu's (Post 2018), with their signatures.

*Alignment*: the translator reads the reference translation of 200 held-out pairs of Tatoeba, and
for each English word the Spanish word that the cross-attention of a layer rests on most (the mean
of its heads, in the row that predicts the word's first token) is compared with the word that a
dictionary learned from the training pairs names (`alignment.py`). Beside it, how often the
diagonal is that word. The layer is chosen on 200 other pairs. Recurrent translators have no layers
to choose from and are only scored.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from alignment import Dictionary, diagonal

import vitral
from vitral.data.pairs import Pair, read_pairs
from vitral.training.objectives.sequence_to_sequence import answers

WORD = re.compile(r"[^\W_]+")
LONGEST = 160
"""The most tokens of an answer."""

NUM_ALIGNED = 200


@dataclass(frozen=True)
class Word:
    """A word of a text, without case, and its place in it."""

    text: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    return [Word(match[0].casefold(), *match.span()) for match in WORD.finditer(text)]


def scores(model: Any, pairs: Sequence[Pair]) -> dict[str, Any]:
    """chrF and BLEU of what the model writes for the pairs' sources, and the first answers."""
    metrics: Any = import_module("sacrebleu.metrics")  # of the bench extra

    sources, references = [pair.source for pair in pairs], [[pair.target for pair in pairs]]
    found = answers(model.module, model.tokenizer, sources, longest=LONGEST)
    figures: dict[str, Any] = {"pairs": len(pairs)}
    for metric in (metrics.CHRF(), metrics.BLEU()):
        score = metric.corpus_score(found, references)
        figures[score.name] = round(score.score, 2)
        figures[f"{score.name}_signature"] = str(metric.get_signature())
    figures["examples"] = [
        {"source": pair.source, "reference": pair.target, "answer": answer}
        for pair, answer in list(zip(pairs, found, strict=True))[:10]
    ]
    return figures


@dataclass
class Count:
    """How often two ways of pointing found the dictionary's word."""

    words: int = 0
    attention: int = 0
    diagonal: int = 0


def alignment(model: Any, dictionary: Dictionary, pairs: Sequence[Pair]) -> list[Count]:
    """For each layer of the decoder, on those pairs."""
    counts = [Count() for _ in range(model.module.config.num_layers)]
    for pair in pairs:
        trace = model.trace(pair.source, decoder_text=pair.target)
        source, target = words_of(pair.source), words_of(pair.target)
        columns = [_first_token(trace.tokens, word) for word in source]
        rows = [_first_token(trace.decoder_tokens, word) for word in target]
        if None in columns or not source:
            continue
        for layer, count in enumerate(counts):
            address = f"decoder.layers.{layer}.cross_attention.pattern"
            pattern_TS = trace[address].mean(dim=-3).reshape(len(trace.decoder_tokens), -1)
            for number, (word, row) in enumerate(zip(target, rows, strict=True)):
                named = dictionary.place_of(word.text, [each.text for each in source])
                if named is None or not row:
                    continue
                looked = _weights(pattern_TS[row - 1], trace.tokens, source).argmax()
                count.words += 1
                count.attention += int(looked) == named
                count.diagonal += diagonal(number, len(target), len(source)) == named
    return counts


def _first_token(tokens: Sequence[Any], word: Word) -> int | None:
    """The token in which a word begins."""
    return next(
        (
            number
            for number, token in enumerate(tokens)
            if token.start is not None and token.start <= word.start < token.end
        ),
        None,
    )


def _weights(row_S: torch.Tensor, tokens: Sequence[Any], words: Sequence[Word]) -> torch.Tensor:
    """How much of a row rests on each word."""
    inside = [
        [
            number
            for number, token in enumerate(tokens)
            if token.start is not None and token.start < word.end and token.end > word.start
        ]
        for word in words
    ]
    return torch.stack([row_S[numbers].sum() for numbers in inside])


def alignment_figures(model: Any, training: Sequence[Pair], held_out: Sequence[Pair]) -> Any:
    """The layer chosen on the pairs after the first 200, and what it does on these."""
    dictionary = Dictionary.learned(
        (
            [word.text for word in words_of(pair.source)],
            [word.text for word in words_of(pair.target)],
        )
        for pair in training
    )
    chosen = alignment(model, dictionary, held_out[NUM_ALIGNED : 2 * NUM_ALIGNED])
    layer = max(range(len(chosen)), key=lambda each: chosen[each].attention)
    count = alignment(model, dictionary, held_out[:NUM_ALIGNED])[layer]
    words = max(1, count.words)
    return {
        "pairs": NUM_ALIGNED,
        "words": count.words,
        "layer": layer,
        "attention": round(count.attention / words, 4),
        "diagonal": round(count.diagonal / words, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a translator's folder")
    parser.add_argument("--pairs", type=Path, required=True, help="what translation_pairs.py wrote")
    parser.add_argument("--limit", type=int, help="only so many pairs of each kind")
    parser.add_argument("--out", type=Path, help="a JSON file to write")
    arguments = parser.parse_args()
    model = vitral.load(arguments.model)
    apart = arguments.pairs / "apartados"
    held_out = {path.stem: list(read_pairs([path])) for path in sorted(apart.glob("*.tsv"))}
    figures: dict[str, Any] = {
        name: scores(model, pairs[: arguments.limit]) for name, pairs in held_out.items()
    }
    if model.architecture == "MarianMTModel":
        training = list(read_pairs([arguments.pairs / "entrenamiento.tsv"]))
        figures["alignment"] = alignment_figures(model, training, held_out["tatoeba"])
    said = json.dumps(figures, indent=2, ensure_ascii=False)
    print(said)
    if arguments.out is not None:
        arguments.out.write_text(said + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
