"""docs/architectures.md, written from what the sweep found.

make parity        the sweep, then this page
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OUTCOMES = ROOT / "build" / "parity.jsonl"
PAGE = ROOT / "docs" / "architectures.md"

HEADINGS = {
    "exact": "Exact",
    "eager": "Traced through the fallback",
    "uncompared": "Traced, with patterns that cannot be compared",
    "wrong": "Different from eager",
    "untraced": "Not traceable",
    "unrun": "Not checked: no made-up input fits",
    "unbuilt": "Not checked: cannot be built from its configuration",
}
EXPLANATIONS = {
    "exact": "Every pattern that the eager implementation returns was rebuilt from queries and "
    "keys within 1e-5. Where rounding errors grow from layer to layer the comparison was in "
    "float64.",
    "eager": "Some attention of these models goes through no function that Vitral can record. It "
    "runs eagerly during a trace, which keeps its patterns as the model gives them, and "
    '`trace.exactness` is `"eager"`. What can be rebuilt was, and agrees.',
    "uncompared": "The patterns marked here are rebuilt, but the eager implementation returns none "
    "to compare them with.",
    "wrong": "These must not be: each is a fault of Vitral.",
    "untraced": "Vitral shows nothing rather than something wrong: a trace raises `not_traceable`.",
    "unrun": "Their forward pass asks for inputs that the sweep cannot make up from names and "
    "sizes. Check yours with `vitral verify`.",
    "unbuilt": "They need another package, a configuration of several models, or numbers that the "
    "sweep's shrinking does not get right. Check yours with `vitral verify`.",
}


TRACED = ("exact", "eager", "uncompared", "wrong")


def written(rows: list[dict[str, Any]], version: str, num_types: int) -> str:
    """The page, from outcomes as `sweep.py` writes them."""
    counts = Counter(row["status"] for row in rows)
    types = {
        status: len({row["model_type"] for row in rows if row["status"] == status})
        for status in HEADINGS
    }
    lines = [
        "# Architectures",
        "",
        "<!-- Written by tests/parity/page.py; do not edit. -->",
        "",
        f"A tiny random model of each architecture of transformers {version} is built from its "
        "configuration alone, runs on made-up inputs, and leaves a trace; every pattern of it is "
        "compared with the one that the model's own eager attention returns. The command is "
        f"`make parity`. transformers names {num_types} model types; here are {len(rows)} classes "
        f"of {len({row['model_type'] for row in rows})} of them. For a model of your own, use "
        "[`vitral verify`](command-line.md#vitral-verify).",
        "",
        "| outcome | model types | classes |",
        "|---|---:|---:|",
        *(
            f"| {HEADINGS[status]} | {types[status]} | {counts[status]} |"
            for status in HEADINGS
            if counts[status] or status == "wrong"
        ),
    ]
    lines += used(rows)
    for status, heading in HEADINGS.items():
        found = sorted((row for row in rows if row["status"] == status), key=_order)
        if not found:
            continue
        lines += ["", f"## {heading}", "", EXPLANATIONS[status], ""]
        if status in TRACED:
            lines += [
                "| model type | class | attentions | largest deviation | |",
                "|---|---|---:|---:|---|",
            ]
            lines += [_traced(row) for row in found]
        else:
            lines += ["| model type | class | why |", "|---|---|---|"]
            lines += [
                f"| {row['model_type']} | {row['name']} | {reason(row['reason'])} |"
                for row in found
            ]
    return "\n".join(lines) + "\n"


def used(rows: list[dict[str, Any]]) -> list[str]:
    """What became of the traces: saved and drawn, batches, kind and context."""
    traced = [row for row in rows if row["status"] in TRACED]
    texts = [row for row in traced if row["right"] is not None]
    checks = [
        ("saved, opened, every view asked", traced, [r for r in traced if r["shown"]]),
        ("padding on the right changes nothing", texts, [r for r in texts if _moves(r, "right")]),
        ("padding on the left changes nothing", texts, [r for r in texts if _moves(r, "left")]),
        ("`Model.kind` is what is measured", texts, [r for r in texts if r["kind"]]),
        ("`Model.context` tokens can be read", texts, [r for r in texts if r["context"]]),
    ]
    lines = [
        "",
        "## What is done with a trace",
        "",
        "Each trace is saved, opened, and asked for everything that Studio asks, and one of each "
        "model type is drawn as figures and as a page. Of models that read text, a row of a "
        "padded batch is compared with the row alone (within 1e-4), the kind is measured (a later "
        "token changes no earlier output of a decoder), and so is how many tokens are accepted.",
        "",
        "| check | classes | of | differ |",
        "|---|---:|---:|---|",
    ]
    lines += [
        f"| {check} | {len(all_) - len(bad)} | {len(all_)} | {_types(bad)} |"
        for check, all_, bad in checks
    ]
    stages = sorted({r["model_type"] for r in traced if "trace_not_drawn" in r["refused"]})
    if stages:
        lines += [
            "",
            "Studio says in one line that it cannot show these, whose layers have different "
            f"numbers of tokens or heads; figures draw each layer: {', '.join(stages)}.",
        ]
    return lines


def _moves(row: dict[str, Any], side: str) -> bool:
    value = row[side]
    return value is None or not value < 1e-4


def _types(rows: list[dict[str, Any]]) -> str:
    found = sorted({row["model_type"] for row in rows})
    return ", ".join(found) if found else "–"


def _order(row: dict[str, Any]) -> tuple[str, str]:
    return row["model_type"].lower(), row["name"]


def _traced(row: dict[str, Any]) -> str:
    largest = "–" if row["largest"] is None else f"{row['largest']:.0e}"
    notes = []
    if row["reason"]:
        notes.append(row["reason"])
    if row["uncompared"]:
        notes.append(f"not compared: {_few(row['uncompared'])}")
    if row["missing"]:
        notes.append(f"not in the trace: {_few(row['missing'])}")
    cells = (row["model_type"], row["name"], row["num_attentions"], largest, "; ".join(notes))
    return "| " + " | ".join(map(str, cells)) + " |"


def _few(names: str) -> str:
    first, *others = names.split(", ")
    return f"`{first}`" + (f" and {len(others)} more" if others else "")


def reason(text: str) -> str:
    """An error as one short reason."""
    package = re.search(r"requires the (\w+) library|No module named '(\w+)'", text)
    if package:
        return f"needs {package[1] or package[2]}"
    size = re.search(r"MemoryError: (\d+ M parameters)", text)
    if size:
        return f"stays large: {size[1]}"
    if "has no attention" in text:
        return "has no attention"
    if "cannot record" in text:
        return "its attention returns no weights"
    text = re.sub(r"\s*\[\w+\.py:\d+\]$", "", text)
    text = re.sub(r"^\w*Error: (Class validation error for validator '\w+': )?", "", text)
    text = text.replace("|", "/").replace("<", "‹").replace(">", "›").replace("*", "·")
    text = text.replace("_", "\\_").replace("`", "").replace("[", "(").replace("]", ")")
    return text[:100].rstrip() + ("…" if len(text) > 100 else "") or "asks for inputs of its own"


def main() -> None:
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    rows = [json.loads(line) for line in OUTCOMES.read_text(encoding="utf-8").splitlines()]
    page = written(rows, transformers.__version__, len(CONFIG_MAPPING_NAMES))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
