from hypothesis import given
from hypothesis import strategies as st

from vitral.text.tokenizers import special_id, train_byte_level_bpe, train_wordpiece

LINES = ["El niño cruzó la calle y el niño volvió.", "La papa y el papá.", "Cruzó, volvió."] * 5
BPE = train_byte_level_bpe(LINES, 320)
WORDPIECE = train_wordpiece(LINES, 80)


@given(st.text(max_size=40))
def test_a_byte_level_bpe_gives_back_every_text(text: str) -> None:
    import unicodedata

    assert BPE.decode(BPE.encode(text).ids) == unicodedata.normalize("NFC", text)


def test_a_byte_level_text_begins_with_the_mark() -> None:
    assert BPE.encode("El niño").ids[0] == special_id(BPE, "<s>") == 0


def test_wordpiece_keeps_case_and_accents() -> None:
    encoding = WORDPIECE.encode("El papá y la papa")
    assert encoding.tokens[0] == "[CLS]"
    assert encoding.tokens[-1] == "[SEP]"
    assert encoding.tokens.count("[UNK]") == 0
    assert WORDPIECE.decode(encoding.ids) == "El papá y la papa"


def test_wordpiece_special_tokens_come_first() -> None:
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert [special_id(WORDPIECE, name) for name in names] == [0, 1, 2, 3, 4]
