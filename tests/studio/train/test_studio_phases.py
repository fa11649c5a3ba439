"""Runs of several phases, and teachers from the catalog, asked for through the API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient
from tests.studio.train.test_studio_training import RUNS, TINY, begin, code, until

import vitral
from vitral.studio.catalog.model_catalog import ModelCatalog
from vitral.studio.rooms.train import processes
from vitral.studio.rooms.train.filled_in import filled_in, flat
from vitral.studio.rooms.train.schemas import MOST_PHASES
from vitral.studio.rooms.train.trainings import Trainings

BASE = TINY | {"steps": 12, "batch.lengths": [16], "model.num_layers": 2}


@pytest.fixture
def studio(open_studio: Callable[..., TestClient], bert_folder: Path) -> Iterator[TestClient]:
    with open_studio(bert_folder) as client:
        yield client
        for process in list(client.app.state.rooms.state(Trainings).runs.processes.values()):  # type: ignore[attr-defined]
            process.wait(60)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No process is started; the commands that would be are noted."""
    noted: list[list[str]] = []

    class Over:
        def poll(self) -> int:
            return 0

        def wait(self, seconds: float) -> None:
            return None

    def start(arguments: list[str], log: Path, language: str) -> Over:
        noted.append([*arguments])
        return Over()

    monkeypatch.setattr(processes, "start", start)
    return noted


def mistakes(studio: TestClient, **settings: Any) -> dict[str, str]:
    """What is wrong with those settings, in English, by its entry."""
    body = {"text": "offered.numbers", "name": "x", "settings": BASE | settings}
    answer = studio.post(RUNS, json=body)
    assert (answer.status_code, code(answer)) == (422, "form_invalid"), answer.text
    found = answer.json()["error"]["values"]["mistakes"]
    assert all(each["es"] and each["es"] != each["en"] for each in found)
    return {each["path"]: each["en"] for each in found}


def phase(number: int, **entries: Any) -> dict[str, Any]:
    return {f"phases.{number}.{name.replace('__', '.')}": v for name, v in entries.items()}


def test_a_form_tells_which_fields_are_of_phases_and_of_teachers(studio: TestClient) -> None:
    fields = studio.get("/api/training/form").json()
    of_phases = [field for field in fields if field["path"].startswith("phases.*.")]
    assert [field["path"] for field in of_phases if field["of_several"]] == [
        "phases.*.until",
        "phases.*.num_layers",
    ]
    growing = next(field for field in of_phases if field["path"].endswith("num_layers"))
    assert "recurrent" not in growing["forms"]
    assert {"llama", "bert"} < set(growing["forms"])
    teachers = [field for field in of_phases if field["path"].endswith("teacher.model")]
    offered = {form: field["choices"] for field in teachers for form in field["forms"]}
    assert offered["llama"] == offered["recurrent"] == ["vitral-es-gpt"]
    assert offered["bert"] == ["vitral-es-bert", "small-bert"]
    assert "transformer" not in offered
    assert all(field["kind"] == "choice" and field["optional"] for field in teachers)
    needing = {field["path"]: field["needs"] for field in fields if field["needs"]}
    assert needing == {
        "data.pairs.digits": "data.pairs.generated",
        "data.pairs.count": "data.pairs.generated",
        "phases.*.teacher.share": "phases.*.teacher.model",
        "phases.*.teacher.temperature": "phases.*.teacher.model",
    }
    assert studio.get("/api/training").json()["max_phases"] == MOST_PHASES


def test_a_recipe_of_several_phases_there_and_back() -> None:
    settings = BASE | {"model.form": "bert", "tokenizer.kind": "wordpiece", "name": "x"}
    settings |= phase(0, until=0.5, num_layers=1, mask_share=0.3) | phase(1, all_masked=True)
    recipe = filled_in(settings, ModelCatalog())
    assert [each.until for each in recipe.phases] == [0.5, 1.0]
    assert [each.num_layers for each in recipe.phases] == [1, None]
    assert [each.objective for each in recipe.phases] == ["masked_words", "masked_words"]
    assert (recipe.phases[0].mask_share, recipe.phases[1].all_masked) == (0.3, True)
    assert filled_in({**flat(recipe), "name": "x"}, ModelCatalog()) == recipe


def test_mistakes_of_phases_are_told_at_their_own_field(studio: TestClient) -> None:
    assert (
        "expected a number > 0 and ≤ 1, not 2"
        in mistakes(studio, **phase(0, until=0.5), **phase(1, until=2))["phases.1.until"]
    )
    assert list(mistakes(studio, **phase(0, until=0.5), **phase(1, until=0.5))) == ["phases"]
    assert list(mistakes(studio, **phase(0, until=0.9))) == ["phases"]
    deep = phase(0, until=0.5, num_layers=9) | phase(1, until=1)
    assert list(mistakes(studio, **deep)) == ["phases.0.num_layers", "phases.1.num_layers"]
    less = phase(0, until=0.5) | phase(1, until=1, num_layers=1)
    assert list(mistakes(studio, **less)) == ["phases.1.num_layers"]
    cannot = phase(0, until=0.5, num_layers=1) | phase(1, until=1)
    recurrent = {"model.form": "recurrent"} | cannot
    for entry in ("num_heads", "intermediate_size"):
        recurrent[f"model.{entry}"] = None
    assert "phases.0.num_layers" in mistakes(studio, **recurrent)


@pytest.mark.parametrize("path", ["phases.12.until", "phases.*.until", "phases.01.until", "phases"])
def test_other_places_are_none_of_a_form(studio: TestClient, path: str) -> None:
    assert mistakes(studio, **{path: 1})[path] == "this can be set only in a recipe's file"


@pytest.mark.parametrize(
    "model", ["/etc", "..", "small-llama", "gpt2", "openai-community/gpt2", "~", "", "a" * 300]
)
def test_only_models_in_the_catalog_may_teach(
    studio: TestClient,
    commands: list[list[str]],
    llama_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    """Nothing else is looked for, whether it is there or not."""

    def locate(source: str) -> None:
        raise AssertionError(source)

    monkeypatch.setattr("vitral.models.load.locate", locate)
    monkeypatch.setattr("vitral.training.preparation.teachers.locate", locate)
    for asked in (model, str(llama_folder)):
        found = mistakes(studio, **phase(0, teacher__model=asked))
        assert list(found) == ["phases.0.teacher.model"]
        assert "Studio has no model called" in found["phases.0.teacher.model"]
        broken = mistakes(studio, **phase(0, teacher__model=asked), seed="x")
        assert set(broken) == {"phases.0.teacher.model", "seed"}  # with all other mistakes
    assert commands == []


def test_a_teacher_that_does_not_fit_is_refused_before_the_run(
    studio: TestClient, commands: list[list[str]]
) -> None:
    where = "phases.0.teacher.model"
    other_task = mistakes(studio, **phase(0, teacher__model="vitral-es-bert"))
    assert other_task == {where: "vitral-es-bert was trained for another objective than next_token"}
    gpt = phase(0, teacher__model="vitral-es-gpt")
    for kind, size in (("byte", 8192), ("byte_bpe", 512)):
        tokens = {"tokenizer.kind": kind, "tokenizer.vocab_size": size}
        assert "splits text into other tokens" in mistakes(studio, **gpt, **tokens)[where]
    long = {"model.context": 512, "batch.lengths": [512], "batch.tokens": 512}
    found = mistakes(studio, **gpt, **long, **{"tokenizer.kind": "teacher"})
    assert found == {where: "vitral-es-gpt reads at most 256 tokens, and batch.lengths has 512"}
    nobody = mistakes(studio, **phase(0, teacher__model=None), **{"tokenizer.kind": "teacher"})
    assert list(nobody) == ["tokenizer.kind"]
    alone = mistakes(studio, **phase(0, teacher__share=0.5))
    assert list(alone) == [where]
    assert commands == []


def test_the_process_is_told_where_the_teacher_is(
    open_studio: Callable[..., TestClient],
    commands: list[list[str]],
    bert_folder: Path,
    llama_folder: Path,
) -> None:
    with open_studio(bert_folder, llama_folder) as studio:
        tokens = {"tokenizer.kind": "teacher"}
        for name, expected in (
            ("small-llama", str(llama_folder.resolve())),
            ("vitral-es-gpt", "vitral-es-gpt"),
        ):
            begin(studio, settings=BASE | phase(0, teacher__model=name) | tokens)
            path = Path(commands[-1][2].removeprefix("--recipe="))
            recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
            assert recipe["phases"][0]["teacher"]["model"] == expected


@pytest.mark.parametrize(
    ("form", "teacher"), [("llama", "vitral-es-gpt"), ("bert", "vitral-es-bert")]
)
def test_a_run_that_grows_and_learns_from_a_bundled_teacher(
    studio: TestClient, form: str, teacher: str
) -> None:
    settings = BASE | {"tokenizer.kind": "teacher", "model.form": form}
    settings |= phase(0, until=0.5, num_layers=1)
    settings |= phase(1, until=1, teacher__model=teacher, teacher__share=0.7)
    run = begin(studio, settings=settings)
    ended = until(studio, run["id"], "finished", "failed")
    assert (ended["state"], ended["error"]) == ("finished", None)
    assert (ended["step"], ended["num_layers"]) == (12, 2)


def test_what_shows_only_once_tokens_are_learned_is_told_by_the_run(
    open_studio: Callable[..., TestClient], bert_folder: Path, llama_folder: Path
) -> None:
    """As many tokens as the teacher's, but others: it fails before its first step."""
    size = vitral.load(llama_folder).tokenizer.get_vocab_size()
    settings = BASE | {"tokenizer.kind": "unigram", "tokenizer.vocab_size": size}
    settings |= phase(0, until=0.5) | phase(1, until=1, teacher__model="small-llama")
    with open_studio(bert_folder, llama_folder) as studio:
        studio.headers["Accept-Language"] = "es"
        long = "".join(f"Número {number}: {number * number}. " for number in range(3000))
        answer = studio.post(
            "/api/training/texts", params={"name": "números.txt"}, content=long.encode()
        )
        run = begin(studio, settings=settings, text=answer.json()["id"])
        failed = until(studio, run["id"], "finished", "failed")
        assert (failed["state"], failed["step"]) == ("failed", 0)
        assert "divide el texto en otros tokens que este entrenamiento" in failed["error"]
