"""The pieces of benchmarks/explore.py do what its figures say that they do. No timings here."""

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PROGRAMS = (
    "explore.py",
    "bertviz_page.py",
    "agreement.py",
    "bundled_models.py",
    "model_of_checkpoint.py",
    "modern_texts.py",
    "senses.py",
    "translation.py",
    "translation_pairs.py",
    "trace.py",
    "trace_worker.py",
    "long_context.py",
    "edit.py",
    "spanish_numbers.py",
    "train.py",
    "train_worker.py",
    "train_judge.py",
    "dial.py",
)


@pytest.fixture(scope="module", autouse=True)
def benchmarks_importable() -> Iterator[None]:
    """As when a program in benchmarks/ is run: its folder comes first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_runs(program: str) -> None:
    command = [sys.executable, str(BENCHMARKS / program), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_a_passage_in_both_is_found_and_books_kept_apart_share_none() -> None:
    from vitral.data.corpus import Document

    count = load("bundled_models").shared_passages
    stolen = "de lo que contenía la carta nadie supo nunca una palabra, y así quedó. "
    held_out = [Document("uno", "Primero, una frase. " + stolen + "Después, otra cosa.")]
    copied = [Document("dos", "Algo distinto del todo, y entonces: " + stolen * 2)]
    apart = [Document("tres", "Nada tiene que ver este libro con aquel otro, ni de lejos. " * 4)]
    assert count(copied, held_out) >= 2
    assert count(apart, held_out) == 0


def test_readme_names_every_file() -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    for path in BENCHMARKS.glob("*.py"):
        assert f"`{path.name}`" in readme


def asked(key: str, wall_time: float, address: str, **more: object) -> dict[str, object]:
    return {"requestId": key, "wallTime": wall_time, "request": {"url": address}, **more}


def test_traffic_counts_what_was_asked_for_before_the_picture() -> None:
    traffic = load("traffic").Traffic()
    origin = "http://127.0.0.1:8321"
    traffic.request_sent(asked("1", 10.0, f"{origin}/?model=a"))
    traffic.loading_finished({"requestId": "1", "encodedDataLength": 1000.0})
    traffic.request_sent(asked("2", 10.1, f"{origin}/assets/index-abc.js"))
    traffic.request_sent(asked("3", 10.2, f"{origin}/api/traces"))
    traffic.request_sent(asked("4", 12.0, f"{origin}/api/traces/ab/pooled"))
    traffic.loading_finished({"requestId": "3", "encodedDataLength": 70})
    traffic.loading_finished({"requestId": "4", "encodedDataLength": 500})
    # The script ends after the picture, yet was asked for before: it counts as a whole.
    traffic.loading_finished({"requestId": "2", "encodedDataLength": 20_000})
    assert traffic.by_kind(11.0) == {"page": 1000, "script": 20_000, "trace": 70}
    assert traffic.bytes_before(11.0) == 21_070
    assert traffic.bytes_before(float("inf")) == 21_570


def test_traffic_counts_a_redirect_as_well() -> None:
    traffic = load("traffic").Traffic()
    traffic.request_sent(asked("1", 1.0, "http://127.0.0.1/?token=a"))
    redirect = {"encodedDataLength": 300}
    traffic.request_sent(asked("1", 1.5, "http://127.0.0.1/", redirectResponse=redirect))
    traffic.loading_finished({"requestId": "1", "encodedDataLength": 700})
    assert traffic.bytes_before(1.2) == 1000


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "page"),
        ("/api/traces", "trace"),
        ("/api/traces/ab/view?address=layers.0.attention.pattern", "view"),
        ("/assets/index-x.css", "style"),
        ("/assets/literata.woff2", "font"),
    ],
)
def test_kinds_of_traffic(path: str, kind: str) -> None:
    assert load("traffic").kind_of(f"http://127.0.0.1:8321{path}") == kind


def test_medians_leave_out_what_is_missing() -> None:
    repeats = [
        {"bytes": 10, "seconds": 1.0, "picture_s": None, "largest_difference": 1e-6},
        {"bytes": 30, "seconds": 5.0, "picture_s": 2.5, "largest_difference": 3e-6},
        {"bytes": 20, "seconds": 2.0, "picture_s": None, "largest_difference": 2e-6},
    ]
    assert load("explore").medians(repeats) == {
        "repeats": 3,
        "bytes": 20,
        "seconds": 2.0,
        "picture_s": 2.5,
        "largest_difference": 3e-6,
    }


def test_ratio_is_a_bound_where_nothing_was_drawn() -> None:
    compare = load("explore").compare
    ours = {"bytes": 100, "after_forward_s": 0.5}
    made = {"bytes": 5000, "made_after_forward_s": 4.0, "opened_s": 6.0}
    assert compare(ours, {**made, "after_forward_s": 9.0}) == {
        "bytes": 50.0,
        "time": 18.0,
        "time_is_a_lower_bound": False,
    }
    bound = compare(ours, made)
    assert (bound["time"], bound["time_is_a_lower_bound"]) == (20.0, True)
    assert compare(ours, {"skipped": "no memory"}) == {}


def test_texts_have_exactly_the_tokens_asked_for(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    import vitral

    random_bert = load("random_bert")
    random_bert.save_model(tmp_path, hidden_size=48, context=128)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    texts = [random_bert.text_of(tmp_path, 100, number) for number in range(3)]
    assert len(set(texts)) == 3
    assert {len(tokenizer.encode(text).ids) for text in texts} == {100}
    model = vitral.load(str(tmp_path))
    assert (model.num_layers, model.num_heads, len(model.tokens(texts[0]))) == (12, 12, 100)


def test_ways_of_looking_run_by_turns(tmp_path: Path) -> None:
    """The whole program, on a text of 20 tokens and a model of the real shape."""
    out = tmp_path / "trace.json"
    command = [sys.executable, str(BENCHMARKS / "trace.py"), "--sizes", "20", "--repeats", "2"]
    command += ["--methods", "plain", "vitral", "eager", "--threads", "1", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    of_size = json.loads(out.read_text())["sizes"]["20"]
    assert {len(of_size[method]["all_seconds"]) for method in ("plain", "vitral", "eager")} == {2}
    assert of_size["vitral"]["time_ratio"] > 0
    assert of_size["eager"]["memory_ratio"] > 0.5
    assert "| 20 | vitral |" in done.stdout
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert json.loads(out.read_text())["sizes"]["20"] == of_size, "what is measured is kept"


def test_a_peer_that_does_not_fit_is_left_out() -> None:
    """At 16,384 tokens the patterns alone are 155 GB."""
    specification = importlib.util.spec_from_file_location("looking", BENCHMARKS / "trace.py")
    assert specification is not None
    assert specification.loader is not None
    program = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(program)
    assert program.needed_by_peer(16_384) > 155e9
    assert program.needed_by_peer(512) < 3e9
    table = program.table(
        {"16384": {"plain": {"seconds": 1, "peak_bytes": 2e9}, "eager": {"left_out": "no"}}}
    )
    assert "| 16,384 | plain | 1.00 s | 1.00 | 2.00 GB | 1.00 |" in table
    assert "| 16,384 | eager | left out: no ||||" in table


def test_writing_is_measured_and_a_missing_llama_cpp_is_said(tmp_path: Path) -> None:
    """The whole program, for a few tokens."""
    out = tmp_path / "generate.json"
    command = [sys.executable, str(BENCHMARKS / "generate.py"), "--num-new", "4", "--repeats", "1"]
    command += ["--batches", "1", "2", "--llama-python", "/no/such/python", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(out.read_text())
    assert "/no/such/python" in document["left_out"]["llama.cpp"]
    assert "llama.cpp left out" in done.stdout
    for batch in ("1", "2"):
        found = document["batches"][batch]
        assert found["vitral"]["vitral_is_times_as_fast"] == 1
        for method in ("vitral, plain", "transformers", "transformers, static cache"):
            assert found[method]["same_ids"] == 4
            assert found[method]["tokens_a_second"] > 0


def test_converted_queries_keep_their_heads() -> None:
    import numpy as np

    neighbours = load("llama_cpp_worker").neighbours
    rows = np.arange(8).reshape(8, 1)
    assert neighbours(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_the_judge_predicts_every_character_once() -> None:
    import torch

    def uniform(ids: torch.Tensor) -> torch.Tensor:
        return torch.zeros(*ids.shape, 65)

    told = load("train_judge").measure(uniform, torch.arange(1000) % 65, context=128)
    assert told["characters"] == 15 * 64
    for kind in ("whole_split", "random_windows", "own_context"):
        assert told[kind] == pytest.approx(4.1744, abs=1e-4)


def test_the_judge_sees_what_a_longer_context_is_worth() -> None:
    """A model that knows a character only if 64 stand before it."""
    import torch

    ids = torch.arange(1000) % 65

    def late(ids_BT: torch.Tensor) -> torch.Tensor:
        known = torch.nn.functional.one_hot((ids_BT + 1) % 65, 65) * 50.0
        known[:, :64] = 0
        return known

    told = load("train_judge").measure(late, ids, context=128)
    assert told["whole_split"] == pytest.approx(4.1744, abs=1e-4)
    assert told["own_context"] == pytest.approx(0.0, abs=1e-4)


def test_times_of_the_race_are_shares_of_nanogpts_own_turn() -> None:
    summary = load("train")._summary
    theirs = [{"seconds": 100.0, "cpu_seconds": 90.0, "whole_split": 1.9}] * 2
    ours = [
        {"seconds": 25.0, "cpu_seconds": 18.0, "whole_split": 1.8},
        {"seconds": 50.0, "cpu_seconds": 18.0, "whole_split": 1.8},
    ]
    figures = summary(ours, theirs)
    assert figures["share_of_nanogpts_seconds"] == 0.375
    assert figures["share_of_nanogpts_cpu_seconds"] == 0.2
    assert figures["validation_loss"] == 1.8
