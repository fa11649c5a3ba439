"""A GGUF file: llama.cpp opens it and writes what Vitral writes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import vitral
from exporting.gguf_models import SHAPES, bytes_tokenizer, small_model
from exporting.llama_cpp import llama_cpp
from generation.model_folders import change, llama_folder
from vitral.exporting.gguf_architecture import ARCHITECTURES
from vitral.models.catalog import BUNDLED, bundled

PROMPT = "El perro que persiguió al gato"
PROMPTS = (PROMPT, "123", "¿Quién llamó?", "más", "la calle la calle la calle la calle", "a")
PRECISIONS = ("f32", "f16", "bf16", "q8_0")


@pytest.fixture(scope="module")
def tokenizer():
    return bytes_tokenizer()


def test_every_architecture_has_a_model_here() -> None:
    classes = {type(small_model(name)).__name__ for name in SHAPES}
    assert classes == set(ARCHITECTURES)


@pytest.mark.parametrize("name", SHAPES)
def test_llama_cpp_writes_the_same(name: str, tokenizer, tmp_path: Path) -> None:
    model = vitral.load((small_model(name), tokenizer))
    model.export(tmp_path / "model.gguf", precision="f32")
    written, num_compared = set(), 0
    with llama_cpp(tmp_path / "model.gguf") as theirs:
        for prompt in PROMPTS:
            ids = tokenizer.encode(prompt).ids
            assert theirs.tokens(prompt) == ids
            text, _ = theirs.write(prompt, 16)
            assert prompt + text == model.generate(prompt, max_new_tokens=16)
            written.add(text)
            with torch.no_grad():
                expected = model.module(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
            for number, said in theirs.most_likely(prompt):
                assert said == pytest.approx(expected[number].item(), abs=1e-3)
                num_compared += 1
    assert len(written) > 1
    assert num_compared >= 5


@pytest.mark.skipif(bundled() != list(BUNDLED), reason="needs the bundled models")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_bundled_decoder_in_every_precision(precision: str, tmp_path: Path) -> None:
    model = vitral.load("vitral-es-gpt")
    exported = model.export(tmp_path / "model.gguf", precision=precision)
    assert exported.num_bytes == (tmp_path / "model.gguf").stat().st_size
    assert exported.kept_f16 == ()
    with llama_cpp(tmp_path / "model.gguf") as theirs:
        for prompt in ("El perro que persiguió al gato", "¿Quién llamó a la puerta?", "En 1898,"):
            written, _ = theirs.write(prompt, 16)
            assert prompt + written == model.generate(prompt, max_new_tokens=16)
            assert theirs.tokens(prompt) == [token.id for token in model.tokens(prompt)]


def test_the_numbers_stored_are_the_models(tokenizer, tmp_path: Path) -> None:
    """The precision is that of the format: exact, 11 bits, 8 bits, 1/254 of a block's largest."""
    gguf = pytest.importorskip("gguf", reason="the gguf package reads the file")
    model = vitral.load((small_model("qwen2"), tokenizer))
    expected = model.module.model.layers[1].mlp.down_proj.weight.detach().numpy()
    blocks = np.abs(expected.reshape(-1, 32)).max(1, keepdims=True)
    bounds = {
        "f32": 0.0,
        "f16": np.abs(expected) * 2**-11 + 2**-25,
        "bf16": np.abs(expected) * 2**-8,
        "q8_0": np.broadcast_to(blocks * 0.51 / 127 + 1e-4, (len(blocks), 32)).reshape(
            expected.shape
        ),
    }
    for precision, bound in bounds.items():
        model.export(tmp_path / "model.gguf", precision=precision)
        read = gguf.GGUFReader(tmp_path / "model.gguf")
        tensor = next(each for each in read.tensors if each.name == "blk.1.ffn_down.weight")
        found = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert (np.abs(found - expected) <= bound).all()
        assert precision == "f32" or (found != expected).any()


def test_rows_that_q8_0_cannot_hold_are_named(tokenizer, tmp_path: Path) -> None:
    module = small_model("llama", hidden_size=48, head_dim=16, intermediate_size=64)
    model = vitral.load((module, tokenizer))
    exported = model.export(tmp_path / "model.gguf", precision="q8_0")
    assert "blk.0.attn_q.weight" in exported.kept_f16  # rows of 48
    assert "blk.0.ffn_down.weight" not in exported.kept_f16  # rows of 64
    with llama_cpp(tmp_path / "model.gguf") as theirs:
        assert theirs.write(PROMPT, 4)[1]


def test_a_folder_keeps_its_ends_and_its_chat_template(tmp_path: Path) -> None:
    folder = llama_folder(tmp_path / "model", eos_token_id=[65, 66], do_sample=False)
    template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    change(folder / "tokenizer_config.json", chat_template=template)
    model = vitral.load(folder)
    model.export(tmp_path / "model.gguf", precision="f32")
    with llama_cpp(tmp_path / "model.gguf", context=96) as theirs:
        assert theirs.chat([{"role": "user", "content": "¿Qué?"}]) == "[user]¿Qué?"
        for prompt in ("El perro", "abab abab", "¿Quién llamó?"):
            assert prompt + theirs.write(prompt, 24)[0] == model.generate(prompt, max_new_tokens=24)


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("llama", {"hidden_act": "relu"}, "hidden_act: 'relu'"),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, "rope_type: 'dyn"),
        ("mistral", {"sliding_window": 16}, "sliding_window: 16"),
        ("qwen2", {"use_sliding_window": True, "sliding_window": 8}, "sliding_window: 8"),
        ("qwen3", {"attention_bias": True}, "attention_bias: True"),
        ("gpt2", {"activation_function": "gelu"}, "activation_function: 'gelu'"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
        ("gemma", {"hidden_act": "relu"}, "hidden_act: 'relu'"),
        ("gemma 2", {"query_pre_attn_scalar": 16}, "query_pre_attn_scalar: 16"),
        ("gemma 2", {"layer_types": ["full_attention"] * 2}, "layer_types[0]: 'full_attention'"),
        ("gemma 3", {"layer_types": ["sliding_attention"] * 7}, "layer_types[5]: 'sliding"),
    ],
)
def test_what_llama_cpp_does_not_compute_is_refused(
    name: str, changes: dict, named: str, tokenizer, tmp_path: Path
) -> None:
    model = vitral.load((small_model(name, **changes), tokenizer))
    with pytest.raises(vitral.VitralError) as raised:
        model.export(tmp_path / "model.gguf")
    assert raised.value.key == "gguf_cannot_hold"
    assert named in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_one_line(tokenizer, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForMaskedLM, BloomConfig, BloomForCausalLM

    shape = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 32}
    encoder = BertForMaskedLM(BertConfig(**shape, num_attention_heads=2))
    bloom = BloomForCausalLM(BloomConfig(vocab_size=300, hidden_size=32, n_layer=1, n_head=2))
    llama = small_model("llama")
    with torch.no_grad():
        large = small_model("llama")
        large.lm_head.weight[0, 0] = 70_000
    cases = [
        ((encoder, tokenizer), {}, "gguf_no_architecture"),
        ((bloom, tokenizer), {}, "gguf_no_architecture"),
        ((llama, None), {}, "tokenizer_missing"),
        ((llama, tokenizer), {"to": "onnx"}, "export_format"),
        ((llama, tokenizer), {"precision": "q2_k"}, "precision_unknown"),
        ((large, tokenizer), {}, "gguf_too_large_for_f16"),
        ((small_model("llama", vocab_size=200), tokenizer), {}, "gguf_tokenizer"),
    ]
    for pair, options, key in cases:
        with pytest.raises(vitral.VitralError) as raised:
            vitral.load(pair).export(tmp_path / "model.gguf", **options)
        assert raised.value.key == key
        assert all(raised.value.text(language) for language in ("es", "en"))
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load((llama, tokenizer)).export(tmp_path / "no" / "model.gguf")
    assert raised.value.key == "file_unwritable"
    assert not list(tmp_path.iterdir())


def test_a_bf16_file_holds_what_f16_does_not(tokenizer, tmp_path: Path) -> None:
    module = small_model("llama")
    with torch.no_grad():
        module.lm_head.weight[0, 0] = 70_000
    vitral.load((module, tokenizer)).export(tmp_path / "model.gguf", precision="bf16")
    assert (tmp_path / "model.gguf").stat().st_size > 0


def test_more_ends_than_gguf_names(tmp_path: Path) -> None:
    folder = llama_folder(tmp_path / "model", eos_token_id=[1, 2, 3, 4])
    with pytest.raises(vitral.VitralError, match="eos_token_id"):
        vitral.load(folder).export(tmp_path / "model.gguf")
    assert json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
