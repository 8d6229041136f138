"""The API as a program sees it: what it says, what it does, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.live import bus
from station.live.payloads import ReasonLive, encode
from station.store.models import Command, MeterPoint, Transaction
from tests.webui.api.conftest import Api, Uplink
from tests.webui.making import CARD, charging, free, station, waiting
from webui.api import live, pace
from webui.api.models import FiledOnce

ORDERS = ["start", "stop", "unlock"]


# ------------------------------------------------------------------ reading


def test_status_tells_the_whole_station(api: Api, uplink: Uplink) -> None:
    uplink.live = station(charging(1, limit=16.0, limit_standing=16.0), waiting(2), queue_length=3)
    told = api.get("status").json()
    assert (told["connected"], told["registration"], told["queue"]) == (True, "Accepted", 3)
    first, second = told["evses"]
    assert (first["state"], first["charging"], first["power"], first["why_not_charging"]) == (
        "charging",
        True,
        7312.0,
        None,
    )
    assert first["limit"] == {"current": 16.0, "standing": 16.0, "timed": None, "until": None}
    assert first["session"]["energy"] == 3010.6
    assert CARD not in str(told), "whose card it is stays in the station"
    assert second["why_not_charging"].endswith(".")
    assert second["session"] is None


def test_one_evse_and_all_of_them(api: Api, uplink: Uplink) -> None:
    assert [one["id"] for one in api.get("evses").json()] == [1, 2]
    assert api.get("evses/2").json()["meter"] == 1204.6
    missing = api.get("evses/3")
    assert missing.status_code == 404
    assert "3" in missing.json()["detail"]


def test_a_fault_is_the_reason_that_counts(api: Api, uplink: Uplink) -> None:
    fault = ReasonLive("fault", faults=("GroundFailure",))
    uplink.live = station(free(1, activity="faulted", faults=("GroundFailure",), reason=fault))
    told = api.get("evses/1").json()
    assert "leaking" in told["why_not_charging"]
    assert told["reason"] == "fault"


def test_a_pause_by_a_limit_says_so(api: Api, uplink: Uplink) -> None:
    uplink.live = station(waiting(1, activity="suspended_evse", limit=0.0, reason=ReasonLive("paused")))
    assert "limit of 0 A" in api.get("evses/1").json()["why_not_charging"]


def test_without_an_uplink_nothing_is_said_and_nothing_done(api: Api, uplink: Uplink) -> None:
    uplink.live = None
    for method, path, body in (
        ("GET", "status", None),
        ("GET", "evses/1", None),
        ("POST", "evses/1/start", None),
        ("PUT", "evses/1/limit", {"current": 10}),
        ("PUT", "evses/1/limit", {"current": 10, "valid_for": 60}),
    ):
        answer = api(method, path, body)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not Command.objects.exists()


def test_health_is_that_of_healthz(api: Api) -> None:
    answer = api.get("health")
    assert answer.status_code == 503  # nothing runs in a test
    told = answer.json()
    assert told["status"] == "unavailable"
    assert told["processes"]["database"] == "ok"
    assert "uplink" in told["processes"]


def test_the_live_state_comes_over_the_channel_layer() -> None:
    async def run() -> None:
        layer: Any = get_channel_layer()

        async def play() -> None:
            for serial in (1, 2):
                assert await layer.receive(bus.UPLINK) == {"type": bus.HELLO}
                told = {**encode(station()), "serial": serial}
                await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": told})

        playing = asyncio.create_task(play())
        first, shared = await asyncio.gather(live.current(), live.current())
        assert first is not None
        assert first is shared, "who asks at the same time shares the answer"
        second = await live.current()
        assert second is not None
        assert second.serial == 2
        await playing

    asyncio.run(run())


def test_a_message_is_answered_by_what_was_published_after_it() -> None:
    async def run() -> None:
        layer: Any = get_channel_layer()

        async def play() -> None:
            assert (await layer.receive(bus.UPLINK))["type"] == "x"
            for serial in (1, 2):
                assert await layer.receive(bus.UPLINK) == {"type": bus.HELLO}
                told = {**encode(station()), "serial": serial}
                await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": told})

        playing = asyncio.create_task(play())
        found = await live.after({"type": "x"})
        assert found is not None
        assert found.serial == 2
        await playing

    asyncio.run(run())


def test_an_uplink_that_is_silent_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PATIENCE", 0.02)
    assert asyncio.run(live.current()) is None


# ------------------------------------------------------------------ doing


@pytest.mark.parametrize("action", ORDERS)
def test_an_order_is_filed_and_its_outcome_answered(api: Api, uplink: Uplink, person: User, action: str) -> None:
    answer = api("POST", f"evses/2/{action}")
    assert answer.status_code == 200
    row = Command.objects.get()
    assert (row.action, row.arguments, row.user, row.who) == (action, {"evse_id": 2}, person, "olga (house)")
    told = answer.json()
    assert (told["id"], told["status"], told["evse"], told["action"]) == (row.pk, "Accepted", 2, action)
    assert told["message"]
    assert api.get(f"commands/{row.pk}").json() == told


def test_a_refusal_is_a_problem_in_words(api: Api, uplink: Uplink) -> None:
    uplink.outcome = ("Rejected", "occupied")
    answer = api("POST", "evses/1/start")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Somebody is charging here already."
    assert answer.json()["command"] == Command.objects.get().pk


def test_what_takes_longer_is_followed(api: Api, uplink: Uplink) -> None:
    uplink.outcome = None
    answer = api("POST", "evses/1/unlock?wait=0")
    assert answer.status_code == 202
    row = Command.objects.get()
    assert answer["Location"] == f"/api/v1/commands/{row.pk}"
    assert api.get(f"commands/{row.pk}").json()["status"] == "Filed"
    Command.objects.update(status="Accepted", message="Unlocked.", finished_at=timezone.now())
    assert api.get(f"commands/{row.pk}").json()["message"] == "The connector is unlocked."


def test_commands_of_others_rooms_are_not_there(api: Api, person: User) -> None:
    row = Command.objects.create(user=person, who="olga", action="set_credentials", arguments={"password": "x"})
    assert api.get(f"commands/{row.pk}").status_code == 404
    assert api.get(f"commands/{row.pk + 1}").status_code == 404


def test_nothing_is_filed_for_an_evse_that_is_not_there(api: Api, uplink: Uplink) -> None:
    assert api("POST", "evses/3/start").status_code == 404
    assert api("PUT", "evses/3/limit", {"current": 6, "valid_for": 60}).status_code == 404
    assert not Command.objects.exists()
    assert not uplink.heard


def test_the_same_key_is_the_same_request(api: Api, uplink: Uplink) -> None:
    first = api("POST", "evses/1/start", Idempotency_Key="abc-1")
    uplink.outcome = ("Rejected", "occupied")
    again = api("POST", "evses/1/start", Idempotency_Key='"abc-1"')
    assert again.json() == first.json()
    assert Command.objects.count() == 1
    other = api("POST", "evses/2/start", Idempotency_Key="abc-1")
    assert other.status_code == 422
    assert other.json()["type"].endswith("#problem-key-reused")
    assert Command.objects.count() == 1
    FiledOnce.objects.update(at=timezone.now() - timedelta(days=1, seconds=1))
    assert api("POST", "evses/2/start", Idempotency_Key="abc-1").status_code == 409, "after a day it is a new one"
    assert FiledOnce.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "ä", "a\tb"])
def test_a_key_that_is_none(api: Api, uplink: Uplink, key: str) -> None:
    assert api("POST", "evses/1/start", Idempotency_Key=key).status_code == 400
    assert not Command.objects.exists()


def test_keys_are_everybodys_own(api: Api, make_api: Callable[..., Api], uplink: Uplink) -> None:
    api("POST", "evses/1/start", Idempotency_Key="k")
    make_api("control")("POST", "evses/2/stop", Idempotency_Key="k")
    assert Command.objects.count() == 2


# ------------------------------------------------------------------ limits


def test_a_limit_for_good_is_a_command(api: Api, uplink: Uplink) -> None:
    assert api("PUT", "evses/1/limit", {"current": 10.5}).json()["action"] == "limit"
    assert Command.objects.get().arguments == {"evse_id": 1, "current": 10.5}
    assert api("DELETE", "evses/1/limit").status_code == 200
    assert Command.objects.first().arguments == {"evse_id": 1, "current": None}  # type: ignore[union-attr]


def test_a_limit_for_a_while_leaves_nothing_behind(api: Api, uplink: Uplink) -> None:
    answer = api("PUT", "evses/2/limit", {"current": 0, "valid_for": 60})
    assert answer.status_code == 200
    assert answer.json()["timed"] == 0.0
    assert not Command.objects.exists()
    assert uplink.heard == [
        {
            "type": bus.LIMIT_WANTED,
            "limit": {"evse_id": 2, "current": 0.0, "valid_for": 60.0, "who": "olga (house)"},
        }
    ]
    assert api.get("evses/2/limit").json()["current"] == 0.0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"current": 5},
        {"current": -1},
        {"current": 81},
        {"current": "10"},
        {"current": None},
        {"current": True},
        {"current": 10, "valid_for": 9},
        {"current": 10, "valid_for": 3601},
        {"current": 10, "valid_for": 60.5},
        {"current": 10, "valid_for": "60"},
        {"current": 10, "validfor": 60},
        [],
        "10",
        10,
        None,
    ],
)
def test_limits_that_make_no_sense_are_named(api: Api, uplink: Uplink, body: Any) -> None:
    answer = api("PUT", "evses/1/limit", body)
    assert answer.status_code in (400, 422)
    if answer.status_code == 422:
        assert all(one["where"].startswith("body") and one["why"] for one in answer.json()["errors"])
    assert not Command.objects.exists()
    assert not uplink.heard


@pytest.mark.parametrize(
    "body", [b"{", b'{"current": NaN}', b'{"current": 1e999}', b"\xff\xfe", b"[" * 100_000, b'{"current": 10}\x00']
)
def test_bodies_that_are_no_json(api: Api, uplink: Uplink, body: bytes) -> None:
    assert api("PUT", "evses/1/limit", body).status_code in (400, 422)
    assert not Command.objects.exists()


def test_a_body_that_is_too_large(api: Api, uplink: Uplink) -> None:
    assert api("PUT", "evses/1/limit", b" " * (1024 * 1024 + 1)).status_code == 413


# ------------------------------------------------------------------ who may


def test_scopes_are_kept_apart(make_api: Callable[..., Api], uplink: Uplink, installer: Client) -> None:
    reader, doer, setter = make_api("read"), make_api("control"), make_api("configure")
    assert reader.get("status").status_code == 200
    assert doer.get("status").status_code == 403
    refused = reader("POST", "evses/1/start")
    assert refused.status_code == 403
    assert "“control”" in refused.json()["detail"]
    assert 'scope="control"' in refused["WWW-Authenticate"]
    assert not Command.objects.exists()
    assert doer("PUT", "evses/1/availability", {"operative": False}).status_code == 403
    assert setter("PUT", "evses/1/availability", {"operative": False}).status_code == 200
    assert Command.objects.get().arguments == {"evse_id": 1, "operative": False}


def test_a_scope_is_worth_no_more_than_its_owner(make_api: Callable[..., Api], uplink: Uplink) -> None:
    owners = make_api("read", "control", "configure")
    assert owners("PUT", "evses/1/availability", {"operative": False}).status_code == 403
    assert not Command.objects.exists()


@pytest.mark.parametrize("header", [None, "Bearer st_wrong", "Bearer", "Basic b2xnYTp4", "Bearer " + "x" * 5000, "ü"])
def test_strangers_are_told_what_is_missing(person: User, header: str | None) -> None:
    answer = Api("")("GET", "status", **({"Authorization": header} if header else {}))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["detail"]


def test_a_session_reads_and_with_its_csrf_token_does(browser: Client, person: User, uplink: Uplink) -> None:
    assert browser.get("/api/v1/status").status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    refused = strict.post("/api/v1/evses/1/start")
    assert refused.status_code == 403
    assert "X-CSRFToken" in refused.json()["detail"]
    assert not Command.objects.exists()
    page = strict.get("/api/").content.decode()
    token = page.split("&quot;X-CSRFToken&quot;: &quot;" if "&quot;X-CSRF" in page else '"X-CSRFToken": "')[1][:64]
    assert strict.post("/api/v1/evses/1/start", headers={"X-CSRFToken": token}).status_code == 200
    assert Command.objects.get().who == "olga"


def test_a_good_session_does_not_cure_a_bad_token(browser: Client) -> None:
    assert browser.get("/api/v1/status", headers={"Authorization": "Bearer st_x"}).status_code == 401


def test_who_asks_too_often_waits(api: Api, uplink: Uplink, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pace, "READING", pace.Pace(2, 3, lambda: now))
    assert [api.get("evses").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = api.get("evses")
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    now += 0.5
    assert [api.get("evses").status_code for _ in range(2)] == [200, 429]


def test_whoever_tries_tokens_is_slowed_down_and_nobody_else(api: Api, uplink: Uplink) -> None:
    stranger = Api("st_guess")
    answers = [stranger.get("status").status_code for _ in range(25)]
    assert answers.count(429) >= 3
    assert api.get("status").status_code == 200


# ------------------------------------------------------------------ sessions


def test_sessions_page_by_page(api: Api, make_session: Callable[..., Transaction]) -> None:
    for _ in range(5):
        make_session()
    seen, cursor, pages = [], "", 0
    while True:
        told = api.get(f"sessions?limit=2{cursor}").json()
        seen += [one["id"] for one in told["items"]]
        pages += 1
        if told["next"] is None:
            break
        cursor = f"&cursor={told['next']}"
    assert pages == 3
    assert seen == list(Transaction.objects.order_by("-started_at").values_list("pk", flat=True))


def test_sessions_that_began_in_the_same_instant_are_all_seen(
    api: Api, make_session: Callable[..., Transaction]
) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    for _ in range(3):
        make_session(started_at=at)
    first = api.get("sessions?limit=2").json()
    second = api.get(f"sessions?limit=2&cursor={first['next']}").json()
    assert len({one["id"] for one in first["items"] + second["items"]}) == 3


def test_filters(api: Api, make_session: Callable[..., Transaction]) -> None:
    make_session(evse_id=2)
    make_session(stopped_reason="Local")
    make_session(active=True, ended_at=None, stopped_reason="")
    assert len(api.get("sessions?evse=2").json()["items"]) == 1
    assert len(api.get("sessions?reason=Local").json()["items"]) == 1
    [running] = api.get("sessions?running=true").json()["items"]
    assert (running["running"], running["ended_at"], running["stopped_reason"]) == (True, None, None)
    assert len(api.get("sessions?since=2025-06-01T00:00:00Z").json()["items"]) == 1
    assert len(api.get("sessions?until=2025-06-01T00:00:00").json()["items"]) == 2
    one = api.get("sessions?evse=2").json()["items"][0]
    assert (one["energy"], one["meter_start"], one["meter_stop"]) == (7434.5, 1204600.0, 1212034.5)
    assert CARD not in str(one)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_the_calendar(api: Api, at: str) -> None:
    assert api.get(f"sessions?since={at}&until={at}").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        *("since=1", "since=-30290", "until=2025-13-01T00:00:00Z", "until=2025-01-01"),
        *("limit=0", "limit=201", "evse=0", "evse=x", "since=yesterday", "running=perhaps", "limit=" + "9" * 400),
        *(
            "cursor=zzz",
            "cursor=%00",
            "cursor=fHx8",
            "cursor=",
            "cursor=" + "x" * 300,
            "reason=%27%3B",
            "reason=" + "x" * 21,
        ),
    ],
)
def test_filters_that_make_no_sense_are_named(api: Api, query: str) -> None:
    answer = api.get(f"sessions?{query}")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert query.partition("=")[0] in error["where"]


def test_one_session_with_its_curve(api: Api, make_session: Callable[..., Transaction]) -> None:
    row = make_session()
    MeterPoint.objects.bulk_create(
        MeterPoint(transaction=row, at=row.started_at + timedelta(seconds=10 * n), power=n, current=n, energy=n)
        for n in range(101)
    )
    whole = api.get(f"sessions/{row.pk}").json()
    assert len(whole["points"]) == 101
    few = api.get(f"sessions/{row.pk}?points=5").json()["points"]
    assert [point["power"] for point in few] == [0, 25, 50, 75, 100]
    assert api.get(f"sessions/{row.pk}?points=0").json()["points"] == []
    assert [one["power"] for one in api.get(f"sessions/{row.pk}?points=1").json()["points"]] == [100]
    assert api.get("sessions/none-such").status_code == 404
    assert api.get("sessions/%00").status_code == 422


# ------------------------------------------------------------------ the way there


@pytest.mark.parametrize(
    "path", ["", "x", "evses/", "evses/1/", "evses/1/explode", "../status", "sessions/a/b", "%2e%2e"]
)
def test_addresses_that_lead_nowhere(api: Api, path: str) -> None:
    assert api.get(path).status_code in (404, 422)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "status"), ("POST", "evses"), ("GET", "evses/1/start")])
def test_methods_that_are_not_there(api: Api, method: str, path: str) -> None:
    answer = api(method, path)
    assert answer.status_code == 405
    assert answer["Allow"]


def test_head_is_get_without_a_body(api: Api, uplink: Uplink) -> None:
    assert api("HEAD", "status").status_code == 200


def test_a_mistake_of_ours_is_a_problem_without_a_traceback(
    api: Api, uplink: Uplink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "current", lambda: 1 / 0)
    answer = api.get("status")
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.content.decode()
    assert "ZeroDivisionError" in caplog.text


def test_the_document_tells_all_of_it(api: Api, browser: Client) -> None:
    told = api.get("openapi.json").json()
    assert told["openapi"].startswith("3.1")
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert len(operations) == 14
    for one in operations:
        assert one["summary"]
        assert one["description"]
        assert one["security"][0]["token"][0] in ("read", "control", "configure")
        assert {"401", "403", "429"} <= one["responses"].keys()
    assert Api("").get("openapi.json").status_code == 401


def test_the_page_explains_every_operation(browser: Client) -> None:
    answer = browser.get("/api/")
    assert answer.status_code == 200
    page = answer.content.decode()
    for word in ("/api/v1/evses/{evse_id}/limit", "Idempotency-Key", "valid_for", 'id="problem-station-away"', "curl"):
        assert word in page
    assert "//" not in page.replace("http://testserver", ""), "nothing is loaded from elsewhere"
    assert len(answer.content) < 60_000, "with what every page loads it may have 150 KB"


def test_the_page_is_for_people_who_are_logged_in(client: Client, db: None) -> None:
    assert client.get("/api/").status_code == 302
