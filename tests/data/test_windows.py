import numpy as np
import pytest

from vitral.data.corpus import Document
from vitral.data.windows import TokenFile, draw_windows
from vitral.errors import VitralError
from vitral.text.tokenizers import train_tokenizer

TEXT = "El perro ladra. El gato duerme.\n—¿Qué? —dijo el Sr. García.\n" * 30
TOKENIZER = train_tokenizer([TEXT], "byte_bpe", 300)
OPTIONS = {"num_tokens": 64, "lengths": [8, 16], "seed": 5}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenFile:
    stem = tmp_path_factory.mktemp("tokens") / "tokens"
    written = TokenFile.write([Document("a", TEXT), Document("b", TEXT[:200])], TOKENIZER, stem)
    assert TokenFile.exists(stem)
    assert np.array_equal(written.ids, TokenFile.open(stem).ids)
    assert TOKENIZER.decode(list(written.ids)) == TEXT + TEXT[:200]
    return written


def test_windows_start_at_sentences(tokens: TokenFile) -> None:
    for start in tokens.starts[:20]:
        before = TOKENIZER.decode(list(tokens.ids[max(0, start - 8) : start]))
        after = TOKENIZER.decode(list(tokens.ids[start : start + 8])).removeprefix(" ")
        assert start == 0 or before[-1] in "\n.!?»"
        assert after[0] in "EG—"  # "Sr. García" looks like an end and a start


def test_a_step_always_draws_the_same_windows(tokens: TokenFile) -> None:
    first = draw_windows(tokens, 3, **OPTIONS)
    assert np.array_equal(first, draw_windows(tokens, 3, **OPTIONS))
    assert not np.array_equal(first, draw_windows(tokens, 4, **OPTIONS))
    shapes = {draw_windows(tokens, step, **OPTIONS).shape for step in range(20)}
    assert shapes == {(8, 8), (4, 16)}


@pytest.mark.parametrize("starts", ["sentence", "anywhere"])
def test_processes_share_a_step_out(tokens: TokenFile, starts: str) -> None:
    for step in range(5):
        whole = draw_windows(tokens, step, **OPTIONS, starts=starts)
        middle = len(whole) // 2
        parts = [slice(0, middle), slice(middle, None), slice(0, 0)]
        read = [draw_windows(tokens, step, **OPTIONS, starts=starts, rows=part) for part in parts]
        assert np.array_equal(np.concatenate(read), whole)
        assert read[2].shape == (0, whole.shape[1])


def test_windows_anywhere_take_every_place_alike() -> None:
    ids = np.arange(10, dtype=np.uint16)
    tokens = TokenFile(ids, np.array([0]), np.array([0]))
    options = {"num_tokens": 2400, "lengths": [3], "seed": 1, "starts": "anywhere"}
    drawn = np.concatenate([draw_windows(tokens, step, **options) for step in range(10)])
    assert (np.diff(drawn) == 1).all()
    counts = np.bincount(drawn[:, 0], minlength=8)
    assert len(counts) == 8  # the last window ends with the last token
    assert 850 < counts.min() <= counts.max() < 1150  # 1000 expected, deviation 30


def test_a_corpus_shorter_than_a_window(tokens: TokenFile) -> None:
    long = len(tokens.ids)
    assert draw_windows(tokens, 0, num_tokens=1, lengths=[long], seed=0).shape == (1, long)
    with pytest.raises(VitralError, match=str(long + 1)) as caught:
        draw_windows(tokens, 0, num_tokens=1, lengths=[long + 1], seed=0)
    assert caught.value.key == "corpus_shorter_than_window"
