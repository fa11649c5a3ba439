"""The recipe for a given time: all settings are chosen from the minutes.

A run can spend its time on a larger model, which learns more from each token, or on more tokens.
Too large a model has read too little when the time is over, too small a one could hold no more
long before. Where the best lies depends on the machine, so it is measured: the sizes below
are tried from the smallest up, a step or two each, and for each the loss at the end of the run is
predicted. The form of that prediction is the one of Hoffmann et al. 2022
(https://arxiv.org/abs/2203.15556, equation 2),

    bits per byte = E + A / N^α + B / D^β

for N weights in the blocks and D tokens read. A text read again teaches less than a new one: of
a corpus of U tokens, read D / U times, D counts as U·(1 + R·(1 − e^(−(D/U − 1)/R))) with R = 15.4
(Muennighoff et al. 2023, https://arxiv.org/abs/2305.16264, equation 5). A text read too often by
too large a model is learned by heart, and other texts are predicted worse; so beyond x = 4 (with
dropout 8) the forecast grows by P a step of x, where x = (D/U − 1) · N/U. The constants were
found by runs of our own (docs/log.md); only differences between sizes matter here. Whatever the
prediction, the model that is kept is the one of the best evaluation (`patience`).

The other choices:

* *tokenizer*: byte-level BPE; a larger vocabulary shortens the text but has to be learned, so
  it grows with the root of the corpus (512 … 8,192), as far as the corpus gives pieces;
* *batch*: what makes about 1,500 steps of the time;
* *context*: 256 tokens, half of the windows 64 long;
* *precision*: bfloat16 if this machine is faster with it, otherwise float32;
* *dropout*: 0.15 if the text will be read more than twice, otherwise none: it prevents
  memorising a book;
* *schedule*: full rate for a tenth of the run, then a straight line down to zero.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vitral.models.forms import DEFAULT
from vitral.training.preparation.corpus_preparation import Prepared
from vitral.training.preparation.fitting_tokenizer import prepare_fitting
from vitral.training.recipes.plain import tokenizer_for
from vitral.training.recipes.recipe import Recipe
from vitral.training.recipes.recipe_file import Setting, bent_to


@dataclass(frozen=True)
class Size:
    """A size to choose from."""

    hidden_size: int
    num_layers: int
    num_heads: int

    @property
    def num_weights(self) -> int:
        """The weights in the blocks: four maps of attention, three of the feed-forward part."""
        return self.num_layers * (4 * self.hidden_size**2 + 3 * self.hidden_size * self.inner)

    @property
    def inner(self) -> int:
        """The feed-forward part's width: 8/3 of the model's, a multiple of 32."""
        return 32 * math.ceil(self.hidden_size * 8 / 3 / 32)


SIZES = (
    Size(64, 3, 2),
    Size(96, 3, 3),
    Size(128, 4, 4),
    Size(192, 5, 6),
    Size(256, 6, 8),
    Size(384, 8, 8),
    Size(512, 10, 8),
    Size(768, 12, 12),
    Size(1024, 16, 16),
)

FLOOR, OF_SIZE, OF_TOKENS = 1.0, 0.355, 139.0
SIZE_POWER, TOKENS_POWER = 0.15, 0.45
"""E, A, B, α and β of the forecast."""

READ_AGAIN = 15.4
"""R: how many more readings of a text are worth anything."""

BY_HEART, UNHARMED, UNHARMED_WITH_DROPOUT = 0.012, 4.0, 8.0
"""P, and the x up to which nothing is lost, without dropout and with it."""

DROPOUT, FEW_READINGS = 0.15, 2.0

STEPS = 1500
LEAST_BATCH, LARGEST_BATCH = 512, 65_536
EVALUATION_SHARE = 0.08
"""The share of the time that evaluations may take."""

FEWEST_EVALUATIONS, MOST_EVALUATIONS = 3, 12

MEASURED_CHARACTERS, LEAST_CHARACTERS = 20_000, 5_000
"""How much held-out text the trial evaluation reads, and an evaluation of the run at least."""


def choose(
    sources: Sequence[str | Path],
    minutes: float,
    out: Path,
    *,
    name: str,
    device: str = "cpu",
    settings: Sequence[Setting] = (),
) -> Recipe:
    """The best recipe for a number of minutes on this machine with this corpus, in which
    `settings` are the user's: the other entries are adapted to them.

    The corpus is prepared in `out` on the way; reading it and measuring count as part of the
    minutes. Raises what `prepare` raises, and `RecipeError` for settings that are wrong.
    """
    began = time.monotonic()
    entries: dict[str, Any] = {
        "name": name,
        "tokenizer": tokenizer_for(sources),
        "minutes": minutes,
        "settings": tuple(settings),
    }
    first = _recipe(entries, SIZES[0], batch=LEAST_BATCH)
    said = [setting.path for setting in settings]
    fitted, prepared = prepare_fitting(first, sources, out, said)
    assert isinstance(prepared, Prepared)
    entries["tokenizer"] = fitted.tokenizer.model_dump()
    return _best(entries, prepared, torch.device(device), 60 * minutes, began)


def _best(
    entries: dict[str, Any], prepared: Prepared, device: torch.device, seconds: float, began: float
) -> Recipe:
    """Try larger sizes until the forecast for one is worse than for the one before."""
    if not any(setting.path == "precision" for setting in entries.get("settings", ())):
        entries = entries | {"precision": _quicker_precision(entries, prepared, device)}
    best: tuple[float, Size, float, dict[str, Any]] | None = None
    corpus = len(prepared.tokens.ids)
    for size in SIZES:
        settings = entries
        trial = _recipe(settings, size, batch=2048)
        speed = tokens_per_second(trial, prepared, device)
        left = max(0.1 * seconds, seconds - (time.monotonic() - began)) * (1 - EVALUATION_SHARE)
        if speed * left > FEW_READINGS * corpus:
            settings = entries | {"dropout": DROPOUT}
            trial = _recipe(settings, size, batch=2048)
            speed = tokens_per_second(trial, prepared, device)
        foreseen = forecast(
            _num_weights(trial, size), speed * left, corpus, dropout=trial.model.dropout
        )
        if best is not None and foreseen >= best[0]:
            break
        best = (foreseen, size, speed, settings)
    assert best is not None
    _, size, speed, entries = best
    given = [setting.path for setting in entries.get("settings", ())]
    most = _recipe(entries, size, batch=2048).evaluate_characters
    held_out = sum(map(len, prepared.samples))
    some = entries | {"evaluate_characters": min(most, MEASURED_CHARACTERS)}
    each = seconds_of_an_evaluation(_recipe(some, size, batch=2048), prepared, device)
    a_character = each / max(1, min(held_out, MEASURED_CHARACTERS))
    affordable = int(EVALUATION_SHARE * seconds / FEWEST_EVALUATIONS / a_character)
    if "evaluate_characters" not in given and affordable < min(most, held_out):
        most = max(LEAST_CHARACTERS, affordable)
        entries = entries | {"evaluate_characters": most}
    each = a_character * min(most, held_out)
    evaluations = min(
        MOST_EVALUATIONS,
        max(FEWEST_EVALUATIONS, int(EVALUATION_SHARE * seconds / each)),
    )
    left = seconds - (time.monotonic() - began) - evaluations * each
    return _timed(entries, size, speed, max(0.1 * seconds, left), evaluations)


def _num_weights(recipe: Recipe, size: Size) -> int:
    """The weights in the blocks of a recipe that was made of that size."""
    width = getattr(recipe.model, "hidden_size", size.hidden_size)
    inner = getattr(recipe.model, "intermediate_size", size.inner)
    return recipe.model.num_layers * (4 * width**2 + 3 * width * inner)


def recipe_of_size(draft: Recipe, size: Size, prepared: Prepared, seconds: float) -> Recipe:
    """The recipe that a dial would give if it had chosen that size: `draft`'s name, tokenizer,
    dropout and precision, and a batch that suits so many seconds."""
    entries = draft.model_dump(include={"name", "tokenizer", "precision", "minutes"})
    entries["dropout"] = draft.model.dropout
    speed = tokens_per_second(_recipe(entries, size, batch=2048), prepared, torch.device("cpu"))
    return _timed(entries, size, speed, seconds, MOST_EVALUATIONS)


def _timed(
    entries: dict[str, Any], size: Size, speed: float, seconds: float, evaluations: int
) -> Recipe:
    """A size's recipe for so many seconds at that speed (tokens per second) and so many
    evaluations."""
    batch = 2 ** round(math.log2(max(1.0, speed * seconds / STEPS)))
    batch = min(max(batch, LEAST_BATCH), LARGEST_BATCH)
    num_steps = speed * seconds / batch
    return _recipe(
        entries
        | {
            "minutes": seconds / 60,
            "evaluate_every": max(10, round(num_steps / evaluations)),
            "patience": 2 * evaluations,
        },
        size,
        batch=batch,
    )


def forecast(
    num_weights: float, num_tokens: float, corpus_tokens: float, *, dropout: float = 0.0
) -> float:
    """The bits per byte predicted for a model with `num_weights` in its blocks that reads
    `num_tokens` of a corpus of `corpus_tokens`; see the head of this file."""
    read_again = max(0.0, num_tokens / corpus_tokens - 1)
    worth = min(num_tokens, corpus_tokens)
    worth += corpus_tokens * READ_AGAIN * (1 - math.exp(-read_again / READ_AGAIN))
    unharmed = UNHARMED_WITH_DROPOUT if dropout else UNHARMED
    by_heart = BY_HEART * max(0.0, read_again * num_weights / corpus_tokens - unharmed)
    of_size: float = OF_SIZE / (num_weights / 1e6) ** SIZE_POWER
    of_tokens: float = OF_TOKENS / worth**TOKENS_POWER
    return FLOOR + of_size + of_tokens + by_heart


def tokens_per_second(recipe: Recipe, prepared: Prepared, device: torch.device) -> float:
    """How fast this machine trains that recipe: steps for at least half a second, after one that
    does not count."""
    from vitral.training.trainer import Trainer

    trainer = Trainer(recipe, prepared, Path("/nonexistent"), device=str(device))
    trainer.enter_phase()
    trainer.step()
    before, since = trainer.state["tokens"], time.monotonic()
    while time.monotonic() - since < 0.5:
        trainer.step()
    return float((trainer.state["tokens"] - before) / (time.monotonic() - since))


def seconds_of_an_evaluation(recipe: Recipe, prepared: Prepared, device: torch.device) -> float:
    """How many seconds one evaluation on held-out text takes."""
    from vitral.training.trainer import Trainer

    trainer = Trainer(recipe, prepared, Path("/nonexistent"), device=str(device))
    trainer.enter_phase()
    since = time.monotonic()
    trainer.evaluate()
    return time.monotonic() - since


def _quicker_precision(entries: dict[str, Any], prepared: Prepared, device: torch.device) -> str:
    speeds: dict[str, float] = {
        precision: tokens_per_second(
            _recipe(entries | {"precision": precision}, SIZES[3], batch=2048), prepared, device
        )
        for precision in ("float32", "bfloat16")
    }
    return max(speeds, key=lambda precision: speeds[precision])


def _recipe(entries: dict[str, Any], size: Size, batch: int) -> Recipe:
    shape = {
        "form": DEFAULT,
        "context": 256,
        "hidden_size": size.hidden_size,
        "num_layers": size.num_layers,
        "num_heads": size.num_heads,
        "intermediate_size": size.inner,
        "dropout": entries.get("dropout", 0.0),
    }
    apart = ("dropout", "settings")
    plain = {name: value for name, value in entries.items() if name not in apart}
    lengths = [length for length in (64, 256) if length <= batch]
    chosen = Recipe.model_validate(
        plain | {"model": shape, "batch": {"tokens": batch, "lengths": lengths}}
    )
    return bent_to(chosen, entries["settings"]) if entries.get("settings") else chosen
