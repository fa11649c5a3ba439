"""The gate: who is let in, who is not, and what every answer carries."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from vitral.studio.application import create_app
from vitral.studio.gate.hosts import LOOPBACK, AllowedHosts, allowed_hosts, host_name, is_loopback
from vitral.studio.gate.security_headers import CONTENT_SECURITY_POLICY
from vitral.studio.limits import Limits

Studio = Callable[..., TestClient]
TOKEN = "a-token-for-this-test"
COOKIE = "vitral_token_8321"


@pytest.fixture
def locked(bert_folder: Path) -> Iterator[TestClient]:
    """A Studio that listens beyond loopback."""
    app = create_app([str(bert_folder)], TOKEN, allowed_hosts("0.0.0.0"))
    address = "http://192.168.1.20:8321"
    with TestClient(app, base_url=address, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8321", "127.0.0.1:9", "[::1]:8321", "LOCALHOST"]
)
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/api/studio", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8321", "localhost.evil.example", "192.168.1.20", "", "[::2]",
     "127.0.0.1.nip.io", "localhost@evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/studio", "/assets/x.js"])
def test_other_names_are_refused(client: TestClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "request_forbidden"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1", "file://",
     "http://127.0.0.1:8321.evil.example"],
)  # fmt: skip
def test_pages_of_other_origins_are_refused(client: TestClient, origin: str) -> None:
    body = {"model": "small-bert", "text": "El gato"}
    answer = client.post("/api/traces", json=body, headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    preflight = client.options("/api/traces", headers={"origin": origin})
    assert preflight.status_code == 403


def test_the_page_itself_is_let_in(client: TestClient) -> None:
    body = {"model": "small-bert", "text": "El gato"}
    headers = {"origin": "http://127.0.0.1:8321", "sec-fetch-site": "same-origin"}
    assert client.post("/api/traces", json=body, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_without_origin_from_other_sites_are_refused(
    client: TestClient, site: str
) -> None:
    """An <img> of another page that points at the API; a link to the page is fine."""
    assert client.get("/api/studio", headers={"sec-fetch-site": site}).status_code == 403
    page = client.get("/", headers={"sec-fetch-site": site, "sec-fetch-mode": "navigate"})
    assert page.status_code != 403


def test_every_answer_carries_the_headers(client: TestClient) -> None:
    for path in ("/", "/api/studio", "/api/nothing", "/assets/nothing.js"):
        for host in ("localhost", "evil.example"):
            headers = client.get(path, headers={"host": host}).headers
            assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-resource-policy"] == "same-origin"


def test_policy_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_token_once_then_a_cookie(locked: TestClient) -> None:
    assert locked.get("/api/studio").status_code == 403
    entry = locked.get(f"/?token={TOKEN}&model=small-bert&text=ma%C3%B1ana")
    assert entry.status_code == 200
    cookie = entry.headers["set-cookie"]
    assert f"{COOKIE}={TOKEN}" in cookie
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    target = re.search(r'url=([^"]+)"', entry.text)
    assert target is not None
    assert target[1] == "/?model=small-bert&amp;text=ma%C3%B1ana"
    assert TOKEN not in entry.text
    assert locked.get("/api/studio").status_code == 200  # the client keeps the cookie


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", f"?token={TOKEN}x", f"?token={TOKEN}&token=wrong"]
)
@pytest.mark.parametrize("path", ["/", "/api/studio", "/assets/x.js", "/api/openapi.json"])
def test_without_the_token_nothing_is_shown(locked: TestClient, path: str, query: str) -> None:
    answer = locked.get(path + query)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "token_needed"
    assert "set-cookie" not in answer.headers


def test_wrong_cookies_are_refused(locked: TestClient) -> None:
    for cookie in (f"{COOKIE}=wrong", f"vitral_token_1={TOKEN}", f"{COOKIE}=\xe9", "=;;="):
        answer = locked.get("/api/studio", headers={"cookie": cookie.encode("latin-1")})
        assert answer.status_code == 403


def test_a_person_without_the_token_reads_a_sentence(locked: TestClient) -> None:
    headers = {"accept": "text/html", "accept-language": "es"}
    answer = locked.get("/", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    assert "escribe la que muestra la terminal" in answer.text


def test_beyond_loopback_foreign_names_are_still_refused(locked: TestClient) -> None:
    answer = locked.get(f"/?token={TOKEN}", headers={"host": "evil.example"})
    assert answer.json()["error"]["code"] == "request_forbidden"


def test_body_is_counted_while_it_arrives(open_studio: Studio, bert_folder: Path) -> None:
    """Without a length announced, no more is read than the limit and one piece."""
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"a" * 1024

    with open_studio(bert_folder, limits=Limits(body_bytes=4096)) as client:
        answer = client.post("/api/traces", content=pieces())
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_large"
        announced = client.post("/api/traces", headers={"content-length": "99999"}, content=b"{}")
        assert announced.status_code == 413
        nonsense = client.post("/api/traces", headers={"content-length": "-1"}, content=b"{}")
        assert nonsense.status_code == 413


def test_which_hosts_are_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.20", "example.org", "")))
    assert allowed_hosts("127.0.0.1") == LOOPBACK
    assert allowed_hosts("0.0.0.0").any_address


@given(st.text(max_size=40))
def test_no_text_as_host_breaks_the_check(text: str) -> None:
    name = host_name(text)
    assert LOOPBACK.allows(text) == (name in LOOPBACK.names)
    AllowedHosts(frozenset(), any_address=True).allows(text)
