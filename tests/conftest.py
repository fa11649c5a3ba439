"""Two small models in the Hugging Face format, with real tokenizers, for every test.

Their weights are random, with a spread wide enough that heads differ; their tokenizers are
trained on a few Spanish sentences. Saved by transformers, so reading them proves something.
"""

from pathlib import Path

import pytest
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SENTENCES = [
    "El perro que persiguió al gato cruzó la calle.",
    "La niña lee un libro en el jardín.",
    "¿Dónde está el pingüino? Mañana lo sabré.",
    "Los niños corrían por la calle y el gato dormía.",
    "Quien mucho abarca poco aprieta, dijo la abuela.",
]


def _word_pieces() -> Tokenizer:
    """A WordPiece tokenizer of SENTENCES. Its pieces were learned once and stand in a file: where
    pairs are as frequent, the trainer takes another one each time."""
    pieces = (Path(__file__).parent / "word_pieces.txt").read_text(encoding="utf-8").split()
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(pieces[:5])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _bytes() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BertForMaskedLM: 3 layers, 4 heads, context 64."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    folder = tmp_path_factory.mktemp("models") / "small-bert"
    tokenizer = _word_pieces()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LlamaForCausalLM: 2 layers, 4 heads over 2 key heads, context 128."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "small-llama"
    tokenizer = _bytes()
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.3,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def bart_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BartForConditionalGeneration: an encoder of 3 layers and 4 heads, a decoder of 2 and 2."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "small-bart"
    tokenizer = _word_pieces()
    config = BartConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=32,
        encoder_layers=3,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        forced_eos_token_id=None,
        decoder_start_token_id=3,
        init_std=0.3,
    )
    torch.manual_seed(0)
    BartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """T5ForConditionalGeneration of 2 layers and 2 heads, which takes texts of any length."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("models") / "small-t5"
    tokenizer = _word_pieces()
    config = T5Config(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        decoder_start_token_id=3,
        eos_token_id=3,
    )
    torch.manual_seed(0)
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def vit_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ViTForImageClassification: 3 layers, 4 heads, 32 × 32 pixels in 4 × 4 patches, [CLS]."""
    from transformers import ViTConfig, ViTForImageClassification

    from picture_models import SMALL, processor, save_picture_model, spread

    model = spread(ViTForImageClassification(ViTConfig(image_size=32, patch_size=8, **SMALL)))
    folder = tmp_path_factory.mktemp("models") / "small-vit"
    return save_picture_model(model, processor(), folder)


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn picture of 90 × 60 pixels, as a PNG called "foto.png"."""
    from picture_models import drawn

    path = tmp_path_factory.mktemp("pictures") / "foto.png"
    drawn(90, 60).save(path)
    return path
