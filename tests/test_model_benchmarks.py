"""The pieces of the benchmarks of the bundled models do what their figures say that they do."""

import importlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from vitral.models.bert import Bert, BertConfig
from vitral.text.tokenizers import special_id, train_tokenizer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NAMES = ("agreement", "modern_texts", "same_words", "senses")


@pytest.fixture(scope="module", autouse=True)
def benchmarks_importable() -> Iterator[None]:
    """As when a program in benchmarks/ is run: its folder comes first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


def sentences() -> list[str]:
    return [each.sentence for each in load("senses").read_senses()]


def words_tokenizer(kind: str, size: int) -> Tokenizer:
    return train_tokenizer(sentences(), kind, size)


def encoder(tokenizer: Tokenizer) -> Bert:
    torch.manual_seed(1)
    config = BertConfig(
        context=512,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        num_key_value_heads=2,
        intermediate_size=24,
        vocab_size=tokenizer.get_vocab_size(),
    )
    return Bert(config).eval()


def test_the_grammar_makes_pairs_that_differ_in_what_agrees() -> None:
    agreement = load("agreement")
    pairs = agreement.grammar_pairs()
    assert pairs == agreement.grammar_pairs()
    assert len(pairs) == len({pair.right for pair in pairs}) == 1000
    assert set(Counter(pair.kind for pair in pairs).values()) <= {166, 167}
    for pair in pairs:
        assert agreement.differ_in_one_word(pair.right, pair.wrong)
        first, *_ = pair.right.split()
        right, wrong = next(
            (a, b) for a, b in zip(pair.right.split(), pair.wrong.split(), strict=True) if a != b
        )
        if pair.kind.startswith("gender"):
            vowel = "a" if first in ("La", "Las") else "o"
            assert re.fullmatch(rf"\w+{vowel}s?\.?", right)
        else:
            plural = first in ("Los", "Las")
            assert right.rstrip(".").endswith("n") == plural != wrong.rstrip(".").endswith("n")


def test_of_escola_the_clean_pairs_are_kept(tmp_path: Path) -> None:
    agreement = load("agreement")
    said = ["ID\tSource\tLabel\tHuman_annotation_median\tSentence"]
    for name, label, median in (("a", 1, 1), ("b", 0, 0), ("c", 0, 1), ("d", 0, 0)):
        said.append(f"{name}\tGDE\t{label}\t{median}\tx")
    pairs = [
        "id_ok\tid_bad\tcategory\tsplit_ok\tsplit_bad\tok\tbad",
        "a\tb\t14\ttrain\ttrain\tTodo son problemas.\tTodo es problemas.",
        "a\tc\t14\ttrain\ttrain\tTodo son problemas.\tTodo era problemas.",  # people disagree
        "a\td\t14\ttrain\ttrain\tTodo son problemas.\tTodo eso es problemas.",  # one word more
    ]
    (tmp_path / "escola_indomain.tsv").write_text("\n".join(said), encoding="utf-8")
    (tmp_path / "escola_pares_minimos.tsv").write_text("\n".join(pairs), encoding="utf-8")
    found = agreement.escola_pairs(tmp_path)
    assert [(pair.right, pair.wrong) for pair in found] == [
        ("Todo son problemas.", "Todo es problemas.")
    ]


class Likes(nn.Module):
    """Says after every token that one of some tokens comes next, and nothing else."""

    def __init__(self, size: int, liked: list[int]) -> None:
        super().__init__()
        self.logits_V = torch.zeros(size)
        self.logits_V[liked] = 5.0
        self.config = type("Config", (), {"context": 64})()

    def forward(self, ids_BT: torch.Tensor) -> torch.Tensor:
        return self.logits_V.expand(*ids_BT.shape, -1)


def test_the_likelier_sentence_is_preferred_whatever_stands_beside_it() -> None:
    agreement = load("agreement")
    tokenizer = train_tokenizer(["ab ba abba"], "character", 10)
    model = Likes(tokenizer.get_vocab_size(), [special_id(tokenizer, "a")])
    pairs = [agreement.Pair("aab", "abb", "x"), agreement.Pair("bbbb", "bbba", "y")]
    assert agreement.preferred(model, tokenizer, pairs) == [True, False]
    alone = agreement.log_probabilities(model, tokenizer, ["aab"])
    beside = agreement.log_probabilities(model, tokenizer, ["aab", "abbaabba"])
    assert alone[0] == pytest.approx(beside[0])
    assert agreement.figures(model, tokenizer, pairs)["by_kind"] == {"x": 1.0, "y": 0.0}


def test_the_sentences_with_senses_are_enough_and_balanced() -> None:
    found = load("senses").read_senses()
    words = Counter(each.word for each in found)
    assert set(words) == {"banco", "sobre", "nada", "vino", "cura", "cola", "planta", "gato"}
    assert min(words.values()) >= 40
    assert len({each.sentence for each in found}) == len(found)
    for word in words:
        senses = Counter(each.sense for each in found if each.word == word)
        assert len(senses) >= 2
        assert max(senses.values()) == min(senses.values())
    for each in found:
        assert len(re.findall(rf"\b{each.word}\b", each.sentence, re.IGNORECASE)) == 1


def test_a_words_vector_is_the_mean_of_its_pieces() -> None:
    senses = load("senses")
    tokenizer = words_tokenizer("wordpiece", 120)
    model, some = encoder(tokenizer), senses.read_senses()[::80]
    vectors_LNC = senses.word_vectors(model, tokenizer, some)
    assert vectors_LNC.shape == (3, len(some), 16)
    for number, each in enumerate(some):
        encoding = tokenizer.encode(each.sentence)
        first, last = each.place
        here = [first <= a and b <= last and b > a for a, b in encoding.offsets]
        assert any(here)
        with torch.no_grad():
            x_TC = model.encode(torch.tensor([encoding.ids]))[0]
        expected = x_TC[torch.tensor(here)].mean(0)
        torch.testing.assert_close(vectors_LNC[-1, number], expected)


def test_the_nearest_of_the_others_decides() -> None:
    vectors = torch.tensor([[1.0, 0.0], [9.0, 1.0], [0.0, 1.0], [1.0, 5.0], [-1.0, 0.9]])
    right = load("senses").nearest_has_same_sense(vectors, ["a", "a", "b", "b", "a"])
    assert right == [True, True, True, True, False]


def test_both_encoders_are_asked_for_the_same_words() -> None:
    module = load("same_words")
    readers = {
        kind: module.Reader(encoder(tokenizer), tokenizer)
        for kind, tokenizer in (
            ("fine", words_tokenizer("wordpiece", 150)),
            ("coarse", words_tokenizer("wordpiece", 400)),
        )
    }
    passage = sentences()[0]
    for reader in readers.values():
        for (first, last), token in reader.whole_words(passage).items():
            assert reader.tokenizer.encode(passage).tokens[token] == passage[first:last]
    found = module.same_words(readers, [" ".join(sentences())])
    assert found["words"] > 50
    assert 0 <= found["fine"]["right"] <= 1
    assert found == module.same_words(readers, [" ".join(sentences())])


def test_the_guess_is_made_without_seeing_the_word() -> None:
    module = load("same_words")
    tokenizer = words_tokenizer("wordpiece", 400)
    reader = module.Reader(encoder(tokenizer), tokenizer)
    seen: list[Any] = []
    encode = reader.model.encode

    def watched(ids: torch.Tensor, mask: torch.Tensor) -> Any:
        seen.append(ids.clone())
        return encode(ids, mask)

    reader.model.encode = watched
    passages = [sentences()[0], sentences()[41]]
    hits = reader.guesses(passages, [[2, 4], [3]])
    assert [len(row) for row in hits] == [2, 1]
    mask = tokenizer.token_to_id("[MASK]")
    assert (seen[0] == mask).nonzero().tolist() == [[0, 2], [0, 4], [1, 3]]


def test_modern_texts_keep_whole_parts_apart(tmp_path: Path) -> None:
    texts = load("modern_texts")
    book = "Introducción\n\nUno.\n\n\nDos con […] fórmula.\n\nIntroducción\n\nTres 1 2 3 4 5.\n"
    assert texts.chapters(book) == [["Introducción", "Uno."], ["Introducción"]]
    held = [number for number in range(150) if texts.is_held_out(number)]
    assert held == [25, 75, 125]
    long = "Una frase tan larga que nadie la diría dos veces sin darse cuenta de ello."
    kept = list(texts.without([[long, "Corta."]], [[long, "Corta."]]))
    assert kept == ["Corta."]
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("Go.\tVe.\nGo.\tVete.\nGo on.\tVe.\n", encoding="utf-8")
    assert sorted(texts.sentences(pairs)) == ["Ve.", "Vete."]


def test_translation_pairs_hold_out_sentences_not_lines() -> None:
    made = load("translation_pairs")
    assert made.plain("¡Qué  día!") == made.plain("que dia")
    sound = ("El perro duerme en la casa.", "The dog is sleeping in the house.")
    assert made.is_sound(sound)
    assert not made.is_sound(("Hola", "Hola"))
    assert not made.is_sound(("Sí.", "Yes, I would be very glad to come along with all of you."))
    assert not made.is_sound(("f(x) == {y: [1, 2, 3]}", "f(x) == {y: (1, 2, 3)} ..."))
    variants = [("Ve.", "Go."), ("¡Ve!", "go"), ("Vete.", "Go."), ("Anda.", "Walk.")]
    assert made.different(variants) == [("Ve.", "Go."), ("Vete.", "Go."), ("Anda.", "Walk.")]
    assert made.apart_from(variants, [("ve", "leave")]) == [("Vete.", "Go."), ("Anda.", "Walk.")]
    assert made.apart_from(variants, [("x", "go!")]) == [("Anda.", "Walk.")]
    drawn = made.drawn(variants, 2)
    assert len({made.plain(spanish) for spanish, _ in drawn}) == 2
    assert drawn == made.drawn(variants, 3)[:2]


def test_a_dictionary_is_learned_from_sentences_alone() -> None:
    module = load("alignment")
    texts = [
        ("el perro duerme", "the dog sleeps"),
        ("el gato duerme", "the cat sleeps"),
        ("el perro come", "the dog eats"),
        ("un gato come", "a cat eats"),
    ]
    found = module.Dictionary.learned([(s.split(), t.split()) for s, t in texts], rounds=20)
    for word, meaning in (("dog", "perro"), ("cat", "gato"), ("eats", "come"), ("the", "el")):
        source = ["el", "un", "perro", "gato", "come"]
        assert source[found.place_of(word, source)] == meaning
    assert found.place_of("unheard", ["el", "perro"]) is None
    assert found.place_of("dog", []) is None


def test_where_a_translator_looks_is_counted(tmp_path: Path) -> None:
    import vitral
    from vitral.data.pairs import Pair, pair_marks, train_pair_tokenizer
    from vitral.models.hugging_face import write
    from vitral.models.transformer import Transformer, TransformerConfig

    module = load("translation")
    pairs = [Pair("El perro duerme.", "The dog sleeps."), Pair("El gato come.", "The cat eats.")]
    tokenizer = train_pair_tokenizer(pairs * 5, "byte_bpe", 280)
    config = TransformerConfig(
        vocab_size=tokenizer.get_vocab_size(),
        context=32,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        num_key_value_heads=2,
        intermediate_size=24,
    )
    marks: dict[str, Any] = pair_marks(tokenizer)
    config = replace(config, **marks)
    torch.manual_seed(1)
    write(Transformer(config), tokenizer, tmp_path)
    words = [
        ([w.text for w in module.words_of(p.source)], [w.text for w in module.words_of(p.target)])
        for p in pairs
    ]
    dictionary = load("alignment").Dictionary.learned(words, rounds=1)
    counts = module.alignment(vitral.load(tmp_path), dictionary, pairs)
    assert len(counts) == 2
    for count in counts:
        assert count.words == 6
        assert 0 <= count.attention <= 6
        assert count.diagonal == counts[0].diagonal
