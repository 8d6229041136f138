"""Bad input over a real WebSocket: the right error for each of a thousand frames, and the appliance as it was."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from station.ocpp import schemas
from tests.conformance.mutations import anything, broken_frames, mutations, schema
from tests.support.appliance import CARD, PASSWORD, QUICK, Appliance
from tests.support.csms import CallError, Recorded, ScriptedCsms
from tests.system.charging import charge, wait_energy, wait_told

HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
OF_EACH_ACTION = 25  # spread over the action's mistakes; in memory all of them are made (tests/conformance)
CHUNK = 50
VALID = 200
KEEPS_THE_LINK = (
    "ChangeAvailability",
    "ClearCache",
    "CustomerInformation",
    "DataTransfer",
    "GetBaseReport",
    "GetLog",
    "GetReport",
    "GetTransactionStatus",
    "GetVariables",
    "RequestStartTransaction",
    "RequestStopTransaction",
    "SetNetworkProfile",
    "TriggerMessage",
)
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


def test_whatever_is_valid_is_answered_and_kept(tmp_path: Path) -> None:
    """Odd values on their way through the database; in memory there are many more of them (tests/conformance)."""
    chance = random.Random(7)
    with ScriptedCsms(password=PASSWORD) as csms, Appliance(tmp_path / "appliance") as appliance:
        appliance.provision_csms(csms.url, variables=(*QUICK, "AuthCacheCtrlr.Enabled=true"))
        appliance.start()
        appliance.wait_registered()
        hardware, uplink = (_pid(appliance, name) for name in ("hardware", "uplink"))
        for _ in range(VALID):
            action = chance.choice(KEEPS_THE_LINK)
            payload = anything(schema(action), chance, _hint)
            try:
                csms.call(action, payload, timeout=20)
            except CallError as error:
                if (action, error.code) != ("GetReport", "FormatViolation"):  # that is: longer than BytesPerMessage
                    raise
            if chance.random() < 0.1:
                appliance.card(evse=chance.randint(1, 2))
        assert csms.connections == 1
        assert appliance.health()[0] == 200
        assert (hardware, uplink) == (_pid(appliance, "hardware"), _pid(appliance, "uplink"))
        appliance.restart()
        appliance.wait_registered()
        appliance.stop()


def _pid(appliance: Appliance, name: str) -> int:
    process = appliance.process(name)
    assert process is not None
    return process.pid


def _hint(chance: random.Random, path: tuple[str | int, ...]) -> Any:
    """EVSEs and a card that exist, and a place for logs where nobody listens."""
    name, parent = path[-1] if path else "", path[-2] if len(path) > 1 else ""
    if name in ("evseId", "connectorId") or (name == "id" and parent == "evse"):
        return chance.choice((1, 1, 2, 3, 1.0))
    if name == "idToken" and parent == "idToken":
        return CARD
    if name == "remoteLocation":
        return "http://127.0.0.1:9/upload"
    return None
