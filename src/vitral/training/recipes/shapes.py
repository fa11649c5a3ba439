"""Which model a recipe trains: its form and its size.

A shape is what a person chooses; the model's own configuration has more entries, which the
published architecture of that form decides.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn

from vitral.nn.recurrent_attention import Local, Score
from vitral.training.recipes.mistakes import ContradictionError, Mistake

Dropout = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Depth = Annotated[int, Field(ge=1, le=1_000)]
Places = Annotated[int, Field(ge=1, le=1_048_576)]
"""Numbers of components, of layers and heads, and of tokens: more is a slip of the finger, and
would fill any machine's memory before anybody saw it."""


class Strict(BaseModel):
    """A part of a recipe: unknown entries are mistakes, no value is bent into another kind (yes
    is no number), and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _TransformerShape(Strict):
    context: Places = 256
    hidden_size: Width = 256
    num_layers: Depth = 6
    num_heads: Depth = 8
    intermediate_size: Places = 1024
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
    num_key_value_heads: Depth | None = None
    intermediate_size: Places = 688
    rope_base: Annotated[float, Field(gt=1, le=1e12)] = 10_000.0

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
    """A decoder in GPT-2's form. "gelu_new" is the published models' activation, an
    approximation of "gelu", which on processors is the quicker one."""

    form: Literal["gpt2"]
    activation: Literal["gelu", "gelu_new"] = "gelu"


class BertShape(_TransformerShape):
    """An encoder in BERT's form; with `next_sentence` it also learns whether one passage
    follows another."""

    form: Literal["bert"]
    next_sentence: bool = False


class RobertaShape(_TransformerShape):
    """An encoder in RoBERTa's form."""

    form: Literal["roberta"]


class AlbertShape(_TransformerShape):
    """An encoder in ALBERT's form: `num_layers` passes through one block, and token vectors of
    `embedding_size`."""

    form: Literal["albert"]
    embedding_size: Width = 128


class TransformerShape(_TransformerShape):
    """The original Transformer, which reads one text and writes another; as many layers on
    either side."""

    form: Literal["transformer"]


class _RecurrentShape(Strict):
    context: Places = 256
    hidden_size: Width = 256
    num_layers: Depth = 2
    cell: Literal["rnn", "lstm", "gru"] = "lstm"
    dropout: Dropout = 0.0


class RecurrentShape(_RecurrentShape):
    """A recurrent decoder. `context` is the longest text that it is trained on at once."""

    form: Literal["recurrent"]
    tied_embeddings: bool = True


class RecurrentSequenceToSequenceShape(_RecurrentShape):
    """A recurrent encoder and decoder. `attention` is Bahdanau's ("additive") or Luong's ("dot",
    "general"); `local` lets it look only at `window` places to each side of one, which goes
    forward step by step ("monotonic") or is guessed ("predictive")."""

    form: Literal["recurrent_sequence_to_sequence"]
    num_layers: Depth = 1
    attention: Score = "additive"
    local: Local = "none"
    window: Places = 10
    bidirectional: bool = True

    @model_validator(mode="after")
    def _halves_are_whole(self) -> "RecurrentSequenceToSequenceShape":
        if self.bidirectional and self.hidden_size % 2:
            values: dict[str, object] = {"value": self.hidden_size, "of": 2}
            other = {"other": "bidirectional"}
            raise ContradictionError(Mistake("hidden_size", "no_multiple", values | other))
        return self


Shape = Annotated[
    LlamaShape
    | GPT2Shape
    | RecurrentShape
    | BertShape
    | RobertaShape
    | AlbertShape
    | RecurrentSequenceToSequenceShape
    | TransformerShape,
    Field(discriminator="form"),
]

DECODERS = ("llama", "gpt2", "recurrent")
ENCODERS = ("bert", "roberta", "albert")
TRANSLATORS = ("recurrent_sequence_to_sequence", "transformer")
GROWING = ("llama", "gpt2", "bert", "roberta", "albert")
"""Forms that may start with fewer layers (`growth`)."""


def build_model(
    shape: Any,
    vocab_size: int,
    num_layers: int | None = None,
    marks: Mapping[str, int] = MappingProxyType({}),
) -> nn.Module:
    """A model of that shape (or of so many layers of it) with random weights. `marks` are the
    ids of the special tokens that the model's configuration names (those that begin, end and
    fill a translator's texts; a RoBERTa's padding)."""
    entries = shape.model_dump(exclude={"form"}) | {"vocab_size": vocab_size, **marks}
    if num_layers is not None:
        entries["num_layers"] = num_layers
    if isinstance(shape, LlamaShape):
        from vitral.models.llama import Llama, LlamaConfig

        entries["num_key_value_heads"] = shape.num_key_value_heads or shape.num_heads
        return Llama(LlamaConfig(**entries))
    if isinstance(shape, RecurrentShape):
        from vitral.models.recurrent import Recurrent, RecurrentConfig

        return Recurrent(RecurrentConfig(**entries))
    if isinstance(shape, RecurrentSequenceToSequenceShape):
        from vitral.models.recurrent_sequence_to_sequence import (
            RecurrentSequenceToSequence,
            RecurrentSequenceToSequenceConfig,
        )

        return RecurrentSequenceToSequence(RecurrentSequenceToSequenceConfig(**entries))
    entries["num_key_value_heads"] = shape.num_heads
    if isinstance(shape, TransformerShape):
        from vitral.models.transformer import Transformer, TransformerConfig

        return Transformer(TransformerConfig(**entries))
    if isinstance(shape, GPT2Shape):
        from vitral.models.gpt import GPT, GPTConfig

        return GPT(GPTConfig(**entries))
    if isinstance(shape, RobertaShape):
        from vitral.models.roberta import Roberta, RobertaConfig

        return Roberta(RobertaConfig(**entries))
    if isinstance(shape, AlbertShape):
        from vitral.models.albert import Albert, AlbertConfig

        return Albert(AlbertConfig(**entries))
    from vitral.models.bert import Bert, BertConfig

    return Bert(BertConfig(**entries))
