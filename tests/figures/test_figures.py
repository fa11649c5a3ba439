"""Figures: what is drawn, what stands on them, and what they leave alone."""

import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure

from vitral.errors import VitralError
from vitral.figures import head_grid, heat_map, lines, most_lines
from vitral.figures.labels import label

WORDS = ["[CLS]", "El", " pingüino", " $x$", "corrió", "\n"]
SHOWN = ["[CLS]", "El", "pingüino", "$x$", "corrió", "↵"]


def pattern(size: int = 6) -> torch.Tensor:
    return torch.randn(size, size, generator=torch.Generator().manual_seed(1)).mul(2).softmax(-1)


def written(figure: Figure) -> list[str]:
    """The words of the figure's SVG, in order."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    tree = ElementTree.fromstring(file.getvalue())
    return [text.text or "" for text in tree.iter("{http://www.w3.org/2000/svg}text")]


def meshes(figure: Figure) -> list[QuadMesh]:
    """The maps of a figure, without the scale's bar (which has one row)."""
    found = [
        mesh for axes in figure.axes for mesh in axes.collections if isinstance(mesh, QuadMesh)
    ]
    return [mesh for mesh in found if mesh.get_array().shape[0] > 1]


def test_a_map_draws_each_weight() -> None:
    weights = pattern()
    figure = heat_map(weights, WORDS, WORDS, language="en")
    [mesh] = meshes(figure)
    np.testing.assert_array_equal(mesh.get_array(), weights.numpy())
    assert mesh.norm.vmin == 0
    assert mesh.norm.vmax == weights.max()
    words = written(figure)
    assert [words.count(shown) for shown in SHOWN] == [2] * 6
    assert f"{float(weights.max()):.2f}" in words


def test_what_a_mask_hides_has_no_colour() -> None:
    allowed = torch.ones(6, 6, dtype=torch.bool).tril()
    figure = heat_map(pattern() * allowed, WORDS, WORDS, allowed=allowed, language="es")
    [mesh] = meshes(figure)
    np.testing.assert_array_equal(np.ma.getmaskarray(mesh.get_array()), ~allowed.numpy())
    assert "oculto por la máscara" in written(figure)
    assert "oculto por la máscara" not in written(heat_map(pattern(), language="es"))


def test_a_difference_gets_the_scale_whose_middle_is_zero() -> None:
    change = pattern() - torch.eye(6)
    [mesh] = meshes(heat_map(change))
    assert mesh.norm.vmin == -mesh.norm.vmax == -change.abs().max()
    assert mesh.get_cmap().name == "course"
    with pytest.raises(VitralError, match="course"):
        heat_map(change, scale="glass")
    with pytest.raises(VitralError, match="below zero"):
        lines(change)


@pytest.mark.parametrize("size", [300, 700])
def test_a_long_text_says_that_it_is_reduced(size: int) -> None:
    words = " ".join(written(heat_map(pattern(size), language="en")))
    blocks = -(-size // 256)
    assert f"{size} tokens: each cell is the mean of up to {blocks} × {blocks} weights." in words


def test_only_as_many_tokens_are_named_as_can_be_read() -> None:
    names = [f"palabra{i}" for i in range(100)]
    shown = [word for word in written(heat_map(pattern(100), names, names)) if "palabra" in word]
    assert 10 < len(shown) < 60
    assert all(re.fullmatch(r"(\d+) palabra\1", word) for word in shown)
    wide = written(heat_map(pattern(30), names[:30], names[:30], width="page"))
    assert wide.count("palabra7") == 2


def test_lines_are_the_weights_that_are_not_faint() -> None:
    weights = pattern()
    figure = lines(weights, WORDS, WORDS, faintest=0.1, language="en")
    [drawn] = [c for axes in figure.axes for c in axes.collections if isinstance(c, PathCollection)]
    strong = weights[weights >= 0.1]
    assert len(drawn.get_paths()) == len(strong)
    widths = np.asarray(drawn.get_linewidths())
    assert np.corrcoef(widths, np.sort(strong.numpy()))[0, 1] == pytest.approx(1)
    percent = round(100 * (1 - float(strong.sum() / weights.sum())))
    assert f"Weights below 0.10, {percent} % of the attention, have no line." in " ".join(
        written(figure)
    )


def test_lines_of_one_token_have_their_numbers() -> None:
    weights = pattern()
    words = written(lines(weights, WORDS, WORDS, token=2, language="es"))
    for weight in weights[2].tolist():
        assert (f"{weight:.2f}".replace(".", ",") if weight >= 0.005 else "<0,01") in words
    with pytest.raises(VitralError, match="Token 6"):
        lines(weights, token=6)


def test_grouped_lines_still_give_away_one_in_all() -> None:
    size = 3 * most_lines()
    figure = lines(torch.full((size, size), 1 / size), faintest=0, language="en")
    [drawn] = [c for axes in figure.axes for c in axes.collections if isinstance(c, PathCollection)]
    shares = (np.asarray(drawn.get_linewidths()) / 7 - 0.05) / 0.75
    assert shares.sum() == pytest.approx(most_lines(), rel=1e-3), "a row for each group"
    assert f"{size} tokens, in groups of up to 3" in " ".join(written(figure))
    with pytest.raises(VitralError, match="no line of its own"):
        lines(torch.full((size, size), 1 / size), token=5)


def test_a_grid_has_a_pane_for_each_head() -> None:
    maps = torch.rand(3, 4, 10, 10)
    figure = head_grid(maps, language="en")
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 12
    greatest = [float(image.max()) for image in images]
    assert greatest == pytest.approx([1] * 12), "each its own scale"
    assert "Each head has its own scale" in " ".join(written(figure))
    shared = head_grid(maps, shared=True)
    images = [axes.images[0].get_array() for axes in shared.axes if axes.images]
    np.testing.assert_allclose(images[5], maps[1, 1] / maps.max(), rtol=1e-6)
    with pytest.raises(VitralError, match=r"\[3, 3\]"):
        head_grid(torch.rand(3, 3))


def test_sizes_are_those_asked_for() -> None:
    for width, millimetres in (("column", 85), ("page", 178), (120, 120)):
        figure = heat_map(pattern(), WORDS, WORDS, width=width)
        assert figure.get_size_inches()[0] * 25.4 == pytest.approx(millimetres)
    slide = heat_map(pattern(40), width="slide")
    assert slide.get_size_inches()[1] <= 7.5001
    for wrong in ("wide", 3, float("nan")):
        with pytest.raises(VitralError, match="column, page, slide"):
            heat_map(pattern(), width=wrong)


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(kind: str) -> None:
    files = []
    for _ in range(2):
        file = io.BytesIO()
        heat_map(pattern(), WORDS, WORDS, title="¿Qué mira?").savefig(file, format=kind)
        files.append(file.getvalue())
    assert files[0] == files[1]
    if kind == "pdf":
        assert b"/FontFile2" in files[0], "a TrueType font is embedded"


def test_a_label_hides_nothing_and_drives_nothing() -> None:
    assert [label(word) for word in WORDS] == SHOWN
    assert label("\u202eabc\x1b") == "�abc�"
    assert label("") == "∅"
    assert label("a" * 40) == "a" * 15 + "…"


def test_letters_that_no_font_has_are_said_once() -> None:
    with pytest.warns(UserWarning, match="\U00016b90") as said:
        figure = heat_map(pattern(), [*WORDS[:5], "\U00016b90"], WORDS, language="en")
    assert len(said) == 1
    figure.savefig(io.BytesIO(), format="png")  # a second warning would be an error
    assert "\U00016b90" in written(figure)


def test_nothing_of_matplotlibs_is_touched() -> None:
    code = """
import sys, io, torch, matplotlib
import vitral.figures
before = matplotlib.rcParams.copy()
figure = vitral.figures.heat_map(torch.eye(3), list("abc"), list("abc"))
figure.savefig(io.BytesIO(), format="svg"); figure._repr_svg_()
assert matplotlib.rcParams.copy() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_without_matplotlib_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (heat_map, lines, head_grid):
        with pytest.raises(VitralError, match=r'pip install "vitral\[plot\]"'):
            draw(pattern())
