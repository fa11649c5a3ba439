"""Pictures for print: tensors and words in, a matplotlib figure out. Needs `vitral[plot]`."""

from vitral.figures.head_grid import head_grid
from vitral.figures.heat_map import heat_map
from vitral.figures.lines import lines, most_lines

__all__ = ["head_grid", "heat_map", "lines", "most_lines"]
