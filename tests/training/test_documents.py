"""Corpora that are no books: documents end, and an evaluation has a bounded cost."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from training import small_runs
from vitral.cli.train_split import said_of_split
from vitral.data.corpus import Document
from vitral.training.preparation.fitting_tokenizer import prepare_fitting
from vitral.training.preparation.held_out import HeldOut, within
from vitral.training.preparation.marks import Marks, marks_of

NOTES = [f"Nota {name}: el gato duerme." for name in "abcdefghij"]


def notes(folder: Path, texts: list[str] = NOTES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts)
    (folder / "notas.jsonl").write_text(lines, encoding="utf-8")
    return folder


def prepared(tmp_path: Path, form: str, name: str, texts: list[str] = NOTES, **data: object):
    held_out = {"held_out": [f"notas:{len(texts)}"]}
    kind = {"kind": "byte"} if form != "bert" else {"kind": "wordpiece", "vocab_size": 34}
    recipe = small_runs.recipe(form, tokenizer=kind, data=held_out | data)
    return prepare_fitting(recipe, [notes(tmp_path / "notas", texts)], tmp_path / name, [])


@pytest.mark.parametrize(("form", "mark"), [("llama", "<s>"), ("gpt2", "<s>"), ("bert", "[SEP]")])
def test_each_document_ends(tmp_path, form, mark) -> None:
    found = prepared(tmp_path, form, "marked")[1]
    end = found.tokenizer.token_to_id(mark)
    ids = np.asarray(found.tokens.ids)
    assert ids.tolist().count(end) == len(NOTES) - 1
    bounds = [*found.tokens.documents[1:], len(ids)]
    assert [ids[bound - 1] for bound in bounds] == [end] * (len(NOTES) - 1)
    joined = prepared(tmp_path, form, "joined", ends=False)[1]
    assert end not in joined.tokens.ids.tolist()
    if form == "bert":  # whose tokenizer breaks ties at random
        return
    assert joined.tokens.ids.tolist() == [number for number in ids if number != end]
    assert [joined.tokens.ids[place] for place in joined.tokens.starts] == [
        ids[place] for place in found.tokens.starts
    ]


def test_packed_rows_bring_their_own_marks(tmp_path) -> None:
    found = prepared(tmp_path, "llama", "packed", windows="packed")[1]
    assert 0 not in found.tokens.ids.tolist()


def test_a_model_learns_to_end(tmp_path) -> None:
    """With documents glued together nothing ever followed but the next one: P(end) was 0.0002."""
    texts = ["Uno dos.", "Tres seis.", "Diez.", "Ocho."] * 12
    chances = {}
    for ends in (True, False):
        recipe, found = prepared(tmp_path, "llama", f"run-{ends}", texts, ends=ends)
        recipe = recipe.model_copy(update={"steps": 300, "evaluate_every": 300})
        trainer = small_runs.Trainer(recipe, found, tmp_path / f"run-{ends}")
        trainer.run()
        ids = torch.tensor([found.tokenizer.encode("Tres seis.").ids])
        with torch.no_grad():
            chances[ends] = float(trainer.model.eval()(ids)[0, -1].softmax(-1)[0])
    assert chances[True] > 0.5
    assert chances[False] < 0.05


def test_marks_are_those_of_the_model_that_goes_on(tmp_path) -> None:
    found = prepared(tmp_path, "llama", "run")[1]
    assert marks_of(found.tokenizer) == Marks(0, 0)
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": [9, 7]}))
    assert marks_of(found.tokenizer, tmp_path) == Marks(0, 7)
    found.tokenizer.post_processor = None  # nothing is put before a text
    assert marks_of(found.tokenizer, tmp_path) == Marks(None, 7)


def test_an_evaluation_reads_no_more_than_it_may() -> None:
    recipe = small_runs.recipe("llama", evaluate_characters=2000)
    held_out = HeldOut(recipe)
    for number in range(5000):
        held_out.add(Document(f"nota:{number}", f"Nota número {number}." * 3), held_out=True)
    texts = held_out.texts
    assert 2000 <= sum(map(len, texts)) < 2100
    assert len(set(texts)) == len(texts)
    numbers = [int(text.split()[2].split(".")[0]) for text in texts]
    assert max(numbers) > 3000, "drawn from all of them"
    assert held_out.counts == {"documents": 5000, "held_out": 5000, "share_of_text": 1.0}
    assert sum(map(len, within(texts, 500))) == 500
    assert within(["abc"], 5) == ["abc"]
    few = HeldOut(recipe)
    for number in range(9):
        few.add(Document(f"nota:{number}", f"Nota {number}."), held_out=True)
    assert few.texts == [f"Nota {number}." for number in range(9)], "in their order"


def test_the_size_of_an_evaluation_is_said(tmp_path) -> None:
    recipe, found = prepared(tmp_path, "llama", "run")
    said = said_of_split(recipe, found, tmp_path / "run")
    characters = len(NOTES[-1])
    assert said is not None
    assert said.startswith("Documents: 10; validation: 1 (10.0 % of the text).")
    assert f"reads {characters} characters (documents: 1)." in said
