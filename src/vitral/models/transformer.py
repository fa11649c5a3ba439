"""The original Transformer (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762): it reads a
text with an encoder and answers with a decoder.

    source ids → √C · token + position vectors → N encoder blocks → memory
    target ids → √C · token + position vectors → N decoder blocks, which attend to it → logits

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

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from vitral.models.configuration import ModelConfig
from vitral.models.folder_format import FolderFormat
from vitral.models.form import Form
from vitral.models.shape import AttentionShape
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


class TransformerShape(AttentionShape):
    """The original Transformer, which reads one text and writes another; as many layers on
    either side."""

    form: Literal["transformer"]


class _Folder(FolderFormat):
    """A MarianMTModel's. What is one number here stands there once for each side; a folder in
    which the sides differ is left to transformers. The output bias has a dimension more, and the
    waves, which are computed, and copies of the one table of token vectors may stand beside."""

    def can_read(self, entries: Mapping[str, Any]) -> bool:
        if not super().can_read(entries):
            return False
        said: dict[str, set[Any]] = {}
        for theirs, ours in self.entries.items():
            if entries.get(theirs) is not None:
                said.setdefault(ours, set()).add(entries[theirs])
        return all(len(values) == 1 for values in said.values())

    def to_folder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        named = super().to_folder(weights)
        return named | {_BIAS: named[_BIAS][None]}

    def from_folder(
        self, weights: Mapping[str, Tensor], expected: Collection[str], path: Path
    ) -> dict[str, Tensor]:
        """A folder may leave a bias of zeros out."""
        known = {name: each for name, each in weights.items() if not name.startswith("lm_head.")}
        bias = known.pop(_BIAS, None)
        if bias is None and "model.shared.weight" in known:
            bias = torch.zeros(len(known["model.shared.weight"]))
        if bias is not None:
            known[_BIAS] = bias.reshape(-1)
        return super().from_folder(known, expected, path)


_BIAS = "final_logits_bias"


def _side(ours: str, theirs: str) -> dict[str, str]:
    return {
        **{f"{ours}.attention.{p}_proj": f"{theirs}.self_attn.{p}_proj" for p in "qkv"},
        f"{ours}.attention.o_proj": f"{theirs}.self_attn.out_proj",
        f"{ours}.attention_norm": f"{theirs}.self_attn_layer_norm",
        f"{ours}.mlp.up_proj": f"{theirs}.fc1",
        f"{ours}.mlp.down_proj": f"{theirs}.fc2",
        f"{ours}.mlp_norm": f"{theirs}.final_layer_norm",
    }


_LAYER = "model.decoder.layers.N"
_CROSS = "decoder.layers.N.cross_attention"

FORM = Form(
    name="transformer",
    config=TransformerConfig,
    model=Transformer,
    shape=TransformerShape,
    marks=("pad_token_id", "decoder_start_token_id", "eos_token_id"),
    start="glorot",
    grows=None,
    folder=_Folder(
        architectures=("MarianMTModel",),
        model_type="marian",
        entries={
            "vocab_size": "vocab_size",
            "decoder_vocab_size": "vocab_size",
            "max_position_embeddings": "context",
            "d_model": "hidden_size",
            "encoder_layers": "num_layers",
            "decoder_layers": "num_layers",
            "encoder_attention_heads": "num_heads",
            "decoder_attention_heads": "num_heads",
            "encoder_ffn_dim": "intermediate_size",
            "decoder_ffn_dim": "intermediate_size",
            "activation_function": "activation",
            "dropout": "dropout",
            "pad_token_id": "pad_token_id",
            "decoder_start_token_id": "decoder_start_token_id",
            "eos_token_id": "eos_token_id",
        },
        fixed={
            "tie_word_embeddings": True,
            "is_encoder_decoder": True,
            "scale_embedding": True,
            "share_encoder_decoder_embeddings": True,
            "attention_dropout": 0.0,
            "activation_dropout": 0.0,
            "encoder_layerdrop": 0.0,
            "decoder_layerdrop": 0.0,
            "forced_eos_token_id": None,
        },
        plain={
            "scale_embedding": (True,),
            "share_encoder_decoder_embeddings": (True, None),
            "tie_word_embeddings": (True, None),
        },
        weights={
            "embed.tokens": "model.shared",
            **_side("encoder.layers.N", "model.encoder.layers.N"),
            **_side("decoder.layers.N", _LAYER),
            **{f"{_CROSS}.{p}_proj": f"{_LAYER}.encoder_attn.{p}_proj" for p in "qkv"},
            f"{_CROSS}.o_proj": f"{_LAYER}.encoder_attn.out_proj",
            f"{_CROSS}_norm": f"{_LAYER}.encoder_attn_layer_norm",
            "head.bias": _BIAS,
        },
        tied={"head.weight": "embed.tokens.weight"},
        unused=r"^model\.(encoder|decoder)\.embed_",
    ),
)
