"""Whatever the picture is, it becomes RGB and says how, or one line says what is wrong."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from picture_models import drawn
from vitral.errors import VitralError
from vitral.vision.picture_file import MOST_MEGAPIXELS, is_picture, read_picture


def written(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def test_a_path_bytes_an_image_and_an_array_are_the_same_picture(tmp_path) -> None:
    image = drawn(24, 16)
    path = tmp_path / "foto.png"
    image.save(path)
    floats = np.asarray(image) / 255
    for source in (path, str(path), path.read_bytes(), image, np.asarray(image), floats):
        picture = read_picture(source)
        assert np.array_equal(np.asarray(picture.image), np.asarray(image))
        assert picture.notes == ()
    assert read_picture(path).name == "foto.png"
    assert read_picture(path.read_bytes(), "otra.png").name == "otra.png"


@pytest.mark.parametrize(
    ("mode", "kind", "notes"),
    [
        ("L", "PNG", ()),
        ("1", "PNG", ()),
        ("P", "PNG", ()),
        ("CMYK", "JPEG", ("from_print",)),
        ("I;16", "PNG", ("sixteen_bits",)),
    ],
)
def test_other_modes_become_rgb(mode, kind, notes) -> None:
    grey = np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) * 170
    image = Image.fromarray(grey) if mode == "I;16" else drawn(24, 16).convert(mode)
    picture = read_picture(written(image, kind))
    assert picture.image.mode == "RGB"
    assert picture.notes == notes
    if mode == "I;16":
        expected = np.round(grey / 257)
        assert np.array_equal(np.asarray(picture.image)[..., 0], expected)


def test_what_is_see_through_is_laid_on_white() -> None:
    image = drawn(24, 16).convert("RGBA")
    assert read_picture(written(image)).notes == ()
    image.putpixel((3, 2), (10, 20, 30, 0))
    picture = read_picture(written(image))
    assert picture.notes == ("on_white",)
    assert picture.image.getpixel((3, 2)) == (255, 255, 255)
    assert picture.image.getpixel((4, 2)) == drawn(24, 16).getpixel((4, 2))


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    content = written(frames[0], "GIF", save_all=True, append_images=frames[1:])
    picture = read_picture(content)
    assert picture.notes == ("first_frame",)
    assert picture.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_photo_is_turned_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    picture = read_picture(written(drawn(24, 16), "PNG", exif=turned))
    assert picture.image.size == (16, 24)
    assert picture.notes == ("turned",)


def bomb(width: int, height: int) -> bytes:
    """The header of a PNG of that size, and next to nothing in it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [8_001, 9_600, 13_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side) -> None:
    assert MOST_MEGAPIXELS == 64
    with pytest.raises(VitralError) as raised:
        read_picture(bomb(side, side), "bomba.png")
    assert raised.value.key == "picture_too_large"
    assert raised.value.values == {"name": "bomba.png", "limit": 64}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "picture_unread"),
        (b"El perro", "picture_unread"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_unread"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "picture_unread"),
        (written(drawn(24, 16))[:60], "picture_damaged"),
        (written(drawn(240, 160), "JPEG")[:2000], "picture_damaged"),
        (bomb(100, 100), "picture_damaged"),
        (written(Image.new("RGB", (4, 2000))), "picture_too_narrow"),
        (written(Image.fromarray(np.zeros((4, 4), np.float32)), "TIFF"), "picture_mode"),
    ],
)
def test_what_is_no_good_picture_is_refused_in_one_line(content, key) -> None:
    with pytest.raises(VitralError) as raised:
        read_picture(content, "foto.png")
    assert raised.value.key == key
    for language in ("en", "es"):
        assert "foto.png" in raised.value.text(language)
        assert "\n" not in raised.value.text(language)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((3, 8, 8), np.uint8),
        np.zeros((4,), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.full((4, 4, 3), 2.0),
        np.full((4, 4, 3), np.nan),
        np.zeros((4, 4, 3), np.int32),
        [["a", "b"]],
        {"no": "picture"},
    ],
)
def test_an_array_that_is_no_picture(array) -> None:
    with pytest.raises(VitralError) as raised:
        read_picture(array)
    assert raised.value.key == "picture_values"


@pytest.mark.parametrize("path", ["nada.png", "El gato duerme.", "x" * 5000, "a\0b", "."])
def test_a_path_where_there_is_no_file(path) -> None:
    with pytest.raises(VitralError) as raised:
        read_picture(path)
    assert raised.value.key == "picture_missing"


def test_texts_are_no_pictures(tmp_path) -> None:
    assert is_picture(tmp_path / "foto.PNG")
    assert is_picture(drawn(4, 4))
    assert is_picture(np.zeros((4, 4, 3)))
    assert not is_picture("foto.png")
    assert not is_picture(["foto.png"])
    assert not is_picture(tmp_path / "texto.txt")
