"""Compressed and Parquet sources, and folders that a folder links to."""

import gzip
import json
from pathlib import Path

import pytest

from vitral.data import corpus
from vitral.data.corpus import read_documents
from vitral.errors import VitralError

TEXT = "El perro ladra.\n\nLa niña ríe: ¿qué hará después?\n"


def names(*sources: Path, **options: str) -> dict[str, str]:
    return {document.name: document.text for document in read_documents(sources, **options)}


def test_compressed_files_are_read_as_they_were(tmp_path) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for folder in (plain, packed):
        folder.mkdir()
    lines = "\n".join(json.dumps({"text": f"Línea {n}."}, ensure_ascii=False) for n in range(5))
    for name, text in (("uno.txt", TEXT), ("dos.md", TEXT), ("tres.jsonl", lines)):
        (plain / name).write_text(text, encoding="utf-8")
        (packed / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    assert names(packed) == names(plain)
    assert set(names(packed)) == {"uno", "dos", *(f"tres:{n}" for n in range(1, 6))}
    assert names(packed / "uno.txt.gz") == names(plain / "uno.txt")


def test_a_large_compressed_file_is_read_in_parts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(corpus, "LARGEST_DOCUMENT", 2000)
    monkeypatch.setattr(corpus, "_BLOCK", 500)
    (tmp_path / "libro.txt").write_text(TEXT * 200, encoding="utf-8")
    (tmp_path / "libro.txt.gz").write_bytes(gzip.compress((TEXT * 200).encode()))
    plain, packed = names(tmp_path / "libro.txt"), names(tmp_path / "libro.txt.gz")
    assert len(plain) > 3
    assert list(packed.values()) == list(plain.values())


@pytest.mark.parametrize(
    "data",
    [b"no gzip at all", gzip.compress(TEXT.encode() * 99, mtime=0)[:-20], b"\x1f\x8b"],
    ids=["other", "cut short", "its first bytes alone"],
)
def test_a_damaged_compressed_file_is_said(tmp_path, data) -> None:
    (tmp_path / "libro.txt.gz").write_bytes(data)
    with pytest.raises(VitralError) as raised:
        names(tmp_path)
    assert raised.value.key == "file_unreadable"
    assert "libro.txt.gz" in str(raised.value)


def test_a_parquet_file_has_a_document_a_row(tmp_path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="Parquet files are read by PyArrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    texts = [f"Texto número {n}." if n % 7 else None for n in range(3000)]
    table = arrow.table({"id": list(range(3000)), "cuerpo": texts})
    parquet.write_table(table, tmp_path / "notas.parquet")
    found = names(tmp_path, text_field="cuerpo")
    assert len(found) == sum(text is not None for text in texts)
    assert found["notas:2"] == "Texto número 1."
    for field in ("text", "id"):
        with pytest.raises(VitralError) as raised:
            names(tmp_path, text_field=field)
        assert raised.value.key == "dataset_field"
    (tmp_path / "notas.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(VitralError) as raised:
        names(tmp_path)
    assert raised.value.key == "file_unreadable"


def test_linked_folders_are_read_once(tmp_path) -> None:
    books, others = tmp_path / "libros", tmp_path / "otros"
    (others / "siglo").mkdir(parents=True)
    books.mkdir()
    (books / "uno.txt").write_text(TEXT)
    (others / "siglo" / "dos.txt").write_text(TEXT)
    (books / "enlace").symlink_to(others)
    (books / "otra-vez").symlink_to(others)
    (others / "vuelta").symlink_to(books)  # a circle
    (books / "rota").symlink_to(tmp_path / "nada")
    assert len(names(books)) == 2
    assert {name.rpartition("/")[2] for name in names(books)} == {"uno", "dos"}
