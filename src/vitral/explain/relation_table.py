"""A relation report as a file: Markdown, CSV, JSON or a figure, by the file's extension."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vitral.errors import VitralError
from vitral.explain.relations import EVERY, RelationReport, RelationScore
from vitral.messages import message, preferred_language
from vitral.messages.written_numbers import decimal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLES = (".md", ".csv", ".json")
PICTURES = (".svg", ".png", ".pdf")
_COLUMNS = (
    *("relation", "direction", "count", "layer", "head"),
    *("accuracy", "accuracy_low", "accuracy_high", "offset"),
    *("baseline", "baseline_low", "baseline_high"),
    *("gain", "gain_low", "gain_high", "beats_baseline"),
)


def check_ending(path: Path) -> None:
    """Raises VitralError `table_file_kind` for an unknown extension."""
    if path.suffix.lower() not in (*TABLES, *PICTURES):
        raise VitralError("table_file_kind", path=path, known=", ".join((*TABLES, *PICTURES)))


def write_report(report: RelationReport, path: Path, language: str | None = None) -> None:
    """Write the report in the format of the file's extension.

    Raises VitralError `table_file_kind`, and `plot_needs_matplotlib` for a figure.
    """
    check_ending(path)
    ending = path.suffix.lower()
    if ending in PICTURES:
        relation_figure(report, language).savefig(path)
        return
    forms = {".md": lambda: as_markdown(report, language), ".csv": lambda: as_csv(report)}
    text = forms.get(ending, lambda: as_json(report))()
    path.write_text(text, encoding="utf-8", newline="\n")


def as_json(report: RelationReport) -> str:
    """Everything, as one JSON document."""
    document = asdict(report)
    for row, score in zip(document["scores"], report.scores, strict=True):
        row["beats_baseline"] = score.beats_baseline
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_csv(report: RelationReport) -> str:
    """A line per relation and direction; shares from 0 to 1."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for score in report.scores:
        numbers = [score.accuracy, *score.accuracy_interval]
        plain = [score.baseline, *score.baseline_interval]
        gain = [score.gain, *score.gain_interval]
        writer.writerow(
            [score.relation, score.direction, score.count, score.layer, score.head]
            + [f"{number:.4f}" for number in numbers]
            + [score.offset]
            + [f"{number:.4f}" for number in (*plain, *gain)]
            + [int(score.beats_baseline)]
        )
    return file.getvalue()


def as_markdown(
    report: RelationReport,
    language: str | None = None,
    scores: Sequence[RelationScore] | None = None,
) -> str:
    """What was measured, and the table, in the reader's language; `scores`, if only some."""
    language = language or preferred_language()
    names = ("relation", "looks", "count", "head", "accuracy", "offset", "baseline", "gain")
    columns = [message(f"relations.{name}", language) for name in names]
    lines = [about(report, language), "", f"| {' | '.join(columns)} |"]
    lines.append("|---|---|" + "---:|" * 6)
    for score in report.scores if scores is None else scores:
        gain = f"{signed(score.gain, language)} {interval(score.gain_interval, language)}"
        cells = [
            name_of(score, language),
            message(f"relations.to_{score.direction}", language),
            str(score.count),
            f"{score.layer}.{score.head}",
            f"{percent(score.accuracy, language)} {interval(score.accuracy_interval, language)}",
            f"{score.offset:+d}".replace("-", "−"),
            f"{percent(score.baseline, language)} {interval(score.baseline_interval, language)}",
            f"**{gain}**" if score.beats_baseline else gain,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def relation_figure(report: RelationReport, language: str | None = None) -> "Figure":
    """The best heads and the best offsets with their intervals, a line each.

    Raises VitralError `plot_needs_matplotlib`.
    """
    from vitral.figures.share_plot import ShareLine, share_plot

    language = language or preferred_language()
    lines = [
        ShareLine(
            f"{name_of(score, language)} {message(f'relations.to_{score.direction}', language)}",
            score.accuracy,
            score.accuracy_interval,
            score.baseline,
            score.baseline_interval,
            f"{score.layer}.{score.head}  {score.offset:+d}".replace("-", "−"),
            score.beats_baseline,
        )
        for score in report.scores
    ]
    return share_plot(
        lines,
        found=message("relations.found", language),
        other=message("relations.other", language),
        notes=[about(report, language)],
        title=message("relations.title", language, model=report.model),
        language=language,
    )


def about(report: RelationReport, language: str | None = None) -> str:
    """One paragraph that says what was measured, on what, and how."""
    return message(
        "relations.about",
        language,
        model=report.model,
        treebank=report.treebank,
        num_sentences=report.num_sentences,
        num_too_long=report.num_too_long,
        num_rare=report.num_rare,
        least=report.least,
        better=sum(score.beats_baseline for score in report.scores),
        scored=len(report.scores),
    )


def name_of(score: RelationScore, language: str | None = None) -> str:
    """The relation's name in the treebank, or "all"."""
    return message("relations.all", language) if score.relation == EVERY else score.relation


def percent(share: float, language: str | None = None) -> str:
    """0.256 as "25.6"; with a comma in Spanish."""
    return decimal(100 * share, 1, language)


def signed(share: float, language: str | None = None) -> str:
    """A difference in points with its sign: "+3.1", "−0.4"."""
    return ("−" if share < 0 else "+") + percent(abs(share), language)


def interval(ends: tuple[float, float], language: str | None = None) -> str:
    """An interval in points: "[23.0, 28.4]"."""
    shown = [("−" if end < 0 else "") + percent(abs(end), language) for end in ends]
    return f"[{'; '.join(shown)}]"
