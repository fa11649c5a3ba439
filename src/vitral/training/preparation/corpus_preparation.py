"""From a corpus to a run's data: a tokenizer, a file of token ids, held-out text.

All three are kept in the run's folder, so that a resumed run need not read the corpus
again, and continues with the same text.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from vitral.data.pairs import pair_marks
from vitral.data.windows import TokenFile
from vitral.errors import VitralError
from vitral.models.by_own_class import (
    depth_of,
    kind_to_train,
    open_to_train,
    shaped_by_own_class,
)
from vitral.models.description import context
from vitral.models.folder import read_config
from vitral.models.forms import form_named, form_of
from vitral.models.hugging_face import can_read, is_headless, read_to_train, shaped_as
from vitral.models.initial_weights import initialise_weights
from vitral.models.kept_files import keep_files
from vitral.text.special_tokens import num_ids
from vitral.text.tokenizer_folder import read_tokenizer
from vitral.text.tokenizers import special_id, train_tokenizer
from vitral.tracing.recording.inputs import check_ids
from vitral.training.objectives import Objective
from vitral.training.preparation.held_out import Corpus, HeldOut, within
from vitral.training.preparation.initialisation import (
    initialise,
    start_with_co_occurrence,
    start_with_frequencies,
)
from vitral.training.preparation.marks import Marks, end_of_passage, marks_of
from vitral.training.preparation.pair_preparation import START, PreparedPairs, prepare_pairs
from vitral.training.preparation.start_tokens import given_tokenizer
from vitral.training.preparation.teachers import (
    check_teacher,
    check_teachers,
    teachers_of,
    tokenizer_of,
)
from vitral.training.preparation.vocabulary_transfer import (
    OF_THE_RECIPE,
    same_shape,
    with_new_vocabulary,
)
from vitral.training.recipes.recipe import Phase, Recipe, objective_of
from vitral.training.recipes.shapes import OTHERS, TRANSLATORS, build_model
from vitral.training.runs.durable import write_file

SPLIT = "split.json"
"""The file, in a run's folder, that says how many documents there are and what is held out."""


@dataclass(frozen=True)
class Prepared:
    """What a run reads: its tokenizer, the training text as ids, and `samples` of the held-out
    documents; the marks around a text, and the folder with the `kept` files of the model that it
    starts from, whose shape may be one that a recipe cannot describe."""

    tokenizer: Tokenizer
    tokens: TokenFile
    samples: list[str]
    marks: Marks | None = None
    kept: Path | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Identifies this tokenizer and this text: checkpoints carry it. For a long text,
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

    The tokenizer is learned from the training text, or is that of the model in `start`, of the
    teacher, or of the recipe's folder. Raises what `read_documents`, `train_tokenizer`,
    `given_tokenizer` and `check_teachers` raise, and
    `corpus_shorter_than_window`.
    """
    if recipe.model.form in TRANSLATORS:
        return prepare_pairs(recipe, sources, out, start=start)
    stem, samples = out / "tokens", out / "held_out.json"
    if not (TokenFile.exists(stem) and samples.exists()):
        out.mkdir(parents=True, exist_ok=True)
        corpus = Corpus(recipe, sources)
        tokenizer = _tokenizer(recipe, corpus, out, start)
        check_teachers(recipe, tokenizer)
        held_out = HeldOut(recipe)
        end = _end(recipe, tokenizer, out)
        TokenFile.write(corpus.training(held_out), tokenizer, stem, end=end)
        write_file(out / SPLIT, json.dumps(held_out.counts) + "\n")
        write_file(samples, json.dumps(held_out.texts, ensure_ascii=False))
    tokens = TokenFile.open(stem)
    check_ids([[int(tokens.ids.max())]], _vocabulary(out / START))
    longest = max(recipe.batch.lengths) + 1
    if len(tokens.ids) < longest:
        raise VitralError("corpus_shorter_than_window", length=len(tokens.ids), window=longest)
    tokenizer = read_tokenizer(out / "tokenizer.json")
    return Prepared(
        tokenizer,
        tokens,
        json.loads(samples.read_text(encoding="utf-8")),
        marks_of(tokenizer, out / START),
        out / START if (out / START / "config.json").is_file() else None,
    )


def _end(recipe: Recipe, tokenizer: Tokenizer, out: Path) -> int | None:
    """The token after each document. Packed rows have their own marks."""
    if not recipe.data.ends or recipe.data.windows == "packed":
        return None
    if objective_of(recipe.model.form) == "masked_words":
        return end_of_passage(tokenizer)
    return marks_of(tokenizer, out / START).end


def _vocabulary(kept: Path) -> int | None:
    """The vocabulary size of the model that the run starts from, if there is one."""
    found = read_config(kept).get("vocab_size") if (kept / "config.json").is_file() else None
    return found if isinstance(found, int) else None


def _tokenizer(recipe: Recipe, corpus: Corpus, out: Path, start: Path | None) -> Tokenizer:
    path = out / "tokenizer.json"
    if path.exists():
        return read_tokenizer(path)
    given = given_tokenizer(recipe, start)
    if given is not None:
        tokenizer = given
        if start is not None and recipe.tokenizer.transfer is None:
            keep_files(start, out / START)
    elif recipe.tokenizer.kind == "teacher":
        tokenizer = tokenizer_of(teachers_of(recipe)[0])
    else:
        texts = (document.text for document in corpus.training())
        tokenizer = train_tokenizer(texts, recipe.tokenizer.kind, recipe.tokenizer.vocab_size)
    write_file(path, tokenizer.to_str(pretty=True))
    return tokenizer


def objective(recipe: Recipe, phase: Phase, prepared: Prepared | PreparedPairs) -> Objective:
    """The objective of that phase."""
    if isinstance(prepared, PreparedPairs):
        from vitral.training.objectives.sequence_to_sequence import SequenceToSequence

        return SequenceToSequence(recipe, prepared.pairs, prepared.tokenizer, prepared.held_out)
    asked: Objective
    samples = within(prepared.samples, recipe.evaluate_characters)
    if phase.objective == "next_token":
        from vitral.training.objectives.next_token import NextToken

        asked = NextToken(recipe, prepared.tokens, prepared.tokenizer, samples, prepared.marks)
    else:
        from vitral.training.objectives.masked_words import MaskedWords

        asked = MaskedWords(recipe, phase, prepared.tokens, prepared.tokenizer, samples)
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
    """A model of the recipe's shape for that tokenizer, without initialised weights."""
    kept = getattr(prepared, "kept", None)
    if recipe.model.form in OTHERS:
        if kept is None:
            raise VitralError("form_without_start", form=recipe.model.form)
        return shaped_by_own_class(kept, prepared.tokenizer)
    if kept is not None:
        shape = recipe.model
        depth = shape.num_layers if num_layers is None else num_layers
        return shaped_as(kept, num_layers=depth, dropout=shape.dropout)
    size = num_ids(prepared.tokenizer)
    marks: dict[str, int] = {}
    if isinstance(prepared, PreparedPairs):
        marks = pair_marks(prepared.tokenizer)
    elif "pad_token_id" in form_named(recipe.model.form).marks:
        marks = {"pad_token_id": special_id(prepared.tokenizer, "[PAD]", "<pad>")}
    return build_model(recipe.model, size, num_layers, marks)


def fresh_model(recipe: Recipe, prepared: Prepared | PreparedPairs) -> nn.Module:
    """A model of the recipe's shape, with the layers of its first phase and fresh weights. Raises
    `form_without_start` where a run can only start from such a model."""
    if recipe.model.form in OTHERS:
        raise VitralError("form_without_start", form=recipe.model.form)
    model = shaped_model(recipe, prepared, recipe.phases[0].num_layers)
    ids = None
    if recipe.co_occurrence_vectors and isinstance(prepared, Prepared):
        ids = prepared.tokens.ids
    if form_named(recipe.model.form).start != "glorot":
        initialise(model, recipe.seed, ids)
        return model
    initialise_weights(model, recipe.seed)
    if ids is not None:
        start_with_co_occurrence(model, ids, recipe.seed)
    return model


def model_to_go_on_from(
    start: Path, recipe: Recipe, prepared: Prepared | PreparedPairs
) -> nn.Module:
    """The model in `start`, with a new vocabulary if the recipe asks for one. Raises
    `start_mismatch` if it has another size than the recipe's, and `start_without_shape` if it is
    none of our forms. Fewer layers are no other size, for it can grow; what no recipe can ask for
    (an epsilon, untied vectors, a bias) is the model's own. What is none of our forms is trained
    by its own class, and keeps its tokens."""
    if recipe.model.form in OTHERS:
        return _of_own_class(start, recipe)
    if not (can_read(start) or is_headless(start)):
        raise VitralError("start_without_shape", folder=start)
    found: Any = read_to_train(start)
    depth = found.config.num_layers
    takes_over = recipe.tokenizer.transfer is not None
    model: nn.Module = found
    if takes_over or isinstance(prepared, PreparedPairs):
        shaped: Any = shaped_model(recipe, prepared, min(depth, recipe.model.num_layers))
        if not same_shape(found.config, shaped.config, OF_THE_RECIPE if takes_over else ()):
            raise VitralError("start_mismatch", folder=start, recipe=recipe.name)
        if takes_over:
            model = with_new_vocabulary(found, shaped, start, prepared.tokenizer)
    else:
        if not _has_size(found, recipe):
            raise VitralError("start_mismatch", folder=start, recipe=recipe.name)
        model = type(found)(replace(found.config, dropout=recipe.model.dropout))
        model.load_state_dict(found.state_dict())
        model.eval()
    if is_headless(start) and isinstance(prepared, Prepared):
        start_with_frequencies(model, prepared.tokens.ids)
    return model


def _of_own_class(start: Path, recipe: Recipe) -> nn.Module:
    if recipe.tokenizer.transfer is not None:
        raise VitralError("transfer_by_own_class", folder=start)
    kind = kind_to_train(read_config(start))
    model = open_to_train(start)
    most = context(model)
    fits = most is None or recipe.model.context <= most
    if (
        recipe.model.form != f"other_{kind}"
        or not fits
        or depth_of(model) != recipe.model.num_layers
    ):
        raise VitralError("start_mismatch", folder=start, recipe=recipe.name)
    return model


_SIZES = ("context", "hidden_size", "num_heads", "intermediate_size", "embedding_size")


def _has_size(model: Any, recipe: Recipe) -> bool:
    """Whether a model has the form and the size that a recipe asks for, or fewer layers."""
    form, config = form_of(model), model.config
    wanted = recipe.model.config_entries()
    sizes = (*_SIZES, "num_key_value_heads")
    return (
        form is not None
        and form.name == recipe.model.form
        and config.num_layers <= recipe.model.num_layers
        and all(getattr(config, name) == wanted[name] for name in sizes if name in wanted)
    )
