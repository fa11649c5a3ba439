"""The reader's language, from the header that browsers send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitral.studio.gate.language import accepted_language


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.5", "es"),
        ("en-GB,es;q=0.9", "en"),
        ("de,fr;q=0.9,es;q=0.2", "es"),
        ("en;q=0.3, es;q=0.8", "es"),
        ("es;q=0", "en"),
        ("ES", "es"),
        ("es;q=much,en;q=0.1", "en"),
        ("*", "en"),
    ],
)
def test_language(header: str | None, expected: str) -> None:
    assert accepted_language(header) == expected


@given(st.text())
def test_any_header_gives_a_language(header: str) -> None:
    assert accepted_language(header) in {"en", "es"}
