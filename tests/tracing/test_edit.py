"""An edited run is what eager arithmetic with the edited pattern gives, on every family."""

from typing import Any

import pytest
import torch
from torch import Tensor

import vitral
from parity.random_models import DECODERS, SIZES, TEXT_MODELS, random_model
from vitral.tracing import Trace

IDS = [3, 8, 5, 9, 11]
OTHER = [7, 12, 30, 22, 13]


def inputs_of(family: str, ids: list[int] = IDS) -> dict[str, Any]:
    if family == "vit":
        torch.manual_seed(sum(ids))
        return {"pixel_values": torch.rand(1, 3, 12, 12)}
    return {"ids": ids} | ({"decoder_ids": [0, *ids[:2]]} if family in ("t5", "bart") else {})


def head_outputs(trace: Trace, prefix: str) -> Tensor:
    """pattern · values, spelled out: [H, T, D]."""
    pattern, value = trace[f"{prefix}.pattern"], trace[f"{prefix}.v"]
    return pattern @ value.repeat_interleave(len(pattern) // len(value), dim=0)


def projections(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Each layer's map after the attention, of the decoders of transformers."""
    names = ("attn.c_proj", "self_attn.o_proj", "attention.output.dense")
    return [part for name, part in module.named_modules() if name.endswith(names)]


def with_cells(row: Tensor, cells: dict[int, float]) -> Tensor:
    """A row with some cells set, and the others made to fill it up: the slow, clear form."""
    others = [column for column in range(len(row)) if column not in cells]
    new = torch.zeros_like(row)
    room, rest = 1 - sum(cells.values()), float(row[others].sum())
    for column in others:
        new[column] = row[column] / rest * room if rest else 0.0
    for column, value in cells.items():
        new[column] = value
    return new


@pytest.mark.parametrize("family", SIZES)
def test_every_edit_at_once_gives_the_pattern_that_eager_arithmetic_gives(family: str) -> None:
    model = vitral.load(random_model(family))
    before = model.trace(**inputs_of(family))
    num_tokens = len(before.tokens)
    with model.edit() as edit:
        edit.set_cell(1, 0, 3, 1, 0.5)
        edit.set_column(1, 1, 0, 0.25)
        edit.set_row(1, 2, 4, [1, 2, 1, 0, 0, *[0] * (num_tokens - 5)])
        edit.uniform(1, 3)
        edit.blank(2, layers=[1])
        after = model.trace(**inputs_of(family))
    prefix = f"{'encoder.' if family in ('t5', 'bart') else ''}layers.1.attention"
    own = before[f"{prefix}.pattern"]
    for head, row in ((head, row) for head in range(4) for row in range(num_tokens)):
        wanted, sees = own[head, row], own[head, row] > 0
        cells = {2: 0.0} if sees[2] else {}
        if (head, row) == (0, 3):
            cells[1] = 0.5
        elif head == 1 and sees.sum() > 1:
            cells[0] = 0.25
        elif (head, row) == (2, 4):
            wanted = torch.tensor([0.25, 0.5, 0.25, *[0.0] * (num_tokens - 3)])
        elif head == 3:
            wanted = sees / sees.sum()
        given = after[f"{prefix}.pattern"][head, row]
        torch.testing.assert_close(given, with_cells(wanted, cells), atol=1e-5, rtol=0)
    again = model.trace(**inputs_of(family))
    assert torch.equal(again["logits"], before["logits"]), "and afterwards all is as before"


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_the_projection_reads_the_edited_pattern_times_the_values(family: str) -> None:
    module = random_model(family)
    model = vitral.load(module)
    read: list[Tensor] = []
    hooks = [
        each.register_forward_pre_hook(lambda _, args: read.append(args[0][0]))
        for each in projections(module)
    ]
    with model.edit() as edit:
        edit.set_cell(0, 1, 4, 2, 0.9)
        edit.uniform(1, 3)
        edit.silence(2, 0)
        edit.blank(0)
        trace = model.trace(ids=IDS)
    for layer, given in enumerate(read):
        wanted = head_outputs(trace, f"layers.{layer}.attention").transpose(0, 1).flatten(1)
        torch.testing.assert_close(given, wanted, atol=1e-5, rtol=0)
    assert len(read) == 3
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("family", TEXT_MODELS)
def test_setting_what_is_there_changes_nothing(family: str) -> None:
    model = vitral.load(random_model(family))
    before = model.trace(ids=IDS)
    with model.edit() as edit:
        edit.set_cell(0, 1, 3, 2, float(before.attention(0, 1)[3, 2]))
        edit.set_row(1, 2, 4, before.attention(1, 2)[4])
        edit.set_column(2, 0, 0, before.attention(2, 0)[:, 0])
        edit.patch("layers.1.attention.pattern", before, head=0)
        edit.scale(2, 3, 1.0)
        after = model.trace(ids=IDS)
    torch.testing.assert_close(after["logits"], before["logits"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_silencing_zeroes_the_heads_slice_of_what_the_projection_reads(family: str) -> None:
    module = random_model(family)
    model = vitral.load(module)
    with model.edit() as edit:
        edit.silence(1, 2)
        silenced = model.trace(ids=IDS)
    width = silenced["layers.1.attention.q"].shape[-1]

    def zero(_: torch.nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        read = args[0].clone()
        read[..., 2 * width : 3 * width] = 0
        return (read,)

    hook = projections(module)[1].register_forward_pre_hook(zero)
    zeroed = model.trace(ids=IDS)
    hook.remove()
    assert torch.equal(silenced["logits"], zeroed["logits"])
    assert not silenced.attention(1, 2).any()
    torch.testing.assert_close(silenced.attention(1, 1).sum(-1), torch.ones(len(IDS)))


def test_uniform_is_the_mean_of_the_allowed_values() -> None:
    model = vitral.load(random_model("llama"))
    with model.edit() as edit:
        edit.uniform(2, 5, rows=[1, 3])
        trace = model.trace(ids=IDS)
    value = trace["layers.2.attention.v"][5 * 2 // 6]
    given = head_outputs(trace, "layers.2.attention")[5]
    for row in (1, 3):
        torch.testing.assert_close(given[row], value[: row + 1].mean(0), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", SIZES)
def test_a_patched_stream_gives_the_other_traces_logits(family: str) -> None:
    """And every value, put in its place, is found in the edited trace (of three families: the
    clearest one, one that normalises last, and an encoder–decoder)."""
    model = vitral.load(random_model(family))
    other = model.trace(**inputs_of(family, OTHER))
    mine = model.trace(**inputs_of(family))
    side = "decoder." if family in ("t5", "bart") else ""
    last = f"{side}layers.{1 if side else 2}.residual.post"
    with model.edit() as edit:
        edit.patch(last, other)
        trace = model.trace(**inputs_of(family))
    assert torch.equal(trace["logits"], other["logits"])
    for address in other.addresses() if family in ("llama", "bert", "t5") else []:
        if not address.endswith(".lse"):
            with model.edit() as edit:
                edit.patch(address, other)
                trace = model.trace(**inputs_of(family))
            torch.testing.assert_close(trace[address], other[address], atol=1e-6, rtol=0)
            assert trace.edits == [f"patch {address}"]
    assert torch.equal(model.trace(**inputs_of(family))["logits"], mine["logits"])


@pytest.mark.parametrize("family", ["gpt2", "bert", "t5"])
def test_the_stream_between_the_parts_carries_on(family: str) -> None:
    """A patched mid is read by the feed-forward part, and by the sum after it."""
    model = vitral.load(random_model(family))
    other = model.trace(**inputs_of(family, OTHER))
    side = "encoder." if family == "t5" else ""
    with model.edit() as edit:
        edit.patch(f"{side}layers.1.residual.mid", other)
        trace = model.trace(**inputs_of(family))
    after = f"{side}layers.1.residual.post"
    torch.testing.assert_close(trace[after], other[after], atol=1e-5, rtol=1e-5)


def test_some_tokens_only() -> None:
    model = vitral.load(random_model("gpt2"))
    other, mine = model.trace(ids=OTHER), model.trace(ids=IDS)
    with model.edit() as edit:
        edit.patch("layers.1.attention.out", other, tokens=[1, 3])
        edit.patch("layers.1.mlp.out", 0.0, tokens=2)
        edit.patch("layers.0.attention.v", other, tokens=[0], head=1)
        edit.patch("layers.2.residual.pre", other["layers.2.residual.pre"][4], tokens=0)
        trace = model.trace(ids=IDS)
    out = trace["layers.1.attention.out"]
    assert torch.equal(out[[1, 3]], other["layers.1.attention.out"][[1, 3]])
    assert not torch.equal(out[[0, 2, 4]], other["layers.1.attention.out"][[0, 2, 4]])
    assert not trace["layers.1.mlp.out"][2].any()
    value = trace["layers.0.attention.v"]
    assert torch.equal(value[1, 0], other["layers.0.attention.v"][1, 0])
    assert torch.equal(value[0], mine["layers.0.attention.v"][0])
    assert torch.equal(trace["layers.2.residual.pre"][0], other["layers.2.residual.pre"][4])


@pytest.mark.parametrize("family", DECODERS)
def test_with_a_cache_as_without(family: str) -> None:
    module = random_model(family)
    model = vitral.load(module)
    ids = torch.tensor([IDS])
    steer = model.trace(ids=OTHER)["layers.1.residual.post"]
    with model.edit() as edit:
        edit.set_cell(1, 0, 6, 2, 0.7)
        edit.blank(1)
        edit.uniform(0, 2)
        edit.set_column(2, 1, 3, 0.4)
        edit.patch("layers.1.residual.post", steer[2], tokens=6)
        edit.patch("layers.0.attention.k", 0.5, tokens=2)
        written = module.generate(ids, max_new_tokens=4, do_sample=False, eos_token_id=None)
        again = module.generate(
            ids, max_new_tokens=4, do_sample=False, eos_token_id=None, num_beams=1
        )
    assert torch.equal(written, again)
    with model.edit() as edit:
        edit.set_cell(1, 0, 6, 2, 0.7)
        edit.blank(1)
        edit.uniform(0, 2)
        edit.set_column(2, 1, 3, 0.4)
        edit.patch("layers.1.residual.post", steer[2], tokens=6)
        edit.patch("layers.0.attention.k", 0.5, tokens=2)
        logits = model.trace(ids=written[0, :-1].tolist())["logits"]
    assert logits[4:].argmax(-1).tolist() == written[0, 5:].tolist()


def test_the_modules_own_forward_is_edited_and_gives_gradients() -> None:
    module = random_model("gpt2")
    ids = torch.tensor([IDS, OTHER])
    gate = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        before = module(ids).logits
    with vitral.load(module).edit() as edit:
        edit.scale(1, 1, gate)
        loss = module(ids).logits.square().sum()
    loss.backward()
    assert gate.grad is not None
    assert bool(gate.grad.ne(0).all())
    with torch.no_grad():
        assert torch.equal(module(ids).logits, before)


def test_files_keep_the_edited_patterns(tmp_path: Any) -> None:
    model = vitral.load(random_model("llama"))
    with model.edit() as edit:
        edit.set_cell(1, 0, 3, 1, 0.5)
        edit.uniform(0, 2)
        edit.silence(2, 3)
        edit.set_row(0, 1, 4, [0, 0, 1, 1, 0])
        trace = model.trace(ids=IDS)
    trace.save(tmp_path / "edited.vitral")
    opened = vitral.open_trace(tmp_path / "edited.vitral")
    assert opened.edits == trace.edits == edit.descriptions
    for address in trace.addresses():
        assert torch.equal(opened[address], trace[address])


def test_cells_statistics_and_maps_are_those_of_the_edited_pattern() -> None:
    model = vitral.load(random_model("gpt2"))
    ids = [(7 * i) % 50 for i in range(40)]
    with model.edit() as edit:
        edit.set_cell(0, 0, 5, 30, 0.5, raw=True)  # a look ahead
        edit.uniform(0, 1)
        edit.blank(3)
        edit.silence(0, 2)
        trace = model.trace(ids=ids)
    record = trace.attentions["layers.0.attention"]
    pattern = record.pattern()
    rows, columns = torch.tensor([5, 7, 20, 39, 5]), torch.tensor([30, 3, 11, 0, 2])
    torch.testing.assert_close(record.cells(None, rows, columns), pattern[:, rows, columns])
    torch.testing.assert_close(record.statistics.received, pattern.sum(1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(record.statistics.largest, pattern.amax(-1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(trace.pooled(40)[0], pattern, atol=1e-5, rtol=1e-4)
    part = record.cut((2, 30), (2, 40)).pattern()
    torch.testing.assert_close(part, pattern[:, 2:30, 2:40], atol=1e-6, rtol=0)


def test_work_grows_with_the_rows_touched() -> None:
    """Not a timing: the attention weights that an edit has to compute are counted."""
    model = vitral.load(random_model("gpt2"))
    for length in (8, 16, 32):
        ids = [(7 * i) % 50 for i in range(length)]
        with model.edit() as edit:
            edit.silence(0, 1)
            model.trace(ids=ids)
            assert edit.num_weights == 0
            edit.set_cell(1, 1, 5, 2, 0.5)
            model.trace(ids=ids)
            assert edit.num_weights == length
            edit.set_column(2, 0, 4, 0.1)  # the rows from token 4 on may look there
            model.trace(ids=ids)
            assert edit.num_weights == 2 * length + (length - 4) * length


def test_a_batch_and_one_of_its_texts() -> None:
    model = vitral.load(random_model("bert"))
    alone = model.trace(ids=OTHER)
    with model.edit() as edit:
        edit.silence(0, 1, texts=[0])
        edit.set_cell(1, 2, 1, 1, 0.75, texts=[0])
        first, second = model.trace(ids=[IDS[:3], OTHER])
        single = model.trace(ids=IDS[:3])
    torch.testing.assert_close(second["logits"], alone["logits"], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(first["logits"], single["logits"], atol=1e-5, rtol=1e-5)
    assert second.attention(0, 1).any()
    assert not first.attention(0, 1).any()
    assert float(first.attention(1, 2)[1, 1]) == 0.75
