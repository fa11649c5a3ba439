"""A trained model with a new vocabulary.

A model's tokens are learned before it, and may suit another language or other texts than those of
the new training. Only the token vectors, and the rows of the map to the logits, belong to tokens;
all other weights can stay. A new piece starts from the old pieces that spell it (Gee et al. 2022,
"Fast Vocabulary Transfer for Language Model Compression",
https://aclanthology.org/2022.emnlp-industry.41)::

    vector("cruzó") = mean( vector("▁cruz"), vector("ó") )

So a piece that both have keeps its vector, and with the same vocabulary the model says exactly
what it said. Special tokens are matched by what they are for (`text.piece_spelling`); what the old
vocabulary cannot spell starts from the mean of all its vectors.

Shapes: V new tokens, O old ones, C width.
"""

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from vitral.models.forms import form_of
from vitral.text.piece_spelling import spelled_by
from vitral.training.preparation.start_tokens import tokenizer_in

_OF_HEADS = ("head.weight", "head.bias", "head.decoder.weight", "head.decoder.bias")

OF_THE_RECIPE = ("vocab_size", "dropout", "pad_token_id", "eos_token_id", "decoder_start_token_id")
"""Entries of a configuration in which the model with the new vocabulary may differ."""


def same_shape(found: Any, wanted: Any, free: Sequence[str] = ()) -> bool:
    """Whether two configurations say the same but for `free` entries. An epsilon may have been
    rounded on its way through another precision."""
    if type(found) is not type(wanted):
        return False
    likened = {name: getattr(wanted, name) for name in free if hasattr(found, name)}
    if math.isclose(found.epsilon, wanted.epsilon, rel_tol=1e-5):
        likened["epsilon"] = wanted.epsilon
    return all(
        likened.get(field.name, getattr(found, field.name)) == getattr(wanted, field.name)
        for field in fields(found)
    )


def of_tokens(model: nn.Module) -> set[str]:
    """The names of the weights that have a row, or a number, for each token."""
    form = form_of(model)
    assert form is not None, "one of our models"
    return {form.tokens, *_OF_HEADS}


@torch.no_grad()
def transfer(old: nn.Module, new: nn.Module, spelled: Sequence[Sequence[int]]) -> None:
    """Give `new` the weights of `old`, another model of its shape. `spelled` names, for each
    token of `new`, the tokens of `old` that spell it."""
    weights = dict(old.named_parameters())
    for name, weight in new.named_parameters():
        if name in of_tokens(new):
            weight.copy_(mean_rows(weights[name], spelled))
        else:
            weight.copy_(weights[name])


def mean_rows(rows: Tensor, spelled: Sequence[Sequence[int]]) -> Tensor:
    """Of rows [O, C] or numbers [O] the mean of those that `spelled` names for each of V; the
    mean of all where it names none."""
    filled = [list(numbers) or range(len(rows)) for numbers in spelled]
    return torch.stack(
        [
            rows[numbers[0]] if len(numbers) == 1 else rows[list(numbers)].mean(0)
            for numbers in filled
        ]
    )


def with_new_vocabulary(
    old: nn.Module, new: nn.Module, folder: Path, tokenizer: Tokenizer
) -> nn.Module:
    """`new`, with the weights of `old` from `folder` and vectors for the tokens of `tokenizer`."""
    transfer(old, new, spelled_by(tokenizer, tokenizer_in(folder)))
    return new.eval()
