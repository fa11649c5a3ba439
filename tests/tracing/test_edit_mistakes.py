# ruff: noqa: PT012  (an edit is asked for and run in one block)
"""A mistake in an edit is one clear error, and the model is left as it was found."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import vitral
from parity.random_models import random_model
from vitral.nn.attention_call import editor
from vitral.tracing.editing.edit import Edit

IDS = [3, 8, 5, 9, 11]
VECTOR = torch.zeros(5, 20)

MISTAKES: list[tuple[str, Callable[[Edit], Any]]] = [
    ("layer_out_of_range", lambda edit: edit.silence(3, 0)),
    ("layer_out_of_range", lambda edit: edit.blank(1, layers=[7])),
    ("part_single", lambda edit: edit.silence(0, 0, part="cross")),
    ("head_out_of_range", lambda edit: edit.silence(0, 4)),
    ("head_out_of_range", lambda edit: edit.patch("layers.0.attention.q", 0.0, head=4)),
    ("edit_token_out_of_range", lambda edit: edit.set_cell(0, 0, 5, 0, 0.5)),
    ("edit_token_out_of_range", lambda edit: edit.set_cell(0, 0, 4, 9, 0.5)),
    ("edit_token_out_of_range", lambda edit: edit.blank(5)),
    ("edit_token_out_of_range", lambda edit: edit.patch("embed", 0.0, tokens=[9])),
    ("edit_token_negative", lambda edit: edit.blank(-1)),
    ("edit_text_out_of_range", lambda edit: edit.silence(0, 0, texts=[2])),
    ("edit_cell_hidden", lambda edit: edit.set_cell(0, 0, 2, 4, 0.5)),
    ("edit_cell_hidden", lambda edit: edit.set_row(0, 0, 2, [0, 0, 0, 0, 1])),
    ("edit_weight_wrong", lambda edit: edit.set_cell(0, 0, 2, 1, 1.5)),
    ("edit_weight_wrong", lambda edit: edit.set_column(0, 0, 2, [0, 0, 0, -1, 0])),
    ("edit_not_finite", lambda edit: edit.set_row(0, 0, 2, [0, 0, float("nan"), 1, 0])),
    ("edit_not_finite", lambda edit: edit.patch("embed", float("inf"))),
    ("edit_unreadable", lambda edit: edit.patch("embed", "everything")),
    ("edit_row_empty", lambda edit: edit.set_row(0, 0, 2, [0, 0, 0, 0, 0])),
    ("edit_shape", lambda edit: edit.set_row(0, 0, 2, [0, 1])),
    ("edit_shape", lambda edit: edit.set_column(0, 0, 2, [0, 1])),
    ("edit_shape", lambda edit: edit.patch("embed", VECTOR[:, :3])),
    ("edit_shape", lambda edit: edit.patch("embed", VECTOR[0], tokens=[1, 2])),
    ("edit_shape", lambda edit: edit.patch("layers.1.attention.pattern", torch.zeros(5, 5))),
    ("edit_shape", lambda edit: edit.patch("layers.1.attention.pattern", torch.zeros(4, 3, 5))),
    ("edit_nothing_left", lambda edit: edit.set_cell(0, 0, 0, 0, 0.5)),
    ("address_unknown", lambda edit: edit.patch("layers.1.attention.lse", 0.0)),
    ("address_unknown", lambda edit: edit.patch("layers.4.mlp.out", 0.0)),
    ("edit_no_heads", lambda edit: edit.patch("layers.1.mlp.out", 0.0, head=1)),
    ("edit_not_reached", lambda edit: edit.patch("layers.1.cross_attention.out", 0.0)),
]


def state(module: nn.Module) -> list[Any]:
    found: list[Any] = [editor.get()]
    for part in module.modules():
        hooks = (len(part._forward_hooks), len(part._forward_pre_hooks))
        found.append((part.training, hooks, str(getattr(part, "config", ""))))
    return found


@pytest.fixture(scope="module")
def module() -> nn.Module:
    return random_model("gpt2")


@pytest.mark.parametrize(("key", "ask"), MISTAKES)
def test_each_mistake_has_its_line(module: nn.Module, key: str, ask: Callable[[Edit], Any]) -> None:
    model, before = vitral.load(module), state(module)
    with pytest.raises(vitral.VitralError) as raised, model.edit() as edit:
        ask(edit)
        model.trace(ids=IDS)
    assert raised.value.key == key
    assert "\n" not in raised.value.text("en") + raised.value.text("es")
    assert state(module) == before


def pin_twice(edit: Edit) -> None:
    edit.set_cell(0, 0, 4, 1, 0.7)
    edit.set_cell(0, 0, 4, 2, 0.7)


def silence_and_set(edit: Edit) -> None:
    edit.silence(0, 0)
    edit.uniform(0, 0)


def blank_and_set(edit: Edit) -> None:
    edit.blank(1)
    edit.set_cell(0, 0, 4, 1, 0.7)


@pytest.mark.parametrize(
    ("key", "ask"),
    [
        ("edit_row_over_one", pin_twice),
        ("edit_silenced", silence_and_set),
        ("edit_blanked", blank_and_set),
    ],
)
def test_edits_that_contradict_each_other(
    module: nn.Module, key: str, ask: Callable[[Edit], None]
) -> None:
    model = vitral.load(module)
    with pytest.raises(vitral.VitralError) as raised, model.edit() as edit:
        ask(edit)
        model.trace(ids=IDS)
    assert raised.value.key == key


def test_an_edit_is_open_once_and_not_after(module: nn.Module) -> None:
    model, before = vitral.load(module), state(module)
    with model.edit() as edit:
        with pytest.raises(vitral.VitralError, match="already open"), model.edit():
            pass
        edit.clear()
    with pytest.raises(vitral.VitralError, match="not open"):
        edit.silence(0, 0)
    assert state(module) == before


def test_two_models_at_a_time() -> None:
    one, two = (vitral.load(random_model(family)) for family in ("gpt2", "llama"))
    before = [each.trace(ids=IDS)["logits"] for each in (one, two)]
    with one.edit() as first, two.edit() as second:
        first.silence(0, 1)
        second.silence(1, 2)
        changed = [each.trace(ids=IDS) for each in (one, two)]
    assert [each.edits for each in changed] == [first.descriptions, second.descriptions]
    for was, trace, (layer, head) in zip(before, changed, [(0, 1), (1, 2)], strict=True):
        assert not torch.equal(was, trace["logits"])
        assert not trace.attention(layer, head).any()
        assert trace.attention(layer, head - 1).any()


def test_the_model_is_as_found_after_an_error_inside(module: nn.Module) -> None:
    model, before = vitral.load(module), state(module)
    with pytest.raises(ZeroDivisionError), model.edit() as edit:
        edit.silence(0, 0)
        _ = 1 / 0
    assert state(module) == before


def test_padding_on_the_left_moves_the_tokens(module: nn.Module) -> None:
    model = vitral.load(module)
    ids, mask = torch.tensor([IDS, IDS]), torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with model.edit() as edit:
        edit.silence(0, 0)  # names no tokens
        module(ids, attention_mask=mask)
        edit.blank(1)
        with pytest.raises(vitral.VitralError) as raised:
            module(ids, attention_mask=mask)
        padded = model.trace(ids=ids, attention_mask=mask)[0]  # a trace reads rows without it
        alone = model.trace(ids=IDS[2:])
    assert raised.value.key == "edit_left_padding"
    assert torch.equal(padded["logits"], alone["logits"])


def test_a_cell_past_the_written_text_is_told_at_the_end(module: nn.Module) -> None:
    with pytest.raises(vitral.VitralError) as raised, vitral.load(module).edit() as edit:
        edit.set_cell(0, 0, 30, 1, 0.5)
        module.generate(torch.tensor([IDS]), max_new_tokens=2, do_sample=False)
    assert raised.value.key == "edit_not_reached"


def test_attention_that_goes_another_way_is_not_edited_in_silence() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([SelfAttention(), SelfAttention()])

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = layer(x)
            return x

    class SelfAttention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x @ x.transpose(1, 2)).softmax(-1) @ x

    alone = Alone()
    with pytest.raises(vitral.VitralError) as raised, Edit(alone) as edit:
        edit.silence(0, 0)
        alone(torch.rand(1, 3, 4))
    assert raised.value.key == "edit_not_reached"
