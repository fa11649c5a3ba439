"""Two ways to cut words into pieces, learned from a text.

*Byte-level BPE* (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes since GPT-2)
starts from the 256 bytes and keeps joining the most frequent pair: nothing is ever unknown.

*WordPiece* (Schuster & Nakajima 2012, as in BERT) starts from characters, marks the pieces that
continue a word with "##", and prefers the pair that its parts predict best. Case and accents
are kept: in Spanish «papa» and «papá» are two words.
"""

from collections.abc import Iterable

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from vitral.errors import VitralError

BEGIN = "<s>"
"""Stands before every text of a byte-level BPE's, and after it."""

WORDPIECE_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def special_id(tokenizer: Tokenizer, *names: str) -> int:
    """The id of a special token, by the first of its names that the tokenizer knows.

    Raises VitralError `special_token_missing` if it knows none of them.
    """
    found = (tokenizer.token_to_id(name) for name in names)
    number: int | None = next((each for each in found if each is not None), None)
    if number is None:
        raise VitralError("special_token_missing", names=", ".join(names))
    return number


def train_byte_level_bpe(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE; every encoding starts with "<s>", which also ends a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BEGIN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, 0)]
    )
    return tokenizer


def train_wordpiece(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A cased WordPiece in BERT's form: "[CLS] text [SEP]"."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.BertNormalizer(lowercase=False, strip_accents=False)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
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
