"""Part 6, section 2.1: what holds for the whole trace of every case, whatever the case is about."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from station.ocpp import schemas
from tests.conformance.rig import Payload, Rig

CALL, CALLRESULT = 2, 3


def check(rig: Rig) -> None:
    """Raise AssertionError for the first rule that the trace breaks."""
    frames = rig.frames()
    _schemas_hold(frames)
    for transaction_id, events in _by_transaction(rig).items():
        _transaction_is_sound(transaction_id, events)


def _schemas_hold(frames: list[tuple[str, Any]]) -> None:
    """All messages comply with the schemas; ids of CALLs are never used twice (part 4, 4.1.4)."""
    asked: dict[str, str] = {}
    used: set[str] = set()
    for direction, frame in frames:
        if not isinstance(frame, list):
            continue
        if direction == "<" and frame[0] == CALL and len(frame) == 4:
            asked[frame[1]] = frame[2]
        if direction != ">":
            continue
        if frame[0] == CALL:
            assert frame[1] not in used, f"message id {frame[1]} used twice"
            used.add(frame[1])
            schemas.validate_request(frame[2], frame[3])
        elif frame[0] == CALLRESULT and frame[1] in asked:
            schemas.validate_response(asked[frame[1]], frame[2])


def _by_transaction(rig: Rig) -> dict[str, list[Payload]]:
    """The events of each transaction by seqNo; the same event sent twice (E13) counts once."""
    found: dict[str, dict[int, Payload]] = defaultdict(dict)
    for event in rig.transaction_events():
        known = found[event["transactionInfo"]["transactionId"]].setdefault(event["seqNo"], event)
        assert _content(known) == _content(event), f"two different events with seqNo {event['seqNo']}"
    return {key: [events[number] for number in sorted(events)] for key, events in found.items()}


def _content(event: Payload) -> Payload:
    return {name: value for name, value in event.items() if name != "offline"}


def _transaction_is_sound(transaction_id: str, events: list[Payload]) -> None:
    numbers = [event["seqNo"] for event in events]
    assert numbers == list(range(len(events))), f"{transaction_id}: seqNo {numbers}"
    kinds = [event["eventType"] for event in events]
    assert kinds[0] == "Started", f"{transaction_id}: begins with {kinds[0]}"
    assert kinds.count("Started") == 1, f"{transaction_id}: {kinds}"
    assert "Ended" not in kinds[:-1], f"{transaction_id}: {kinds}"
    connected = [event for event in events if event["transactionInfo"].get("chargingState") not in (None, "Idle")]
    if connected:
        told = [event for event in events[: events.index(connected[0]) + 1] if "evse" in event]
        assert told, f"{transaction_id}: the EVSE was not told once connected"
        assert "connectorId" in told[-1]["evse"], f"{transaction_id}: the connector was not told"
    remote = [event for event in events if event["triggerReason"] == "RemoteStart"]
    if remote:
        assert "remoteStartId" in remote[0]["transactionInfo"], f"{transaction_id}: RemoteStart without remoteStartId"
        assert "idToken" in remote[0], f"{transaction_id}: RemoteStart without idToken"
