"""Seven ways to split a text, from its characters to its words, trained on a text.

Each function takes texts and gives a `tokenizers.Tokenizer` that normalises (NFC: "ñ" is one
character, however it was typed), cuts, knows where each piece stands, and puts pieces together
again. Case and accents are kept: in Spanish «papa» and «papá» are two words.

*Spaces* belong to the word after them, " niño", as in GPT-2: then the pieces put side by side
are the text again, with all its spaces. Only WordPiece forgets them.
"""

from collections.abc import Iterable

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from vitral.text.special_tokens import BEGIN, UNKNOWN, WORDPIECE_SPECIALS, special_id

WORD = Regex(r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]|\s")
"""A word, a number, a mark, each with the space before it; or white space by itself."""

RUN = Regex(r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s")
"""What pieces never reach across: as `WORD`, but several marks or spaces may stay together."""

_LONGEST_WORD = 100
_SPACING = {" ": ".,;:?!)]»”…", "": "¿¡([«“"}
"""Marks with no space before them; marks with none after them."""


def train_character(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A token for each character of the texts (the `vocab_size` most frequent ones)."""
    tokenizer = _whole_pieces(Regex(r"[\s\S]"))
    tokenizer.train_from_iterator(texts, _word_level_trainer(vocab_size))
    return _begin(tokenizer)


def train_word(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A token for each of the most frequent words, numbers and marks; others are "<unk>"."""
    tokenizer = _whole_pieces(WORD)
    tokenizer.train_from_iterator(texts, _word_level_trainer(vocab_size))
    return _begin(tokenizer)


def train_byte(texts: Iterable[str] = (), vocab_size: int = 257) -> Tokenizer:
    """A token for each of the 256 bytes of UTF-8: byte b is number b + 1. Nothing is learned."""
    vocabulary = {BEGIN: 0} | {name: byte + 1 for byte, name in enumerate(byte_names())}
    tokenizer = _byte_level(models.BPE(vocabulary, []))
    tokenizer.add_special_tokens([AddedToken(BEGIN, special=True, normalized=False)])
    return _begin(tokenizer)


def train_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Byte-pair encoding on characters (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909):
    starts from the characters and keeps joining the most frequent pair."""
    tokenizer = _pieces(models.BPE(unk_token=UNKNOWN))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[BEGIN, UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _begin(tokenizer)


def train_byte_level_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Byte-pair encoding on bytes, as in GPT-2: starts from the 256, so nothing is unknown."""
    tokenizer = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BEGIN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _begin(tokenizer)


def train_wordpiece(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """WordPiece in BERT's form (Schuster & Nakajima 2012): "[CLS] text [SEP]".

    Joins characters as byte-pair encoding does, but marks pieces that continue a word with "##"
    and cuts a word into the longest pieces from its left. It does not keep spaces and line
    breaks; decoding writes none before ".,;:?!)»" and none after "¿¡(«".
    """
    tokenizer = Tokenizer(
        models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=_LONGEST_WORD)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.BertNormalizer(lowercase=False, strip_accents=False)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    closing = [decoders.Replace(f" {mark}", mark) for mark in _SPACING[" "]]
    opening = [decoders.Replace(f"{mark} ", mark) for mark in _SPACING[""]]
    tokenizer.decoder = decoders.Sequence(
        [decoders.WordPiece(prefix="##", cleanup=False), decoders.Fuse(), *closing, *opening]
    )
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size, special_tokens=WORDPIECE_SPECIALS, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, special_id(tokenizer, token)) for token in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def train_unigram(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A unigram language model of pieces (Kudo 2018, https://arxiv.org/abs/1804.10959): starts
    from very many pieces and drops those that the text's likelihood misses least."""
    tokenizer = _pieces(models.Unigram())
    trainer = trainers.UnigramTrainer(
        vocab_size=vocab_size,
        special_tokens=[BEGIN, UNKNOWN],
        unk_token=UNKNOWN,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _begin(tokenizer)


def _word_level_trainer(vocab_size: int) -> trainers.WordLevelTrainer:
    return trainers.WordLevelTrainer(
        vocab_size=vocab_size, special_tokens=[BEGIN, UNKNOWN], show_progress=False
    )


def _whole_pieces(pattern: Regex) -> Tokenizer:
    """A tokenizer whose vocabulary holds whatever the pattern finds."""
    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern, "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def _pieces(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(RUN, "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def _byte_level(model: models.Model) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _begin(tokenizer: Tokenizer) -> Tokenizer:
    """Make every encoding start with the token that stands before a text."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A $B",
        special_tokens=[(BEGIN, special_id(tokenizer, BEGIN))],
    )
    return tokenizer


def byte_names() -> list[str]:
    """The character by which a vocabulary names each byte: itself where it can be printed, the
    next unused one from U+0100 on where it cannot (GPT-2's way)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    names, others = [], 0x100
    for byte in range(256):
        names.append(chr(byte if byte in printable else others))
        others += byte not in printable
    return names
