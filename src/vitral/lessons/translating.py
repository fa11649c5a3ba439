"""The digests that tie each English block to the Spanish text that it renders.

A Spanish block that is changed has another digest; its English one then fails the lesson's tests
until somebody has rewritten it and marked it again: `vitral lessons check NAME --translated`.
"""

import re
from pathlib import Path

from vitral.lessons.reading import read_prose

_HEAD = re.compile(r"^\(([^)\s]+)\)=[ \t]*\n(?:% es:.*\n)?", re.M)


def mark_translated(folder: Path) -> int:
    """Write the digest of each Spanish block at the head of the English one; how many changed."""
    spanish = read_prose((folder / "es.md").read_text(encoding="utf-8"), f"{folder.name}/es.md")
    digests = {block.name: block.digest for block in spanish}
    path = folder / "en.md"
    before = path.read_text(encoding="utf-8")
    changed = 0

    def head(found: re.Match[str]) -> str:
        nonlocal changed
        digest = digests.get(found[1])
        line = "" if digest is None else f"% es: {digest}\n"
        written = f"({found[1]})=\n{line}"
        changed += written != found[0]
        return written

    path.write_text(_HEAD.sub(head, before), encoding="utf-8")
    return changed
