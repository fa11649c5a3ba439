import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.data import corpus
from vitral.data.corpus import Document, read_documents, read_text
from vitral.data.split import read_corpus
from vitral.errors import VitralError


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(*texts: str, field: str = "text") -> str:
    return "\n".join(json.dumps({field: text}, ensure_ascii=False) for text in texts)


def refusal(*sources: str | Path, **options: str) -> VitralError:
    with pytest.raises(VitralError) as caught:
        list(read_documents(sources, **options))
    return caught.value


def test_sources_of_all_kinds_come_in_order(tmp_path: Path) -> None:
    write(tmp_path / "libros" / "dos.txt", "Dos\nlíneas.")
    write(tmp_path / "libros" / "autora" / "uno.md", "Uno.")
    write(tmp_path / "libros" / "notas.jsonl", lines("Nota una.", " ", "Nota tres."))
    write(tmp_path / "libros" / "datos.csv", "1,2")
    write(tmp_path / "libros" / ".oculto.txt", "Oculto.")
    one = write(tmp_path / "suelto", "Suelto.")
    assert list(read_documents([tmp_path / "libros", str(one)])) == [
        Document("autora/uno", "Uno."),
        Document("dos", "Dos líneas."),
        Document("notas:1", "Nota una."),
        Document("notas:3", "Nota tres."),
        Document("suelto", "Suelto."),
    ]


def test_names_that_would_be_the_same_are_told_apart(tmp_path: Path) -> None:
    for place in ("a/libro.txt", "a/libro.md", "b/libro.txt"):
        write(tmp_path / place, place)
    names = [document.name for document in read_documents([tmp_path / "a", tmp_path / "b"])]
    assert names == ["libro.md", f"{tmp_path}/a/libro.txt", f"{tmp_path}/b/libro.txt"]


def test_plain_text_is_kept(tmp_path: Path) -> None:
    text = unicodedata.normalize("NFD", "\ufeff-¿Ve usted?\r\n\r\n\r\n_Sí_  [1]…\rFin\n")
    path = write(tmp_path / "a.txt", text)
    (document,) = read_documents([path], cleaning="plain")
    assert document.text == "-¿Ve usted?\n\n\n_Sí_  [1]…\nFin\n"


@given(st.text(alphabet="ñá€𝄞a \n\r", max_size=40), st.integers(1, 9))
def test_blocks_cut_no_character_and_no_line_break(text: str, block: int) -> None:
    from tempfile import NamedTemporaryFile

    with NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_BLOCK", block)
        Path(file.name).write_bytes(text.encode())
        assert read_text(Path(file.name)) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_a_large_file_is_read_in_parts_that_end_with_paragraphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "LARGEST_DOCUMENT", 2000)
    monkeypatch.setattr(corpus, "_BLOCK", 200)
    text = "".join(f"Párrafo {number}, que es corto.\n\n" for number in range(300))
    found = list(read_documents([write(tmp_path / "libro.txt", text)], cleaning="plain"))
    assert [document.name for document in found] == [f"libro:{n + 1}" for n in range(len(found))]
    assert "".join(document.text for document in found) == text
    assert all(document.text.endswith("\n\n") for document in found)
    assert 1500 < len(found[0].text) < 2500
    without_breaks = text.replace("\n\n", " ")
    found = list(read_documents([write(tmp_path / "b.txt", without_breaks)], cleaning="plain"))
    assert "".join(document.text for document in found) == without_breaks
    assert len(found) >= 3


def test_a_line_of_json_may_be_longer_than_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "_BLOCK", 7)
    path = write(tmp_path / "a.jsonl", lines("El niño\n\nvolvió.", "Sí.", field="cuerpo"))
    found = list(read_documents([path], text_field="cuerpo"))
    assert [document.text for document in found] == ["El niño\nvolvió.", "Sí."]


@pytest.mark.parametrize(
    ("name", "content", "key", "words"),
    [
        ("malo.txt", "año".encode("latin-1"), "file_not_utf8", ["malo.txt", "byte 1"]),
        ("malo.txt", "añ".encode()[:2], "file_not_utf8", ["byte 1"]),
        ("foto.txt", b"GIF89a\x01\x00\x01\x00", "file_binary", ["foto.txt", "byte 7"]),
        ("nada.txt", "", "corpus_empty", ["nada.txt"]),
        ("nada.txt", " \n\n\t", "corpus_empty", ["nada.txt"]),
        ("malo.jsonl", '{"text": "a"}\n{"text"', "jsonl_line", ["malo.jsonl", "line 2"]),
        ("malo.jsonl", '{"texto": "a", "n": 1}', "jsonl_line", ["line 1", "texto, n"]),
        ("malo.jsonl", '{"text": 5}', "jsonl_line", ["line 1"]),
        ("malo.jsonl", "[1]", "jsonl_line", ["list"]),
        ("malo.jsonl", '{"text": "\\ud800"}', "jsonl_line", ["surrogates"]),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, name: str, content: str | bytes, key: str, words: list[str]
) -> None:
    error = refusal(write(tmp_path / name, content))
    assert error.key == key
    for word in words:
        assert word in str(error)


def test_places_that_hold_no_corpus(tmp_path: Path) -> None:
    assert refusal(tmp_path).key == "data_missing"
    assert refusal(tmp_path / "nada").key == "source_missing"
    path = write(tmp_path / "a.txt", "A.")
    assert refusal(path, tmp_path).key == "source_twice"
    assert refusal().key == "corpus_empty"


def test_a_folder_of_books(tmp_path: Path) -> None:
    write(tmp_path / "uno.txt", "Uno\nsigue.\n\nDos.")
    write(tmp_path / "dos.txt", "Aparte.")
    training, held_out = read_corpus(tmp_path, ["dos"])
    assert training == [Document("uno", "Uno sigue.\nDos.")]
    assert held_out == [Document("dos", "Aparte.")]
    with pytest.raises(VitralError, match="tres"):
        read_corpus(tmp_path, ["tres"])


def test_a_dataset_that_was_saved(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the datasets library (vitral[train])")
    rows = datasets.Dataset.from_dict({"text": ["El niño.", "La niña."], "n": [1, 2]})
    rows.save_to_disk(tmp_path / "uno")
    assert list(read_documents([tmp_path / "uno"])) == [
        Document(f"{tmp_path}/uno:1", "El niño."),
        Document(f"{tmp_path}/uno:2", "La niña."),
    ]
    assert refusal(tmp_path / "uno", text_field="cuerpo").key == "dataset_field"
    assert refusal(tmp_path / "uno", text_field="n").key == "dataset_field"
    datasets.DatasetDict(alfa=rows, beta=rows).save_to_disk(tmp_path / "dos")
    error = refusal(tmp_path / "dos")
    assert error.key == "dataset_split"
    assert "alfa, beta" in str(error)
    assert len(list(read_documents([f"hf:{tmp_path}/dos:beta"]))) == 2


def test_without_the_library_a_dataset_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    error = refusal("hf:alguien/corpus")
    assert error.key == "datasets_needed"
    assert "vitral[train]" in str(error)


def test_a_hub_out_of_reach_is_said_at_once(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets", reason="needs the datasets library (vitral[train])")
    from huggingface_hub import HfApi

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(HfApi, "dataset_info", unreachable)
    error = refusal("hf:alguien/corpus")
    assert error.key == "dataset_unreadable"
    assert "alguien/corpus cannot be read (Name or service not known)" in str(error)
    assert capfd.readouterr() == ("", "")
