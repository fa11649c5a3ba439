"""The store keeps what was used last, and no more than its bounds."""

from pathlib import Path

import pytest

import vitral
from vitral.errors import VitralError
from vitral.studio.traces import schemas
from vitral.studio.traces.store import StoredTrace, TraceStore, trace_bytes, trace_id
from vitral.tracing import Trace


def stored(trace: Trace, key: str, num_bytes: int) -> StoredTrace:
    summary = schemas.Trace(
        id=key, model="m", text="t", num_layers=1, num_heads=1, causal=False, tokens=[],
        pooled_size=1, num_tokens=1, seconds=0.0, exactness="exact", parts=[],
        decoder_tokens=[], answer=None, edits=[], opened=None,
    )  # fmt: skip
    return StoredTrace(trace, summary, num_bytes)


@pytest.fixture(scope="module")
def trace(bert_folder: Path) -> Trace:
    result: Trace = vitral.load(str(bert_folder)).trace("El gato.")
    return result


def test_oldest_leaves_first_and_use_counts(trace: Trace) -> None:
    store = TraceStore(max_bytes=100, max_traces=10)
    for key in ("a", "b"):
        store.add(stored(trace, key, 40))
    store.get("a")
    store.add(stored(trace, "c", 40))
    assert store.find("b") is None
    assert store.find("a") is not None
    assert store.num_bytes == 80
    with pytest.raises(VitralError) as caught:
        store.get("b")
    assert caught.value.key == "trace_gone"


def test_number_is_bounded_too(trace: Trace) -> None:
    store = TraceStore(max_bytes=1000, max_traces=2)
    for key in "abc":
        store.add(stored(trace, key, 1))
    assert len(store) == 2
    assert store.find("a") is None


def test_one_that_is_larger_than_all_stays_until_the_next(trace: Trace) -> None:
    store = TraceStore(max_bytes=100, max_traces=10)
    store.add(stored(trace, "small", 10))
    store.add(stored(trace, "large", 1000))
    assert (len(store), store.num_bytes) == (1, 1000)
    store.add(stored(trace, "next", 10))
    assert (len(store), store.num_bytes) == (1, 10)


def test_adding_again_replaces(trace: Trace) -> None:
    store = TraceStore(max_bytes=100, max_traces=10)
    store.add(stored(trace, "a", 40))
    store.add(stored(trace, "a", 50))
    assert (len(store), store.num_bytes) == (1, 50)


def test_ids_depend_on_both_parts() -> None:
    ids = {trace_id("m", "ab"), trace_id("ma", "b"), trace_id("m", "a"), trace_id("", "mab")}
    assert len(ids) == 4
    assert trace_id("m", "ab") == trace_id("m", "ab")
    assert all(len(each) == 32 for each in ids)


def test_memory_grows_with_the_text_not_with_its_square(bert_folder: Path) -> None:
    model = vitral.load(str(bert_folder))
    short, long = (model.trace("el gato " * count) for count in (5, 25))
    ratio = trace_bytes(long) / trace_bytes(short)
    assert 1 < ratio < len(long.tokens) / len(short.tokens) * 1.2


def test_maps_that_were_made_count_too(bert_folder: Path) -> None:
    trace = vitral.load(str(bert_folder)).trace("El gato.")
    before = trace_bytes(trace)
    small = trace.pooled(4)
    assert trace_bytes(trace) == before + small.untyped_storage().nbytes()
    made = [small]
    made += [each for record in trace.attentions.values() for each in record.measures.tensors()]
    storages = {each.untyped_storage().data_ptr(): each for each in made}
    grown = sum(each.untyped_storage().nbytes() for each in storages.values())
    assert trace_bytes(trace) == before + grown > before


def test_measures_of_traces_that_are_kept_count_in_the_store(bert_folder: Path) -> None:
    """A page asks each trace for its maps: what they take makes older traces leave."""
    model = vitral.load(str(bert_folder))
    traces = {f"{number}": model.trace("El gato. " * (number + 3)) for number in range(6)}
    one = model.trace("El gato. " * 5)
    bare = trace_bytes(one)
    one.pooled(24)
    store = TraceStore(max_bytes=4 * trace_bytes(one), max_traces=64)
    assert trace_bytes(one) > 1.1 * bare
    for key, trace in traces.items():
        store.add(stored(trace, key, trace_bytes(trace)))
        store.get(key)
        trace.pooled(24)
    store.get("5")
    assert store.num_bytes <= store.max_bytes
    assert store.find("5") is not None
    assert store.find("0") is None
