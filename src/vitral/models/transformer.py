"""The original Transformer (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): it reads a
text with an encoder and answers with a decoder.

    source ids → √C · token + position vectors → N encoder blocks → memory
    target ids → √C · token + position vectors → N decoder blocks, which look at the memory → logits

One table of token vectors serves reader, writer and the map to the logits (section 3.4), so both
texts share one vocabulary. Positions are waves (section 3.5), ReLU is the activation, norms come
last. Each output token has a bias, which the paper has not; it starts at zero.

It is saved as a MarianMTModel, the form of Helsinki's translation models, whose arithmetic is the
paper's. There the waves' sines stand in the first half of the vector and the cosines in the
second; the paper has them by turns, which is the same up to the order of components.

    >>> model = Transformer(TransformerConfig(vocab_size=50, hidden_size=32, num_layers=1,
    ...     num_heads=4, intermediate_size=64))
    >>> model(torch.ones(1, 7, dtype=torch.long), torch.ones(1, 3, dtype=torch.long)).shape
    torch.Size([1, 3, 50])

Shapes: B batch, S tokens of the source, T tokens of the target, C width, V vocabulary.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vitral.models.configuration import ModelConfig
from vitral.nn.cross_attention import TranslationCache
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.recomputation import through_blocks
from vitral.nn.translation_block import DecoderBlock, EncoderBlock


@dataclass
class TransformerConfig(ModelConfig):
    """The shape of a Transformer; the defaults are the paper's base model.

    `num_layers` is the encoder's and the decoder's. The decoder begins with
    `decoder_start_token_id` and ends with `eos_token_id`.
    """

    architecture = "MarianMTModel"
    kind = "encoder-decoder"

    vocab_size: int = 37_000
    context: int = 512
    hidden_size: int = 512
    num_layers: int = 6
    num_heads: int = 8
    intermediate_size: int = 2048
    num_key_value_heads: int = 8
    epsilon: float = field(default=1e-5, init=False)  # a Marian folder cannot name another
    activation: str = "relu"
    dropout: float = 0.0
    pad_token_id: int = 0
    decoder_start_token_id: int = 0
    eos_token_id: int = 1


def waves(positions_T: Tensor, width: int) -> Tensor:
    """Vectors [T, width]: sin(t·ω_i) for all i, then cos(t·ω_i), ω_i = 10,000^(−2i/width).

    Taken in double precision: a large t would cost the product several digits.
    """
    exponents = torch.arange(0, width, 2, device=positions_T.device, dtype=torch.float64)
    angles = positions_T[:, None].double() * 10_000.0 ** (-exponents / width)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)[:, :width].float()


class TransformerEmbedding(nn.Module):
    """Token vectors, made √C times longer, plus waves; ids [B, T] give [B, T, C]."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.scale = config.hidden_size**0.5
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids_BT: Tensor, first_position: int = 0) -> Tensor:
        vectors_BTC = self.tokens(ids_BT) * self.scale
        positions = torch.arange(ids_BT.shape[1], device=ids_BT.device) + first_position
        x_BTC: Tensor = self.dropout(
            vectors_BTC + waves(positions, vectors_BTC.shape[2]).to(vectors_BTC.dtype)
        )
        return x_BTC


class Stack(nn.Module):
    """The layers of one side."""

    def __init__(self, config: TransformerConfig, block: type[EncoderBlock]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            block(
                config.hidden_size,
                config.num_heads,
                config.intermediate_size,
                config.activation,
                config.epsilon,
                config.dropout,
                layer_idx=i,
            )
            for i in range(config.num_layers)
        )


class Transformer(nn.Module):
    """An encoder–decoder in the form of "Attention Is All You Need".

    `recompute_activations` trains with less memory and more time (`nn.recomputation`).
    """

    recompute_activations: bool = False

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = TransformerEmbedding(config)
        self.encoder = Stack(config, EncoderBlock)
        self.decoder = Stack(config, DecoderBlock)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)
        self.head.weight = self.embed.tokens.weight
        nn.init.zeros_(self.head.bias)

    def encode(self, ids_BS: Tensor, attention_mask_BS: Tensor | None = None) -> Tensor:
        """The memory [B, S, C]. `attention_mask_BS` is 0 at padding."""
        size = ids_BS.shape[1]
        mask = build_mask(attention_mask_BS, size, size, causal=False, device=ids_BS.device)
        x_BSC: Tensor = self.embed(ids_BS)
        recompute = self.recompute_activations and self.training
        return through_blocks(self.encoder.layers, x_BSC, mask, recompute=recompute)

    def decode(
        self,
        decoder_ids_BT: Tensor,
        memory: Tensor,
        attention_mask_BS: Tensor | None = None,
        decoder_attention_mask_BT: Tensor | None = None,
        cache: TranslationCache | None = None,
    ) -> Tensor:
        """Logits [B, T, V] for the token after each of `decoder_ids_BT`.

        With a `cache`, these are only the new tokens; the decoder's mask covers all.
        """
        past = 0 if cache is None else cache.length
        num_new = decoder_ids_BT.shape[1]
        device = decoder_ids_BT.device
        mask = build_mask(
            decoder_attention_mask_BT, num_new, past + num_new, causal=True, device=device
        )
        memory_mask = build_mask(
            attention_mask_BS, num_new, memory.shape[1], causal=False, device=device
        )
        x_BTC = self.embed(decoder_ids_BT, past)
        recompute = self.recompute_activations and self.training and cache is None
        x_BTC = through_blocks(
            self.decoder.layers, x_BTC, mask, memory, memory_mask, cache, recompute=recompute
        )
        logits_BTV: Tensor = self.head(x_BTC)
        return logits_BTV

    def forward(
        self,
        ids_BS: Tensor,
        decoder_ids_BT: Tensor,
        attention_mask_BS: Tensor | None = None,
        decoder_attention_mask_BT: Tensor | None = None,
        cache: TranslationCache | None = None,
    ) -> Tensor:
        """Logits [B, T, V]: for each place of the target, the token that follows, given the
        source and the target so far (teacher forcing). Masks are 0 at padding.

        With a `cache`, the decoder's ids are only the new ones, and the source is read once.
        """
        memory = None if cache is None else cache.memory
        if memory is None:
            memory = self.encode(ids_BS, attention_mask_BS)
            if cache is not None:
                cache.memory = memory
        return self.decode(
            decoder_ids_BT, memory, attention_mask_BS, decoder_attention_mask_BT, cache
        )

    def new_cache(self) -> TranslationCache:
        """An empty cache, for a text to be written."""
        return TranslationCache(self.config.num_layers)
