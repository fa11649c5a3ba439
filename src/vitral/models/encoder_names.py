"""The names of encoders' weights: ours on the left, Hugging Face's on the right.

N stands for a layer's number. ALBERT's one block is there the only one of its only group.
"""


def _blocks(layer: str) -> dict[str, str]:
    """The parts of a block in BERT's and RoBERTa's folders."""
    return {
        "layers.N.attention.q_proj": f"{layer}.attention.self.query",
        "layers.N.attention.k_proj": f"{layer}.attention.self.key",
        "layers.N.attention.v_proj": f"{layer}.attention.self.value",
        "layers.N.attention.o_proj": f"{layer}.attention.output.dense",
        "layers.N.attention_norm": f"{layer}.attention.output.LayerNorm",
        "layers.N.mlp.up_proj": f"{layer}.intermediate.dense",
        "layers.N.mlp.down_proj": f"{layer}.output.dense",
        "layers.N.mlp_norm": f"{layer}.output.LayerNorm",
    }


def _embedding(prefix: str) -> dict[str, str]:
    return {
        "embed.tokens": f"{prefix}.word_embeddings",
        "embed.positions": f"{prefix}.position_embeddings",
        "embed.segments": f"{prefix}.token_type_embeddings",
        "embed.norm": f"{prefix}.LayerNorm",
    }


_BERT = {
    **_embedding("bert.embeddings"),
    **_blocks("bert.encoder.layer.N"),
    "head.dense": "cls.predictions.transform.dense",
    "head.norm": "cls.predictions.transform.LayerNorm",
    "head.decoder": "cls.predictions.decoder",
}
_ALBERT_BLOCK = "albert.encoder.albert_layer_groups.N.albert_layers.0"

ENCODER_NAMES: dict[str, dict[str, str]] = {
    "BertForMaskedLM": _BERT,
    "BertForPreTraining": {
        **_BERT,
        "next_sentence.dense": "bert.pooler.dense",
        "next_sentence.classes": "cls.seq_relationship",
    },
    "RobertaForMaskedLM": {
        **_embedding("roberta.embeddings"),
        **_blocks("roberta.encoder.layer.N"),
        "head.dense": "lm_head.dense",
        "head.norm": "lm_head.layer_norm",
        "head.decoder": "lm_head.decoder",
    },
    "AlbertForMaskedLM": {
        **_embedding("albert.embeddings"),
        "embed.widen": "albert.encoder.embedding_hidden_mapping_in",
        "layers.N.attention.q_proj": f"{_ALBERT_BLOCK}.attention.query",
        "layers.N.attention.k_proj": f"{_ALBERT_BLOCK}.attention.key",
        "layers.N.attention.v_proj": f"{_ALBERT_BLOCK}.attention.value",
        "layers.N.attention.o_proj": f"{_ALBERT_BLOCK}.attention.dense",
        "layers.N.attention_norm": f"{_ALBERT_BLOCK}.attention.LayerNorm",
        "layers.N.mlp.up_proj": f"{_ALBERT_BLOCK}.ffn",
        "layers.N.mlp.down_proj": f"{_ALBERT_BLOCK}.ffn_output",
        "layers.N.mlp_norm": f"{_ALBERT_BLOCK}.full_layer_layer_norm",
        "head.dense": "predictions.dense",
        "head.norm": "predictions.LayerNorm",
        "head.decoder": "predictions.decoder",
    },
}

DECODER_BIAS = {
    "BertForMaskedLM": ("cls.predictions.bias", "cls.predictions.decoder.bias"),
    "BertForPreTraining": ("cls.predictions.bias", "cls.predictions.decoder.bias"),
    "RobertaForMaskedLM": ("lm_head.bias", "lm_head.decoder.bias"),
    "AlbertForMaskedLM": ("predictions.bias", "predictions.decoder.bias"),
}
"""The bias of the map to the logits: its name in the file, and that of the map's own parameter,
which is the same tensor."""

UNUSED = {
    "BertForMaskedLM": ("bert.pooler.", "cls.seq_relationship."),
    "BertForPreTraining": (),
    "RobertaForMaskedLM": ("roberta.pooler.",),
    "AlbertForMaskedLM": ("albert.pooler.", "sop_classifier."),
}
"""How the weights of heads begin that a folder may have and the model has no use for."""
