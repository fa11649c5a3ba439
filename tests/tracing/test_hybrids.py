"""Models in which some blocks have no attention: every block keeps its number."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import vitral
from vitral.errors import VitralError
from vitral.explain import (
    ablate,
    attention_graph,
    flow,
    head_map,
    logit_attribution,
    logit_lens,
    measures,
    received,
    rollout,
    word_paths,
)
from vitral.nn.scaled_dot_product import scaled_dot_product_attention
from vitral.studio.limits import Limits
from vitral.studio.traces.summary import summary_of
from vitral.studio.traces.views import pooled_block
from vitral.tracing import difference, open_trace
from vitral.tracing.recording.last_row import LastRow

IDS = [3, 8, 5, 9, 11, 4, 8]


def lfm2() -> Any:
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(0)
    kinds = ["conv", "conv", "full_attention", "conv"]
    config = Lfm2Config(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        layer_types=kinds,
        block_auto_adjust_ff_dim=False,
    )
    return Lfm2ForCausalLM(config).eval()


def jamba() -> Any:
    from transformers import JambaConfig, JambaForCausalLM

    torch.manual_seed(0)
    config = JambaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_layer_period=4,
        attn_layer_offset=2,
        expert_layer_period=2,
        expert_layer_offset=1,
        num_experts=2,
        num_experts_per_tok=1,
        mamba_d_state=4,
        mamba_dt_rank=4,
        use_mamba_kernels=False,
    )
    return JambaForCausalLM(config).eval()


class _Mixing(nn.Module):
    """A block of one's own: with attention, or with a mean over the tokens so far."""

    def __init__(self, *, attends: bool) -> None:
        super().__init__()
        self.norm, self.ffn_norm = nn.LayerNorm(16), nn.LayerNorm(16)
        self.mixer = _SelfAttention() if attends else nn.Linear(16, 16)
        self.mlp = nn.Sequential(nn.Linear(16, 24), nn.GELU(), nn.Linear(24, 16))

    def forward(self, x_BTC: Tensor) -> Tensor:
        read = self.norm(x_BTC)
        if isinstance(self.mixer, nn.Linear):
            read = read.cumsum(1) / torch.arange(1, read.shape[1] + 1)[:, None]
        x_BTC = x_BTC + self.mixer(read)
        x_BTC = x_BTC + self.mlp(self.ffn_norm(x_BTC))
        return x_BTC


class _SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x_BTC: Tensor) -> Tensor:
        q, k, v = (
            each.unflatten(-1, (2, 8)).transpose(1, 2) for each in self.qkv(x_BTC).chunk(3, -1)
        )
        mixed = scaled_dot_product_attention(self, q, k, v, None, is_causal=True, scaling=8**-0.5)[
            0
        ]
        return self.out(mixed.flatten(2))


class _Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(vocab_size=50, num_hidden_layers=4)
        self.table, self.head = nn.Embedding(50, 16), nn.Linear(16, 50)
        self.blocks = nn.ModuleList(_Mixing(attends=n == 2) for n in range(4))

    def forward(self, ids: Tensor) -> Tensor:
        x_BTC = self.table(ids)
        for block in self.blocks:
            x_BTC = block(x_BTC)
        return self.head(x_BTC)


def own() -> nn.Module:
    torch.manual_seed(0)
    return _Own().eval()


MAKERS = {"lfm2": lfm2, "jamba": jamba, "own": own}


def blocks_of(module: Any) -> nn.ModuleList:
    return module.blocks if isinstance(module, _Own) else module.model.layers


@pytest.fixture(params=MAKERS)
def module(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]()


def test_every_block_keeps_its_number(module: Any) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def watch(_: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        stream = args[0] if args else kwargs["hidden_states"]
        output = output[0] if isinstance(output, tuple) else output
        seen.append((stream[0].clone(), output[0].clone()))

    hooks = [each.register_forward_hook(watch, with_kwargs=True) for each in blocks_of(module)]
    with torch.no_grad():
        untraced = module(torch.tensor([IDS]))
    for hook in hooks:
        hook.remove()
    trace = vitral.load(module).trace(ids=IDS)
    logits = untraced if isinstance(untraced, Tensor) else untraced.logits
    assert torch.equal(trace["logits"], logits[0])
    assert trace.parts == [""]
    assert (trace.num_layers, trace.num_heads) == (4, 4 if not isinstance(module, _Own) else 2)
    assert list(trace.layers()) == [2]
    assert torch.equal(trace["embed"], seen[0][0])
    for layer, (before, after) in enumerate(seen):
        assert torch.equal(trace[f"layers.{layer}.residual.pre"], before)
        assert torch.equal(trace[f"layers.{layer}.residual.post"], after)
        end = trace[f"layers.{layer}.residual.mid"] + trace[f"layers.{layer}.mlp.out"]
        torch.testing.assert_close(end, after, atol=1e-6, rtol=1e-5)
        assert (f"layers.{layer}.attention.pattern" in trace) == (layer == 2)


def test_who_asks_where_there_is_none_is_told_where_there_is(module: Any) -> None:
    model = vitral.load(module)
    trace = model.trace(ids=IDS)
    for ask in (
        lambda: trace.attention(0, 0),
        lambda: trace["layers.0.attention.pattern"],
        lambda: trace.view("layers.0.attention.pattern", head=0),
    ):
        with pytest.raises(VitralError) as raised:
            ask()
        assert raised.value.key == "layer_without_attention"
        assert "2" in str(raised.value)
        assert "\n" not in str(raised.value)
    with pytest.raises(VitralError) as raised, model.edit() as edit:
        edit.silence(layer=1, head=0)
    assert raised.value.key == "layer_without_attention"
    with pytest.raises(VitralError) as raised, model.edit() as edit:
        edit.patch("layers.3.attention.q", 0.0)
    assert raised.value.key == "layer_without_attention"
    with pytest.raises(VitralError) as raised:
        trace.attention(4, 0)
    assert raised.value.key == "layer_out_of_range"


def test_edits_reach_the_block_of_their_number(module: Any) -> None:
    model = vitral.load(module)
    before = model.trace(ids=IDS)
    with model.edit() as edit:
        edit.silence(layer=2, head=1)
        silenced = model.trace(ids=IDS)
    changed = difference(before, silenced)
    assert "layers.1.residual.post" not in changed.changed
    assert "layers.2.attention.out" in changed.changed
    assert changed.attention()[2].tolist()[1] == pytest.approx(0.5)
    assert bool(changed.attention()[[0, 1, 3]].isnan().all())
    for address in ("residual.pre", "residual.mid", "mlp.out", "residual.post"):
        for layer in (0, 1, 3):
            name = f"layers.{layer}.{address}"
            with model.edit() as edit:
                edit.patch(name, before[name][3], tokens=3)
                same = model.trace(ids=IDS)
            assert torch.equal(same["logits"], before["logits"]), name
            with model.edit() as edit:
                edit.patch(name, before[name][3] + 1, tokens=3)
                other = model.trace(ids=IDS)
            torch.testing.assert_close(other[name][3], before[name][3] + 1, atol=1e-6, rtol=1e-6)
            assert not torch.equal(other["logits"], before["logits"]), name


def test_rollout_and_flow_say_what_they_cannot_know(module: Any) -> None:
    trace = vitral.load(module).trace(ids=IDS)
    for ask in (
        lambda: rollout(trace),
        lambda: rollout(trace, layer=2),
        lambda: flow(trace, 3),
        lambda: attention_graph(trace, 3),
    ):
        with pytest.raises(VitralError) as raised:
            ask()
        assert raised.value.key == "mixing_unknown"
        assert "0, 1, 3" in str(raised.value)


def test_measures_maps_and_files_have_the_gaps(module: Any, tmp_path: Path) -> None:
    model = vitral.load(module)
    trace = model.trace(ids=IDS)
    table = measures(trace)
    assert table.layers == [2]
    assert {head["layer"] for head in table.heads()} == {2}
    assert table["entropy"].shape == (4, trace.num_heads)
    assert bool(table["entropy"][[0, 1, 3]].isnan().all())
    assert table.of(2, 1)["entropy"] == float(table["entropy"][2, 1])
    assert received(trace).shape == (4, trace.num_heads, len(IDS))
    assert head_map(trace).points[2].isfinite().all()
    maps = trace.pooled(3)
    assert maps.shape == (4, trace.num_heads, 3, 3)
    assert maps[2].isfinite().all()
    assert maps[[0, 1, 3]].isnan().all()
    trace.save(tmp_path / "trace.safetensors")
    again = open_trace(tmp_path / "trace.safetensors")
    assert again.addresses() == trace.addresses()
    assert again.num_layers == 4
    assert list(again.layers()) == [2]
    assert len(word_paths([trace]).levels) == 5
    assert logit_lens(trace, module).shape == (5, len(IDS), 50)
    with pytest.raises(VitralError) as raised:
        logit_attribution(trace, module)
    assert raised.value.key in ("attribution_not_available", "layer_without_attention")


def test_ablation_tries_the_heads_that_there_are() -> None:
    module = lfm2()
    model = vitral.load(module)
    found = ablate(model, ids=IDS)
    assert found.losses.shape == (4, 4)
    assert sorted(found.ranking())[0][:2] == (2, 0)
    assert len(found.ranking()) == 4
    with model.edit() as edit, torch.no_grad():
        edit.silence(2, 3)
        logits = module(torch.tensor([IDS])).logits[0]
    loss = nn.functional.cross_entropy(logits[:-1], torch.tensor(IDS[1:]))
    assert float(found.losses[2, 3]) == pytest.approx(float(loss), abs=1e-5)


def test_studio_and_figures_show_what_there_is(module: Any, tmp_path: Path) -> None:
    trace = vitral.load(module).trace(ids=IDS)
    limits = Limits()
    shown = summary_of(trace, key="k", model="m", seconds=0.0, limits=limits)
    assert shown.num_layers == shown.parts[0].num_layers == 4
    assert shown.parts[0].layers == [2]
    assert shown.parts[0].address == "layers.{layer}.attention.pattern"
    assert len(pooled_block(trace, 24)) > 4 * trace.num_heads * len(IDS) ** 2
    for kind in ("heat", "lines", "grid"):
        trace.plot(kind).savefig(tmp_path / f"{kind}.svg")
    with pytest.raises(VitralError) as raised:
        trace.plot("heat", layer=0)
    assert raised.value.key == "layer_without_attention"


def test_writing_on_leaves_the_same_trace() -> None:
    model = vitral.load(lfm2())
    from vitral.tracing.recording.growing import GrowingTrace

    with GrowingTrace(model.module) as growing, torch.no_grad():
        out = model.module(torch.tensor([IDS[:4]]), use_cache=True)
        growing.take()
        model.module(torch.tensor([IDS[4:5]]), past_key_values=out.past_key_values, use_cache=True)
        growing.take()
    grown = growing.trace("m", None, [], [])
    whole = model.trace(ids=IDS[:5])
    assert list(grown.layers()) == [2]
    for address in whole.addresses():
        torch.testing.assert_close(grown[address], whole[address], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("make", [lfm2, jamba])
def test_the_last_row_has_its_layers_number(make: Any) -> None:
    module = make()
    trace = vitral.load(module).trace(ids=IDS)
    with LastRow(module) as newest:
        module(torch.tensor([IDS]))
    assert list(newest.rows) == [2]
    torch.testing.assert_close(
        newest.rows[2], trace["layers.2.attention.pattern"][:, -1], atol=1e-6, rtol=1e-5
    )
