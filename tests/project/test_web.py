"""Health, plain HTTP, headers, origins, static files and the certificate of the web server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.test import Client

from station.project import health, health_view
from station.project.asgi import SameOrigin
from station.project.environment import Address
from station.project.plain_http import PlainHttpGate
from station.project.static import VersionedStaticFiles

TLS = Address("0.0.0.0", 8443)  # noqa: S104
SLOTS = (health.HARDWARE, health.UPLINK, health.TRANSFERS)


@pytest.fixture
def board(monkeypatch) -> health.Board:
    board = health.Board()
    monkeypatch.setattr(health, "_board", board)
    return board


@pytest.fixture
def redis_answers(monkeypatch) -> None:
    monkeypatch.setattr(health_view, "_redis", lambda: "ok")


def ask() -> tuple[int, dict[str, Any]]:
    response = Client().get("/healthz")
    return response.status_code, json.loads(response.content)


# ------------------------------------------------------------------ /healthz


@pytest.mark.django_db
def test_health_where_all_runs(board: health.Board, redis_answers) -> None:
    for slot in SLOTS:
        board.beat(slot)
    word = {"connected": True, "registration": "Accepted", "security_profile": 2}
    board.beat(health.UPLINK, {**word, "other": 1})
    status, body = ask()
    assert status == 200
    assert body["uplink"] == word
    assert {body[name] for name in ("web", "redis", "database", "hardware")} == {"ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("missing", [health.HARDWARE, health.UPLINK])
def test_health_where_a_process_never_started(missing: str, board: health.Board, redis_answers) -> None:
    for slot in SLOTS:
        if slot != missing:
            board.beat(slot)
    assert ask()[0] == 503


@pytest.mark.django_db
def test_health_where_the_uplink_died_keeps_to_its_form(board: health.Board, redis_answers) -> None:
    board.beat(health.HARDWARE)
    board.beat(health.UPLINK, {"connected": True, "registration": "Accepted", "security_profile": 3})
    board.clear(health.UPLINK)
    status, body = ask()
    assert status == 503
    assert body["uplink"] == {"connected": False, "registration": None, "security_profile": 3}
    assert body["hardware"] == "ok"


@pytest.mark.django_db
def test_health_where_redis_is_away(board: health.Board) -> None:
    for slot in SLOTS:
        board.beat(slot)
    status, body = ask()  # the tests' data folder has no Redis
    assert status == 503
    assert body["redis"] == "unreachable"


# ------------------------------------------------------------------ plain HTTP


async def _inner(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "inner"})


def through(gate: Any, kind: str = "http", **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    defaults = {"path": "/", "raw_path": b"/", "query_string": b"", "headers": [], "scheme": "http"}
    asyncio.run(gate({"type": kind, **defaults, **scope}, receive, send))
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_loopback_is_served(kind: str, host: str) -> None:
    assert through(PlainHttpGate(_inner, None), kind, server=[host, 8000]) == [{"type": "inner"}]


@pytest.mark.parametrize("server", [["192.0.2.1", 8000], ["::ffff:192.0.2.1", 8000], ["garbage", 1], None])
def test_elsewhere_is_refused_whatever_the_host_header_says(server: Any) -> None:
    headers = [(b"host", b"127.0.0.1:8000"), (b"x-forwarded-proto", b"https")]
    sent = through(PlainHttpGate(_inner, None), server=server, headers=headers)
    assert sent[0]["status"] == 403
    assert b"STATION_WEB_TLS" in sent[1]["body"]
    assert through(PlainHttpGate(_inner, None), "websocket", server=server) == [{"type": "websocket.close"}]


def test_health_is_answered_everywhere() -> None:
    assert through(PlainHttpGate(_inner, None), server=["192.0.2.1", 8000], path="/healthz") == [{"type": "inner"}]


@pytest.mark.parametrize(
    ("host", "raw_path", "query", "location"),
    [
        (b"station.local", b"/sessions/", b"page=2", b"https://station.local:8443/sessions/?page=2"),
        (b"192.0.2.1:8000", b"/", b"", b"https://192.0.2.1:8443/"),
        (b"[2001:db8::1]:8000", b"//evil.example/", b"", b"https://[2001:db8::1]:8443//evil.example/"),
        (b"station.local", b"http://evil.example/", b"", b"https://station.local:8443/"),
    ],
)
def test_elsewhere_is_redirected_to_tls(host: bytes, raw_path: bytes, query: bytes, location: bytes) -> None:
    sent = through(
        PlainHttpGate(_inner, TLS),
        server=["192.0.2.1", 8000],
        headers=[(b"host", host)],
        raw_path=raw_path,
        query_string=query,
    )
    assert sent[0]["status"] == 307
    assert dict(sent[0]["headers"])[b"location"] == location


@pytest.mark.parametrize("host", [b"", b"evil/path", b"a b", b"a@b", b"a\r\nb"])
def test_nobody_is_sent_to_a_host_that_is_none(host: bytes) -> None:
    sent = through(PlainHttpGate(_inner, TLS), server=["192.0.2.1", 8000], headers=[(b"host", host)])
    assert sent[0]["status"] == 400


def test_tls_is_served_everywhere() -> None:
    gate = PlainHttpGate(_inner, TLS)
    assert through(gate, server=["192.0.2.1", 8443], scheme="https") == [{"type": "inner"}]
    assert through(gate, "websocket", server=["192.0.2.1", 8443]) == [{"type": "inner"}]


# ------------------------------------------------------------------ origins, headers, files


@pytest.mark.parametrize(
    ("origin", "served"),
    [
        (b"http://127.0.0.1:8000", True),
        (None, True),
        (b"http://evil.example", False),
        (b"http://127.0.0.1:9999", False),
        (b"null", False),
    ],
)
def test_only_our_own_pages_may_open_a_websocket(origin: bytes | None, served: bool) -> None:
    headers = [(b"host", b"127.0.0.1:8000")] + ([(b"origin", origin)] if origin is not None else [])
    sent = through(SameOrigin(_inner), "websocket", headers=headers)
    assert (sent == [{"type": "inner"}]) is served


@pytest.mark.django_db
def test_every_page_carries_its_headers() -> None:
    for path in ("/login/", "/healthz", "/nowhere", "/static/css/base.css"):
        headers = Client().get(path).headers
        assert "script-src 'self';" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
    assert Client().get("/login/").headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_cookies_are_secure_over_tls_only() -> None:
    assert Client().get("/login/", secure=True).cookies["csrf_" + instance()]["secure"]
    assert not Client().get("/login/").cookies["csrf_" + instance()]["secure"]


def instance() -> str:
    from django.conf import settings

    return settings.ENVIRONMENT.instance


def test_an_address_changes_with_the_file() -> None:
    files = VersionedStaticFiles()
    assert files.url("css/base.css").startswith("/static/css/base.css?v=")
    assert files.url("css/base.css") != files.url("css/dashboard.css")
    assert files.url("nothing.css") == "/static/nothing.css"
