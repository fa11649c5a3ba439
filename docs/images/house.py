"""Draws docs/images/house.svg: the packages of Vitral, floor by floor, and the folders of web/src.

    python docs/images/house.py

The floors are those that tests/test_import_direction.py holds the code to, so the picture shows
what is, and tests/test_architecture_page.py fails when it no longer does.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

WIDTH, ROW, BOX, GAP, LEFT = 960, 46, 34, 10, 16
FONT = "font-family='system-ui, sans-serif' font-size='14'"
TITLE = "font-family='system-ui, sans-serif' font-size='15' font-weight='600' fill='#7c8aa5'"
ROLES = {
    "messages": "what is said, in each language",
    "errors": "one clear line for each mistake",
    "stopping": "work that no client waits for",
    "nn": "the parts of a model, one idea a file",
    "text": "tokenizers",
    "surfaces": "what tokens are parts of",
    "vision": "reading pictures",
    "data": "corpora, split and packed",
    "figures": "drawing",
    "models": "whole models, one form an architecture",
    "tracing": "what a forward pass leaves behind",
    "model": "load(): one object with everything",
    "lessons": "text, figures and exercises, a folder each",
    "studio": "the server and its rooms",
    "notebook": "the widget",
    "cli": "the commands, one file each",
    "design": "the kit of components",
    "protocol": "the server's published schema",
    "state": "address, preferences, rooms",
    "frame": "the page around the rooms",
    "trace": "a picture of a trace, and its views",
}
"""In a few words, what stands on a floor of its own."""
COLOURS = ("#35507a", "#6b4a86", "#2f6b62", "#8a5a2b")


def house() -> str:
    """The picture as SVG, readable on paper and on a dark ground."""
    from test_import_direction import FLOORS, WEB_FLOORS

    python = [sorted(floor) for floor in FLOORS if "__init__" not in floor]
    rooms = {"rooms": "explore · write · train · learn", "program": "App · rooms.ts"}
    web = [[rooms.get(name, name) for name in sorted(floor)] for floor in WEB_FLOORS]
    height = ROW * max(len(python), len(web)) + 56
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'>",
        "<title>Vitral's packages: each floor uses those below it</title>",
        *_stack("src/vitral (Python)", python, LEFT, 560, height),
        *_stack("web/src (Svelte)", web, LEFT + 600, 328, height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _stack(title: str, floors: list[list[str]], left: int, width: int, height: int) -> list[str]:
    """One house: its title, and a row of boxes for each floor, the lowest at the bottom."""
    parts = [f"<text x='{left}' y='24' {TITLE}>{title}</text>"]
    for number, floor in enumerate(floors):
        y = height - 12 - ROW * (number + 1)
        size = (width - GAP * (len(floor) - 1)) / len(floor)
        for place, name in enumerate(floor):
            x = left + place * (size + GAP)
            role = ROLES.get(name, "") if len(floor) == 1 else ""
            words = f"<tspan font-weight='600'>{name}</tspan> {role}".rstrip()
            colour = COLOURS[number % len(COLOURS)]
            parts.append(
                f"<rect x='{x:.0f}' y='{y}' width='{size:.0f}' height='{BOX}' rx='4' "
                f"fill='{colour}'/>"
                f"<text x='{x + size / 2:.0f}' y='{y + 22}' text-anchor='middle' {FONT} "
                f"fill='#ffffff'>{words}</text>"
            )
    return parts


if __name__ == "__main__":
    (HERE / "house.svg").write_text(house(), encoding="utf-8")
