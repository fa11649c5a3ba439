"""Spanish numbers in words, by networks with and without attention: who is right, how far?

    python benchmarks/spanish_numbers.py                     trains what runs/ has not, then asks
    python benchmarks/spanish_numbers.py --draw              only draws the figures again

Trains recipes/numeros-*.yaml, each in its folder of --runs (a stopped run goes on), and asks each
model for numbers of 1 to 12 digits that it was not trained on; of 10 digits and more none was.
Every answer is read back by `number_from_words`, so it is right, another number, or no number.
Writes benchmarks/results/spanish_numbers.json, docs/images/numbers-{en,es}.svg (right answers by
length) and docs/images/numbers-alignment-{en,es}.svg (what each step of an answer looked at).
"""

import argparse
import json
import platform
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import torch

import vitral
from vitral.data.pairs import spanish_number
from vitral.data.spanish_numbers import number_from_words, number_in_digits, number_in_words
from vitral.errors import VitralError
from vitral.explain.intervals import wilson
from vitral.figures.sheet import check_matplotlib
from vitral.training.objectives.sequence_to_sequence import answers
from vitral.training.preparation.corpus_preparation import prepare
from vitral.training.preparation.pair_preparation import is_held_out
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_file import Setting, read_recipe
from vitral.training.trainer import Trainer
from vitral.training.watching.watcher import Evaluated, Watcher

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "spanish_numbers.json"
IMAGES = ROOT / "docs" / "images"
LONGER = "numeros-sin-atencion-largo"
"""The network without attention again, with four times the steps."""

NAMES = (
    "numeros-sin-atencion",
    LONGER,
    "numeros-bahdanau",
    "numeros-luong",
    "numeros-transformer",
)

LOOKS = {  # colour (Okabe & Ito 2008, told apart by all) and mark
    "numeros-sin-atencion": ("#D55E00", "s"),
    LONGER: ("#CC79A7", "v"),
    "numeros-bahdanau": ("#0072B2", "o"),
    "numeros-luong": ("#56B4E9", "^"),
    "numeros-transformer": ("#009E73", "D"),
}
WORDS = {
    "en": {
        "numeros-sin-atencion": "LSTM without attention",
        LONGER: "the same, trained four times as long",
        "numeros-bahdanau": "LSTM, Bahdanau's attention",
        "numeros-luong": "LSTM, Luong's attention",
        "numeros-transformer": "Transformer",
        "digits": "digits of the number",
        "right": "answers right from end to end",
        "beyond": "never trained on",
    },
    "es": {
        "numeros-sin-atencion": "LSTM sin atención",
        LONGER: "la misma, entrenada cuatro veces más",
        "numeros-bahdanau": "LSTM, atención de Bahdanau",
        "numeros-luong": "LSTM, atención de Luong",
        "numeros-transformer": "Transformer",
        "digits": "cifras del número",
        "right": "respuestas correctas de principio a fin",
        "beyond": "nunca vistos",
    },
}
INK = "#7f7f7f"
"""Letters and lines, to be read on a light page and on a dark one."""

FEWEST = 5
"""A length of which fewer numbers were held out has no mark in the figure."""

EXAMPLE = 21_345_607
"""The number whose alignment is drawn."""

LONGEST = 160
"""The longest right answer has 138 characters."""


class Progress(Watcher):
    def evaluated(self, event: Evaluated) -> None:
        print(json.dumps(event.line()), flush=True)


def trained(recipe: Recipe, out: Path) -> Path:
    """The folder of the recipe's model; trains it where there is none."""
    folder = out / "model"
    if not (folder / "config.json").exists():
        Trainer(recipe, prepare(recipe, [], out), out, watchers=[Progress()]).run()
    return folder


def recipe_of(name: str) -> Recipe:
    """The recipe of that name, or the longer run's."""
    longer = [Setting("steps", 4000, "LONGER"), Setting("evaluate_every", 500, "LONGER")]
    file = name.removesuffix("-largo")
    path = ROOT / "recipes" / f"{file}.yaml"
    return read_recipe(path, longer if name == LONGER else [])


def asked_numbers(digits: int, count: int, recipe: Recipe) -> list[int]:
    """At most `count` different numbers of so many digits that were held out by the recipe."""
    random, found = Random(digits), set()
    for _ in range(60 * count):  # of one digit there are ten, of which two or so are held out
        number = int(spanish_number(random, 1).source)
        if digits > 1:
            number = random.randint(10 ** (digits - 1), 10**digits - 1)
        if is_held_out(number_in_digits(number), recipe):
            found.add(number)
        if len(found) == count:
            break
    return sorted(found)


def graded(answer: str, number: int) -> str:
    """right, another (number) or none."""
    try:
        return "right" if number_from_words(answer) == number else "another"
    except VitralError:
        return "none"


def figures_of(recipe: Recipe, folder: Path, count: int) -> dict[str, Any]:
    """What a model knows, by length."""
    model = vitral.load(folder)
    lengths: dict[str, Any] = {}
    for digits in range(1, 13):
        numbers = asked_numbers(digits, count, recipe)
        sources = [number_in_digits(number) for number in numbers]
        found = answers(model.module, model.tokenizer, sources, longest=LONGEST)
        grades = [graded(a, number) for a, number in zip(found, numbers, strict=True)]
        wrong = [
            {"number": source, "answer": answer, "right": number_in_words(number)}
            for source, answer, number in zip(sources, found, numbers, strict=True)
            if answer != number_in_words(number)
        ]
        lengths[str(digits)] = {
            "asked": len(numbers),
            **{grade: grades.count(grade) for grade in ("right", "another", "none")},
            "interval": wilson(grades.count("right"), len(numbers)),
            "wrong": wrong[:3],
        }
        print(recipe.name, digits, {k: lengths[str(digits)][k] for k in ("asked", "right")})
    lines = (folder.parent / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "weights": sum(weight.numel() for weight in model.module.parameters()),
        "steps": recipe.steps,
        "minutes": json.loads(lines[-1])["minutes"],
        "last_look": json.loads(lines[-1]),
        "lengths": lengths,
    }


def draw(document: dict[str, Any], language: str) -> None:
    """The share of right answers by the number's length."""
    check_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    words = WORDS[language]
    with rc_context({"svg.hashsalt": "vitral", "svg.fonttype": "none", "font.size": 11}):
        figure = Figure(figsize=(7.2, 4.8), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        longest = document["digits_trained"]
        axes.axvspan(longest + 0.5, 12.5, color=INK, alpha=0.15, linewidth=0)
        axes.text(12.4, 104, words["beyond"], color=INK, fontsize=9, horizontalalignment="right")
        for name, found in document["models"].items():
            colour, mark = LOOKS[name]
            lengths = {d: of for d, of in found["lengths"].items() if of["asked"] >= FEWEST}
            across, of = [int(digits) for digits in lengths], list(lengths.values())
            up = [100 * each["right"] / each["asked"] for each in of]
            low, high = ([100 * each["interval"][end] for each in of] for end in (0, 1))
            axes.vlines(across, low, high, color=colour, linewidth=1, alpha=0.6)
            axes.plot(across, up, color=colour, marker=mark, linewidth=2, label=words[name])
        axes.set(xlim=(0.5, 12.5), ylim=(-3, 110), xticks=range(1, 13), yticks=range(0, 101, 25))
        axes.set_yticklabels([f"{share} %" for share in range(0, 101, 25)])
        axes.set_xlabel(words["digits"], color=INK)
        axes.set_ylabel(words["right"], color=INK)
        axes.tick_params(colors=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(INK)
        figure.legend(
            labelcolor=INK, framealpha=0, loc="outside lower center", fontsize=10, ncols=2
        )
        figure.savefig(IMAGES / f"numbers-{language}.svg", metadata={"Date": None})


def alignment(folder: Path) -> dict[str, Any]:
    """What each step of the right answer looked at, in the last cross-attention's sharpest head:
    weights, a row for each character *written*."""
    model = vitral.load(folder)
    ids = model.tokenizer.encode(number_in_words(EXAMPLE), add_special_tokens=False).ids
    start = model.tokenizer.token_to_id("<s>")
    trace = model.trace(number_in_digits(EXAMPLE), decoder_ids=[start, *ids])
    layer = model.module.config.num_layers - 1
    layer = layer if "encoder.layers.0.attention.pattern" in trace.addresses() else 0
    pattern_HTS = trace[f"decoder.layers.{layer}.cross_attention.pattern"]
    entropy_H = -(pattern_HTS * pattern_HTS.clamp_min(1e-12).log()).sum(-1).mean(-1)
    head = int(entropy_H.argmin())
    weights = [[round(float(weight), 3) for weight in row] for row in pattern_HTS[head]]
    return {
        "layer": layer,
        "head": head,
        "read": [token.text for token in trace.tokens],
        "written": [*number_in_words(EXAMPLE), "</s>"],
        "weights": weights,
    }


def draw_alignments(document: dict[str, Any], language: str) -> None:
    """A map a model: what is written runs to the right, what is looked at downwards."""
    check_matplotlib()
    import numpy as np
    from matplotlib import rc_context
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

    found = {n: m["alignment"] for n, m in document["models"].items() if "alignment" in m}
    with rc_context({"svg.hashsalt": "vitral", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(9.0, 2.3 * len(found)), layout="constrained")
        figure.patch.set_alpha(0)
        for axes, (name, of) in zip(
            figure.subplots(len(found), squeeze=False)[:, 0], found.items(), strict=True
        ):
            weights_ST = np.array(of["weights"]).T
            cells = np.ones((*weights_ST.shape, 4))
            cells[..., :3] = to_rgb(LOOKS[name][0])
            cells[..., 3] = weights_ST
            axes.imshow(cells, aspect="auto", interpolation="nearest")
            axes.patch.set_alpha(0)
            axes.set_title(WORDS[language][name], color=INK, loc="left", fontsize=10)
            axes.set_xticks(range(len(of["written"])), of["written"])
            axes.get_xticklabels()[-1].set_rotation(90)
            axes.set_yticks(range(len(of["read"])), of["read"])
            axes.tick_params(colors=INK, length=0)
            axes.spines[:].set_color(INK)
        figure.savefig(IMAGES / f"numbers-alignment-{language}.svg", metadata={"Date": None})


def measure(names: list[str], runs: Path, count: int) -> None:
    """Train where there is no model, ask, and write the results; those of others stay."""
    models: dict[str, Any] = {}
    if RESULTS.exists():
        models = json.loads(RESULTS.read_text(encoding="utf-8"))["models"]
    recipes = {name: recipe_of(name) for name in names}
    for name, recipe in recipes.items():
        folder = trained(recipe, runs / name)
        models[name] = figures_of(recipe, folder, count)
        if name in ("numeros-bahdanau", "numeros-transformer"):
            models[name]["alignment"] = alignment(folder)
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rules = [recipe.data.pairs for recipe in recipes.values()]
    document = {
        "command": "python benchmarks/spanish_numbers.py",
        "commit": commit.stdout.strip(),
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "digits_trained": max(rule.digits for rule in rules if rule is not None),
        "models": {name: models[name] for name in NAMES if name in models},
    }
    text = json.dumps(document, ensure_ascii=False, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=ROOT / "runs")
    parser.add_argument("--models", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--per-length", type=int, default=200, help="numbers asked (200)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--draw", action="store_true", help="draw from the results alone")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if not options.draw:
        measure(options.models, options.runs, options.per_length)
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    for language in WORDS:
        draw(document, language)
        draw_alignments(document, language)


if __name__ == "__main__":
    main()
