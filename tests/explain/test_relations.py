"""Heads that follow a relation by construction, and the intervals and tables of the report."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import vitral
from explain.hand_wired import hand_wired, looking_at
from explain.small_treebank import many, simple
from vitral.errors import VitralError
from vitral.explain.conllu import Sentence, read_treebank
from vitral.explain.intervals import bootstrap_difference, wilson
from vitral.explain.relation_table import as_csv, as_json, as_markdown, write_report
from vitral.explain.relations import RelationReport, relation_report
from vitral.explain.words import word_pattern, words_of_tokens
from vitral.tracing.token import Token
from vitral.tracing.trace import Trace


class WordReader:
    """Stands for a model: a token a word, [CLS] before; head 0 looks at the word's governor,
    head 1 at the word after. In the sentences of `confused`, head 0 looks at [CLS] too."""

    name = "by-hand"
    context: int | None = 12

    def __init__(self, sentences: list[Sentence]) -> None:
        self.by_text = {sentence.text: sentence for sentence in sentences}

    def tokens(self, text: str) -> list[Token]:
        sentence = self.by_text[text]
        words = [
            Token(number, word, *place)
            for number, (word, place) in enumerate(
                zip(sentence.words, sentence.places, strict=True), 1
            )
        ]
        return [Token(0, "[CLS]", special=True), *words]

    def trace(self, *, texts: list[str]) -> list[Trace]:
        return [self.one(text) for text in texts]

    def one(self, text: str) -> Trace:
        sentence, tokens = self.by_text[text], self.tokens(text)
        governor = [0] * len(tokens)
        for relation in sentence.relations:
            governor[relation.dependent + 1] = relation.governor + 1
        after = [min(place + 1, len(tokens) - 1) for place in range(len(tokens))]
        # Most of it goes to [CLS], which is no word.
        rest = 0.7 * looking_at([0] * len(tokens))
        pattern = torch.cat([0.3 * looking_at(governor) + rest, looking_at(after)])
        return Trace(
            self.name, text, tokens, attentions={"layers.0.attention": hand_wired(pattern)}
        )


class NeighbourReader(WordReader):
    """Head 0 looks two words back, head 1 at the word after."""

    def one(self, text: str) -> Trace:
        tokens = self.tokens(text)
        back = looking_at([max(0, place - 2) for place in range(len(tokens))])
        after = looking_at([min(place + 1, len(tokens) - 1) for place in range(len(tokens))])
        records = {"layers.0.attention": hand_wired(torch.cat([back, after]))}
        return Trace(self.name, text, tokens, attentions=records)


def read(tmp_path: Path, text: str) -> list[Sentence]:
    path = tmp_path / "bosque.conllu"
    path.write_text(text, encoding="utf-8")
    return read_treebank(path)


def crossed(count: int) -> str:
    """Objects one or two words before their verb, so that no offset finds them all."""
    near = simple("pan come ella", "2 0 2", "obj root nsubj")
    far = simple("pan ya come ella", "3 3 0 3", "obj advmod root nsubj")
    return "\n\n".join((near, near, far, far)[number % 4] for number in range(count))


def report_of(tmp_path: Path) -> RelationReport:
    sentences = read(tmp_path, crossed(160))
    return relation_report(WordReader(sentences), sentences, treebank="bosque.conllu")


def test_a_head_that_follows_a_relation_is_found_and_beats_the_offset(tmp_path: Path) -> None:
    report = report_of(tmp_path)
    found = {(score.relation, score.direction): score for score in report.scores}
    obj = found["obj", "governor"]
    assert (obj.layer, obj.head, obj.count) == (0, 0, 80)
    assert obj.accuracy == 1
    assert (obj.offset, obj.baseline) in [(1, 0.5), (2, 0.5)]
    assert obj.accuracy_interval == pytest.approx(wilson(80, 80))
    assert obj.gain == 0.5
    assert obj.gain_interval[0] > 0.3
    assert obj.beats_baseline
    subject = found["nsubj", "governor"]
    assert (subject.accuracy, subject.offset, subject.baseline) == (1, -1, 1)
    assert not subject.beats_baseline, "the word before does as well"
    assert found["nsubj", "dependent"].head == 1, "from the verb, the word after"
    assert found["*", "governor"].count == 200
    assert report.num_too_long == report.num_rare == 0


def test_heads_are_chosen_on_other_sentences_than_they_are_scored_on(tmp_path: Path) -> None:
    # In sentences that choose, the object's verb is the word after; in those that score, it
    # stands two words on. A reader whose heads only know neighbours is chosen, and fails; the
    # offset is chosen in hindsight.
    near = simple("pan come ella", "2 0 2", "obj root nsubj")
    far = simple("pan ya come ella", "3 3 0 3", "obj advmod root nsubj")
    sentences = read(tmp_path, "\n\n".join([near, far] * 40))
    report = relation_report(NeighbourReader(sentences), sentences)
    found = {(each.relation, each.direction): each for each in report.scores}
    score = found["obj", "governor"]
    assert (score.head, score.accuracy) == (1, 0.0)
    assert (score.offset, score.baseline) == (2, 1.0)
    assert score.gain_interval == (-1, -1)


def test_rare_relations_and_long_sentences_are_counted(tmp_path: Path) -> None:
    long = simple(" ".join(["ay"] * 14), "0 " + "1 " * 13, "root " + "discourse " * 13)
    rare = simple("oh come", "2 0", "vocative root")
    sentences = read(tmp_path, "\n\n".join([crossed(80), long, rare]))
    report = relation_report(WordReader(sentences), sentences)
    assert report.num_too_long == 1
    assert report.num_sentences == 81
    assert report.num_rare == 2  # vocative, either way
    assert {score.relation for score in report.scores} == {"*", "obj", "nsubj", "advmod"}


def test_too_few_sentences_are_refused(tmp_path: Path) -> None:
    sentences = read(tmp_path, crossed(8))
    with pytest.raises(VitralError, match="more sentences"):
        relation_report(WordReader(sentences), sentences)


def test_pieces_are_summed_as_keys_and_averaged_as_queries() -> None:
    tokens = [
        Token(0, "[CLS]", special=True),
        Token(1, "persigu", 3, 10),
        Token(2, "ió", 10, 12),
        Token(3, " al", 12, 15),
    ]
    words = words_of_tokens(tokens, [(0, 2), (3, 12), (13, 15)])
    assert words == [None, 1, 1, 2]
    pattern = torch.tensor(
        [[1.0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], [0.5, 0.1, 0.1, 0.3], [0.2, 0.3, 0.3, 0.2]]
    )
    expected = torch.tensor([[0.0, 0, 0], [0, 0.35, 0.35], [0, 0.6, 0.2]])
    torch.testing.assert_close(word_pattern(pattern[None], words, 3)[0], expected)


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0, 1)


def test_the_bootstrap_draws_sentences() -> None:
    generator = torch.Generator().manual_seed(1)
    counts = torch.full((400,), 5)
    first = torch.randint(0, 6, (400,), generator=generator)
    same = bootstrap_difference(first, first, counts)
    assert same == (0, 0)
    low, high = bootstrap_difference(first, torch.zeros(400), counts)
    mean, error = float(first.sum() / 2000), float((first / 5).std()) / 20
    assert low == pytest.approx(mean - 1.96 * error, abs=0.006)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.006)


def test_the_report_as_files(tmp_path: Path) -> None:
    report = report_of(tmp_path)
    rows = list(csv.DictReader(io.StringIO(as_csv(report))))
    document = json.loads(as_json(report))
    assert len(rows) == len(document["scores"]) == len(report.scores)
    assert float(rows[0]["accuracy"]) == pytest.approx(document["scores"][0]["accuracy"], abs=1e-4)
    spanish = as_markdown(report, "es")
    line = next(line for line in spanish.splitlines() if line.startswith("| obj | → núcleo"))
    assert "| 0.0 | 100,0 [95,4; 100,0] |" in line
    assert "**+50,0 [" in line
    for ending in (".md", ".csv", ".json", ".svg"):
        write_report(report, tmp_path / f"table{ending}", "es")
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == spanish
    picture = (tmp_path / "table.svg").read_text(encoding="utf-8")
    assert "obj → núcleo" in picture
    with pytest.raises(VitralError, match="table"):
        write_report(report, tmp_path / "table.xlsx")


def test_a_real_model_reads_a_treebank(tmp_path: Path, bert_folder: Path) -> None:
    sentences = read(tmp_path, many(50))
    model: Any = vitral.load(str(bert_folder))
    report = relation_report(model, sentences)
    assert report.num_sentences == 50
    for score in report.scores:
        assert 0 <= score.accuracy_interval[0] <= score.accuracy <= score.accuracy_interval[1] <= 1
    again = relation_report(model, sentences)
    assert again == replace(report)
