"""What is wrong with a recipe, said in the reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vitral.errors import VitralError
from vitral.messages import message


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the entry `path` ("model.num_layers"; "" for the whole file): the
    message `recipe.<key>` with its `values`. `place` is a line's number or the flag that gave
    the entry. A contradiction is also about the entries `others`. A value that depends on the
    language is a function of it."""

    path: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    place: int | str | None = None
    others: tuple[str, ...] = ()

    def text(self, language: str | None = None) -> str:
        """As "model.num_layer (line 7): …"."""
        place = str(self.place or "")
        if isinstance(self.place, int):
            place = message("recipe.line", language, line=self.place)
        where = f"{self.path} ({place})" if self.path and place else self.path or place
        said = self.reason(language)
        return f"{where}: {said}" if where else said

    def reason(self, language: str | None = None) -> str:
        """The same without the place, for a caller that shows it at that place."""
        values = {n: v(language) if callable(v) else v for n, v in self.values.items()}
        return message(f"recipe.{self.key}", language, **values)


class ContradictionError(ValueError):
    """Entries that are right one by one and do not go together."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(mistake.text("en") for mistake in mistakes))


class RecipeError(VitralError):
    """All mistakes of a recipe at once (`recipe_invalid`)."""

    def __init__(self, path: Path | str, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("recipe_invalid", path=path, reason="")

    def text(self, language: str | None = None) -> str:
        return " ".join(self.lines(language))

    def lines(self, language: str | None = None) -> list[str]:
        head = message("error.recipe_invalid", language, path=self.values["path"])
        return [head, *(mistake.text(language) for mistake in self.mistakes)]
