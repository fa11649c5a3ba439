"""A Studio on the two small models, as a browser on this machine reaches it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from vitral.studio.application import create_app
from vitral.studio.rooms.train.settings import TrainSettings

ADDRESS = "http://127.0.0.1:8321"
SEED = "El perro que persiguió al gato cruzó la calle."


@pytest.fixture
def open_studio(tmp_path: Path) -> Callable[..., TestClient]:
    """A client of a new Studio, without trainings; takes what `create_app` takes."""

    def build(*models: Path | str, **options: Any) -> TestClient:
        options.setdefault("settings", [TrainSettings(runs=tmp_path / "runs")])
        app = create_app([str(model) for model in models], **options)
        return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)

    return build


@pytest.fixture(scope="module")
def client(
    bert_folder: Path, llama_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """One Studio for all tests of a file that only ask."""
    runs = tmp_path_factory.mktemp("studio") / "runs"
    settings = [TrainSettings(runs=runs)]
    app = create_app([str(bert_folder), str(llama_folder)], settings=settings)
    with TestClient(app, base_url=ADDRESS, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture
def seed_trace(client: TestClient) -> dict[str, Any]:
    """The trace of the seed sentence through the encoder, as the API describes it."""
    answer = client.post("/api/traces", json={"model": "small-bert", "text": SEED})
    assert answer.status_code == 200, answer.text
    trace: dict[str, Any] = answer.json()
    return trace
