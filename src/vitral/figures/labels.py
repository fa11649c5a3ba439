"""Words on a figure: what a token's label says, how wide it is, and how many of them fit."""

import unicodedata
import warnings
from collections.abc import Sequence
from functools import lru_cache

from vitral.figures.sheet import families
from vitral.text.unseen import code_points

LONGEST = 16
_LEEWAY = 1.02  # no two programs set a line exactly alike
_VISIBLE = {"\n": "↵", "\r": "␍", "\t": "⇥", " ": "␣", "\u00a0": "␣"}


def label(text: str) -> str:
    """A token's text with nothing invisible in it; an ellipsis stands for what was cut."""
    seen = text.strip(" ") or text
    shown = code_points(seen) or "".join(map(_visible, seen)) or "∅"
    return shortened(shown, LONGEST)


def shortened(text: str, longest: int) -> str:
    """`text` in at most so many characters; an ellipsis stands for what was cut."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _visible(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    if unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}:
        return "�"
    return character


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """How wide a line of text is at this size of letters, both in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=list(families()), size=size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        width: float = text_to_path.get_text_width_height_descent(text, font, False)[0]
    return _LEEWAY * width


def widest(texts: Sequence[str], size: float) -> float:
    return max((text_width(text, size) for text in set(texts)), default=0.0)


def wrapped(text: str, size: float, width: float) -> list[str]:
    """A sentence in lines of at most `width`; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def every(pitch: float, least: float) -> int:
    """Each how-many-eth thing can be named, for things `pitch` apart and names `least` high."""
    step = 1
    for factor in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000):
        step = factor
        if pitch * factor >= least:
            break
    return step


def warn_of_missing(texts: Sequence[str]) -> None:
    """One warning, where no font here has some of the characters: they will show as boxes."""
    from matplotlib import font_manager

    characters = set("".join(texts))
    for family in families():
        if not characters:
            return
        path = font_manager.findfont(family)
        known = font_manager.get_font(path).get_charmap()
        characters = {each for each in characters if ord(each) not in known}
    if characters:
        from vitral.messages import message

        shown = " ".join(sorted(characters))
        warnings.warn(message("figure.missing", characters=shown), UserWarning, stacklevel=4)
