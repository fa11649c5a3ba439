"""ModernBERT (Warner et al. 2024, https://arxiv.org/abs/2412.13663): BERT, with what decoders
learned since.

    ids → LayerNorm(token vectors) → N pre-norm blocks (rotary, gated) → LayerNorm
        → dense, GELU, LayerNorm → logits (weights tied to the token vectors, plus a bias)

Against BERT it normalises what a part reads instead of what it leaves, turns queries and keys by
their positions instead of adding position vectors, gates its feed-forward parts (GeGLU), and has
no biases but the last one and no segments. What enters the first block is normalised already, so
that block has no norm before its attention.

Most layers have local attention (section 2.1.2, "alternating attention"). Of every `global_every`
layers the first sees the whole text, the others `window` tokens to each side; a text of 8,192
tokens then costs little more per token than one of 129. Both have rotary bases of their own: a
base of 160,000 distinguishes distant positions, one of 10,000 near ones.

    layer    0       1      2      3       4      5      …     with global_every=3
    sees     all     near   near   all     near   near   …

    >>> model = ModernBert(ModernBertConfig(vocab_size=100, hidden_size=32, num_heads=4))
    >>> [model.config.is_global(layer) for layer in range(4)]
    [True, False, False, True]

Shapes: B batch, T tokens, C width, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from vitral.models.configuration import ModelConfig
from vitral.models.encoder import TIED, Encoder, MaskedWordHead
from vitral.models.folder_format import FolderFormat
from vitral.models.form import Form
from vitral.models.shape import AttentionShape, Depth, Places
from vitral.nn.attention import Attention
from vitral.nn.block import PreNormBlock
from vitral.nn.feed_forward import GatedFeedForward
from vitral.nn.masks import attention_mask as build_mask
from vitral.nn.norms import LayerNorm
from vitral.nn.positions import RotaryPositions
from vitral.nn.recomputation import through_blocks


@dataclass
class ModernBertConfig(ModelConfig):
    """The shape of a ModernBERT; the defaults are those of the published base model.

    With `global_every` 1 all layers see the whole text. `rope_base` is the frequency base of the
    rotary positions in layers that do, `local_rope_base` that in the others.
    """

    architecture = "ModernBertForMaskedLM"
    kind = "encoder"

    vocab_size: int = 50_368
    context: int = 8192
    hidden_size: int = 768
    num_layers: int = 22
    num_heads: int = 12
    intermediate_size: int = 1152
    num_key_value_heads: int = 12
    epsilon: float = 1e-5
    activation: str = "gelu"
    global_every: int = 3
    window: int = 64
    rope_base: float = 160_000.0
    local_rope_base: float = 10_000.0
    pad_token_id: int | None = None

    def is_global(self, layer: int) -> bool:
        """Whether that layer sees the whole text."""
        return layer % self.global_every == 0


class ModernBertEmbedding(nn.Module):
    """Token vectors, normalised; ids [B, T] give [B, T, C]."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.norm = _norm(config)
        self.dropout = config.dropout

    def forward(self, ids_BT: Tensor) -> Tensor:
        return F.dropout(self.norm(self.tokens(ids_BT)), self.dropout, self.training)


class ModernBert(Encoder):
    """An encoder in ModernBERT's form, with the head that names masked words."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = ModernBertEmbedding(config)
        head_size = config.hidden_size // config.num_heads
        self.rotary = RotaryPositions(head_size, config.rope_base)
        self.local_rotary = RotaryPositions(head_size, config.local_rope_base)
        self.layers = nn.ModuleList(_block(config, i) for i in range(config.num_layers))
        self.norm = _norm(config)
        # Whatever the blocks' activation is, the head's is the exact GELU.
        self.head = MaskedWordHead(config, self.embed.tokens.weight, "gelu", biases=False)

    def encode(
        self,
        ids_BT: Tensor,
        attention_mask: Tensor | None = None,
        segments_BT: Tensor | None = None,
    ) -> Tensor:
        """The last layer's vectors [B, T, C], normalised. `attention_mask` [B, T] is 0 at
        padding. Segments make no difference: there are no vectors for them."""
        num_tokens, device = ids_BT.shape[1], ids_BT.device
        places_T = torch.arange(num_tokens, device=device)
        views = {}
        for rotary, window in (self.rotary, None), (self.local_rotary, self.config.window):
            mask = build_mask(
                attention_mask, num_tokens, num_tokens, causal=False, device=device, window=window
            )
            views[window is None] = mask, {"rotary": rotary, "angles": rotary.angles(places_T)}
        x_BTC: Tensor = self.embed(ids_BT)
        recompute = self.recompute_activations and self.training
        for number, block in enumerate(self.layers):
            mask, turned = views[self.config.is_global(number)]
            x_BTC = through_blocks([block], x_BTC, mask, recompute=recompute, **turned)
        normed_BTC: Tensor = self.norm(x_BTC)
        return normed_BTC


def _norm(config: ModernBertConfig) -> LayerNorm:
    return LayerNorm(config.hidden_size, config.epsilon, bias=False)


def _block(config: ModernBertConfig, layer_idx: int) -> PreNormBlock:
    return PreNormBlock(
        Attention(
            config.hidden_size,
            config.num_heads,
            causal=False,
            layer_idx=layer_idx,
            bias=False,
            dropout=config.dropout,
        ),
        GatedFeedForward(config.hidden_size, config.intermediate_size, config.activation),
        _norm(config) if layer_idx else nn.Identity(),
        _norm(config),
        dropout=config.dropout,
    )


def _with_a_norm(block: PreNormBlock, layer_idx: int) -> None:
    """A copy of the first block gets the norm that all others have."""
    if layer_idx and isinstance(block.attention_norm, nn.Identity):
        other = block.mlp_norm
        assert isinstance(other, LayerNorm)
        norm = LayerNorm(len(other.weight), other.epsilon, bias=False)
        block.attention_norm = norm.to(other.weight)


class ModernBertShape(AttentionShape):
    """An encoder in ModernBERT's form: of every `global_every` layers the first sees the whole
    text, the others `window` tokens to each side."""

    rotary = True

    form: Literal["modernbert"]
    intermediate_size: Places = 688
    global_every: Depth = 3
    window: Places = 64
    rope_base: Annotated[float, Field(gt=1, le=1e12)] = 160_000.0
    local_rope_base: Annotated[float, Field(gt=1, le=1e12)] = 10_000.0


_GLOBAL, _LOCAL = "full_attention", "sliding_attention"


class _Folder(FolderFormat):
    """transformers 5 says the two bases and each layer's kind in its own entries; older readers
    know `global_rope_theta`, `local_rope_theta` and `global_attn_every_n_layers`. Both are
    written. A folder whose layers alternate otherwise is left to transformers."""

    def can_read(self, entries: Mapping[str, Any]) -> bool:
        rope = entries.get("rope_parameters") or {}
        types = [(rope.get(kind) or {}).get("rope_type", "default") for kind in (_GLOBAL, _LOCAL)]
        bases = [entries.get(name, 0.0) for name in ("global_rope_theta", "local_rope_theta")]
        usual = set(types) == {"default"} and None not in bases
        usual = usual and isinstance(entries.get("local_attention", 128), int)
        return usual and super().can_read(entries) and _period(entries) is not None

    def shape_of(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        shape = super().shape_of(entries)
        rope = entries.get("rope_parameters") or {}
        bases = {
            "rope_base": (_GLOBAL, "global_rope_theta"),
            "local_rope_base": (_LOCAL, "local_rope_theta"),
        }
        for ours, (kind, older) in bases.items():
            base = (rope.get(kind) or {}).get("rope_theta", entries.get(older))
            shape |= {} if base is None else {ours: float(base)}
        if "local_attention" in entries:
            shape["window"] = entries["local_attention"] // 2
        return shape | {"global_every": _period(entries)}

    def entries_of(self, config: Any) -> dict[str, Any]:
        kinds = [_GLOBAL if config.is_global(i) else _LOCAL for i in range(config.num_layers)]
        bases = {_GLOBAL: config.rope_base, _LOCAL: config.local_rope_base}
        return super().entries_of(config) | {
            "local_attention": 2 * config.window,
            "layer_types": kinds,
            "global_attn_every_n_layers": config.global_every,
            "rope_parameters": {
                kind: {"rope_theta": base, "rope_type": "default"} for kind, base in bases.items()
            },
            "global_rope_theta": config.rope_base,
            "local_rope_theta": config.local_rope_base,
        }


def _period(entries: Mapping[str, Any]) -> int | None:
    """After how many layers one comes again that sees the whole text; None where they alternate
    otherwise. The list of kinds counts, if there is one."""
    number, kinds = entries.get("global_attn_every_n_layers", 3), entries.get("layer_types")
    said = [number] if isinstance(number, int) and number > 0 else []
    if kinds is None:
        return next(iter(said), None)
    fitting = (
        period
        for period in (*said, *range(1, len(kinds) + 1))
        if kinds == [_LOCAL if i % period else _GLOBAL for i in range(len(kinds))]
    )
    return next(fitting, None)


FORM = Form(
    name="modernbert",
    config=ModernBertConfig,
    model=ModernBert,
    shape=ModernBertShape,
    marks=("pad_token_id",),
    as_copy=_with_a_norm,
    folder=_Folder(
        architectures=("ModernBertForMaskedLM",),
        model_type="modernbert",
        entries={
            "vocab_size": "vocab_size",
            "max_position_embeddings": "context",
            "hidden_size": "hidden_size",
            "num_hidden_layers": "num_layers",
            "num_attention_heads": "num_heads",
            "intermediate_size": "intermediate_size",
            "norm_eps": "epsilon",
            "hidden_activation": "activation",
            "pad_token_id": "pad_token_id",
            "attention_dropout": "dropout",
            "mlp_dropout": "dropout",
            "embedding_dropout": "dropout",
        },
        fixed={
            "tie_word_embeddings": True,
            **dict.fromkeys(("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"), False),
            "decoder_bias": True,
            "classifier_activation": "gelu",
            # The published model's numbers are transformers' defaults, and no others' tokens.
            **{f"{mark}_token_id": None for mark in ("bos", "eos", "cls", "sep")},
        },
        plain={
            "tie_word_embeddings": (True, None),
            **dict.fromkeys(
                ("norm_bias", "attention_bias", "mlp_bias", "classifier_bias"), (False, None)
            ),
            "decoder_bias": (True, None),
            "classifier_activation": ("gelu", None),
            "rope_scaling": (None,),
        },
        weights={
            "embed.tokens": "model.embeddings.tok_embeddings",
            "embed.norm": "model.embeddings.norm",
            "layers.N.attention_norm": "model.layers.N.attn_norm",
            "layers.N.attention.q_proj": "model.layers.N.attn.Wqkv",
            "layers.N.attention.k_proj": "model.layers.N.attn.Wqkv",
            "layers.N.attention.v_proj": "model.layers.N.attn.Wqkv",
            "layers.N.attention.o_proj": "model.layers.N.attn.Wo",
            "layers.N.mlp_norm": "model.layers.N.mlp_norm",
            "layers.N.mlp.gate_proj": "model.layers.N.mlp.Wi",
            "layers.N.mlp.up_proj": "model.layers.N.mlp.Wi",
            "layers.N.mlp.down_proj": "model.layers.N.mlp.Wo",
            "norm": "model.final_norm",
            "head.dense": "head.dense",
            "head.norm": "head.norm",
            "head.decoder": "decoder",
        },
        tied=TIED,
        body=("ModernBertModel", "model."),
    ),
)
