"""The sentences that agree: always the same, well formed, and they do agree."""

import re

from vitral.data.spanish_sentences import sentences

STATE = re.compile(
    r"(?:Ayer |Por la mañana |Aquella tarde |En otoño |Después de la tormenta )?"
    r"(el|la|los|las) \w+(?: \w+)?(?P<clause> que .+?)? "
    r"(?:estab|parecí|seguí)(a|an) \w+?(o|a|os|as)\.",
    re.IGNORECASE,
)
ENDS = {"el": ("a", "o"), "la": ("a", "a"), "los": ("an", "os"), "las": ("an", "as")}


def test_a_seed_gives_the_same_sentences() -> None:
    assert list(sentences(50, seed=3)) == list(sentences(50, seed=3))
    assert list(sentences(50, seed=3)) != list(sentences(50, seed=4))


def test_they_begin_and_end_as_sentences_do() -> None:
    for sentence in sentences(500):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert " a el " not in sentence  # "al"


def test_what_is_said_of_the_subject_agrees_with_it_across_a_clause() -> None:
    """Also where another noun, of another gender or number, stands in between."""
    checked = across = 0
    for sentence in sentences(4000):
        found = STATE.fullmatch(sentence)
        if found is None or " y " in sentence:
            continue
        article, clause, verb, end = found.groups()
        assert (verb, end) == ENDS[article.lower()], sentence
        checked += 1
        other = re.search(r"\b(al|el|la|los|las) ", clause or "")
        across += other is not None and other[1].replace("al", "el") != article.lower()
    assert checked > 1000
    assert across > 300
