"""A trace leaves the model exactly as it was found, and sees each layer of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import vitral
from parity.random_models import SIZES, random_model
from vitral.nn.attention_call import observer
from vitral.nn.scaled_dot_product import scaled_dot_product_attention
from vitral.tracing.recording.forward_pass import record
from vitral.tracing.recording.recorder import Recorder

IDS = [3, 8, 5, 9, 11]


def state(model: nn.Module) -> list[Any]:
    """All that a trace may have changed."""
    found: list[Any] = [observer.get(), torch.is_grad_enabled()]
    for name, part in model.named_modules():
        hooks = (len(part._forward_hooks), len(part._forward_pre_hooks))
        config = getattr(part, "config", None)
        settings = dict(vars(config)) if hasattr(config, "__dict__") else None
        found.append((name, part.training, hooks, str(settings)))
    found += [(name, each.requires_grad) for name, each in model.named_parameters()]
    return found


def inputs_of(family: str) -> dict[str, Any]:
    if family == "vit":
        return {"pixel_values": torch.ones(1, 3, 12, 12)}
    return {"ids": IDS}


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("family", SIZES)
def test_the_model_is_left_as_it_was(family: str, implementation: str) -> None:
    model = random_model(family, implementation)
    model.train()
    next(model.children()).eval()  # not all parts need be in the same mode
    next(model.parameters()).requires_grad_(False)
    before = state(model)
    weights = [each.clone() for each in model.parameters()]
    vitral.load(model).trace(**inputs_of(family))
    assert state(model) == before
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))


@pytest.mark.parametrize("family", ["gpt2", "t5"])
def test_also_when_the_forward_pass_fails(family: str) -> None:
    model = random_model(family).train()
    broken = list(model.modules())[-1]
    handle = broken.register_forward_pre_hook(lambda *_: 1 / 0)
    before = state(model)
    with pytest.raises(ZeroDivisionError):
        vitral.load(model).trace(ids=IDS)
    assert state(model) == before
    handle.remove()
    assert vitral.load(model).trace(ids=IDS).num_layers == 3, "and the next trace works"


def test_dropout_is_off_while_tracing() -> None:
    model = random_model("bert").train()
    first, second = (vitral.load(model).trace(ids=IDS) for _ in range(2))
    assert torch.equal(first["logits"], second["logits"])


def test_patterns_are_exact_under_autocast_too() -> None:
    model = vitral.load(random_model("llama"))
    with torch.autocast("cpu", torch.bfloat16):
        trace = model.trace(ids=IDS)
        pattern = trace.attention(1, 3)
    torch.testing.assert_close(pattern.sum(-1), torch.ones(len(IDS)), atol=1e-5, rtol=0)


def test_gradients_are_not_kept() -> None:
    trace = vitral.load(random_model("llama")).trace(ids=IDS)
    assert not any(trace[address].requires_grad for address in trace.addresses())


def test_what_the_model_does_afterwards_changes_no_trace() -> None:
    model = random_model("gpt2")
    trace = vitral.load(model).trace(ids=IDS)
    before = {address: trace[address].clone() for address in trace.addresses()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    vitral.load(model).trace(ids=[1, 2])
    assert all(torch.equal(trace[address], value) for address, value in before.items())


def test_traces_in_many_threads() -> None:
    model = vitral.load(random_model("llama"))
    texts = [list(range(2, 2 + length)) for length in (3, 9, 5, 7, 4, 8)]
    alone = [model.trace(ids=ids)["logits"] for ids in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda ids: model.trace(ids=ids)["logits"], texts))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_pass_in_another_thread_is_not_recorded() -> None:
    model = random_model("gpt2")
    with Recorder(model) as recorder, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: model(torch.tensor([IDS]))).result()
    assert recorder.attentions == {}
    assert recorder.values == {}


class _OwnAttention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x @ x.transpose(-1, -2)).softmax(-1) @ x


class _ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.maps(x).chunk(3, 2)
        return (q @ k.transpose(1, 2)).softmax(-1) @ v


class _SelfAttention(_ByHand):
    pass


class _OwnWay(nn.Module):
    """A model whose attention goes through no function that anybody can watch."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.layers = nn.ModuleList(_SelfAttention() for _ in range(2))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x)
        return x


def test_attention_that_cannot_be_seen_is_an_error() -> None:
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(_OwnWay()).trace(ids=IDS)
    assert raised.value.key == "not_traceable"
    assert "_OwnWay" in str(raised.value)


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (each.unflatten(2, (2, 4)).transpose(1, 2) for each in self.maps(x).chunk(3, 2))
        return self.out(scaled_dot_product_attention(self, q, k, v, is_causal=True)[0].flatten(2))


class _SideBySide(nn.Module):
    """Attention and feed-forward read the same stream (GPT-J, Falcon): it has no middle."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attention = _Attention()
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        return x + self.attention(normed) + self.mlp(normed)


class _Shared(nn.Module):
    """One layer entered three times, as in ALBERT."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.layers = nn.ModuleList([_SideBySide()])

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        for _ in range(3):
            x = self.layers[0](x)
        return x


def test_layers_that_are_entered_again_and_streams_without_a_middle() -> None:
    torch.manual_seed(0)
    trace = vitral.load(_Shared()).trace(ids=IDS)
    assert trace.num_layers == 3
    assert "layers.2.residual.mid" not in trace
    for layer in range(3):
        before, after = (trace[f"layers.{layer}.residual.{end}"] for end in ("pre", "post"))
        parts = trace[f"layers.{layer}.attention.out"] + trace[f"layers.{layer}.mlp.out"]
        torch.testing.assert_close(after, before + parts)
    assert torch.equal(trace["layers.1.residual.pre"], trace["layers.0.residual.post"])
    assert torch.equal(trace["output"], trace["layers.2.residual.post"])


def test_memory_grows_with_the_length_only() -> None:
    """Doubling the text doubles what a trace keeps; a pattern would be four times as large."""

    def kept(length: int) -> int:
        ids = torch.arange(length)[None] % 50
        mask = torch.ones(1, length, dtype=torch.long)
        mask[0, :3] = 0
        recorder = record(
            random_model("llama"), (), {"input_ids": ids, "attention_mask": mask}
        ).recorder
        tensors = [*recorder.values.values()]
        for (one,) in recorder.attentions.values():
            rule = one.visibility
            vectors = [rule.diagonal, rule.columns, rule.free, rule.dense]
            tensors += [one.query, one.key, one.value, one.lse]
            tensors += [vector for vector in vectors if vector is not None]
        return sum(tensor.numel() for tensor in tensors)

    assert kept(60) <= 2 * kept(30) + 100
