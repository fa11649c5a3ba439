"""A recipe: everything that decides how a training run comes out, in one YAML file."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vitral.errors import VitralError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LlamaShape(_Strict):
    """A decoder in Llama's form."""

    form: Literal["llama"]
    context: int = 256
    hidden_size: int = 256
    num_layers: int = 6
    num_heads: int = 8
    num_key_value_heads: int = 4
    intermediate_size: int = 688


class BertShape(_Strict):
    """An encoder in BERT's form."""

    form: Literal["bert"]
    context: int = 256
    hidden_size: int = 256
    num_layers: int = 6
    num_heads: int = 8
    intermediate_size: int = 1024


class Phase(_Strict):
    """What is learned until the share `until` of the run is over (1 is its end), in a model of
    so many layers: less than the recipe's are a first part of it, which grows afterwards.

    Of the tokens chosen to be masked, one in five is shown as it is or as another, so that a
    model learns to look at words that are there; with `all_masked` all of them are masked."""

    objective: Literal["next_token", "masked_words"]
    until: Annotated[float, Field(gt=0, le=1)] = 1.0
    mask_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    all_masked: bool = False
    num_layers: Annotated[int, Field(gt=0)] | None = None


class Recipe(_Strict):
    """One training run. `minutes` of computing decide its length; a stop does not count."""

    name: str
    model: Annotated[LlamaShape | BertShape, Field(discriminator="form")]
    vocab_size: Annotated[int, Field(le=65_536)]
    held_out: list[str]
    phases: list[Phase]
    minutes: Annotated[float, Field(gt=0)]
    tokens_per_step: int = 8192
    lengths: list[int] = [32, 64, 128, 256]
    seed: int = 1605
    matrix_rate: float = 0.02
    vector_rate: float = 0.003
    weight_decay: float = 0.05
    warm_up: float = 0.02
    decay_from: float = 0.5
    clip: float = 1.0
    checkpoint_minutes: float = 5.0
    evaluate_every: int = 100


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file. Raises `recipe_missing` or `recipe_invalid`."""
    if not path.is_file():
        raise VitralError("recipe_missing", path=path)
    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise VitralError(
            "recipe_invalid", path=path, reason=str(error).replace("\n", " ")
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise VitralError("recipe_invalid", path=path, reason=f"{place}: {first['msg']}") from None
