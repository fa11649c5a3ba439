"""What a trace takes is foreseen, said before it runs, and refused where it cannot fit."""

import logging
import os
import sys
from pathlib import Path

import pytest
import torch

import vitral
from parity.random_models import random_model
from vitral.tracing.memory import forecast as module
from vitral.tracing.memory.forecast import Forecast
from vitral.tracing.memory.free_memory import free_memory, give_back

GB = 10**9


def made(**changes: int | None) -> Forecast:
    sizes: dict[str, int | None] = {
        "num_tokens": 50_000,
        "kept": 32 * GB,
        "working": int(1.2 * GB),
        "quadratic": 0,
        "budget": 128_000_000,
        "free": 8 * GB,
        "free_on_disk": 70 * GB,
    }
    return Forecast(**(sizes | changes), folder=Path("/tmp"))  # type: ignore[arg-type]


def kept_bytes(trace: vitral.Trace) -> int:
    tensors = [value for name, value in trace.values.items() if name != "logits"]
    for record in trace.attentions.values():
        tensors += [record.query, record.key, record.value, record.lse]
        tensors += [value for name, value in record.statistics.items() if name != "allowed"]
        tensors += [record.measures.maps.mean, record.measures.maps.maximum]
    return sum(each.numel() * each.element_size() for each in tensors)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert", "t5"])
def test_the_forecast_is_what_the_trace_keeps(family: str) -> None:
    model = vitral.load(random_model(family))
    ids = [3 + place % 40 for place in range(60)]
    foreseen = model.forecast(ids=ids)
    trace = model.trace(ids=ids)
    assert foreseen.kept == pytest.approx(kept_bytes(trace), rel=0.1)
    assert foreseen.working > trace["logits"].numel() * 4
    assert foreseen.num_tokens == 60


def test_what_is_said() -> None:
    assert made().text("en") == (
        "Tracing 50,000 tokens with the whole trace in memory needs 33 GB; writing it to a file "
        "needs 1.3 GB: 128 MB of the trace stay in memory and 32 GB go to a file in /tmp."
    )
    assert made().text("es") == (
        "Trazar 50.000 tokens con toda la traza en memoria necesita 33 GB; si se escribe en un "
        "archivo, bastan 1,3 GB: 128 MB de la traza quedan en memoria y 32 GB van a un archivo "
        "en /tmp."
    )
    assert "file" not in made(kept=1000).text("en")


def test_what_fits_is_let_through() -> None:
    made().check()
    made(free=None).check()
    made(kept=1000, free_on_disk=0).check()


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        (
            {"working": 9 * GB},
            "memory_short",
            ["50,000", "9.1 GB", "8.0 GB", "about 43,000 tokens"],
        ),
        (
            {"working": 9 * GB, "quadratic": 9 * GB},
            "memory_short",
            ["about 46,000 tokens"],
        ),
        ({"budget": 20 * GB}, "memory_budget_short", ["21 GB", "8.0 GB", '"128 MB"', "1.3 GB"]),
        ({"free_on_disk": 5 * GB}, "disk_short", ["32 GB", "5.0 GB", "/tmp", "33 GB"]),
    ],
)
def test_what_cannot_fit_is_refused(changes: dict[str, int], key: str, words: list[str]) -> None:
    with pytest.raises(vitral.VitralError) as raised:
        made(**changes).check()
    assert raised.value.key == key
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_long_texts_are_foreseen_before_they_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = vitral.load(random_model("gpt2"))
    monkeypatch.setattr(module, "LONG", 30)
    with caplog.at_level(logging.WARNING, "vitral"):
        model.trace(ids=list(range(2, 40)))
    assert caplog.messages == [], "nothing goes to a file, so nothing is said"
    with caplog.at_level(logging.WARNING, "vitral"):
        trace = model.trace(ids=list(range(2, 40)), memory=0)
    (said,) = caplog.messages
    assert "38 tokens" in said
    whole = model.trace(ids=list(range(2, 40)), memory="1 GB")
    torch.testing.assert_close(trace["logits"], whole["logits"], atol=0, rtol=0)
    monkeypatch.setattr(module, "free_memory", lambda: 1000)
    with pytest.raises(vitral.VitralError) as raised:
        model.trace(ids=list(range(2, 40)))
    assert raised.value.key == "memory_short"
    model.trace(ids=[3, 4, 5])  # short ones are not asked about


def test_streamed_traces_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vitral.tracing.memory.store.SMALL", 1)
    model = vitral.load(random_model("llama"))
    ids = list(range(2, 40))
    streamed, whole = model.trace(ids=ids, memory=0), model.trace(ids=ids)
    for address in whole.addresses():
        assert torch.equal(streamed[address], whole[address]), address
    streamed.save(tmp_path / "streamed")
    whole.save(tmp_path / "whole")
    assert (tmp_path / "streamed").read_bytes() == (tmp_path / "whole").read_bytes()


def test_free_memory_is_read() -> None:
    free = free_memory()
    assert free is None or 10**6 < free < 10**14


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be asked")
def test_freed_memory_is_given_back() -> None:
    """Freed blocks below a kept one stay with the process until it is asked for them."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    kept = []
    for _ in range(100):
        freed = bytearray(b"x" * 100_000)
        kept.append(bytearray(b"x" * 2000))
        kept.append(freed)
    kept = [each for each in kept if len(each) < 100_000]
    del freed
    before = resident()
    give_back()
    assert resident() <= before


def test_an_unreadable_budget() -> None:
    with pytest.raises(vitral.VitralError) as raised:
        vitral.load(random_model("gpt2")).trace(ids=[3, 4], memory="much")
    assert raised.value.key == "size_unreadable"
