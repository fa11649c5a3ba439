"""Pictures for print: tensors and words in, a matplotlib figure out. Needs `vitral[plot]`."""

from typing import Literal

from vitral.figures.head_grid import head_grid
from vitral.figures.heat_map import heat_map
from vitral.figures.lines import lines, most_lines

Kind = Literal["heat", "lines", "grid"]
"""The kinds of figures: one head as a map, one as lines, all heads."""

__all__ = ["Kind", "head_grid", "heat_map", "lines", "most_lines"]
