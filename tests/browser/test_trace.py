"""The trace in a browser: what is said appears, answers arrive in their line, and all of a message can be opened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from playwright.sync_api import expect

from station.live import trace
from station.live.trace import FIELD, Record
from station.project import environment
from tests.browser.conftest import Opener, Web
from tests.webui.tracing import Ring, example

pytestmark = pytest.mark.browser


class Stream:
    """The ring in the web server's Redis, filled by the test as the uplink would."""

    def __init__(self, web: Web) -> None:
        self._client = redis.Redis.from_url(f"unix://{web.socket}")
        self._key = trace.stream(environment.read(web.environment).instance)

    def put(self, *records: Record) -> None:
        with self._client.pipeline(transaction=False) as pipeline:
            for record in records:
                pipeline.xadd(self._key, {FIELD: trace.encode(record)})
            pipeline.execute()

    def clear(self) -> None:
        self._client.delete(self._key)


@pytest.fixture
def stream(web: Web) -> Iterator[Stream]:
    made = Stream(web)
    made.clear()
    yield made
    made.clear()


def a_morning() -> Ring:
    """What a station and its CSMS have to say to each other, good and bad."""
    ring = Ring()
    ring.put(trace.EVENT, trace.OUT, "", trace.STARTED)
    ring.put(trace.EVENT, trace.OUT, "", trace.REFUSED, payload={"slot": 1, "cause": "unreachable", "why": "no route"})
    ring.put(
        trace.EVENT,
        trace.OUT,
        "",
        trace.CONNECTED,
        payload={"url": "wss://csms.example/ocpp", "slot": 1, "security_profile": 2},
    )
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "Reference", "model": "Two", "firmwareVersion": "1"}}
    accepted = {"status": "Accepted", "interval": 300, "currentTime": "2024-05-01T12:00:00Z"}
    ring.exchange(trace.OUT, "BootNotification", boot, accepted)
    free = {"evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
    ring.exchange(trace.OUT, "StatusNotification", free)
    many = {"getVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}}] * 12}
    ring.exchange(trace.IN, "GetVariables", many, {"getVariableResult": [{"attributeStatus": "Accepted"}] * 12})
    card = {"idToken": {"idToken": "…E6F7", "type": "ISO14443"}}
    ring.exchange(trace.OUT, "Authorize", card, {"idTokenInfo": {"status": "Blocked"}})
    flaw = ("TypeConstraintViolation", 'chargingProfile.id: "7" is not of type "integer"')
    wrong = example("SetChargingProfileRequest")
    wrong["chargingProfile"]["id"] = "7"
    ring.put(trace.CALL, trace.IN, "bad-1", "SetChargingProfile", payload=wrong, flaw=flaw)
    ring.put(trace.ERROR, trace.OUT, "bad-1", payload={"code": flaw[0], "description": flaw[1], "details": {}})
    ring.put(trace.UNREADABLE, trace.IN, payload=None, flaw=("RpcFrameworkError", "not valid JSON"))
    ring.put(trace.ERROR, trace.OUT, "-1", payload={"code": "RpcFrameworkError", "description": "not valid JSON"})
    ring.put(trace.CALL, trace.OUT, "late", "Heartbeat")
    ring.put(trace.EVENT, trace.OUT, "late", trace.TIMED_OUT)
    ring.put(trace.CALL, trace.OUT, "cut", "MeterValues", payload=example("MeterValuesRequest"))
    ring.put(trace.EVENT, trace.OUT, "", trace.LOST, payload={"why": "the CSMS does not answer pings"})
    return ring


def test_trace_is_followed_opened_and_filtered(opened: Opener, stream: Stream) -> None:
    stream.put(*(record for _, record in a_morning().entries))
    watched = opened("/trace/")
    page = watched.page
    expect(page.get_by_text("asks for 12 variables")).to_be_visible()
    expect(page.get_by_text("refused: blocked")).to_be_visible()
    rows = page.locator("#trace-rows > li")
    before = rows.count()

    # what comes appears by itself, and its answer in its line
    call = Record(trace.CALL, trace.IN, 1_714_565_000.0, 5.0, "n", "Reset", {"type": "OnIdle"}, 50)
    stream.put(call)
    expect(page.get_by_text("asks for a restart")).to_be_visible()
    expect(rows.first.get_by_text("no answer yet")).to_be_visible()
    stream.put(Record(trace.RESULT, trace.OUT, 1_714_565_001.0, 5.02, "n", "Reset", {"status": "Scheduled"}, 30))
    expect(rows.first.get_by_text("accepted, and done later")).to_be_visible()
    expect(rows.first.get_by_text("20 ms")).to_be_visible()
    assert rows.count() == before + 1

    # opened with the keyboard alone, with the place of the flaw marked
    flawed = rows.filter(has_text="SetChargingProfile")
    flawed.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(flawed.locator("mark")).to_have_text('"id": "7",')
    watched.assert_well_everywhere("trace")
    flawed.get_by_role("link", name="On a page of its own").click()
    expect(page.get_by_role("heading", name="SetChargingProfile")).to_be_visible()
    watched.assert_well_everywhere("trace-line")

    page.goto("/trace/?wrong=on")
    expect(page.get_by_text("no answer in time")).to_be_visible()
    expect(page.get_by_text("asks for 12 variables")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".jsonl")

    # a thousand at once stall neither the browser nor the server
    page.goto("/trace/")
    flood = Ring()
    for _ in range(500):
        flood.exchange(trace.OUT, "Heartbeat", {})
    stream.put(*(record for _, record in flood.entries))
    expect(rows.first.get_by_text("asks for the time")).to_be_visible()
    assert rows.count() <= 200
    watched.assert_well()
