"""The trace as an installer sees it: words for everything, pairs, filters, and hostile payloads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from station.live import trace
from station.live.trace import Record
from station.ocpp import schemas
from tests.webui.tracing import Ring, example
from webui.trace import answers, book, from_csms, from_station, parts, pretty, reading
from webui.trace.book import Exchange

MESSAGES = sorted(
    [(trace.OUT, action) for action in schemas.ACTIONS_FROM_STATION]
    + [(trace.IN, action) for action in schemas.ACTIONS_TO_STATION]
)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    monkeypatch.setattr(reading, "whole", lambda: list(made.entries))
    return made


def lines(ring: Ring) -> list[Exchange]:
    """The oldest first."""
    return list(book.read(ring.entries))[::-1]


def only(ring: Ring) -> Exchange:
    (line,) = lines(ring)
    return line


# ---------------------------------------------------------------------- words


def test_there_are_words_for_every_action_of_part_2() -> None:
    assert set(from_csms.SENTENCES) == schemas.ACTIONS_TO_STATION
    assert set(from_station.SENTENCES) == schemas.ACTIONS_FROM_STATION


@pytest.mark.parametrize(("direction", "action"), MESSAGES)
@pytest.mark.parametrize("whole", [True, False])
def test_every_message_has_a_sentence_and_every_answer_words(direction: str, action: str, whole: bool) -> None:
    for choice in range(12):
        request = example(f"{action}Request", whole=whole, choice=choice)
        answer = example(f"{action}Response", whole=whole, choice=choice)
        schemas.validate_request(action, request)
        schemas.validate_response(action, answer)
        ring = Ring()
        ring.exchange(direction, action, request, answer)
        line = only(ring)
        assert line.said
        assert "cannot be told" not in line.said + line.answered
        assert "says nothing" not in line.said
        assert "\n" not in line.said + line.answered
        assert not line.said[0].islower()
        assert line.answered
        assert "None" not in line.said + line.answered


def test_every_status_of_an_answer_has_words() -> None:
    missing = set()
    for _, action in MESSAGES:
        for choice in range(20):
            answer = example(f"{action}Response", choice=choice)
            found = [answer.get("status"), parts.part(answer, "idTokenInfo", "status")]
            for name in ("getVariableResult", "setVariableResult", "setMonitoringResult", "clearMonitoringResult"):
                found += [one.get("attributeStatus") or one.get("status") for one in parts.items(answer, name)]
            missing |= {word for word in found if word and word not in parts.STATUSES}
    assert missing == set()


@pytest.mark.parametrize(
    ("direction", "action", "payload", "answer", "expected"),
    [
        (
            trace.IN,
            "GetVariables",
            {"getVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}}] * 10 + ["… 2"]},
            {
                "getVariableResult": [{"attributeStatus": "Accepted"}] * 10
                + [{"attributeStatus": "UnknownVariable"}] * 2
            },
            "The operator's system asks for 12 variables. | 10 of 12 accepted; there is no such variable",
        ),
        (
            trace.IN,
            "GetVariables",
            {
                "getVariableData": [
                    {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power", "instance": "x"}}
                ]
            },
            {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "11000"}]},
            "The operator's system asks for EVSE@1.Power[x]. | 11000",
        ),
        (
            trace.OUT,
            "Authorize",
            {"idToken": {"idToken": "…E6F7", "type": "ISO14443"}},
            {"idTokenInfo": {"status": "Blocked"}},
            "The station asks whether the card …E6F7 may charge. | refused: blocked",
        ),
        (
            trace.OUT,
            "StatusNotification",
            {"evseId": 2, "connectorId": 1, "connectorStatus": "Occupied"},
            {},
            "EVSE 2: occupied | noted",
        ),
        (
            trace.OUT,
            "TransactionEvent",
            {
                "eventType": "Updated",
                "triggerReason": "ChargingStateChanged",
                "transactionInfo": {"transactionId": "t", "chargingState": "Charging"},
                "evse": {"id": 1},
            },
            {},
            "EVSE 1: the car charges | noted",
        ),
        (
            trace.IN,
            "SetChargingProfile",
            {
                "evseId": 1,
                "chargingProfile": {
                    "chargingProfilePurpose": "TxProfile",
                    "chargingSchedule": [
                        {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"limit": 6}, {"limit": 16.0}]}
                    ],
                },
            },
            {"status": "Rejected", "statusInfo": {"reasonCode": "NoTx"}},
            "EVSE 1: the limit of this session is set to 6 to 16 A | refused (NoTx)",
        ),
        (
            trace.OUT,
            "BootNotification",
            {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", "firmwareVersion": "1.2"}},
            {"status": "Accepted", "interval": 300, "currentTime": "2024-05-01T12:00:00Z"},
            "The station registers after it was switched on: V M, firmware 1.2. | "
            "accepted; it is to report every 300 s",
        ),
    ],
)
def test_words(direction: str, action: str, payload: Any, answer: Any, expected: str) -> None:
    ring = Ring()
    ring.exchange(direction, action, payload, answer)
    line = only(ring)
    assert f"{line.said} | {line.answered}" == expected


def test_energy_of_a_session_is_told_from_its_own_readings() -> None:
    def event(kind: str, register: float, multiplier: int = 0) -> dict[str, Any]:
        return {
            "eventType": kind,
            "triggerReason": "MeterValuePeriodic",
            "transactionInfo": {"transactionId": "t"},
            "meterValue": [
                {"sampledValue": [{"value": register, "unitOfMeasure": {"unit": "Wh", "multiplier": multiplier}}]}
            ],
        }

    ring = Ring()
    ring.exchange(trace.OUT, "TransactionEvent", {**event("Started", 1000.0), "evse": {"id": 2}})
    ring.exchange(trace.OUT, "TransactionEvent", event("Updated", 1.4, 3))
    updated = lines(ring)[1]
    assert updated.said == "Meter at 1.40 kWh, 0.40 kWh so far"
    assert updated.evse == 2


@pytest.mark.parametrize("rubbish", [None, "", [[None]], {"a": 1}, 1e400])
@pytest.mark.parametrize("direction", [trace.OUT, trace.IN])
def test_no_payload_breaks_a_sentence(direction: str, rubbish: Any) -> None:
    """Every field of every message, with what does not belong there: refused messages are in the trace, too."""
    messages = [action for way, action in MESSAGES if way == direction]
    for action, message in [(action, message) for action in messages for message in ("Request", "Response")]:
        good = example(f"{action}{message}")
        for name in [*good, "status"]:
            ring = Ring()
            bad = {**good, name: rubbish}
            ring.exchange(direction, action, bad if message == "Request" else good, bad)
            line = only(ring)
            assert line.said
            assert line.answered
            assert line.tone in ("", "wait", "bad")


# ---------------------------------------------------------------------- pairs


def test_answers_find_their_requests_of_either_side() -> None:
    ring = Ring()
    ring.put(trace.CALL, trace.OUT, "same", "Heartbeat")
    ring.put(trace.CALL, trace.IN, "same", "Reset")
    ring.put(trace.RESULT, trace.OUT, "same", payload={"status": "Accepted"})
    ring.put(trace.RESULT, trace.IN, "same")
    beat, reset = lines(ring)
    assert (beat.action, beat.state, round(beat.latency or 0, 1)) == ("Heartbeat", book.ANSWERED, 0.3)
    assert (reset.action, reset.answered, round(reset.latency or 0, 1)) == ("Reset", "accepted", 0.1)


def test_no_answer_in_time_then_a_late_one() -> None:
    ring = Ring()
    ring.put(trace.CALL, trace.OUT, "a", "Heartbeat")
    assert only(ring).answered == "no answer yet"
    ring.put(trace.EVENT, trace.OUT, "a", trace.TIMED_OUT)
    assert (only(ring).answered, only(ring).tone) == ("no answer in time", "bad")
    ring.put(trace.RESULT, trace.IN, "a", payload={"currentTime": "2024-05-01T12:00:00Z"})
    assert only(ring).answered == "it is 2024-05-01 12:00:00, but late"


def test_lost_connection_cuts_off_what_is_open() -> None:
    ring = Ring()
    ring.put(trace.CALL, trace.OUT, "a", "Heartbeat")
    ring.put(trace.EVENT, trace.OUT, "", trace.LOST, payload={"why": "closed by the CSMS with 1001"})
    ring.put(trace.RESULT, trace.IN, "a")
    beat, lost, stray = lines(ring)
    assert beat.answered == "no answer: the connection was lost"
    assert lost.said == "The connection was lost: closed by the CSMS with 1001."
    assert stray.tone == "bad"


def test_unreadable_message_and_the_error_that_answers_it() -> None:
    ring = Ring()
    ring.put(trace.UNREADABLE, trace.IN, flaw=("RpcFrameworkError", "not valid JSON"), payload=None)
    ring.put(trace.ERROR, trace.OUT, "-1", payload={"code": "RpcFrameworkError", "description": "not valid JSON"})
    line = only(ring)
    assert line.said == "The operator's system sent what is no message of OCPP (100 bytes)."
    assert line.answered == "this is no message of OCPP (not valid JSON)"
    assert line.tone == "bad"


def test_answer_that_breaks_its_schema_is_marked_where_it_does() -> None:
    ring = Ring()
    ring.put(trace.CALL, trace.OUT, "a", "Authorize")
    payload = {"idTokenInfo": {"status": 5, "groupIdToken": {"idToken": "x"}}}
    ring.put(
        trace.RESULT, trace.IN, "a", payload=payload, flaw=("InvalidAnswer", "idTokenInfo.status: is not a string")
    )
    line = only(ring)
    assert line.tone == "bad"
    assert line.answered == "the answer is not built as OCPP wants it (idTokenInfo.status: is not a string)"
    marked = [one.text.strip() for one in pretty.lines(payload, "idTokenInfo.status: is not a string") if one.wrong]
    assert marked == ['"status": 5,']


def test_json_is_told_whole_and_the_place_of_a_flaw_is_found() -> None:
    payload = {"a": [{"b": 1}, {"c": "ä"}], "d": {}, "e": None}
    told = pretty.lines(payload, 'a.1: "b" is a required property')
    assert json.loads("".join(one.text for one in told)) == payload
    assert [one.text.strip() for one in told if one.wrong] == ["{"]
    assert told[5].wrong
    assert pretty.lines(payload, "ResetRequest: more")[0].wrong
    assert pretty.lines(payload, "a.7.x: gone")[0].wrong
    assert not any(one.wrong for one in pretty.lines(payload))


def test_ring_is_bounded() -> None:
    ring = Ring()
    for _ in range(30):
        ring.exchange(trace.OUT, "Heartbeat", {})
    kept = book.Book(most=10)
    for entry, record in ring.entries:
        kept.add(entry, record)
    assert len(kept) == 10


# ---------------------------------------------------------------------- pages


def test_owner_and_stranger_are_kept_out(ring: Ring, browser: Client) -> None:
    entry = ring.exchange(trace.OUT, "Heartbeat", {})
    for address in (reverse("trace"), reverse("trace-export"), reverse("trace-line", args=[entry])):
        assert browser.get(address).status_code == 403
        assert Client().get(address).status_code == 302


def test_page_shows_the_newest_first(ring: Ring, installer: Client) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {}, {"currentTime": "2024-05-01T12:00:00Z"})
    ring.put(trace.EVENT, trace.OUT, "", trace.CONNECTED, payload={"url": "wss://csms.example/x", "slot": 1})
    html = installer.get("/trace/").content.decode()
    assert html.index("Connected to csms.example") < html.index("asks for the time")
    assert "100 ms" in html


def test_nothing_of_a_payload_is_markup(ring: Ring, installer: Client) -> None:
    evil = "<script>alert(1)</script>"
    entry = ring.exchange(trace.IN, "DataTransfer", {"vendorId": evil, "messageId": evil}, {"status": evil})
    ring.put(trace.CALL, trace.IN, evil, evil, payload={evil: evil})
    for address in ("/trace/", f"/trace/{entry}/", f"/trace/{ring.entries[-1][0]}/"):
        assert evil not in installer.get(address).content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"direction": "out"}, {"Heartbeat", "StatusNotification"}),
        ({"direction": "in"}, {"Reset"}),
        ({"action": "Reset"}, {"Reset"}),
        ({"evse": "2"}, {"StatusNotification"}),
        ({"wrong": "on"}, {"Reset"}),
        ({"search": "OCCUPIED"}, {"StatusNotification"}),
        ({"search": "busywork"}, {"Reset"}),
        ({"search": "nothing of it"}, set()),
    ],
)
def test_filter_and_export(ring: Ring, installer: Client, query: dict[str, str], expected: set[str]) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})
    ring.exchange(trace.OUT, "StatusNotification", {"evseId": 2, "connectorId": 1, "connectorStatus": "Occupied"})
    ring.exchange(
        trace.IN, "Reset", {"type": "OnIdle"}, {"status": "Rejected", "statusInfo": {"reasonCode": "BusyWork"}}
    )
    html = installer.get("/trace/", query).content.decode()
    shown = {name for name in ("Heartbeat", "StatusNotification", "Reset") if f"<b>{name}</b>" in html}
    assert shown == expected
    answer = installer.get("/trace/export.jsonl", query)
    told = [json.loads(line) for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert {one["action"] for one in told} == expected
    assert len(told) == 2 * len(expected)


@pytest.mark.parametrize("query", [{"evse": "x"}, {"evse": "-1"}, {"action": "Nonsense"}, {"search": "x" * 200}])
def test_filter_that_makes_no_sense_is_named(ring: Ring, installer: Client, query: dict[str, str]) -> None:
    answer = installer.get("/trace/", query)
    assert answer.status_code == 400
    assert "field-error" in answer.content.decode()
    assert installer.get("/trace/export.jsonl", query).status_code == 404


def test_pages_follow_each_other(ring: Ring, installer: Client) -> None:
    for number in range(120):
        ring.exchange(trace.OUT, "DataTransfer", {"vendorId": f"v{number:03d}"})
    first = installer.get("/trace/")
    assert b"v119" in first.content
    assert b"v019" not in first.content
    second = installer.get("/trace/", {"before": first.context["older"]})
    assert b"v020" not in second.content
    assert b"v019" in second.content
    assert second.context["older"] is None
    for rubbish in ("x", "1", "1-1;", "9" * 40 + "-0"):
        assert installer.get("/trace/", {"before": rubbish}).status_code == 404


def test_line_that_has_left_the_ring(ring: Ring, installer: Client) -> None:
    for entry in ("1-0", "x", "../../etc"):
        assert installer.get(f"/trace/{entry}/").status_code == 404
    assert b"no longer kept" in installer.get("/trace/1-0/").content


def test_redis_away_is_said(monkeypatch: pytest.MonkeyPatch, installer: Client) -> None:
    def away() -> list[tuple[str, Record]]:
        raise reading.Away("no")

    monkeypatch.setattr(reading, "whole", away)
    assert b"comes back by itself" in installer.get("/trace/").content
    assert installer.get("/trace/1-0/").status_code == 503
    assert installer.get("/trace/export.jsonl").status_code == 503


def test_refusals_are_told_from_consent() -> None:
    assert not answers.refused({"status": "RebootRequired"})
    assert answers.refused({"status": "Rejected"})
    assert answers.refused({"setVariableResult": [{"attributeStatus": "Accepted"}, {"attributeStatus": "Rejected"}]})
