"""Which head of a bundled model follows which grammatical relation? The figures of its card.

    python benchmarks/treebank.py --treebank ../shared/data/ud-es/es_gsd-ud-dev.conllu

Reads every sentence (some minutes), writes benchmarks/results/treebank_vitral-es-bert.json and
docs/images/treebank-vitral-es-bert.svg, and puts the result into both of the model's cards: the
lines of all relations together, and those where a head beats the best fixed offset for sure.
Nothing of the treebank itself is written anywhere.
"""

import argparse
import re
from pathlib import Path

import vitral
from vitral.explain import RelationReport, read_treebank, relation_report, write_report
from vitral.explain.relation_table import as_markdown
from vitral.explain.relations import EVERY
from vitral.models.catalog import bundled_folder

ROOT = Path(__file__).parents[1]
HEADINGS = {"en": "## Which head follows which relation", "es": "## Qué cabeza sigue cada relación"}
BEFORE = {"en": "## Sources and licences", "es": "## Fuentes y licencias"}
CARDS = {"en": "README.md", "es": "README.es.md"}
WORDS = {
    "en": (
        "Treebank: UD_Spanish-GSD, development part (CC BY-SA 4.0). The table shows all "
        "relations together and those lines in which a head certainly beats the offset; the "
        "others are in "
        "`benchmarks/results/{file}`. Measured by `{command}`."
    ),
    "es": (
        "Corpus: UD_Spanish-GSD, parte de desarrollo (CC BY-SA 4.0). Se muestran todas las "
        "relaciones juntas y las filas en que una cabeza supera con seguridad a la distancia fija; "
        "las demás están en `benchmarks/results/{file}`. Medido con `{command}`."
    ),
}


def section(report: RelationReport, language: str, file: str, command: str) -> str:
    """What the card says."""
    shown = [each for each in report.scores if each.relation == EVERY or each.beats_baseline]
    said = WORDS[language].format(file=file, command=command)
    return f"{HEADINGS[language]}\n\n{as_markdown(report, language, shown)}\n{said}\n\n"


def put(card: str, language: str, text: str) -> str:
    """The card with the section in it, in the place of an earlier one."""
    heading, before = re.escape(HEADINGS[language]), BEFORE[language]
    bare = re.sub(rf"^{heading}\n.*?(?=^## )", "", card, flags=re.DOTALL | re.MULTILINE)
    if f"\n{before}\n" not in bare:
        raise SystemExit(f"the card has no heading “{before}” to put the result before")
    return bare.replace(f"\n{before}\n", f"\n{text}{before}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treebank", type=Path, required=True)
    parser.add_argument("--model", default="vitral-es-bert")
    parser.add_argument("--sentences", type=int, default=None, help="default: all")
    options = parser.parse_args()
    sentences = read_treebank(options.treebank)[: options.sentences]
    report = relation_report(vitral.load(options.model), sentences, treebank=options.treebank.name)
    file = f"treebank_{options.model}.json"
    write_report(report, ROOT / "benchmarks" / "results" / file)
    write_report(report, ROOT / "docs" / "images" / f"treebank-{options.model}.svg", "en")
    command = f"python benchmarks/treebank.py --treebank {options.treebank.name}"
    for language, name in CARDS.items():
        path = bundled_folder(options.model) / name
        text = section(report, language, file, command)
        path.write_text(put(path.read_text(encoding="utf-8"), language, text), encoding="utf-8")
        print(f"{path}\n{text}")


if __name__ == "__main__":
    main()
