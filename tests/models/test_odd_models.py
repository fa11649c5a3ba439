"""Models that are not what a name says, and weights that are not where they are, or are no
fractions: each works, or is refused in one line."""

from typing import Any

import accelerate
import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor, nn

import vitral
from parity.random_models import random_model
from parity.test_other_families import SIZE, random_of
from vitral.explain import ablate, logit_attribution
from vitral.generation.generate import generate_ids
from vitral.tracing.recording.comparison import implementations_differ

IDS = [5, 6, 7, 8]
TEXT = "w5 w6 w7 w8 w9"


def tokenizer() -> Tokenizer:
    words = {f"w{number}": number for number in range(46)}
    words |= {"[CLS]": 46, "[SEP]": 47, "[PAD]": 48, "[MASK]": 49}
    made = Tokenizer(WordLevel(words, unk_token="w0"))
    made.pre_tokenizer = WhitespaceSplit()
    return made


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5"])
def test_weights_that_are_fetched_when_needed(family: str) -> None:
    whole = vitral.load((random_model(family), tokenizer()))
    module = random_model(family)
    accelerate.cpu_offload(module)
    assert {each.device.type for each in module.parameters()} == {"meta"}
    model = vitral.load((module, tokenizer()))
    assert (model.kind, model.context) == (whole.kind, whole.context)
    trace, expected = model.trace(ids=IDS), whole.trace(ids=IDS)
    for address in expected.addresses():
        torch.testing.assert_close(trace[address], expected[address], atol=1e-6, rtol=1e-6)
    if family != "t5":
        assert model.evaluate(TEXT) == whole.evaluate(TEXT)
    if family != "bert":
        options = {"max_new_tokens": 3}
        assert model.generate(TEXT, **options) == whole.generate(TEXT, **options)
    if family in ("gpt2", "llama"):
        found = logit_attribution(trace, model)
        torch.testing.assert_close(found.heads, logit_attribution(expected, whole).heads)


HEADLESS: dict[str, Any] = {
    "no head": lambda: transformers.BertModel(transformers.BertConfig(**SIZE)),
    "a decoder without one": lambda: transformers.GPT2Model(random_model("gpt2").config),
    "classes of texts": lambda: random_of("Bert", "SequenceClassification", **SIZE),
    "classes of a decoder's": lambda: random_of(
        "GPT2", "SequenceClassification", **random_model("gpt2").config.to_diff_dict()
    ),
    "classes of tokens": lambda: random_of("Bert", "TokenClassification", **SIZE),
    "an encoder-decoder": lambda: random_model("t5"),
}


@pytest.mark.parametrize("name", HEADLESS)
def test_what_has_no_head_over_its_vocabulary(name: str) -> None:
    model = vitral.load((HEADLESS[name]().eval(), tokenizer()))
    with pytest.raises(vitral.VitralError) as raised:
        model.evaluate(TEXT)
    assert raised.value.key == "cannot_evaluate"
    with pytest.raises(vitral.VitralError) as raised:
        ablate(model, TEXT)
    assert raised.value.key == "ablation_kind"
    assert model.trace(TEXT).num_layers >= 2


class NormalizedAttention(nn.Module):
    """Its name says norm, and it is none."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.maps, self.o_proj = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        query, key, value = self.maps(self.norm(x)).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.o_proj(mixed), None


class NormalizedLinear(nn.Linear):
    """A linear map named after a norm."""


class NormalizedBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = NormalizedAttention()
        self.mlp_norm = nn.LayerNorm(16)
        self.up, self.down = NormalizedLinear(16, 32), NormalizedLinear(32, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x)[0]
        return x + self.down(self.up(self.mlp_norm(x)).relu())


class NormalizedModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(50, 16)
        self.layers = nn.ModuleList(NormalizedBlock() for _ in range(2))
        self.last, self.head = nn.LayerNorm(16), NormalizedLinear(16, 50)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x)
        logits: Tensor = self.head(self.last(x))
        return logits


def test_modules_named_after_norms_are_what_they_are() -> None:
    model = vitral.load(NormalizedModel().eval())
    trace = model.trace(ids=IDS)
    for layer in range(2):
        start = f"layers.{layer}"
        before, middle, after = (trace[f"{start}.residual.{end}"] for end in ("pre", "mid", "post"))
        torch.testing.assert_close(middle, before + trace[f"{start}.attention.out"])
        torch.testing.assert_close(after, middle + trace[f"{start}.mlp.out"])
    with model.edit() as edit:
        edit.patch("layers.1.residual.post", 0.0, tokens=[2])
        assert not torch.equal(model.trace(ids=IDS)["output"][2], trace["output"][2])


class WholeNumbers(nn.Module):
    """A linear map whose weights are kept as bytes, with a scale for each row."""

    def __init__(self, of: nn.Linear, differentiable: bool) -> None:
        super().__init__()
        self.in_features, self.out_features = of.in_features, of.out_features
        scale = of.weight.detach().abs().amax(1, keepdim=True) / 127
        weight = (of.weight.detach() / scale).round().to(torch.int8)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.register_buffer("scale", scale)
        self.differentiable = differentiable

    def forward(self, x: Tensor) -> Tensor:
        if not self.differentiable:
            x = x.detach()
        return nn.functional.linear(x, self.weight.float() * self.scale)


@pytest.mark.parametrize("differentiable", [True, False])
def test_weights_in_whole_numbers(differentiable: bool) -> None:
    module = random_model("llama")
    for path, part in list(module.named_modules()):
        if isinstance(part, nn.Linear):
            around, _, name = path.rpartition(".")
            setattr(module.get_submodule(around), name, WholeNumbers(part, differentiable))
    model = vitral.load(module)
    trace = model.trace(ids=IDS)
    found = logit_attribution(trace, model)
    assert found.total == pytest.approx(found.logit, abs=1e-3)
    assert found.heads.abs().max() > 0


def test_the_context_is_what_the_model_can_read() -> None:
    size = {**SIZE, "max_position_embeddings": 36}
    for name, context in (("MPNet", 34), ("Roberta", 34), ("Bert", 36)):
        module = random_of(name, "MaskedLM", **size)
        model = vitral.load(module)
        assert model.context == context
        with torch.no_grad():
            module(torch.full((1, context), 7))
            with pytest.raises((IndexError, RuntimeError)):
                module(torch.full((1, context + 1), 7))


def test_both_contexts_of_led() -> None:
    config = transformers.LEDConfig(
        vocab_size=50,
        d_model=16,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        attention_window=[4, 4],
        max_encoder_position_embeddings=32,
        max_decoder_position_embeddings=8,
    )
    model = vitral.load(transformers.LEDForConditionalGeneration(config).eval())
    assert model.context == 32
    for given in ({"ids": [5] * 33}, {"ids": [5] * 4, "decoder_ids": [5] * 9}):
        with pytest.raises(vitral.VitralError) as raised:
            model.trace(**given)
        assert raised.value.key == "text_too_long"
    # An answer ends where the decoder's positions do, not the encoder's.
    written = list(
        generate_ids(
            model.module, [[2]], max_new_tokens=20, encoder_ids=torch.tensor([[5, 6, 7, 8]])
        )
    )
    assert len(written) == 7


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_falcon_with_alibi_is_traced_as_it_runs(implementation: str) -> None:
    """transformers adds ALiBi once in one implementation and twice in the other."""
    module = random_of("Falcon", "CausalLM", **SIZE, alibi=True, attn_implementation=implementation)
    trace = vitral.load(module).trace(ids=IDS)
    with torch.no_grad():
        logits = module(torch.tensor([IDS])).logits[0]
    assert torch.equal(trace["logits"], logits)
    assert trace.exactness == ("exact" if implementation == "sdpa" else "eager")
    inputs = {"input_ids": torch.tensor([IDS])}
    differ = implementations_differ(module, (), inputs)
    assert (differ > 1e-3) == (implementation == "sdpa")
    same = random_of("Falcon", "CausalLM", **SIZE, attn_implementation=implementation)
    assert implementations_differ(same, (), inputs) < 1e-5


@pytest.mark.parametrize("name", ["Bloom", "Mpt"])
def test_a_feed_forward_part_that_adds_the_stream_itself(name: str) -> None:
    """Its module gives the layer's output; `mlp.out` is what it adds, and `edit` replaces that."""
    config = getattr(transformers, f"{name}Config")(vocab_size=50, hidden_size=16, n_layer=2)
    model = vitral.load(getattr(transformers, f"{name}ForCausalLM")(config).eval())
    trace = model.trace(ids=[3, 4, 5, 6])
    other = model.trace(ids=[7, 8, 9, 1])
    middle, added = trace["layers.1.residual.mid"], trace["layers.1.mlp.out"]
    torch.testing.assert_close(middle + added, trace["layers.1.residual.post"])
    with model.edit() as edit:
        edit.patch("layers.1.mlp.out", other)
        edited = model.trace(ids=[3, 4, 5, 6])
    torch.testing.assert_close(edited["layers.1.residual.post"], middle + other["layers.1.mlp.out"])
