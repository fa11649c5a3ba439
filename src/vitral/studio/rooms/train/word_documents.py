"""The text of a .docx (Office Open XML, ECMA-376): the paragraphs of its body, a line each."""

import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from vitral.errors import VitralError

_BODY = "word/document.xml"
_SPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BREAKS = {f"{_SPACE}tab": "\t", f"{_SPACE}br": "\n", f"{_SPACE}cr": "\n"}


def text_of(path: Path, name: str, most: int) -> str:
    """The text of the document at `path`, which its owner calls `name`; its body may be `most`
    bytes, unpacked. Raises `upload_damaged` and `upload_too_large`."""
    try:
        with zipfile.ZipFile(path) as packed, packed.open(_BODY) as file:
            body = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, RuntimeError, EOFError) as error:
        raise VitralError("upload_damaged", name=name[:200], reason=str(error)[:200]) from error
    if len(body) > most:
        raise VitralError("upload_too_large", name=name[:200], limit=most // 2**20)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # Word writes none; they can grow without end
        raise VitralError("upload_damaged", name=name[:200], reason="DOCTYPE")
    try:
        document = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError) as error:
        raise VitralError("upload_damaged", name=name[:200], reason=str(error)[:200]) from error
    return "\n".join(_text_of(each) for each in document.iter(f"{_SPACE}p")) + "\n"


def _text_of(paragraph: ElementTree.Element) -> str:
    return "".join(
        (part.text or "") if part.tag == f"{_SPACE}t" else _BREAKS.get(part.tag, "")
        for part in paragraph.iter()
    )
