"""What the tracer keeps of the traffic, and that nothing of it stands in the station's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from station.domain.moment import Moment
from station.live import trace
from station.live.trace import Record
from station.uplink.trace import NOTED_MOST, READY_MOST, Tracer

NOW = Moment(datetime(2024, 5, 1, tzinfo=UTC), 100.0)
SECRET = "CANARY-4f9a1c"


def traced(drive: Callable[[Tracer], Awaitable[None] | None], failures: int = 0) -> list[Record]:
    """The records that come of it; the first ``failures`` tries to write fail."""
    kept: list[bytes] = []
    left = failures

    async def write(batch: Sequence[bytes]) -> None:
        nonlocal left
        if left:
            left -= 1
            raise OSError("Redis is away")
        kept.extend(batch)

    async def life() -> None:
        tracer = Tracer(write, gather=0.0, retry=0.0)
        task = asyncio.create_task(tracer.run())
        if driven := drive(tracer):
            await driven
        for _ in range(20_000):
            if not tracer.busy:
                break
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()

    asyncio.run(life())
    return [trace.decode(one) for one in kept]


def test_call_and_answer_of_either_side() -> None:
    def drive(tracer: Tracer) -> None:
        tracer.sent('[2,"a","Heartbeat",{}]', NOW)
        tracer.received(b'[3,"a",{"currentTime":"2024-05-01T00:00:00Z"}]', NOW.plus(0.5), None)
        tracer.received(b'[2,"b","Reset",{"type":"Immediate"}]', NOW.plus(1), None)
        tracer.sent('[4,"b","NotSupported","no",{"why":"x"}]', NOW.plus(2))

    call, result, asked, error = traced(drive)
    assert (call.kind, call.direction, call.action, call.message_id) == ("call", "out", "Heartbeat", "a")
    assert (result.kind, result.direction, result.action) == ("result", "in", "Heartbeat")
    assert result.monotonic - call.monotonic == 0.5
    assert asked.payload == {"type": "Immediate"}
    assert asked.size == len('[2,"b","Reset",{"type":"Immediate"}]')
    assert (error.kind, error.direction, error.action) == ("error", "out", "Reset")
    assert error.payload == {"code": "NotSupported", "description": "no", "details": {"why": "x"}}


def test_flaw_is_kept_with_the_message() -> None:
    flaw = ("TypeConstraintViolation", "evse.id: is not of type integer")
    (record,) = traced(lambda tracer: tracer.received(b'[2,"b","Reset",{"evse":{"id":"1"}}]', NOW, flaw))
    assert record.flaw == flaw


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xfe" + SECRET.encode(),
        f'[2,"a","SetVariables",{{"attributeValue":"{SECRET}"'.encode(),
        f'"{SECRET}"'.encode(),
        f'["{SECRET}"]'.encode(),
        f'[9,"a","{SECRET}"]'.encode(),
        f'[2,"a","SetVariables",["{SECRET}"]]'.encode(),
        f'[true,"a","{SECRET}",{{}}]'.encode(),
        f'[2,"a",{{"password":"{SECRET}"}},{{}}]'.encode(),
        f'[4,"a",{{"password":"{SECRET}"}},["{SECRET}"],["{SECRET}"]]'.encode(),
        b"",
        b"[" * 70_000,
        f'[2,"a","DataTransfer",{{"vendorId":"{SECRET}","data":"{"x" * 70_000}"}}]'.encode(),
    ],
)
def test_broken_and_oversized_frames_give_nothing_away(frame: bytes) -> None:
    (record,) = traced(lambda tracer: tracer.received(frame, NOW, None))
    assert SECRET not in trace.encode(record).decode()
    assert record.size == len(frame)


def test_action_that_nobody_knows_is_no_hiding_place() -> None:
    (record,) = traced(lambda tracer: tracer.received(f'[2,"a","password={SECRET}",{{}}]'.encode(), NOW, None))
    assert SECRET not in trace.encode(record).decode()


def test_too_long_to_be_read_in_passing_keeps_its_head() -> None:
    frame = json.dumps([2, "a", "SendLocalList", {"x": "y" * 70_000}], separators=(",", ":")).encode()

    def drive(tracer: Tracer) -> None:
        tracer.received(frame, NOW, None)
        tracer.sent('[3,"a",{"status":"Accepted"}]', NOW)

    call, answer = traced(drive)
    assert (call.kind, call.action, call.payload, call.size) == ("call", "SendLocalList", None, len(frame))
    assert answer.action == "SendLocalList"


def test_what_happens_to_the_connection_is_kept_in_order() -> None:
    def drive(tracer: Tracer) -> None:
        tracer.event(trace.CONNECTED, NOW, url=f"wss://u:{SECRET}@csms/", slot=1)
        tracer.event(trace.TIMED_OUT, NOW, "a", why="no answer within 30 s")
        tracer.event(trace.LOST, NOW, why="closed by the CSMS")

    connected, timed_out, lost = traced(drive)
    assert [one.action for one in (connected, timed_out, lost)] == ["connected", "timed_out", "lost"]
    assert timed_out.message_id == "a"
    assert SECRET not in str(connected)


def test_same_refusal_over_and_over_is_one_line() -> None:
    def drive(tracer: Tracer) -> None:
        for _ in range(5):
            tracer.event(trace.REFUSED, NOW, slot=1, why="no route")
        tracer.event(trace.REFUSED, NOW, slot=1, why="refused")
        tracer.event(trace.CONNECTED, NOW, slot=1)
        tracer.event(trace.REFUSED, NOW, slot=1, why="refused")

    assert [(one.payload or {}).get("why") for one in traced(drive)] == ["no route", "refused", None, "refused"]


def test_redis_that_is_away_loses_nothing_for_a_while() -> None:
    def drive(tracer: Tracer) -> None:
        for number in range(120):
            tracer.sent(f'[2,"{number}","Heartbeat",{{}}]', NOW)

    records = traced(drive, failures=3)
    assert [one.message_id for one in records] == [str(number) for number in range(120)]


def test_flood_is_bounded_and_says_what_is_missing() -> None:
    more = 300

    def drive(tracer: Tracer) -> None:
        for number in range(NOTED_MOST + more):
            tracer.sent(f'[2,"{number}","Heartbeat",{{}}]', NOW)

    records = traced(drive)
    told = [one for one in records if one.action == trace.LEFT_OUT]
    kept = len(records) - len(told)
    assert kept <= READY_MOST + 1
    assert sum((one.payload or {})["count"] for one in told) + kept == NOTED_MOST + more


def test_large_frames_do_not_pile_up() -> None:
    frame = json.dumps([2, "a", "DataTransfer", {"vendorId": "v", "data": "x" * 60_000}]).encode()

    def drive(tracer: Tracer) -> None:
        for _ in range(200):
            tracer.received(frame, NOW, None)

    records = traced(drive)
    assert 50 < len(records) < 100


def test_records_survive_their_encoding() -> None:
    record = Record("call", "in", 1714521600.123, 12.3456, "a", "Reset", {"x": [1, "ä"]}, 12, True, ("Code", "words"))
    assert trace.decode(trace.encode(record)) == record


@pytest.mark.parametrize("rubbish", [b"", b"3", b"{}", b'{"k":"call"}', b'{"k":"x","d":"in","t":1,"m":1}', b"\xff"])
def test_rubbish_in_the_stream_is_no_record(rubbish: Any) -> None:
    with pytest.raises(ValueError):
        trace.decode(rubbish)
