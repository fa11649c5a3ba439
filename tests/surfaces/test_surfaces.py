"""A surface says where a token is, paints weights, and says which token is here."""

import json

import numpy as np
import pytest

from picture_models import drawn
from vitral.surfaces.picture import PictureSurface
from vitral.surfaces.place import Patch, TextSpan, place_entries, place_of
from vitral.surfaces.registry import SURFACES, read_surface
from vitral.surfaces.text import TextSurface
from vitral.tracing import Token

SPANS = [None, TextSpan(0, 2), TextSpan(3, 5), TextSpan(4, 7)]
PATCHES = [None, *(Patch(r, c, 8 * c, 8 * r, 8 * c + 8, 8 * r + 8) for r in (0, 1) for c in (0, 1))]


def picture() -> PictureSurface:
    import io

    written = io.BytesIO()
    drawn(16, 16).save(written, "PNG")
    seen = (20.0, 0.0, 100.0, 80.0)
    return PictureSurface(
        written.getvalue(), 16, 16, 2, 2, "foto.png", (120, 80), seen, ("turned",)
    )


def test_a_text_knows_its_spans() -> None:
    text = TextSurface("El niño")
    assert text.where(SPANS[1]) == (0, 2)
    assert text.where(None) is text.where(PATCHES[1]) is None
    assert [text.token_at(SPANS, (at,)) for at in range(7)] == [1, 1, None, 2, 2, 3, 3]


def test_a_text_is_painted_by_the_character_and_shared_ones_add_up() -> None:
    painted = TextSurface("El niño").paint(SPANS, [0.1, 0.2, 0.3, 0.4])
    expected = [0.2, 0.2, np.nan, 0.3, 0.7, 0.4, 0.4]
    np.testing.assert_allclose(painted, expected, atol=1e-6)


def test_a_picture_knows_its_patches_here_and_in_the_picture_given() -> None:
    surface = picture()
    assert surface.where(PATCHES[2]) == (8, 0, 16, 8)
    assert surface.where(None) is surface.where(SPANS[1]) is None
    assert surface.in_original(PATCHES[2]) == (60.0, 0.0, 100.0, 40.0)
    assert surface.token_at(PATCHES, (7.9, 8)) == 3
    assert surface.token_at(PATCHES, (16, 3)) is None


def test_a_picture_is_painted_by_the_patch() -> None:
    painted = picture().paint(PATCHES, [0.5, 0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(painted, [[0.1, 0.2], [0.3, 0.4]], atol=1e-6)
    assert np.isnan(picture().paint(PATCHES[:4], [0.5, 0.1, 0.2, 0.3])[1, 1])


@pytest.mark.parametrize("surface", [TextSurface("El niño"), picture()], ids=lambda s: s.kind)
def test_a_surface_is_read_as_it_was_written(surface) -> None:
    entries = json.loads(json.dumps(surface.entries()))
    assert read_surface(entries, surface.material) == surface
    assert SURFACES[surface.kind] is type(surface)


@pytest.mark.parametrize(
    "change",
    [{"width": 17}, {"width": -16}, {"height": "16"}, {"rows": 10**6}, {"kind": "smell"}],
)
def test_what_does_not_fit_is_refused(change) -> None:
    surface = picture()
    with pytest.raises(ValueError, match="surface"):
        read_surface(surface.entries() | change, surface.material)


@pytest.mark.parametrize("material", [None, b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(40)])
def test_bytes_that_are_no_picture_are_refused(material) -> None:
    with pytest.raises(ValueError, match="png"):
        read_surface(picture().entries(), material)


@pytest.mark.parametrize("place", [*SPANS, *PATCHES])
def test_a_place_is_read_as_it_was_written(place) -> None:
    assert place_of(json.loads(json.dumps(place_entries(place)))) == place


def test_a_token_has_a_span_a_patch_or_no_place() -> None:
    word, patch, mark = Token(7, "niño", 3, 7), Token(1, "0,0", place=PATCHES[1]), Token(2, "[CLS]")
    assert (word.start, word.end, word.place) == (3, 7, TextSpan(3, 7))
    assert (patch.start, patch.end) == (mark.start, mark.end) == (None, None)
    assert word.entries() == {"id": 7, "text": "niño", "start": 3, "end": 7, "special": False}
    for token in (word, patch, mark):
        assert Token.read(json.loads(json.dumps(token.entries()))) == token
