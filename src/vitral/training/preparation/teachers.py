"""Teachers: trained models that a phase learns from as well (`objectives/distillation.py`).

A teacher's predictions are probabilities of its own tokens, so a run has to split its text as all
its teachers do. This is checked here before the text is read, not in the middle of the run.
"""

from tokenizers import Tokenizer

from vitral.errors import VitralError
from vitral.models.load import locate, open_tokenizer
from vitral.text.as_text import clear
from vitral.training.recipes.recipe import Recipe


def teachers_of(recipe: Recipe) -> list[str]:
    """Where the recipe's teachers are: a bundled name, a folder or a hub id each."""
    models = [phase.teacher.model for phase in recipe.phases if phase.teacher is not None]
    return list(dict.fromkeys(models))


def tokenizer_of(model: str) -> Tokenizer:
    """A teacher's tokenizer; its weights are not opened. Raises `teacher_without_tokens`, and
    what `locate` and `open_tokenizer` raise."""
    found = open_tokenizer(locate(model)[1])
    found = getattr(found, "backend_tokenizer", found)  # transformers' keep theirs inside
    if not isinstance(found, Tokenizer):
        raise VitralError("teacher_without_tokens", model=model)
    return clear(found)


def check_teachers(recipe: Recipe, tokenizer: Tokenizer) -> None:
    """Raises `teacher_other_words` for the first teacher that cuts text into other tokens than
    `tokenizer`, and what `tokenizer_of` raises."""
    vocabulary = tokenizer.get_vocab()
    for model in teachers_of(recipe):
        check_teacher(vocabulary, tokenizer_of(model).get_vocab(), model)


def check_teacher(vocabulary: dict[str, int], teacher: dict[str, int], name: str) -> None:
    """Raises `teacher_other_words` if the teacher does not split text into the same tokens."""
    if vocabulary != teacher:
        raise VitralError("teacher_other_words", model=name)
