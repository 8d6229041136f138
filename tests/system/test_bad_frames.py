"""Bad input over a real WebSocket: the right error for each of a thousand frames, and the appliance as it was."""

from __future__ import annotations

import json
from typing import Any

from station.ocpp import schemas
from tests.conformance.mutations import broken_frames, mutations
from tests.support.appliance import Appliance
from tests.support.csms import Recorded, ScriptedCsms
from tests.system.charging import charge, wait_energy, wait_told

HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
OF_EACH_ACTION = 25  # spread over the action's mistakes; in memory all of them are made (tests/conformance)
CHUNK = 50
TABLES = ("variable", "remembered", "network_profile", "cached_token", "journal", "command")


def _frames() -> list[tuple[str | bytes, str, str | None]]:
    """Of every action some mistakes and one broken frame: the frame, and id and code of the error it deserves."""
    frames: list[tuple[str | bytes, str, str | None]] = []
    for number, action in enumerate(sorted(schemas.ACTIONS_TO_STATION)):
        every = list(mutations(action))
        chosen = every[:: max(1, len(every) // OF_EACH_ACTION)]
        frames += [(json.dumps([2, "bad", action, one.payload]), "bad", one.code) for one in chosen]
        # A text frame that is no UTF-8 is the WebSocket's own business, and bytes are a binary message.
        broken = [one for one in broken_frames(action) if isinstance(one[0], str)]
        frames.append(broken[number % len(broken)])
    return frames


FRAMES = _frames()


def _photograph(appliance: Appliance, transaction_id: str) -> dict[str, Any]:
    """What bad input could have changed while a session goes on by itself."""
    with appliance.database() as database:
        rows = {table: [tuple(row) for row in database.execute(f"SELECT * FROM station_{table}")] for table in TABLES}  # noqa: S608
    state = appliance.bench("/state")["evses"]
    session = appliance.session(transaction_id)
    return {
        **rows,
        "session": {name: session[name] for name in ("evse_id", "id_token", "active", "started_at", "stopped_reason")},
        "sessions": len(appliance.sessions()),
        "board": {number: (evse["plugged"], evse["contactor"], evse["fault"]) for number, evse in state.items()},
    }


def test_a_thousand_bad_frames_are_refused_and_change_nothing(appliance: Appliance, csms: ScriptedCsms) -> None:
    assert len(FRAMES) >= 1_000
    transaction_id = charge(appliance, csms)
    connections, before = csms.connections, _photograph(appliance, transaction_id)
    wrong: list[str] = []
    for start in range(0, len(FRAMES), CHUNK):
        wrong += _send(csms, FRAMES[start : start + CHUNK])
        assert appliance.health()[0] == 200
    assert wrong == []
    assert csms.connections == connections
    assert _photograph(appliance, transaction_id) == before

    wait_energy(appliance, 1, appliance.evse()["energy"] + 1)  # it charges on, and it can be told to end
    assert csms.call("RequestStopTransaction", {"transactionId": transaction_id})["status"] == "Accepted"
    assert wait_told(csms, transaction_id).stopped_reason == "Remote"


def _send(csms: ScriptedCsms, frames: list[tuple[str | bytes, str, str | None]]) -> list[str]:
    """Send them one after the other; what was answered in another way than it deserves."""
    mark = csms.mark()
    for frame, _, _ in frames:
        csms.send(frame)
    csms.call("GetVariables", {"getVariableData": [HEARTBEAT]}, timeout=20)  # answered in order: all others are, too
    answers = [one.frame for one in csms.frames(mark) if _is_error(one)]
    expected = [(frame, call_id, code) for frame, call_id, code in frames if code is not None]
    wrong = [f"{len(answers)} errors for {len(expected)} frames"] if len(answers) != len(expected) else []
    for (frame, call_id, code), answer in zip(expected, answers, strict=False):
        if answer[1:3] != [call_id, code] or len(answer[3]) > 255 or answer[4] != {}:
            wrong.append(f"{frame[:120]!r} deserves {code}: {answer}")
    return wrong


def _is_error(one: Recorded) -> bool:
    return one.direction == "in" and isinstance(one.frame, list) and one.frame[0] == 4
