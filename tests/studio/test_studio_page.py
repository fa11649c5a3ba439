"""Serving the built front end: its files, its addresses, and nothing beside it."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from vitral.studio.application import create_app
from vitral.studio.gate.failures import register_failures
from vitral.studio.page import STATIC, Page


def client_of(folder: Path) -> TestClient:
    app = FastAPI()
    register_failures(app)
    app.mount("/", Page(folder))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def page(tmp_path: Path) -> TestClient:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Vitral</title>")
    (folder / "assets" / "index-1a2b.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return client_of(folder)


@pytest.mark.parametrize("path", ["/", "/index.html", "/explore", "/a/b/c", "/?model=x&layer=2"])
def test_every_address_is_the_page(page: TestClient, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 200
    assert "Vitral" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_files_with_a_digest_are_kept_by_the_browser(page: TestClient) -> None:
    answer = page.get("/assets/index-1a2b.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert page.get("/assets/index-0000.js").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//secret.txt",
        "/link.txt",
    ],
)
def test_nothing_outside_the_folder_is_served(page: TestClient, path: str) -> None:
    assert "secret" not in page.get(path).text


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_that_was_not_built_says_how(tmp_path: Path, language: str) -> None:
    client = client_of(tmp_path / "static")
    headers = {"accept": "text/html", "accept-language": language}
    answer = client.get("/", headers=headers)
    assert answer.status_code == 503
    assert "make run" in answer.text
    assert f'lang="{language}"' in answer.text
    assert client.get("/").json()["error"]["code"] == "page_not_built"


def test_the_page_is_sent_compressed() -> None:
    client = TestClient(create_app(), base_url="http://127.0.0.1")
    assets = sorted((STATIC / "assets").iterdir(), key=lambda path: path.stat().st_size)
    for ending, compressed in ((".js", True), (".css", True), (".woff2", False)):
        file = next(path for path in reversed(assets) if path.suffix == ending)
        answer = client.get(f"/assets/{file.name}", headers={"accept-encoding": "gzip"})
        assert answer.content == file.read_bytes()
        assert (answer.headers.get("content-encoding") == "gzip") == compressed
        plain = client.get(f"/assets/{file.name}", headers={"accept-encoding": "identity"})
        assert plain.content == file.read_bytes()
        assert "content-encoding" not in plain.headers
