from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vitral.text.passages import passages


@given(st.text(alphabet="añ .\n", max_size=80), st.integers(1, 20))
def test_passages_are_the_text_cut_between_words(text: str, length: int) -> None:
    pieces = list(passages(text, length))
    assert "".join(pieces) == text
    for before, after in pairwise(pieces):
        assert len(before) >= length
        assert not before[-1].isspace()
        assert after[0] == " "
        assert after[1].isalpha()
