"""Uploads are checked while they arrive, and what is wrong leaves nothing behind."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from vitral.errors import VitralError
from vitral.studio.limits import Limits
from vitral.studio.rooms.train.settings import TrainSettings
from vitral.studio.rooms.train.uploads import Check
from vitral.training.runs.run_lock import lock_alone

ADDRESS = "/api/training/texts"
WORDS = "¿Dónde está el pingüino? Mañana lo sabré.\n"


def document(text: str, before: str = "") -> bytes:
    """A .docx with that text as its only paragraph."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        body = f"<w:p><w:r><w:t>{text}</w:t><w:br/><w:t>Fin.</w:t></w:r></w:p>"
        body = body if text.strip() else "<w:p/>"
        file.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{before}<w:document xmlns:w="{space}">{body}</w:document>',
        )
    return packed.getvalue()


@pytest.fixture
def studio(
    open_studio: Callable[..., TestClient], bert_folder: Path, tmp_path: Path
) -> Iterator[TestClient]:
    settings = TrainSettings(runs=tmp_path / "runs", upload_bytes=600_000, uploads=3)
    with open_studio(bert_folder, limits=Limits(body_bytes=1000), settings=[settings]) as client:
        yield client


def kept(tmp_path: Path) -> list[str]:
    folder = tmp_path / "runs" / ".studio" / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_text_larger_than_other_bodies_comes_in_whole(studio: TestClient, tmp_path: Path) -> None:
    text = (WORDS * 8000).encode()
    answer = studio.post(ADDRESS, params={"name": "Los pingüinos (1).TXT"}, content=text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == "uploaded.Los-pingüinos-1.txt"
    assert answer.json()["num_bytes"] == len(text)
    assert kept(tmp_path) == ["Los-pingüinos-1.txt"]
    path = tmp_path / "runs" / ".studio" / "uploads" / "Los-pingüinos-1.txt"
    assert path.read_bytes() == text
    listed = studio.get("/api/training").json()["texts"]
    assert [text["id"] for text in listed] == [
        "offered.sentences",
        "offered.numbers",
        "uploaded.Los-pingüinos-1.txt",
    ]


@pytest.mark.parametrize(
    ("name", "content", "status", "code", "values"),
    [
        ("libro.pdf", b"%PDF", 422, "upload_kind", {"endings": ".txt, .jsonl, .docx"}),
        ("libro.txt", b"a\xc3\xb1o a\xf1o", 422, "upload_not_utf8", {"position": 6}),
        ("libro.txt", b"a\xf1o \x81", 422, "upload_not_utf8", {"position": 1}),
        ("libro.docx", b"PK no", 422, "upload_damaged", {}),
        ("libro.docx", document("&a;", "<!DOCTYPE a>"), 422, "upload_damaged", {}),
        ("libro.docx", document(" "), 422, "upload_empty", {}),
        ("libro.docx", document("a" * 700_000), 413, "upload_too_large", {}),
        ("libro.txt", b"a\0b", 422, "upload_binary", {"position": 1}),
        ("libro.txt", b"\xef\xbb\xbf \n", 422, "upload_empty", {}),
        ("libro.txt", b"a" * 600_001, 413, "upload_too_large", {"limit": 0}),
        ("libro.jsonl", b'{"text": "a"}\n[1]\n', 422, "upload_line", {"line": 2}),
        ("libro.jsonl", b'{"text": "a"}\n{"text": 1}', 422, "upload_line", {"line": 2}),
        ("libro.jsonl", b'{"text": "a"}\n{"te', 422, "upload_line", {"line": 2}),
    ],
)
def test_what_is_wrong_is_said_and_not_kept(
    studio: TestClient,
    tmp_path: Path,
    name: str,
    content: bytes,
    status: int,
    code: str,
    values: dict[str, object],
) -> None:
    answer = studio.post(ADDRESS, params={"name": name}, content=content)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["values"] == {**error["values"], **values, "name": name}
    assert kept(tmp_path) == []


def test_names_lead_nowhere_else(studio: TestClient, tmp_path: Path) -> None:
    for name in ("../../fuera.txt", "..\\fuera.txt", "/etc/fuera.txt", ".txt"):
        assert studio.post(ADDRESS, params={"name": name}, content=b"hola").status_code in (
            200,
            413,
        )
    assert kept(tmp_path) == ["fuera-2.txt", "fuera-3.txt", "fuera.txt"]  # the fourth was too many
    assert not list(tmp_path.glob("*.txt"))


def test_no_more_texts_are_kept_than_that(studio: TestClient) -> None:
    for number in range(3):
        answer = studio.post(ADDRESS, params={"name": f"{number}.txt"}, content=b"hola")
        assert answer.status_code == 200
    full = studio.post(ADDRESS, params={"name": "4.txt"}, content=b"hola")
    assert (full.status_code, full.json()["error"]["code"]) == (413, "uploads_full")
    assert studio.delete(f"{ADDRESS}/uploaded.0.txt").status_code == 204
    assert studio.post(ADDRESS, params={"name": "4.txt"}, content=b"hola").status_code == 200


def test_only_uploaded_texts_are_deleted(studio: TestClient) -> None:
    answer = studio.delete(f"{ADDRESS}/offered.numbers")
    assert answer.json()["error"]["code"] == "text_not_uploaded"
    assert studio.delete(f"{ADDRESS}/uploaded.nada.txt").status_code == 404


def test_other_addresses_take_no_large_bodies(studio: TestClient) -> None:
    answer = studio.post("/api/training/runs", content=b" " * 2000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_mistake_is_seen_before_the_rest_has_come() -> None:
    check = Check("libro.txt", limit=10**9)
    check.take(WORDS.encode()[:3])  # the "ó" comes in two parts: no mistake
    check.take(WORDS.encode()[3:])
    with pytest.raises(VitralError) as caught:
        check.take(b"ni\xf1o")
    position = caught.value.values["position"]
    assert (caught.value.key, position) == ("upload_not_utf8", len(WORDS.encode()) + 2)
    lines = Check("libro.jsonl", limit=10**9)
    lines.take(b'{"text": "a"}\n{"text"')
    with pytest.raises(VitralError, match="line 2"):
        lines.take(b": 3}\n")


def test_a_text_that_is_too_short_is_refused_before_it_is_queued(studio: TestClient) -> None:
    poem = "Caminante, son tus huellas\nel camino y nada más.\n"
    text = studio.post(ADDRESS, params={"name": "poema.txt"}, content=poem.encode()).json()["id"]
    answer = studio.post("/api/training/runs", json={"text": text, "name": "poema", "minutes": 1})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "text_too_short")
    assert "batch" not in error["message"]
    assert studio.get("/api/training").json()["runs"] == []


def test_what_a_killed_upload_left_is_deleted(
    open_studio: Callable[..., TestClient], tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / ".studio" / "uploads"
    folder.mkdir(parents=True)
    left, arriving = folder / ".0123.part", folder / ".4567.part"
    left.write_bytes(b"medio")
    with arriving.open("wb") as file:
        assert lock_alone(file)
        with open_studio():
            assert not left.exists()
            assert arriving.exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.txt",
            (WORDS + "«Sí», dijo… —Ñandú €").encode("cp1252"),
            WORDS + "«Sí», dijo… —Ñandú €",
        ),
        ("b.docx", document("¿Dónde está?"), "¿Dónde está?\nFin.\n"),
    ],
)
def test_old_texts_and_documents_are_kept_as_utf8(
    studio: TestClient, tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    answer = studio.post(ADDRESS, params={"name": name}, content=content)
    assert answer.status_code == 200, answer.text
    [path] = kept(tmp_path)
    assert path == f"{name[0]}.txt"
    folder = tmp_path / "runs" / ".studio" / "uploads"
    assert (folder / path).read_bytes().decode() == expected
