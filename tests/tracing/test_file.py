"""What is saved comes back the same; what is damaged is refused, in one line."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vitral
from parity.random_models import SIZES, random_model
from parity.test_other_families import SIZE, random_of
from vitral.tracing.files.save_trace import VERSION


def trace_of(family: str) -> vitral.Trace:
    model = vitral.load(random_model(family))
    if family == "vit":
        trace: vitral.Trace = model.trace(pixel_values=torch.ones(1, 3, 12, 12))
        return trace
    ids, mask = [[3, 8, 5, 9, 11, 7], [4, 6, 2, 1, 1, 1]], [[1] * 6, [1, 1, 1, 0, 0, 0]]
    trace = model.trace(ids=ids, attention_mask=mask)[1]
    return trace


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "gpt2.vitral"
    trace_of("gpt2").save(path)
    return path


@pytest.mark.parametrize("family", SIZES)
def test_round_trip(family: str, tmp_path: Path) -> None:
    trace = trace_of(family)
    trace.save(tmp_path / "trace")
    again = vitral.open_trace(tmp_path / "trace")
    assert (again.model, again.text, again.tokens) == (trace.model, trace.text, trace.tokens)
    assert again.decoder_tokens == trace.decoder_tokens
    assert again.addresses() == trace.addresses()
    assert (again.parts, again.causal) == (trace.parts, trace.causal)
    for address in trace.addresses():
        torch.testing.assert_close(again[address], trace[address], atol=1e-6, rtol=0)
    torch.testing.assert_close(again.pooled(4), trace.pooled(4), atol=1e-6, rtol=0)
    again.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "trace").read_bytes()


def test_text_and_places_come_back(bert_folder: Path, tmp_path: Path) -> None:
    trace = vitral.load(bert_folder).trace("¿Dónde está el pingüino? Mañana 🐧 lo sabré.")
    trace.save(tmp_path / "trace")
    again = vitral.open_trace(str(tmp_path / "trace"))
    assert again.text == trace.text
    assert again.tokens == trace.tokens


def test_half_precision_is_kept_as_it_is(tmp_path: Path) -> None:
    trace = vitral.load(random_model("llama").to(torch.bfloat16)).trace(ids=[3, 8, 5])
    trace.save(tmp_path / "trace")
    again = vitral.open_trace(tmp_path / "trace")
    assert again.attentions["layers.0.attention"].query.dtype == torch.bfloat16
    address = "layers.0.attention.pattern"
    torch.testing.assert_close(again[address], trace[address], atol=1e-6, rtol=0)


def test_the_file_grows_with_the_length_only(tmp_path: Path) -> None:
    model = vitral.load(random_model("t5"))
    sizes = []
    for length in (100, 200):
        model.trace(ids=[3 + i % 40 for i in range(length)]).save(tmp_path / "trace")
        sizes.append((tmp_path / "trace").stat().st_size)
    assert sizes[1] < 2 * sizes[0]


def test_any_safetensors_reader_opens_it(file: Path) -> None:
    from safetensors.torch import load_file

    tensors = load_file(file)
    assert tensors["layers.1.attention.q"].shape == (4, 3, 5)


def test_an_existing_file_survives_a_failed_save(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(file.read_bytes())
    trace = vitral.open_trace(path)
    trace.aliases["x"] = object()  # type: ignore[assignment]  # what JSON cannot hold
    with pytest.raises(TypeError):
        trace.save(path)
    assert path.read_bytes() == file.read_bytes()
    assert [each.name for each in tmp_path.iterdir()] == ["trace"]


def changed(file: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """The file with its header changed: `change` gets the whole header and our own entry."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    ours = json.loads(header["__metadata__"]["vitral.trace"])
    change(header, ours)
    header["__metadata__"]["vitral.trace"] = json.dumps(ours)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


CHANGES: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "no version": lambda header, ours: ours.pop("version"),
    "version is a word": lambda header, ours: ours.update(version="one"),
    "no tokens": lambda header, ours: ours.pop("tokens"),
    "too few tokens": lambda header, ours: ours["tokens"].pop(),
    "strange token": lambda header, ours: ours["tokens"][0].update(color="red"),
    "no attention": lambda header, ours: ours["attentions"].clear(),
    "attention of nothing": lambda header, ours: ours["attentions"].update(x={"scaling": 1}),
    "no rule": lambda header, ours: ours["attentions"]["layers.0.attention"].update(visibility="x"),
    "no bias": lambda header, ours: ours["attentions"]["layers.0.attention"].update(bias="bias.9"),
    "scaling is a word": lambda header, ours: ours["attentions"]["layers.0.attention"].update(
        scaling="much"
    ),
    "scaling is no number": lambda header, ours: ours["attentions"]["layers.0.attention"].update(
        scaling=float("nan")
    ),
    "scaling is another": lambda header, ours: ours["attentions"]["layers.0.attention"].update(
        scaling=2 * ours["attentions"]["layers.0.attention"]["scaling"]
    ),
    "scaling is true": lambda header, ours: ours["attentions"]["layers.0.attention"].update(
        scaling=True
    ),
    "half a surrogate pair": lambda header, ours: ours["tokens"][0].update(text="\ud800"),
    "text is an object": lambda header, ours: ours.update(text={"a": 1}),
    "token outside the text": lambda header, ours: (
        ours.update(text="ab"),
        ours["tokens"][0].update(start=1, end=9),
    )[0],
    "layers without end": lambda header, ours: ours["attentions"].update(
        {"layers.900000.attention": ours["attentions"].pop("layers.0.attention")}
    ),
    "alias of nothing": lambda header, ours: ours["aliases"].update(x="y"),
    "not a list": lambda header, ours: ours.update(attentions=[1]),
    "other shape": lambda header, ours: header["layers.1.attention.q"].update(shape=[4, 5, 3]),
    "other type": lambda header, ours: header["layers.1.attention.q"].update(dtype="I32"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_altered_files(file: Path, tmp_path: Path, change: str) -> None:
    path = tmp_path / "altered"
    path.write_bytes(changed(file, CHANGES[change]))
    with pytest.raises(vitral.VitralError) as raised:
        vitral.open_trace(path)
    assert raised.value.key == "trace_damaged"
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["layers.1.attention.lse", "layers.0.attention.k"])
def test_a_tensor_of_another_type(file: Path, tmp_path: Path, name: str) -> None:
    """A stream may be float64; queries, keys and log-sum-exp go together."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
    save_file(tensors | {name: tensors[name].double()}, tmp_path / "x", metadata)
    with pytest.raises(vitral.VitralError) as raised:
        vitral.open_trace(tmp_path / "x")
    assert (raised.value.key, raised.value.values["reason"]) == ("trace_damaged", name)
    save_file(tensors | {"embed": tensors["embed"].double()}, tmp_path / "x", metadata)
    assert vitral.open_trace(tmp_path / "x")["embed"].dtype == torch.float32


def test_a_newer_version(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "newer"
    path.write_bytes(changed(file, lambda header, ours: ours.update(version=VERSION + 1)))
    with pytest.raises(vitral.VitralError) as raised:
        vitral.open_trace(path)
    assert raised.value.key == "trace_version"
    assert (raised.value.values["version"], raised.value.values["supported"]) == (
        VERSION + 1,
        VERSION,
    )


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_broken_bytes_never_crash(file: Path, data: st.DataObject) -> None:
    """Cut short or with a byte changed, a file opens or is refused; nothing else happens."""
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = file.with_name("broken")
    path.write_bytes(content)
    try:
        trace = vitral.open_trace(path)
    except vitral.VitralError as error:
        assert error.key in ("trace_damaged", "trace_version")  # noqa: PT017
    else:
        trace.pooled(4)


@pytest.mark.parametrize("make", ["missing", "folder", "empty", "other"])
def test_what_is_no_trace(make: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / make
    if make == "folder":
        path.mkdir()
    elif make == "empty":
        path.touch()
    elif make == "other":
        save_file({"x": torch.ones(2)}, path)
    with pytest.raises(vitral.VitralError) as raised:
        vitral.open_trace(path)
    expected = "trace_missing" if make in ("missing", "folder") else "trace_damaged"
    assert raised.value.key == expected


@pytest.mark.parametrize("family", ["Gemma2", "GptOss"])
def test_capped_scores_and_sinks_come_back(family: str, tmp_path: Path) -> None:
    """Such a file needs version 2; all others stay readable for what knows version 1."""
    size = {"num_key_value_heads": 2, "head_dim": 8, "attn_logit_softcapping": 2.0}
    experts = {"num_local_experts": 2, "num_experts_per_tok": 1} if family == "GptOss" else {}
    trace = vitral.load(random_of(family, "CausalLM", **(SIZE | size | experts))).trace(
        ids=[3, 8, 5, 9]
    )
    trace.save(tmp_path / "trace")
    again = vitral.open_trace(tmp_path / "trace")
    torch.testing.assert_close(again.attention(1, 2), trace.attention(1, 2), atol=0, rtol=0)
    content = (tmp_path / "trace").read_bytes()
    assert b'\\"version\\": 2' in content
    trace_of("gpt2").save(tmp_path / "plain")
    assert b'\\"version\\": 1' in (tmp_path / "plain").read_bytes()
