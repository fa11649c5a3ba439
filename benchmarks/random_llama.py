"""A model with a very long context to measure with: a Llama in shape, its weights random.

Rotary positions have no weights, so that a model of a megabyte reads 131,072 tokens. Its tokenizer
is trained on a few Spanish sentences; texts are of exactly as many tokens as one asks for, and
every few words stands one that is nowhere else, so that there is something to find.
"""

from itertools import islice
from pathlib import Path

from random_bert import SENTENCES, SHARPER

NUM_LAYERS, NUM_HEADS = 1, 2


def save_model(folder: Path, context: int = 131_072) -> None:
    """Write config.json, model.safetensors and tokenizer.json into `folder`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _train_tokenizer()
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=64,
            num_hidden_layers=NUM_LAYERS,
            num_attention_heads=NUM_HEADS,
            num_key_value_heads=NUM_HEADS,
            intermediate_size=128,
            max_position_embeddings=context,
            initializer_range=0.06,
            tie_word_embeddings=True,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight *= SHARPER
            layer.self_attn.k_proj.weight *= SHARPER
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def _train_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def _words(start: int):
    """The sentences' words round and round, and after each round its number."""
    words = " ".join(SENTENCES).split()
    number = start
    while True:
        yield from words
        yield str(number)
        number += 1


def text_of(folder: Path, num_tokens: int, number: int = 0) -> str:
    """A text of exactly `num_tokens` tokens; each `number`, another."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = " ".join(islice(_words(1000 * (number + 1)), num_tokens))
    offsets = tokenizer.encode(text).offsets[:num_tokens]
    text = text[: offsets[-1][1]]
    found = len(tokenizer.encode(text).ids)
    assert found == num_tokens, f"{found} tokens in place of {num_tokens}"
    return text
