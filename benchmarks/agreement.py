"""Does a decoder know Spanish agreement? Pairs of sentences of which one is wrong.

    python benchmarks/agreement.py --model vitral-es-gpt --escola ../shared/data/escola

A model that knows the language finds the right sentence of a pair the more likely one (Linzen et
al. 2016, https://arxiv.org/abs/1611.01368; Warstadt et al. 2020, "BLiMP"). The two differ in one
word, and between it and what it agrees with stands a noun of the other number or gender:

    La carta de los soldados desapareció.   /   La carta de los soldados desaparecieron.
    La mujer que vio al soldado estaba cansada.   /   … estaba cansado.

`grammar_pairs` makes such pairs from a small grammar. `escola_pairs` reads the near-minimal pairs
of EsCoLA (Bel et al. 2024) and keeps the clean ones: those that differ in one word, and where the
annotators agree with the grammar book on both sentences.
"""

import argparse
import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from vitral.errors import VitralError
from vitral.models.load import open_source
from vitral.training.measured_text import measured_texts


@dataclass(frozen=True)
class Pair:
    """Two sentences, and what decides between them."""

    right: str
    wrong: str
    kind: str


@dataclass(frozen=True)
class Noun:
    """A noun: its gender, its singular and its plural."""

    feminine: bool
    forms: tuple[str, str]

    def phrase(self, plural: bool) -> str:
        """With its article."""
        article = (("el", "los"), ("la", "las"))[self.feminine][plural]
        return f"{article} {self.forms[plural]}"


def _nouns(feminine: bool, words: str) -> list[Noun]:
    """From "carta llave": regular plurals, others as "actriz/actrices"."""
    nouns = []
    for word in words.split():
        one, _, many = word.partition("/")
        plural = many or one + ("s" if one[-1] in "aeoé" else "es")
        nouns.append(Noun(feminine, (one, plural)))
    return nouns


PEOPLE = _nouns(
    False, "soldado médico vecino profesor abuelo pintor alumno hermano obrero capitán/capitanes"
) + _nouns(True, "mujer niña maestra vecina reina enfermera hermana alumna abuela actriz/actrices")
THINGS = _nouns(
    False, "libro cuadro vaso plato sombrero barco cuchillo zapato papel cuaderno jardín/jardines"
) + _nouns(True, "mesa carta casa silla llave lámpara camisa botella fotografía maleta guitarra")

OF_PEOPLE = (
    ("llegó tarde", "llegaron tarde"),
    ("cantaba en la plaza", "cantaban en la plaza"),
    ("salió de la ciudad", "salieron de la ciudad"),
    ("dormía en el suelo", "dormían en el suelo"),
    ("lloraba sin descanso", "lloraban sin descanso"),
    ("tenía miedo", "tenían miedo"),
)
OF_THINGS = (
    ("cayó al suelo", "cayeron al suelo"),
    ("desapareció", "desaparecieron"),
    ("costaba mucho dinero", "costaban mucho dinero"),
    ("ardió en el incendio", "ardieron en el incendio"),
    ("estaba en el comedor", "estaban en el comedor"),
    ("parecía de otro siglo", "parecían de otro siglo"),
)
PERSONAL = ("cansad", "enferm", "dormid", "preocupad", "asustad", "enamorad", "content")
MATERIAL = ("rot", "limpi", "suci", "perdid", "abandonad", "mojad", "escondid")
MEETING = (("vio", "vieron"), ("saludó", "saludaron"), ("conocía", "conocían"))
KEEPING = (("compró", "compraron"), ("perdió", "perdieron"), ("trajo", "trajeron"))
WAS = ("estaba", "estaban")
BETWEEN = ("", "", ", según dicen,", ", aquella mañana,")
"""What may stand between a subject and its verb besides: nothing, in half of the sentences."""

KINDS = tuple(
    f"{what}, {where}"
    for what in ("number", "gender")
    for where in ("of", "who did", "that others did")
)


def grammar_pairs(count: int = 1000, seed: int = 1605) -> list[Pair]:
    """So many different pairs, as many of each kind; the same ones for the same seed."""
    lot = random.Random(seed)
    pairs: dict[str, Pair] = {}
    while len(pairs) < count:
        pair = _pair(KINDS[len(pairs) % len(KINDS)], lot)
        pairs.setdefault(pair.right, pair)
    return list(pairs.values())


def _pair(kind: str, lot: random.Random) -> Pair:
    what, where = kind.split(", ")
    personal = where == "who did"
    subject, other = lot.choice(PEOPLE if personal else THINGS), lot.choice(PEOPLE)
    plural = lot.random() < 0.5
    if what == "number":
        others = not plural
        both = lot.choice(OF_PEOPLE if personal else OF_THINGS)
        right, wrong = both[plural], both[not plural]
    else:
        others = lot.random() < 0.5
        while other.feminine == subject.feminine:
            other = lot.choice(PEOPLE)
        stem = lot.choice(PERSONAL if personal else MATERIAL)
        endings = [f"{'oa'[feminine]}{'s' if plural else ''}" for feminine in (False, True)]
        right = f"{WAS[plural]} {stem}{endings[subject.feminine]}"
        wrong = f"{WAS[plural]} {stem}{endings[not subject.feminine]}"
    middle = {
        "of": f"de {other.phrase(others)}",
        "who did": f"que {lot.choice(MEETING)[plural]} a {other.phrase(others)}",
        "that others did": f"que {lot.choice(KEEPING)[others]} {other.phrase(others)}",
    }[where]
    begin = f"{subject.phrase(plural)} {middle}{lot.choice(BETWEEN)}"
    return Pair(_written(f"{begin} {right}"), _written(f"{begin} {wrong}"), kind)


def _written(words: str) -> str:
    """A sentence: with "del" and "al", a capital letter and a full stop."""
    joined = re.sub(r"\b(de|a) el\b", lambda found: f"{found[1]}l", words)
    return f"{joined[0].upper()}{joined[1:]}."


def escola_pairs(folder: Path) -> list[Pair]:
    """The clean pairs of EsCoLA's folder."""
    said = {
        row["ID"]: (row["Label"], row["Human_annotation_median"])
        for row in _rows(folder / "escola_indomain.tsv")
    }
    return [
        Pair(row["ok"], row["bad"], row["category"])
        for row in _rows(folder / "escola_pares_minimos.tsv")
        if said.get(row["id_ok"]) == ("1", "1")
        and said.get(row["id_bad"]) == ("0", "0")
        and differ_in_one_word(row["ok"], row["bad"])
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def differ_in_one_word(first: str, second: str) -> bool:
    """Whether two sentences have as many words, and one of them is another.

    >>> differ_in_one_word("Ahora todo son problemas.", "Ahora todo es problemas.")
    True
    """
    one, two = (re.findall(r"\w+", text.lower()) for text in (first, second))
    return len(one) == len(two) and sum(a != b for a, b in zip(one, two, strict=True)) == 1


@torch.no_grad()
def log_probabilities(
    model: nn.Module, tokenizer: object, sentences: Sequence[str], *, batch: int = 64
) -> list[float]:
    """Of each sentence, that of all its tokens, in nats."""
    found: list[float] = []
    for first in range(0, len(sentences), batch):
        texts = measured_texts(tokenizer, sentences[first : first + batch])
        rows = [torch.from_numpy(each.ids) for each in texts]
        ids_BT = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        logits_BTV = model(ids_BT)
        logits_BTV = getattr(logits_BTV, "logits", logits_BTV)[:, :-1].float()
        nats_BT = F.cross_entropy(logits_BTV.transpose(1, 2), ids_BT[:, 1:], reduction="none")
        found += [
            -float(nats[: len(row) - 1].sum()) for nats, row in zip(nats_BT, rows, strict=True)
        ]
    return found


def preferred(model: nn.Module, tokenizer: object, pairs: Sequence[Pair]) -> list[bool]:
    """Of each pair, whether the right sentence is the more likely one."""
    right = log_probabilities(model, tokenizer, [pair.right for pair in pairs])
    wrong = log_probabilities(model, tokenizer, [pair.wrong for pair in pairs])
    return [a > b for a, b in zip(right, wrong, strict=True)]


def figures(model: nn.Module, tokenizer: object, pairs: Sequence[Pair]) -> dict[str, object]:
    """The share of right choices, of all pairs and of each kind."""
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for pair, right in zip(pairs, preferred(model, tokenizer, pairs), strict=True):
        by_kind[pair.kind].append(right)
    every = [right for kind in by_kind.values() for right in kind]
    shares = {kind: round(sum(kinds) / len(kinds), 4) for kind, kinds in sorted(by_kind.items())}
    return {"pairs": len(every), "right": round(sum(every) / len(every), 4), "by_kind": shares}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="vitral-es-gpt", help="a bundled model or a folder")
    parser.add_argument("--escola", type=Path, help="EsCoLA's folder")
    arguments = parser.parse_args()
    opened = open_source(arguments.model)
    if opened.tokenizer is None:
        raise VitralError("folder_without_tokens", folder=arguments.model)
    found = {"grammar": figures(opened.module, opened.tokenizer, grammar_pairs())}
    if arguments.escola is not None:
        pairs = escola_pairs(arguments.escola)
        found["escola"] = figures(opened.module, opened.tokenizer, pairs)
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
