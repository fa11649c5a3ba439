"""What pieces spell, and how another vocabulary spells the same."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from vitral.text.piece_spelling import Pieces, Surface, spelled_by
from vitral.text.tokenizers import KINDS, train_tokenizer

TEXTS = [
    "El perro que persiguió al gato cruzó la calle, ¿no? El niño cantó una canción.\n",
    "«¡Cuánta información!», pensó la señora García; y añadió: —Mañana lloverá en la región.\n",
    "Los perros cruzaron corriendo la plaza y los gatos treparon a los tejados más altos.\n",
    "La nación celebró su aniversario con canciones antiguas que cantaban los niños.\n",
] * 10
SIZES = {"character": 100, "word": 40, "byte": 257, "byte_bpe": 300}


def trained(kind: str) -> Tokenizer:
    return train_tokenizer(TEXTS, kind, SIZES.get(kind, 90))


def sentence_piece() -> Tokenizer:
    """A Unigram tokenizer in SentencePiece's form."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁per", "▁cruz", "ro", "ó", "▁perro", "c", "a"]
    pieces += ["▁¿", ",", "ción", "<mask>"]
    scores = [
        (piece, 0.0 if piece.startswith("<") else -2.0 - 0.01 * i) for i, piece in enumerate(pieces)
    ]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=3))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return tokenizer


def names(new: Tokenizer, old: Tokenizer, piece: str) -> list[str]:
    return [old.id_to_token(number) for number in spelled_by(new, old)[new.token_to_id(piece)]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_spells_itself_piece_by_piece(kind: str) -> None:
    tokenizer = trained(kind)
    assert spelled_by(tokenizer, tokenizer) == [[n] for n in range(tokenizer.get_vocab_size())]


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "wordpiece", "unigram"])
@pytest.mark.parametrize("other", ["character", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_the_old_pieces_put_together_are_the_new_one(kind: str, other: str) -> None:
    new, old = trained(kind), trained(other)
    news, olds = Pieces(new), Pieces(old)
    letters = {found.text for piece in olds.vocabulary if (found := olds.surface(piece))}
    some = 0
    for number, spelled in enumerate(spelled_by(new, old)):
        piece = new.id_to_token(number)
        surface = news.surface(piece)
        if piece in news.special or surface is None or not surface.text.isalpha():
            continue
        if not letters.issuperset(surface.text) or (other == "wordpiece" and not spelled):
            continue  # a letter that the old vocabulary lacks, or lacks within words
        parts = [olds.surface(old.id_to_token(each)) for each in spelled]
        assert "".join(part.text for part in parts if part) == surface.text, piece
        if parts[0] is not None and "wordpiece" in (kind, other):
            assert parts[0].after_space == surface.after_space, piece
        some += 1
    assert some > 20


def test_bytes_spell_whatever_there_is() -> None:
    new, old = trained("wordpiece"), trained("byte")
    spelled = spelled_by(new, old)[new.token_to_id("¿")]
    assert old.decode(spelled).strip() == "¿"


def test_words_and_their_parts_are_told_apart_in_every_way_of_writing() -> None:
    assert Pieces(trained("wordpiece")).surface("##ción") == Surface("ción", after_space=False)
    assert Pieces(trained("wordpiece")).surface("perro") == Surface("perro", after_space=True)
    assert Pieces(trained("byte_bpe")).surface("ĠniÃ±o") == Surface("niño", after_space=True)
    assert Pieces(trained("byte_bpe")).surface("Ã") is None
    assert Pieces(trained("bpe")).surface(" perro") == Surface("perro", after_space=True)
    assert Pieces(sentence_piece()).surface("▁perro") == Surface("perro", after_space=True)
    assert Pieces(sentence_piece()).surface("ción") == Surface("ción", after_space=False)


def test_wordpiece_spelled_by_sentencepiece() -> None:
    new, old = trained("wordpiece"), sentence_piece()
    vocabulary = new.get_vocab()
    for piece in ("perro", "cruzó", "##ción", "##q"):
        vocabulary.setdefault(piece, len(vocabulary))
    words = Tokenizer(models.WordPiece(vocabulary))
    words.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    assert names(words, old, "perro") == ["▁perro"]
    assert names(words, old, "cruzó") == ["▁cruz", "ó"]
    assert names(words, old, "##ción") == ["ción"]
    assert names(words, old, "¿") == ["▁¿"]
    assert names(words, old, ",") == [","]
    assert names(words, old, "##q") == []  # the old one has no such letter
    specials = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>"}
    for mine, theirs in {**specials, "[MASK]": "<mask>"}.items():
        assert names(words, old, mine) == [theirs]


def test_one_mark_may_play_two_parts() -> None:
    assert names(trained("wordpiece"), trained("bpe"), "[CLS]") == ["<s>"]
    assert names(trained("wordpiece"), trained("bpe"), "[SEP]") == ["<s>"]
    assert names(trained("bpe"), trained("wordpiece"), "<s>") == ["[CLS]"]
    assert names(trained("wordpiece"), trained("bpe"), "[MASK]") == []
