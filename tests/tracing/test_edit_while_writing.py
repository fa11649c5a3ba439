"""An edited model that writes with a cache gives what one edited pass over all of it gives."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

import vitral
from parity.random_models import random_model
from vitral.tracing.editing.edit import Edit

IDS = [3, 8, 5, 9, 11, 30, 22]
SIZE = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "sliding_window": 4,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Gemma2": {},  # capped scores, norms after the parts too, a sliding window's cache
    "GptOss": {  # sinks and experts
        "num_local_experts": 2,
        "num_experts_per_tok": 1,
        "layer_types": ["sliding_attention", "full_attention"],
    },
}


def of_family(name: str) -> nn.Module:
    config = getattr(transformers, f"{name}Config")(**SIZE, **FAMILIES[name], pad_token_id=0)
    torch.manual_seed(0)
    module: nn.Module = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.3)
    return module


def generated(module: nn.Module) -> tuple[list[int], torch.Tensor]:
    """Ids, and the logits that each new one was chosen by."""
    options = {"max_new_tokens": 4, "do_sample": False, "eos_token_id": None}
    written = module.generate(
        torch.tensor([IDS]),
        **options,
        forced_eos_token_id=None,
        output_logits=True,
        return_dict_in_generate=True,
    )
    return written.sequences[0].tolist(), torch.stack(written.logits, dim=1)[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_decoders_with_windows_caps_and_sinks(family: str) -> None:
    module = of_family(family)

    def ask(edit: Edit) -> None:
        edit.set_cell(1, 0, 8, 6, 0.7)
        edit.blank(1)
        edit.uniform(0, 2)
        edit.patch("layers.1.residual.post", 0.3, tokens=8)

    with Edit(module) as edit:
        ask(edit)
        ids, logits = generated(module)
    with vitral.load(module).edit() as edit:
        ask(edit)
        whole = vitral.load(module).trace(ids=ids[:-1])["logits"]
    torch.testing.assert_close(logits, whole[len(IDS) - 1 :], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_encoder_decoders(family: str) -> None:
    module = random_model(family)

    def ask(edit: Edit) -> None:
        edit.silence(0, 1, part="cross")
        edit.set_cell(1, 0, 3, 2, 0.6, part="decoder")
        edit.set_cell(1, 1, 3, 2, 0.6, part="cross")
        edit.blank(1)
        edit.patch("encoder.layers.1.residual.post", 0.2, tokens=2)

    with Edit(module) as edit:
        ask(edit)
        generated(module)  # the encoder runs again for the second text
        ids, logits = generated(module)
    with vitral.load(module).edit() as edit:
        ask(edit)
        trace = vitral.load(module).trace(ids=IDS, decoder_ids=ids[:-1])
    torch.testing.assert_close(logits, trace["logits"], atol=1e-5, rtol=1e-5)


def test_the_trace_of_an_edited_writer(llama_folder: Path) -> None:
    model = vitral.load(llama_folder)

    def ask(edit: Edit) -> None:
        edit.blank(1)
        edit.silence(1, 2)
        edit.set_cell(0, 1, 6, 3, 0.8)
        edit.uniform(1, 0)

    with model.edit() as edit:
        ask(edit)
        written = model.trace_generation("El perro", max_new_tokens=8)
        text = model.generate("El perro", max_new_tokens=8)
    ids = [token.id for token in written.tokens]
    with model.edit() as edit:
        ask(edit)
        whole = model.trace(ids=ids)
    assert written.text == text
    assert written.edits == whole.edits
    for address in whole.addresses():
        torch.testing.assert_close(written[address], whole[address], atol=2e-5, rtol=1e-5)
    assert not written["layers.0.attention.pattern"][:, :, 1].any()
