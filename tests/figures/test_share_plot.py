"""Shares with intervals: every line is written, and the marks stand where the shares are."""

import pytest

from vitral.errors import VitralError
from vitral.figures.share_plot import ShareLine, share_plot

LINES = [
    ShareLine("det → núcleo", 0.9, (0.8, 0.95), 0.5, (0.4, 0.6), "0.1 +1", strong=True),
    ShareLine("obj → núcleo", 0.2, (0.1, 0.3), 0.25, (0.2, 0.35)),
]


@pytest.mark.parametrize("dark", [False, True])
def test_lines_and_marks(dark: bool) -> None:
    figure = share_plot(LINES, found="cabeza", other="lugar", notes=["nota"], title="t", dark=dark)
    written = [text.get_text() for text in figure.texts]
    for line in LINES:
        assert line.name in written
    assert {"cabeza", "lugar", "0.1 +1", "100 %", "nota", "t"} <= set(written)
    axes = figure.axes[0]
    assert axes.get_xlim() == (0, 1)
    spots = {tuple(line.get_xdata()) for line in axes.lines}
    for line in LINES:
        assert {(line.share,), (line.other,), line.interval, line.other_interval} <= spots
    bold = [text.get_text() for text in figure.texts if text.get_fontweight() == "bold"]
    assert "det → núcleo" in bold
    assert "obj → núcleo" not in bold


def test_a_width_that_is_none() -> None:
    with pytest.raises(VitralError, match="wide"):
        share_plot(LINES, found="a", other="b", width="wide")
