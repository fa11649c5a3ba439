"""What a tokenizer was saved with for another program's batches cuts and fills no text of ours."""

import numpy as np
import pytest
from tokenizers import Tokenizer

import vitral
from training import small_runs
from vitral.data.corpus import Document
from vitral.data.pair_file import PairFile
from vitral.data.pairs import Pair, train_pair_tokenizer
from vitral.data.token_file import TokenFile
from vitral.models.load import open_tokenizer
from vitral.text.as_text import as_text
from vitral.text.tokenizers import train_tokenizer

TEXT = "El perro que persiguió al gato <s>cruzó</s> la calle. " * 30


def cut_short(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=24)
    return tokenizer


def test_it_is_cleared_where_a_tokenizer_is_opened(tmp_path) -> None:
    cut_short(train_tokenizer([], "byte", 257)).save(str(tmp_path / "tokenizer.json"))
    opened = open_tokenizer(tmp_path)
    assert (opened.truncation, opened.padding) == (None, None)
    assert len(opened.encode(TEXT).ids) == len(TEXT.encode()) + 1


def test_it_is_checked_where_a_corpus_is_written(tmp_path) -> None:
    tokenizer = cut_short(train_tokenizer([], "byte", 257))
    before = tokenizer.to_str()
    tokens = TokenFile.write([Document("uno", TEXT)], tokenizer, tmp_path / "tokens")
    assert len(tokens.ids) >= len(TEXT.encode())
    assert np.count_nonzero(tokens.ids == 0) <= 1, "<s> in a text is text"
    assert tokenizer.to_str() == before


def test_it_is_checked_where_pairs_are_written(tmp_path) -> None:
    pairs = [Pair("uno dos tres " * 20, "one </s> two " * 20)]
    tokenizer = cut_short(train_pair_tokenizer(pairs, "byte", 257))
    written = PairFile.write(pairs, tokenizer, tmp_path / "pairs")
    assert len(written.source(0)) == 13 * 20 + 1
    assert written.target(0).tolist().count(tokenizer.token_to_id("</s>")) == 1


def test_training_on_from_such_a_model_reads_the_whole_text(tmp_path) -> None:
    data = small_runs.books(tmp_path / "books")
    first = small_runs.trainer(small_runs.recipe("gpt2"), data, tmp_path / "first")
    first.run()
    start = tmp_path / "first" / "model"
    path = start / "tokenizer.json"
    cut_short(Tokenizer.from_file(str(path))).save(str(path))
    again = small_runs.trainer(small_runs.recipe("gpt2"), data, tmp_path / "second", start=start)
    assert len(again.prepared.tokens.ids) == len(first.prepared.tokens.ids) > 1000


@pytest.mark.parametrize("special", [False, True])
def test_the_tokenizer_is_left_as_it_was(special) -> None:
    tokenizer = cut_short(train_tokenizer([], "byte", 257))
    before = tokenizer.to_str(), tokenizer.encode_special_tokens
    with as_text(tokenizer, special_tokens=special):
        assert len(tokenizer.encode("a<s>").ids) == (3 if special else 5)
    assert (tokenizer.to_str(), tokenizer.encode_special_tokens) == before


def test_tokens_beyond_the_vocabulary_are_refused_where_a_model_writes() -> None:
    model = vitral.load("vitral-es-gpt")
    tokenizer = Tokenizer.from_str(model.tokenizer.to_str())
    tokenizer.add_tokens(["<|nuevo|>"])
    for ask in ("generate", "trace", "evaluate"):
        with pytest.raises(vitral.VitralError) as raised:
            getattr(vitral.load((model.module, tokenizer)), ask)("hola <|nuevo|> mundo")
        assert raised.value.key == "id_out_of_range"
