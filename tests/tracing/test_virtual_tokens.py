"""Tokens that a model adds to those it is given: they are named so wherever a trace is shown."""

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import Tensor, nn

import vitral
from parity.random_models import random_model
from vitral.cli.program import program
from vitral.explain.predictions import expected
from vitral.explain.rerun import inputs_of
from vitral.showing.page_data import page_data
from vitral.studio.limits import Limits
from vitral.studio.traces.summary import summary_of

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

IDS = [5, 6, 7, 8]
VIRTUAL = ["[virtual-0]", "[virtual-1]", "[virtual-2]"]
NAMES = [*VIRTUAL, "5", "6", "7", "8"]
TASKS = {"gpt2": "CAUSAL_LM", "llama": "CAUSAL_LM", "t5": "SEQ_2_SEQ_LM", "bart": "SEQ_2_SEQ_LM"}


def tuned(family: str, config: type, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    module = peft.get_peft_model(
        random_model(family), config(task_type=TASKS[family], num_virtual_tokens=3)
    ).eval()
    with torch.no_grad():
        for part in module.prompt_encoder.parameters():
            part.normal_(std=0.5)
    return module


def names(tokens: list[vitral.tracing.Token]) -> list[str]:
    return [token.text for token in tokens]


@pytest.fixture(scope="module")
def prefixed() -> vitral.Trace:
    trace: vitral.Trace = vitral.load(tuned("gpt2", peft.PrefixTuningConfig)).trace(ids=IDS)
    return trace


@pytest.mark.parametrize("config", [peft.PromptTuningConfig, peft.PromptEncoderConfig])
@pytest.mark.parametrize("family", TASKS)
def test_a_soft_prompt_stands_before_the_text(family: str, config: type) -> None:
    module = tuned(family, config)
    model = vitral.load(module)
    assert model.context == (None if family == "t5" else 61)
    decoder = {"decoder_ids": [0, 12]} if family in ("t5", "bart") else {}
    trace = model.trace(ids=IDS, **decoder)
    assert names(trace.tokens) == NAMES
    assert [token.virtual for token in trace.tokens] == [True] * 3 + [False] * 4
    assert all(token.special for token in trace.tokens[:3])
    assert trace.attention(0, 0).shape == (7, 7)
    if decoder:
        assert names(trace.decoder_tokens) == ["0", "12"]
        assert trace.attention(0, 0, "cross").shape == (2, 7)
        assert names(trace.key_tokens("cross")) == NAMES
    with torch.no_grad():
        given = {"decoder_input_ids": torch.tensor([[0, 12]])} if decoder else {}
        logits = module(input_ids=torch.tensor([IDS]), **given).logits[0]
    torch.testing.assert_close(trace["logits"], logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_prefix_is_among_the_keys_of_every_layer(family: str) -> None:
    module = tuned(family, peft.PrefixTuningConfig)
    trace = vitral.load(module).trace(ids=IDS)
    assert names(trace.tokens) == names(trace.query_tokens()) == ["5", "6", "7", "8"]
    assert names(trace.key_tokens()) == NAMES
    base = random_model(family, "eager")
    tuned_eager = peft.PeftModelForCausalLM(base, module.peft_config["default"]).eval()
    tuned_eager.load_state_dict(module.state_dict())
    with torch.no_grad():
        eager = tuned_eager(torch.tensor([IDS]), output_attentions=True)
    for layer, patterns in enumerate(eager.attentions):
        for head, pattern in enumerate(patterns[0]):
            torch.testing.assert_close(trace.attention(layer, head), pattern, atol=1e-5, rtol=0)
    torch.testing.assert_close(trace["logits"], eager.logits[0], atol=1e-5, rtol=1e-5)


def test_rows_of_unequal_length_with_a_prefix() -> None:
    model = vitral.load(tuned("gpt2", peft.PrefixTuningConfig))
    first, second = model.trace(
        ids=[[0, *IDS], [9, 10, 11, 12, 13]], attention_mask=[[0, *[1] * 4], [1] * 5]
    )
    torch.testing.assert_close(first["logits"], model.trace(ids=IDS)["logits"])
    assert (names(first.key_tokens()), len(second.key_tokens())) == (NAMES, 8)


class Memory(nn.Module):
    """Tokens of a model's own where no one would look for them, and keys in its layers."""

    def __init__(self, before: int, between: int, after: int, keys: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(50, 16)
        self.positions = nn.Parameter(torch.randn(40, 16))
        self.own = nn.Parameter(torch.randn(before + between + after, 16))
        self.counts = before, between, after
        self.layers = nn.ModuleList(SelfAttention(keys) for _ in range(2))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        before, between, after = self.own.expand(len(x), -1, -1).split(self.counts, dim=1)
        x = torch.cat([before, x[:, :1], between, x[:, 1:], after], dim=1)
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = x + layer(x)
        return x


class SelfAttention(nn.Module):
    def __init__(self, keys: int) -> None:
        super().__init__()
        self.maps = nn.Linear(16, 48)
        self.memory = nn.Parameter(torch.randn(2, keys, 16))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.maps(x).chunk(3, dim=-1)
        more = self.memory[:, None].expand(-1, len(x), -1, -1)
        key, value = torch.cat([key, more[0]], dim=1), torch.cat([value, more[1]], dim=1)
        return nn.functional.scaled_dot_product_attention(query, key, value)


LAYOUTS = {
    (2, 0, 0, 0): (["[virtual-0]", "[virtual-1]", "5", "6", "7"], []),
    (0, 0, 1, 0): (["5", "6", "7", "[virtual-0]"], []),
    (1, 1, 0, 0): (["[virtual-0]", "5", "[virtual-1]", "6", "7"], []),
    (0, 0, 0, 2): (["5", "6", "7"], ["[virtual-0]", "[virtual-1]"]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_where_they_stand_is_measured(layout: tuple[int, int, int, int]) -> None:
    tokens, keys = LAYOUTS[layout]
    trace = vitral.load(Memory(*layout)).trace(ids=[5, 6, 7])
    assert names(trace.tokens) == tokens
    assert names(trace.key_tokens()) == tokens + keys
    assert trace.attention(1, 0).shape == (len(tokens), len(tokens) + len(keys))


def test_both_at_once_and_what_cannot_be_told() -> None:
    trace = vitral.load(Memory(1, 0, 0, 1)).trace(ids=[5, 6])
    assert names(trace.tokens) == ["[virtual-0]", "5", "6"]
    assert trace.attention(0, 0).shape == (3, 4)
    assert names(trace.key_tokens()) == ["[virtual-0]", "5", "6", "[virtual-1]"]

    class Doubled(Memory):
        def forward(self, ids: Tensor) -> Tensor:
            return super().forward(ids.repeat(1, 2))

    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(Doubled(0, 0, 0, 0)).trace(ids=[5, 6])
    assert raised.value.key == "tokens_unplaced"


def test_files_and_views_name_them(prefixed: vitral.Trace, tmp_path: Path) -> None:
    prefixed.save(tmp_path / "prefix.vitral")
    again = vitral.open_trace(tmp_path / "prefix.vitral")
    assert (again.tokens, again.keys) == (prefixed.tokens, prefixed.keys)
    assert torch.equal(again.attention(1, 2), prefixed.attention(1, 2))
    described = summary_of(again, key="a", model="gpt2", seconds=0, limits=Limits())
    (part,) = described.parts
    assert [token.text for token in part.own_keys or []] == NAMES
    assert [token.text for token in described.tokens] == NAMES[3:]
    carried = page_data(again, "", "", "")
    assert [token["text"] for token in carried["keys"]] == NAMES
    figure = again.plot(layer=0, head=0)
    drawn = {text.get_text() for axes in figure.axes for text in axes.get_xticklabels()}
    assert set(VIRTUAL) <= drawn | {
        text.get_text() for text in figure.findobj() if hasattr(text, "get_text")
    }
    vitral.measures(again)


@pytest.mark.parametrize("change", ["one missing", "of no part"])
def test_a_damaged_list_of_keys_is_refused(
    prefixed: vitral.Trace, tmp_path: Path, change: str
) -> None:
    kept = dict(prefixed.keys)
    try:
        prefixed.keys = {"": kept[""][1:]} if change == "one missing" else {"elsewhere": kept[""]}
        prefixed.save(tmp_path / "wrong.vitral")
    finally:
        prefixed.keys = kept
    with pytest.raises(vitral.VitralError) as raised:
        vitral.open_trace(tmp_path / "wrong.vitral")
    assert raised.value.key == "trace_damaged"


def test_the_terminal_names_them(prefixed: vitral.Trace, tmp_path: Path, capsys: Any) -> None:
    prefixed.save(tmp_path / "prefix.vitral")
    arguments = ["trace", "--open", str(tmp_path / "prefix.vitral"), "--layer", "0", "--head", "1"]
    assert not program()(arguments, result_action="return_value")
    shown = capsys.readouterr().out
    assert all(name in shown for name in VIRTUAL)


def test_they_are_not_read_again() -> None:
    module = tuned("gpt2", peft.PromptTuningConfig)
    model = vitral.load(module)
    trace = model.trace(ids=IDS)
    _, named = inputs_of(trace, module)
    assert named["input_ids"].tolist() == [IDS]
    assert expected(trace, 0, "decoder") is None
    assert expected(trace, 2, "decoder") == 5
