"""Bad input: every action with every field missing, of a wrong type, out of range, too long, unknown or too much.

Each gets the CALLERROR that part 4, table 8 has for it, and nothing in the station changes. What is valid by schema,
however odd, gets an answer that is none of ``InternalError``.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import pytest

from station.device_model.components import DeviceDataCtrlr
from station.ocpp import schemas
from station.ocpp.blocks.a_security import Security
from tests.conformance.mutations import FORMAT, Path, anything, broken_frames, largest, mutations, schema, smallest
from tests.support.memory_rig import MemoryRig, Reply

ACTIONS = sorted(schemas.ACTIONS_TO_STATION)
OFFLINE_THRESHOLD = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
CARD = "04A2B3C4D5E6F7"
BYTES_PER_MESSAGE = {
    "GetReport": DeviceDataCtrlr.BytesPerMessageGetReport,
    "GetVariables": DeviceDataCtrlr.BytesPerMessageGetVariables,
    "SetVariables": DeviceDataCtrlr.BytesPerMessageSetVariables,
}
SEEDS, CALLS = 12, 250
PROFILE = {
    "ocppVersion": "OCPP20",
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "ws://csms-2.example/ocpp",
    "messageTimeout": 30,
    "securityProfile": 1,
    "ocppInterface": "Wired0",
}
FEATURES = {"AuthCacheCtrlr.Enabled": "true", "EVSE@1.AllowReset": "true"}
LATER = 60.0  # s in which every call must have had its answer


@pytest.fixture(scope="module")
def rig() -> MemoryRig:
    """A station that has something to lose: a session, an event that waits, an EVSE out of service, a set variable."""
    rig = MemoryRig().boot()
    assert rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})["status"]
    assert rig.set_variable("OCPPCommCtrlr.OfflineThreshold", "200") == "Accepted"
    rig.plug(1)
    rig.card(CARD, evse=1)
    rig.let(20)
    rig.answers["TransactionEvent"] = None  # no answer: from here on the queue fills
    rig.unplug(2)
    rig.ev(1, wants_energy=False)
    rig.let(5)
    assert rig.disk.queue
    assert [one.active for one in rig.disk.transactions.values()] == [True]
    return rig


def photograph(rig: MemoryRig) -> dict[str, Any]:
    """All that bad input could have changed: on the disk, in the station, at the board and on its way.

    But for the security log, whose matter bad input is (InvalidMessages): a few entries, however much of it there is.
    """
    station = rig.station
    noted = [one for one in rig.disk.security_log if one.type == "InvalidMessages"]
    assert len(noted) <= 10
    others = [one for one in rig.disk.security_log if one not in noted]
    return {
        "disk": repr(asdict(replace(rig.disk, security_log=others))),
        "device model": [
            (str(entry.names), attribute, entry.text(attribute))
            for entry in station.model.entries()
            for attribute in entry.variable.attributes
        ],
        "availability": station.context.availability.dump(),
        "seats": [repr(seat) for seat in station.context.seats()],
        "network profiles": repr(station.network.in_force),
        "deadlines": [
            rig.rpc.deadline(),
            rig.station.outbox.deadline(),
            *(block.deadline() for block in station._blocks if not isinstance(block, Security)),
        ],
        "board": repr(rig.board.evses),
        "errands": (len(rig.reboots), len(rig.reconnects), len(rig.transfers.orders)),
        "calls": [frame for direction, frame in rig.trace if direction == ">" and frame[0] == 2],
    }


def code_of(rig: MemoryRig, frame: str | bytes, call_id: str = "bad") -> str | None:
    """The error code of the only answer to ``frame``, None where there is none; the answer's form is checked."""
    answers = rig.hear(frame)
    if not answers:
        return None
    [[kind, answered, code, description, details]] = answers
    assert (kind, answered, details) == (4, call_id, {}), answers
    assert isinstance(description, str)
    assert len(description) <= 255
    return str(code)


def still_answers(rig: MemoryRig) -> None:
    [[kind, call_id, answer]] = rig.hear(
        json.dumps([2, "good", "GetVariables", {"getVariableData": [OFFLINE_THRESHOLD]}])
    )
    assert (kind, call_id) == (3, "good")
    assert answer["getVariableResult"][0]["attributeValue"] == "200"


# ---------------------------------------------------------------------- payloads with one mistake


@pytest.mark.parametrize("action", ACTIONS)
def test_each_mistake_gets_its_error_and_changes_nothing(rig: MemoryRig, action: str) -> None:
    before, wrong = photograph(rig), []
    for mutation in mutations(action):
        code = code_of(rig, json.dumps([2, "bad", action, mutation.payload]))
        if code != mutation.code:
            wrong.append(f"{mutation.what}: {code} instead of {mutation.code}")
    assert not wrong, "\n".join(wrong[:20])
    assert photograph(rig) == before
    still_answers(rig)


def test_the_mistakes_are_many_and_of_every_kind() -> None:
    kinds = Counter(mutation.code for action in ACTIONS for mutation in mutations(action))
    assert kinds.total() >= 10_000
    assert len(kinds) == 4
    assert min(kinds.values()) >= 500
    for action in ACTIONS:
        for payload in (smallest(schema(action)), largest(schema(action))):
            schemas.validate_request(action, payload)  # else a mistake would not be the only one


# ---------------------------------------------------------------------- frames


@pytest.mark.parametrize("action", ACTIONS)
def test_each_broken_frame_gets_its_error_and_changes_nothing(rig: MemoryRig, action: str) -> None:
    before = photograph(rig)
    for frame, call_id, code in broken_frames(action):
        assert code_of(rig, frame, call_id) == code, frame[:200]
    assert photograph(rig) == before
    still_answers(rig)


@pytest.mark.parametrize("action", sorted(schemas.ACTIONS_FROM_STATION - schemas.ACTIONS_TO_STATION))
def test_the_stations_own_actions_are_not_supported(rig: MemoryRig, action: str) -> None:
    before = photograph(rig)
    for payload in ({}, smallest(schema(action)), largest(schema(action))):
        assert code_of(rig, json.dumps([2, "bad", action, payload])) == "NotSupported"
    assert photograph(rig) == before


# ---------------------------------------------------------------------- valid, however odd


class Hints:
    """Names that mean something to the station of ``rig``, so that chance gets past "unknown"."""

    def __init__(self, rig: MemoryRig) -> None:
        self._rig = rig
        self._names = [entry.names for entry in rig.station.model.entries()]
        self._texts = [
            "",
            "0",
            "1",
            "true",
            "False",
            "30",
            "-5",
            "0.5",
            "PowerPathClosed,Authorized",
            "Energy.x",
            "1,1",
        ]

    def __call__(self, chance: random.Random, path: Path) -> Any:
        name, parent = path[-1] if path else "", path[-2] if len(path) > 1 else ""
        fields = [step for step in path if isinstance(step, str)]
        if name == "transactionId":
            return chance.choice([*self._rig.disk.transactions, ""][-3:])
        if name == "idToken" and parent in ("idToken", "groupIdToken"):
            return chance.choice((CARD, CARD.lower(), "04FFEEDDCCBBAA", ""))
        if name == "attributeValue":
            return chance.choice([chance.choice(self._names).variable, *self._texts])
        if fields and fields[-1] in (
            "getVariableData",
            "componentVariable",
            "setVariableData",
            "component",
            "variable",
        ):
            return self._place(chance, fields[-1], parent, name)
        if name in ("evseId", "connectorId", "configurationSlot") or (name == "id" and parent == "evse"):
            return chance.choice((0, 1, 1, 2, 2, 3, -1, 1.0))
        if name == "connectionData":
            return chance.choice((None, {**PROFILE, "messageTimeout": chance.choice((30, 30.0, 5e1, 1))}))
        if name == "remoteLocation":
            return chance.choice(("http://logs.example/upload", "https://a:b@logs.example/", "x", "http://["))
        if name in ("requestId", "remoteStartId", "retries", "retryInterval"):
            return chance.choice((0, 1, 2.0, 3e1, -1, 2**31 - 1))
        return None

    def _place(self, chance: random.Random, last: str, parent: Any, name: Any) -> Any:
        """A component and a variable that exist together, now and then with a wrong instance or EVSE."""
        if not isinstance(name, int):
            return None
        names = chance.choice(self._names)
        component: dict[str, Any] = {"name": names.component}
        variable: dict[str, Any] = {"name": chance.choice((names.variable, names.variable.upper()))}
        if names.component_instance or chance.random() < 0.05:
            component["instance"] = names.component_instance
        if names.variable_instance or chance.random() < 0.05:
            variable["instance"] = names.variable_instance
        if names.evse_id:
            component["evse"] = {"id": names.evse_id} | ({"connectorId": 1} if names.connector_id else {})
        place: dict[str, Any] = {"component": component, "variable": variable}
        if chance.random() < 0.3:
            place["attributeType"] = chance.choice(("Actual", "Target", "MinSet", "MaxSet"))
        if last == "setVariableData":
            now = self._rig.station.model.entry(names).text()
            place["attributeValue"] = chance.choice((*self._texts, *[now] * 8, "x" * 1000, "é", "2026-03-01T12:00:00Z"))
        elif last == "componentVariable":
            place.pop("attributeType", None)
        return place


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_is_valid_gets_a_valid_answer(seed: int) -> None:
    """No InternalError, no exception (the rig is strict about answers, too), and the next life reads what was kept."""
    chance = random.Random(seed)
    rig = MemoryRig(seed=seed, **FEATURES).boot()
    hints = Hints(rig)
    asked: list[str] = []
    for _ in range(CALLS):
        action = chance.choice([*ACTIONS, *sorted(rig.station.actions) * 4])
        payload = anything(schema(action), chance, hints)
        schemas.validate_request(action, payload)
        said = rig.call(action, payload)
        assert said.get("error") == _refusal(rig, action, payload), f"{action} {payload}: {said}"
        asked.append(rig.last_call_id)
        _live_on(rig, chance, asked)
    rig.let(LATER)
    _live_on(rig, chance, asked, hands=False)
    assert [call_id for call_id in asked if not rig.answered(call_id)] == []
    rig.power_cut()
    rig.boot(connect=False)
    assert not rig.station.model.ignored


def _refusal(rig: MemoryRig, action: str, payload: dict[str, Any]) -> str | None:
    """The only errors that what is valid by schema may get: nobody handles it, or it is longer than announced."""
    if action not in rig.station.actions:
        return "NotSupported"
    limit = BYTES_PER_MESSAGE.get(action)
    if (
        limit
        and len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()) > rig.station.model[limit]
    ):
        return FORMAT
    return None


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON knows no integers; what is kept and told of 30.0 is 30."""
    rig = MemoryRig().boot()
    assert rig.call(
        "SetNetworkProfile", {"configurationSlot": 2.0, "connectionData": {**PROFILE, "messageTimeout": 3e1}}
    )
    rig.call("GetReport", {"requestId": 7.0})
    rig.let(1)
    assert '"requestId": 7,' in json.dumps(rig.sent("NotifyReport")[0])
    assert "30.0" not in repr(rig.disk.network_profiles)
    assert [type(slot) for slot in rig.disk.network_profiles] == [int, int]


def _live_on(rig: MemoryRig, chance: random.Random, asked: list[str], *, hands: bool = True) -> None:
    """What the world does meanwhile. Calls that a reboot or a new connection cut off need no answer any more."""
    if rig.reboots or rig.reconnects or not rig.online:
        asked[:] = [call_id for call_id in asked if rig.answered(call_id)]
    if rig.reboots:
        rig.reboots.clear()
        rig.reconnects.clear()
        rig.boot(connect=False)
    elif rig.reconnects:
        rig.reconnects.clear()
        rig.disconnect()
    if not rig.online:
        rig.connect(rig.station.network.in_force[0].slot)
    if hands:
        match chance.randrange(12):
            case 0:
                rig.plug(chance.randint(1, 2))
            case 1:
                rig.unplug(chance.randint(1, 2))
            case 2:
                rig.card(CARD, evse=chance.randint(1, 2))
            case 3:
                rig.let(chance.choice((1.0, 6.0, 20.0)))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_the_csms_answers_the_station_lives_on(seed: int) -> None:
    """Every answer is valid by schema and else as odd as can be; afterwards an ordinary CSMS finds the station well."""
    chance = random.Random(seed)
    rig = MemoryRig(seed=seed, **FEATURES).boot()
    hints = Hints(rig)

    def answering(action: str) -> Reply:
        def answer(payload: dict[str, Any]) -> dict[str, Any] | None:
            if chance.random() < 0.3:
                return None if chance.random() < 0.1 else rig.default(action)
            odd: dict[str, Any] = anything(schema(action, "Response"), chance, hints)
            schemas.validate_response(action, odd)
            return odd

        return answer

    for action in schemas.ACTIONS_FROM_STATION:
        rig.answers[action] = answering(action)
    for number in range(60):
        if number % 20 == 10:
            rig.power_cut()
            rig.boot()
        _live_on(rig, chance, [])
        if chance.random() < 0.3:
            rig.call("TriggerMessage", anything(schema("TriggerMessage"), chance, hints))
    rig.answers.clear()
    rig.power_cut()
    rig.boot()
    rig.unplug(1)
    rig.unplug(2)
    rig.let(LATER)
    rig.release()
    rig.skip(3_600)
    assert not rig.disk.queue
    assert rig.call("GetVariables", {"getVariableData": [OFFLINE_THRESHOLD]})["getVariableResult"]
