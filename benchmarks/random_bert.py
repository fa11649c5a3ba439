"""A model to measure with: BERT-base in shape, its weights random, its tokenizer trained on a few
Spanish sentences; and texts of exactly as many tokens as one asks for.

Query and key weights are three times the usual, so that attention has peaks, as in a trained model:
with plain random weights it is almost flat.
"""

from itertools import cycle, islice
from pathlib import Path

SENTENCES = (
    "El perro que persiguió al gato cruzó la calle.",
    "La niña lee un libro en el jardín de su abuela.",
    "Los niños corrían por la plaza y el gato dormía bajo un árbol.",
    "Quien mucho abarca, poco aprieta, dijo la abuela al pingüino.",
    "Mañana veré el mar desde la ventana de mi casa.",
)
NUM_LAYERS = NUM_HEADS = 12
SHARPER = 3.0


def save_model(folder: Path, hidden_size: int = 768, context: int = 512) -> None:
    """Write config.json, model.safetensors and tokenizer.json into `folder`."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = _train_tokenizer()
    torch.manual_seed(0)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=hidden_size,
            num_hidden_layers=NUM_LAYERS,
            num_attention_heads=NUM_HEADS,
            intermediate_size=4 * hidden_size,
            max_position_embeddings=context,
        )
    )
    with torch.no_grad():
        for layer in model.bert.encoder.layer:
            layer.attention.self.query.weight *= SHARPER
            layer.attention.self.key.weight *= SHARPER
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _train_tokenizer():
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
        trainers,
    )

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def text_of(folder: Path, num_tokens: int, number: int = 0) -> str:
    """A text of exactly `num_tokens` tokens, [CLS] and [SEP] included; each `number`, another."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    words = [
        word
        for word in " ".join(SENTENCES).replace(".", " .").replace(",", " ,").split()
        if len(tokenizer.encode(word, add_special_tokens=False).ids) == 1
    ]
    text = " ".join(islice(cycle(words), number, number + num_tokens - 2))
    found = len(tokenizer.encode(text).ids)
    assert found == num_tokens, f"{found} tokens in place of {num_tokens}"
    return text
