"""Small recurrent models and Transformers, and a tokenizer of letters for them."""

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor, nn

from vitral.models.initial_weights import initialise_weights
from vitral.models.recurrent import Recurrent, RecurrentConfig
from vitral.models.recurrent_sequence_to_sequence import (
    RecurrentSequenceToSequence,
    RecurrentSequenceToSequenceConfig,
)
from vitral.models.transformer import Transformer, TransformerConfig

LETTERS = ["<pad>", "</s>", "<unk>", *"abcdefghijklmnñopqrstuvwxyzáéíóúü 0123456789.¿?"]
VOCABULARY = len(LETTERS)

SOURCE = torch.tensor([[9, 4, 17, 30, 5, 11], [8, 40, 21, 1, 0, 0], [0, 0, 33, 6, 12, 1]])
SOURCE_MASK = torch.tensor([[1] * 6, [1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]])
TARGET = torch.tensor([[0, 14, 7, 25, 3], [0, 29, 9, 9, 16], [0, 4, 38, 2, 10]])


def tokenizer_of_letters() -> Tokenizer:
    """Each letter a token; "</s>" ends a text, "<pad>" begins an answer."""
    tokenizer = Tokenizer(
        models.WordLevel({each: i for i, each in enumerate(LETTERS)}, unk_token="<unk>")
    )
    tokenizer.add_special_tokens(["<pad>", "</s>"])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def shaken(model: nn.Module) -> nn.Module:
    """Fresh weights, and enough noise that a part left out would show."""
    initialise_weights(model, 0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return model.eval()


def transformer(**entries: object) -> Transformer:
    shape = {
        "vocab_size": VOCABULARY,
        "context": 24,
        "hidden_size": 20,
        "num_layers": 2,
        "num_heads": 4,
        "num_key_value_heads": 4,
        "intermediate_size": 33,
    }
    return shaken(Transformer(TransformerConfig(**shape | entries)))


def language_model(**entries: object) -> Recurrent:
    shape = {"vocab_size": VOCABULARY, "hidden_size": 12, "num_layers": 2}
    return shaken(Recurrent(RecurrentConfig(**shape | entries)))


def recurrent_translator(**entries: object) -> RecurrentSequenceToSequence:
    shape = {"vocab_size": VOCABULARY, "hidden_size": 12, "num_layers": 2, "window": 2}
    return shaken(RecurrentSequenceToSequence(RecurrentSequenceToSequenceConfig(**shape | entries)))


TRANSLATORS = {
    "transformer": transformer,
    "none": lambda: recurrent_translator(attention="none", cell="gru"),
    "additive": lambda: recurrent_translator(attention="additive"),
    "additive-local": lambda: recurrent_translator(attention="additive", local="predictive"),
    "dot": lambda: recurrent_translator(attention="dot", cell="rnn", bidirectional=False),
    "general": lambda: recurrent_translator(attention="general", num_layers=1),
    "general-monotonic": lambda: recurrent_translator(attention="general", local="monotonic"),
    "dot-predictive": lambda: recurrent_translator(attention="dot", local="predictive"),
}
"""A small translator of each kind, by what it does."""


@torch.no_grad()
def step_by_step(model: nn.Module, source: Tensor, mask: Tensor | None, target: Tensor) -> Tensor:
    """The logits of a target that is read one token at a time."""
    cache = model.new_cache()
    steps = [model(source, token[:, None], mask, None, cache) for token in target.unbind(1)]
    return torch.cat(steps, dim=1)
