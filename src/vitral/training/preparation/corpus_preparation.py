"""From a corpus to what a run reads: a tokenizer, a file of token ids, held-out text.

All three are kept in the run's folder, so that a run that goes on need not read the corpus
again, and goes on with the very same text.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from vitral.data.corpus import Document, read_documents
from vitral.data.pairs import pair_marks
from vitral.data.split import split_documents
from vitral.data.windows import TokenFile
from vitral.errors import VitralError
from vitral.models.hugging_face import read
from vitral.models.kept_files import keep_files
from vitral.models.initial_weights import initialise_weights
from vitral.text.tokenizers import special_id, train_tokenizer
from vitral.training.objectives import Objective
from vitral.training.preparation.initialisation import initialise, start_with_company
from vitral.training.preparation.pair_preparation import START, PreparedPairs, prepare_pairs
from vitral.training.preparation.teachers import (
    check_teacher,
    check_teachers,
    teachers_of,
    tokenizer_of,
)
from vitral.training.recipes.recipe import Phase, Recipe
from vitral.training.recipes.shapes import TRANSLATORS, build_model

SAMPLE_CHARACTERS = 60_000
"""How much of each held-out document the evaluations during training read."""


@dataclass(frozen=True)
class Prepared:
    """What a run reads: its tokenizer, the training text as ids, and `samples` of the held-out
    documents."""

    tokenizer: Tokenizer
    tokens: TokenFile
    samples: list[str]

    @cached_property
    def fingerprint(self) -> str:
        """Tells this tokenizer and this text from others: checkpoints carry it. Of a long text,
        a thousand places that are evenly spread stand for the whole."""
        ids = self.tokens.ids
        places = np.linspace(0, len(ids) - 1, min(len(ids), 1000), dtype=np.int64)
        digest = hashlib.sha256(self.tokenizer.to_str().encode())
        digest.update(str(len(ids)).encode())
        digest.update(ids[places].astype(np.int64).tobytes())
        digest.update("\0".join(self.samples).encode())
        return digest.hexdigest()


def prepare(
    recipe: Recipe, sources: Sequence[str | Path], out: Path, *, start: Path | None = None
) -> Prepared | PreparedPairs:
    """Read the corpus into the run's folder `out`, or open what stands there already. Models
    that turn one text into another read pairs (`prepare_pairs`).

    The tokenizer is learned from the training text, or is that of the model in `start` or of the
    teacher. Raises what `read_documents`, `train_tokenizer` and `check_teachers` raise, and
    `corpus_shorter_than_window`.
    """
    if recipe.model.form in TRANSLATORS:
        return prepare_pairs(recipe, sources, out, start=start)
    stem, samples = out / "tokens", out / "held_out.json"
    if not (TokenFile.exists(stem) and samples.exists()):
        out.mkdir(parents=True, exist_ok=True)
        tokenizer = _tokenizer(recipe, sources, out, start)
        check_teachers(recipe, tokenizer)
        held_out: list[str] = []
        TokenFile.write(_training(recipe, sources, held_out), tokenizer, stem)
        partial = samples.with_suffix(".new")
        partial.write_text(json.dumps(held_out, ensure_ascii=False), encoding="utf-8")
        partial.replace(samples)
    tokens = TokenFile.open(stem)
    longest = max(recipe.batch.lengths) + 1
    if len(tokens.ids) < longest:
        raise VitralError("corpus_shorter_than_window", length=len(tokens.ids), window=longest)
    return Prepared(
        Tokenizer.from_file(str(out / "tokenizer.json")),
        tokens,
        json.loads(samples.read_text(encoding="utf-8")),
    )


def _training(
    recipe: Recipe, sources: Sequence[str | Path], held_out: list[str]
) -> Iterator[Document]:
    """The training documents as they stream by; beginnings of the others go into `held_out`."""
    documents = read_documents(
        sources, text_field=recipe.data.text_field, cleaning=recipe.data.cleaning
    )
    for document, is_held_out in split_documents(
        documents, recipe.data.held_out, seed=recipe.seed, cleaning=recipe.data.cleaning
    ):
        if is_held_out:
            held_out.append(document.text[:SAMPLE_CHARACTERS])
        else:
            yield document


def _tokenizer(
    recipe: Recipe, sources: Sequence[str | Path], out: Path, start: Path | None
) -> Tokenizer:
    path = out / "tokenizer.json"
    if path.exists():
        return Tokenizer.from_file(str(path))
    if start is not None:
        keep_files(start, out / START)
        path.write_bytes((start / "tokenizer.json").read_bytes())
        return Tokenizer.from_file(str(path))
    if recipe.tokenizer.kind == "teacher":
        tokenizer = tokenizer_of(teachers_of(recipe)[0])
    else:
        texts = (document.text for document in _training(recipe, sources, []))
        tokenizer = train_tokenizer(texts, recipe.tokenizer.kind, recipe.tokenizer.vocab_size)
    partial = path.with_suffix(".new")
    tokenizer.save(str(partial))
    partial.replace(path)
    return tokenizer


def objective(recipe: Recipe, phase: Phase, prepared: Prepared | PreparedPairs) -> Objective:
    """What is asked in that phase."""
    if isinstance(prepared, PreparedPairs):
        from vitral.training.objectives.sequence_to_sequence import SequenceToSequence

        return SequenceToSequence(recipe, prepared.pairs, prepared.tokenizer, prepared.held_out)
    asked: Objective
    if phase.objective == "next_token":
        from vitral.training.objectives.next_token import NextToken

        asked = NextToken(recipe, prepared.tokens, prepared.tokenizer, prepared.samples)
    else:
        from vitral.training.objectives.masked_words import MaskedWords

        asked = MaskedWords(recipe, phase, prepared.tokens, prepared.tokenizer, prepared.samples)
    if phase.teacher is None:
        return asked
    from vitral.models.load import open_source
    from vitral.training.objectives.distillation import Distillation

    vocabulary = tokenizer_of(phase.teacher.model).get_vocab()
    check_teacher(prepared.tokenizer.get_vocab(), vocabulary, phase.teacher.model)
    teacher = open_source(phase.teacher.model)
    return Distillation(asked, teacher.module, phase.teacher)


def shaped_model(
    recipe: Recipe, prepared: Prepared | PreparedPairs, num_layers: int | None = None
) -> nn.Module:
    """A model of the recipe's shape for that tokenizer, its weights not yet worth anything."""
    size = prepared.tokenizer.get_vocab_size()
    marks = pair_marks(prepared.tokenizer) if isinstance(prepared, PreparedPairs) else {}
    if recipe.model.form == "roberta":
        marks = {"pad_token_id": special_id(prepared.tokenizer, "[PAD]", "<pad>")}
    return build_model(recipe.model, size, num_layers, marks)


def fresh_model(recipe: Recipe, prepared: Prepared | PreparedPairs) -> nn.Module:
    """A model of the recipe's shape, as deep as its first phase says, with fresh weights."""
    model = shaped_model(recipe, prepared, recipe.phases[0].num_layers)
    if isinstance(prepared, PreparedPairs):
        initialise_weights(model, recipe.seed)
        return model
    ids = prepared.tokens.ids if recipe.company_vectors else None
    if recipe.model.form == "recurrent":
        initialise_weights(model, recipe.seed)
        if ids is not None:
            start_with_company(model, ids, recipe.seed)
    else:
        initialise(model, recipe.seed, ids)
    return model


def model_to_go_on_from(
    start: Path, recipe: Recipe, prepared: Prepared | PreparedPairs
) -> nn.Module:
    """The model in `start`. Raises `start_mismatch` if it has another shape than the recipe's;
    fewer layers are no other shape, for it can grow."""
    found: Any = read(start)
    depth = found.config.num_layers
    if (
        depth > recipe.model.num_layers
        or found.config != shaped_model(recipe, prepared, depth).config
    ):
        raise VitralError("start_mismatch", folder=start, recipe=recipe.name)
    model: nn.Module = found
    return model
