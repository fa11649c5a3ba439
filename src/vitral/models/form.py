"""A form: everything that Vitral knows about one architecture, in the file of its model.

A model's file ends with its `FORM`: how such a model is made, what its folders say, what a recipe
chooses, how it grows and writes. Everything else (opening and saving, recipes, the form in the
browser, growing, generation) asks the form, and no other file names an architecture. So a new
architecture is one file and one line in `vitral.models.forms`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from vitral.models.configuration import ModelConfig
from vitral.models.folder_format import FolderFormat
from vitral.models.shape import Shape

Start = Literal["blocks", "waves", "neighbours", "glorot"]
Growth = Literal["copies", "passes"]


@dataclass(frozen=True)
class FastDecoding:
    """Where the fast decoder (`generation.fast_decoder`) finds the parts of a decoder that is
    made of pre-norm blocks, by their names in the model.

    `classes` are the form's own modules: the model and, where it has one, its embedding. With
    `positions` their vectors are added to the tokens'; with `rotary` queries and keys are turned.
    """

    classes: tuple[type[nn.Module], ...]
    positions: str | None = None
    rotary: str | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """One architecture. Its model has `layers` (blocks with `attention.o_proj` and
    `mlp.down_proj`, or recurrent ones), a `head` that gives logits and, in a decoder, the `norm`
    before it.

    * `name` is what recipes call it (`model.form`); `shape` is what they choose of it;
    * `config` and `model` make it; `folder` reads and writes its Hugging Face folders;
    * `tokens` is the name of its token vectors;
    * `marks` are the entries of its configuration that are ids of special tokens, which a run
      takes from its tokenizer;
    * `start` names its fresh weights: "blocks" that do nothing yet, these with positions that
      begin as "waves" or with heads that look at "neighbours"
      (`training.preparation.initialisation`), or "glorot" (`models.initial_weights`);
    * `grows` says how it gets deeper while it learns: by "copies" of its layers, by more "passes"
      through one, or not at all; `as_copy` fits a copied layer to its new place;
    * `padding` is the input that tells a decoder where padding stands while it writes;
    * `fast` is there for decoders that `generation.fast_decoder` can read with.
    """

    name: str
    config: type[ModelConfig]
    model: type[nn.Module]
    shape: type[Shape]
    folder: FolderFormat
    tokens: str = "embed.tokens.weight"
    marks: tuple[str, ...] = ()
    start: Start = "blocks"
    grows: Growth | None = "copies"
    as_copy: Callable[[Any, int], None] | None = None
    padding: Literal["documents_BT", "attention_mask"] = "documents_BT"
    fast: FastDecoding | None = None

    @property
    def kind(self) -> str:
        """One of "decoder", "encoder", "encoder-decoder"."""
        return self.config.kind

    @property
    def looks_at_itself(self) -> bool:
        """Whether its only attention is self-attention over one text, so that a sentence can be
        watched during training."""
        return self.kind != "encoder-decoder" and "num_heads" in self.shape.model_fields

    @property
    def recomputes(self) -> bool:
        """Whether training can recompute activations instead of keeping them."""
        return hasattr(self.model, "recompute_activations")
