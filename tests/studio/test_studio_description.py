"""What config.json alone tells agrees with the model itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import vitral
from models.sequence_models import TRANSLATORS, language_model
from vitral.models import hugging_face
from vitral.studio.catalog.description import describe

FAMILIES = [
    ("GPT2", "LMHeadModel", {"n_layer": 3, "n_head": 4, "n_positions": 77}, "decoder", 77),
    ("Llama", "ForCausalLM", {"num_hidden_layers": 3, "num_attention_heads": 4,
     "max_position_embeddings": 77}, "decoder", 77),
    ("Bert", "ForMaskedLM", {"num_hidden_layers": 3, "num_attention_heads": 4,
     "max_position_embeddings": 77}, "encoder", 77),
    ("T5", "ForConditionalGeneration", {"num_layers": 3, "num_heads": 4}, "encoder-decoder", None),
    ("Bart", "ForConditionalGeneration", {"encoder_layers": 3, "encoder_attention_heads": 4,
     "max_position_embeddings": 77}, "encoder-decoder", 77),
    ("ViT", "ForImageClassification", {"num_hidden_layers": 3, "num_attention_heads": 4},
     "image", None),
]  # fmt: skip


@pytest.mark.parametrize(("family", "head", "sizes", "kind", "context"), FAMILIES)
def test_families(
    family: str, head: str, sizes: dict[str, Any], kind: str, context: int | None
) -> None:
    """Each as transformers writes its configuration."""
    import transformers

    config = getattr(transformers, f"{family}Config")(**sizes).to_dict()
    config["architectures"] = [family + head]
    described = describe(config, name="n", title="t", bundled=False)
    assert described.num_layers == 3
    assert described.num_heads == 4
    assert described.kind == kind
    assert described.architecture == family + head
    assert described.context == context


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (language_model(), "decoder"),
        (TRANSLATORS["additive"](), "encoder-decoder"),
        (TRANSLATORS["transformer"](), "encoder-decoder"),
    ],
    ids=["recurrent", "recurrent-translator", "transformer"],
)
def test_our_own_that_write(model: nn.Module, kind: str, tmp_path: Path) -> None:
    hugging_face.write(model, None, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert describe(config, name="n", title="t", bundled=False).kind == kind
    assert vitral.load((model, None)).kind == kind


def test_sizes_of_a_text_part() -> None:
    config = {"model_type": "many", "text_config": {"num_hidden_layers": 5, "n_head": 2}}
    described = describe(config, name="n", title="t", bundled=False)
    assert (described.num_layers, described.num_heads) == (5, 2)
    assert (described.architecture, described.context) == ("many", None)
