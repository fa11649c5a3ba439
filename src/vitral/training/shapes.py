"""Which model a recipe trains: its form and its size.

A shape is what a person chooses; the model's own configuration has more entries, which the
published architecture of that form decides.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator
from torch import nn

from vitral.training.mistakes import ContradictionError, Mistake

Dropout = Annotated[float, Field(ge=0, lt=1)]


class Strict(BaseModel):
    """A part of a recipe: unknown entries are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _TransformerShape(Strict):
    context: PositiveInt = 256
    hidden_size: PositiveInt = 256
    num_layers: PositiveInt = 6
    num_heads: PositiveInt = 8
    intermediate_size: PositiveInt = 1024
    dropout: Dropout = 0.0

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Any:
        if self.hidden_size % self.num_heads:
            values = {"value": self.hidden_size, "of": self.num_heads}
            raise ContradictionError(
                Mistake("hidden_size", "no_multiple", values | {"other": "num_heads"})
            )
        return self


class LlamaShape(_TransformerShape):
    """A decoder in Llama's form."""

    form: Literal["llama"]
    num_key_value_heads: PositiveInt | None = None
    intermediate_size: PositiveInt = 688
    rope_base: Annotated[float, Field(gt=1)] = 10_000.0

    @model_validator(mode="after")
    def _groups_are_whole(self) -> "LlamaShape":
        groups = self.num_key_value_heads or self.num_heads
        if self.num_heads % groups:
            values = {"value": self.num_heads, "of": groups}
            raise ContradictionError(
                Mistake("num_heads", "no_multiple", values | {"other": "num_key_value_heads"})
            )
        return self


class GPT2Shape(_TransformerShape):
    """A decoder in GPT-2's form."""

    form: Literal["gpt2"]


class BertShape(_TransformerShape):
    """An encoder in BERT's form; with `next_sentence` it also learns whether one passage
    follows another."""

    form: Literal["bert"]
    next_sentence: bool = False


Shape = Annotated[LlamaShape | GPT2Shape | BertShape, Field(discriminator="form")]

DECODERS = ("llama", "gpt2", "recurrent")
ENCODERS = ("bert", "roberta", "albert")
TRANSLATORS = ("recurrent_sequence_to_sequence", "transformer")


def build_model(shape: Any, vocab_size: int, num_layers: int | None = None) -> nn.Module:
    """A model of that shape (or of so many layers of it) with random weights."""
    entries = shape.model_dump(exclude={"form"}) | {"vocab_size": vocab_size}
    if num_layers is not None:
        entries["num_layers"] = num_layers
    if isinstance(shape, LlamaShape):
        from vitral.models.llama import Llama, LlamaConfig

        entries["num_key_value_heads"] = shape.num_key_value_heads or shape.num_heads
        return Llama(LlamaConfig(**entries))
    entries["num_key_value_heads"] = shape.num_heads
    if isinstance(shape, GPT2Shape):
        from vitral.models.gpt import GPT, GPTConfig

        return GPT(GPTConfig(**entries))
    from vitral.models.bert import Bert, BertConfig

    return Bert(BertConfig(**entries))
