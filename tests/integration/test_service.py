"""What surrounds the API: health, numbers, headers, the page, files, and refusals outside every route."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
import structlog
from pydantic import SecretStr

from app.api import pages
from app.broker.memory import MemoryBroker
from app.config import Settings
from app.security import AccessTokens
from tests.support.people import PASSWORD, Person, register
from tests.support.routes import assert_problem
from tests.support.server import TestServer, run_server

PAGE = "<!doctype html><title>Time to DO</title>"


@pytest.fixture
async def web(sqlite_server: TestServer) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody's browser, at the root of the server."""
    async with sqlite_server.client(base_url=sqlite_server.url) as client:
        yield client


@pytest.fixture
def built_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page as Vite would have built it, with a secret beside it."""
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js").write_text("export {}")
    (folder / "assets" / "index-abc.js.br").write_bytes(b"short")
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"export {}"))
    (folder / "index.html.br").write_bytes(b"shortest")
    (tmp_path / "secret").write_text("secret")
    monkeypatch.setattr(pages, "PAGE", folder)
    return folder


@pytest.fixture
async def site(built_page: Path, sqlite_settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in front of a server with that page."""
    async with run_server(sqlite_settings) as server, server.client(base_url=server.url) as client:
        yield client


async def test_server_is_alive_and_ready(server: TestServer) -> None:
    """Both databases answer the readiness check."""
    async with server.client(base_url=server.url) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "checks": {"database": True, "broker": True, "accepting": True}}


async def test_server_is_not_ready_without_what_it_needs(
    sqlite_server: TestServer, web: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that does not answer, a database that is slow, a shutdown: 503 naming it, and alive all the same."""

    async def fail(*_: object) -> None:
        raise ConnectionError

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    for target, replacement, name in (
        ("app.broker.memory.MemoryBroker.ping", fail, "broker"),
        ("app.services.users.needs_admin", hang, "database"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, replacement)
            patch.setattr("app.api.checks.CHECK_S", 0.5)
            answer = await web.get("/readyz")
        assert answer.status_code == 503
        assert [check for check, works in answer.json()["checks"].items() if not works] == [name]
    sqlite_server.hub.is_draining = True
    assert (await web.get("/readyz")).json()["checks"]["accepting"] is False
    assert (await web.get("/healthz")).status_code == 200
    assert isinstance(sqlite_server.context.broker, MemoryBroker)


async def test_server_that_can_only_read_is_not_ready(sqlite_settings: Settings) -> None:
    """A disk that became read-only, as SQLite sees it: nothing could be stored."""
    url = f"sqlite:///file:{sqlite_settings.data_dir / 'timetodo.sqlite3'}?mode=ro&uri=true"
    settings = sqlite_settings.model_copy(update={"database_url": url})
    async with run_server(settings) as server, server.client(base_url=server.url) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, False)


async def test_metrics_count_requests_by_route_and_not_by_address(
    sqlite_server: TestServer, web: httpx2.AsyncClient
) -> None:
    """Series are named by the pattern of a route: an id in an address makes no series of its own."""
    nobody = "0199f3a0-1c00-7000-8000-0000000000a1"
    await web.get(f"/api/v1/tasks/{nobody}")
    found = (await web.get("/metrics")).text
    assert 'route="/api/v1/tasks/{task_id}",status="404"' in found
    assert nobody not in found
    assert "timetodo_ws_active_connections 0.0" in found
    assert "timetodo_ws_events_delivered" in found


async def test_statistics_hide_rooms_from_all_but_administrators(sqlite_server: TestServer) -> None:
    """Numbers are for everybody; room ids and users for administrators."""
    async with await register(sqlite_server, "Anna") as anna, await register(sqlite_server, "Boris") as boris:
        numbers, details = await boris.get("/ws/stats"), await anna.get("/ws/stats")
        async with sqlite_server.client() as visitor:
            assert (await visitor.get("/ws/stats")).json().keys() == numbers.keys()
        assert numbers.keys() < details.keys()
        ticket = (await anna.call("POST", "/ws/ticket", expect=200)).json()
        assert ticket["expires_in"] == 30
        assert len(ticket["ticket"]) >= 43


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/server", "/api/nothing", "/static/js/websocket.js"])
async def test_every_answer_is_guarded(web: httpx2.AsyncClient, path: str) -> None:
    """A request id, no sniffing, no referrer for others; pages say what they may load, answers are not cached."""
    answer = await web.get(path)
    assert len(answer.headers["x-request-id"]) == 16
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    if path.startswith("/api/"):
        assert answer.headers["cache-control"] == "no-store"
    else:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_bug_is_a_problem_that_tells_nothing(
    sqlite_server: TestServer,
    web: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever goes wrong inside: 500 with the request's id, guarded like every answer; the log has the rest."""

    async def fail(*_: object) -> None:
        message = "SELECT secret FROM /app/inside.py"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("app.services.users.needs_admin", fail)
    with structlog.testing.capture_logs() as logged:
        answer = await web.get("/api/v1/server")
    assert assert_problem(answer, 500)["code"] == "internal"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "ZeroDivisionError" in str(logged)


async def test_page_is_served_at_every_address_of_its_own(site: httpx2.AsyncClient) -> None:
    """The page's routes are its own; its files are files; nothing beside its folder can be read."""
    for path in (
        "/",
        "/projects/1",
        "/invite/abc",
        "/%00",
        "/" + "x" * 5000,
        "/..%2fsecret",
        "/%2e%2e/secret",
        "/apiary",
    ):
        answer = await site.get(path)
        assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, PAGE, "no-cache"), path
    assert (await site.get("/favicon.svg")).text == "<svg/>"
    assert (await site.head("/")).status_code == 200
    assets = await site.get("/assets/index-abc.js")
    assert "immutable" in assets.headers["cache-control"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.0, gzip; q=0", None),
        ("identity", None),
    ],
)
async def test_files_come_as_short_as_the_browser_can_read(
    site: httpx2.AsyncClient, accepted: str, encoding: str | None
) -> None:
    """What the build has compressed is sent in place of the file, under the file's own type."""
    answer = await site.head("/assets/index-abc.js", headers={"Accept-Encoding": accepted})
    lengths = {"br": len(b"short"), "gzip": len(gzip.compress(b"export {}")), None: len("export {}")}
    assert answer.headers.get("content-encoding") == encoding
    assert int(answer.headers["content-length"]) == lengths[encoding]
    assert "javascript" in answer.headers["content-type"]
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"
    page = await site.head("/projects/1", headers={"Accept-Encoding": accepted})
    assert page.headers.get("content-encoding") == ("br" if encoding == "br" else None)
    assert page.headers["content-type"].startswith("text/html")
    assert (await site.get("/index.html.br")).text == PAGE  # what is compressed has no address of its own


async def test_long_answers_come_compressed(sqlite_server: TestServer) -> None:
    """A board does, an answer that holds a token does not."""
    async with await register(sqlite_server, "Anna") as anna:
        login = {"email": anna.user["email"], "password": PASSWORD}
        signed_in = await anna.call("POST", "/auth/login", json=login, headers={"Accept-Encoding": "gzip"}, expect=200)
        project = await anna.project()
        for number in range(10):
            await anna.task(project, f"Task {number}")
        board = await anna.call("GET", f"/projects/{project['id']}/board", headers={"Accept-Encoding": "gzip"})
        plain = await anna.call("GET", f"/projects/{project['id']}/board", headers={"Accept-Encoding": "gzip;q=0, br"})
    assert board.headers["content-encoding"] == "gzip"
    assert int(board.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in signed_in.headers
    assert board.json() == plain.json()


async def test_a_compressed_answer_has_an_etag_of_its_own(sqlite_server: TestServer) -> None:
    """A change may be based on either, and is answered with the version it made."""
    async with await register(sqlite_server, "Anna") as anna:
        task = await anna.task(await anna.project(), "Task", description="long " * 1_000)
        path = f"/tasks/{task['id']}"
        short = await anna.call("GET", path, headers={"Accept-Encoding": "gzip"})
        plain = await anna.call("GET", path, headers={"Accept-Encoding": "identity"})
        assert (short.headers["etag"], plain.headers["etag"]) == ('"1-gzip"', '"1"')
        tagged = {"If-Match": '"1-gzip"', "Accept-Encoding": "identity"}
        changed = await anna.call("PATCH", path, json={"title": "New"}, headers=tagged)
        assert changed.headers["etag"] == '"2"'
        await anna.call("PATCH", path, json={"title": "Newer"}, headers=tagged, expect=409)


async def test_a_kept_file_is_renewed_in_the_encoding_it_was_kept_in(web: httpx2.AsyncClient) -> None:
    """The ETag of the one is none of the other."""
    path, gzipped, as_it_is = "/static/js/websocket.js", {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}
    short, plain = [(await web.get(path, headers=asked)).headers["etag"] for asked in (gzipped, as_it_is)]
    assert short != plain
    kept = await web.get(path, headers=gzipped | {"If-None-Match": short})
    assert (kept.status_code, kept.headers["etag"]) == (304, short)
    kept = await web.get(path, headers=gzipped | {"If-None-Match": plain})
    assert (kept.status_code, kept.headers["etag"]) == (304, plain)
    assert (await web.get(path, headers=as_it_is | {"If-None-Match": short})).status_code == 200


async def test_what_is_not_there_is_not_the_page(site: httpx2.AsyncClient) -> None:
    """Under /api, /assets and /static a missing thing is a 404, never the page."""
    for path in (
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/tasks",
        "/assets/x.js",
        "/static/x.js",
        "/assets",
    ):
        assert_problem(await site.get(path), 404)
    assert_problem(await site.post("/api/v1/nothing"), 404)


async def test_wrong_method_is_told_with_the_right_ones(web: httpx2.AsyncClient) -> None:
    """A known address with another method is 405 and says which would do."""
    answer = await web.post("/api/v1/server")
    assert assert_problem(answer, 405)["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "GET"
    answer = await web.put("/api/v1/projects/0199f3a0-1c00-7000-8000-0000000000a1")
    assert answer.headers["allow"] == "GET, PATCH, DELETE"
    assert_problem(await web.post("/"), 405)


async def test_server_without_a_page_says_so(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before the page was built there is a 404 and not an accident; the API works."""
    monkeypatch.setattr(pages, "PAGE", tmp_path / "nowhere")
    async with run_server(sqlite_settings) as server, server.client(base_url=server.url) as client:
        assert_problem(await client.get("/"), 404)
        assert (await client.get("/api/v1/server")).status_code == 200


async def test_client_is_for_pages_of_any_origin(web: httpx2.AsyncClient) -> None:
    """The JavaScript client may be imported from elsewhere."""
    answer = await web.get("/static/js/websocket.js", headers={"Origin": "https://other.example"})
    assert answer.status_code == 200
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


def test_client_of_an_installation_is_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed, static/ lies in the package; in a checkout beside it."""
    monkeypatch.setattr(pages, "PACKAGE", tmp_path / "app")
    assert pages.client_folder() == tmp_path / "static"
    (tmp_path / "app" / "static").mkdir(parents=True)
    assert pages.client_folder() == tmp_path / "app" / "static"


async def test_other_origins_use_the_api_when_they_are_configured(sqlite_settings: Settings) -> None:
    """A configured page may call and read; another one may not read."""
    settings = sqlite_settings.model_copy(update={"allowed_origins": ("https://page.example",)})
    asks = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    async with run_server(settings) as server, server.client() as client:
        for origin, allowed in (("https://page.example", True), ("https://evil.example", False)):
            read = await client.get("/server", headers={"Origin": origin})
            asked = await client.options("/users/me", headers={"Origin": origin} | asks)
            assert ("access-control-allow-origin" in read.headers) is allowed
            assert (asked.status_code == 200) is allowed
        refused = await client.get("/users/me", headers={"Origin": "https://page.example"})
        assert refused.headers["access-control-allow-origin"] == "https://page.example"
        assert "ETag" in refused.headers["access-control-expose-headers"]
    async with run_server(sqlite_settings) as server, server.client() as client:
        read = await client.get("/server", headers={"Origin": "https://page.example"})
        assert "access-control-allow-origin" not in read.headers


async def test_body_over_the_limit_is_refused(server: TestServer, anna: Person) -> None:
    """More than a mebibyte, declared or not, is 413; a full one is read."""
    limit = server.settings.max_body_bytes

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(limit // 65536 + 1):
            yield b" " * 65536

    for content in (b" " * (limit + 1), chunks()):
        answer = await anna.call("POST", "/projects", content=content, headers={"Content-Type": "application/json"})
        assert assert_problem(answer, 413)["code"] == "too_large"
    body = b'{"name": "a"}'
    full = body + b" " * (limit - len(body))
    await anna.call("POST", "/projects", content=full, headers={"Content-Type": "application/json"}, expect=201)
    assert len((await anna.get("/projects"))["items"]) == 1


async def test_configured_key_is_used_and_none_is_made(sqlite_settings: Settings) -> None:
    """With a key in the settings, as several servers share one, the data directory gets none."""
    settings = sqlite_settings.model_copy(update={"secret_key": SecretStr("Zq3vX9" * 8)})
    async with run_server(settings) as server, await register(server, "Anna") as anna:
        assert AccessTokens("Zq3vX9" * 8, lifetime_s=1).verify(anna.token).user_id == UUID(anna.id)
    assert not (settings.data_dir / "secret-key").exists()
