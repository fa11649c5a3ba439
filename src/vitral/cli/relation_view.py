"""The heads of a treebank's relations, as a table for the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vitral.explain.relation_table import about, interval, name_of, percent, signed
from vitral.explain.relations import RelationReport
from vitral.messages import message


def print_relations(console: Console, report: RelationReport, num_sentences: int) -> None:
    """One line per relation and direction; heads that certainly beat the baseline are bold.

    `num_sentences` is how many the treebank has.
    """
    console.print(Text(message("relations.title", model=report.model), "bold"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column(message("relations.relation"), no_wrap=True)
    table.add_column(message("relations.looks"), no_wrap=True)
    for name in ("count", "head", "short_accuracy", "offset", "short_baseline"):
        table.add_column(message(f"relations.{name}"), justify="right", no_wrap=True)
    table.add_column(message("relations.short_gain"), no_wrap=True, justify="right")
    for score in report.scores:
        table.add_row(
            name_of(score),
            message(f"relations.to_{score.direction}"),
            str(score.count),
            f"{score.layer}.{score.head}",
            percent(score.accuracy),
            f"{score.offset:+d}".replace("-", "−"),
            percent(score.baseline),
            f"{signed(score.gain)} {interval(score.gain_interval)}",
            style="bold" if score.beats_baseline else "",
        )
    console.print(table)
    console.print(Text(about(report)))
    if num_sentences > report.num_sentences + report.num_too_long:
        note = message("cli.heads.some", limit=report.num_sentences, total=num_sentences)
        console.print(Text(note))
