"""The connection doctor's desk: who may ask for what, and what is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.diagnosis import Outcome, Step, StepName
from station.domain.effects import DiagnoseConnection, Effect, FinishCommand, Remember, StopDiagnosis
from station.domain.events import ConnectionDiagnosed, OperatorCommand
from tests.support.memory_rig import CSMS_URL, MemoryRig

FINE = Step(StepName.NAME, Outcome.PASSED, 0.1, "Fine.")
ODD = Step(StepName.TLS, Outcome.WARNED, 0.1, "Odd.", "Mend it.")
WRONG = Step(StepName.TCP, Outcome.FAILED, 0.1, "Wrong.", "Mend it.")


def command(rig: MemoryRig, action: str, **arguments: Any) -> list[Effect]:
    return rig.station.step(OperatorCommand(1, "olga", action, arguments), rig.now)


def one(effects: list[Effect], kind: type) -> Any:
    (found,) = [effect for effect in effects if isinstance(effect, kind)]
    return found


def booted() -> MemoryRig:
    rig = MemoryRig().boot()
    rig.let(1)
    return rig


def test_a_slot_that_the_station_is_connected_with() -> None:
    rig = booted()
    effects = command(rig, "diagnose_connection", slot=1)
    order = one(effects, DiagnoseConnection)
    assert (order.profile.csms_url, order.connected, order.registration) == (CSMS_URL, True, "Accepted")
    assert one(effects, FinishCommand).status == "Accepted"


def test_offline_it_is_for_the_doctor_to_log_in() -> None:
    rig = booted()
    rig.disconnect()
    assert one(command(rig, "diagnose_connection", slot=1), DiagnoseConnection).connected is False


def test_a_url_to_try() -> None:
    rig = booted()
    effects = command(rig, "diagnose_connection", csms_url="wss://new.example/x", security_profile=2)
    order = one(effects, DiagnoseConnection)
    assert (order.profile.csms_url, order.profile.security_profile) == ("wss://new.example/x", 2)
    assert not order.connected


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"slot": 3},
        {"slot": "1"},
        {"csms_url": "wss://x/y"},
        {"csms_url": "wss://x/y", "security_profile": 1},
        {"csms_url": "http://x/y", "security_profile": 1},
        {"csms_url": "ws://a:b@x/y", "security_profile": 1},
        {"csms_url": 5, "security_profile": 1},
    ],
)
def test_what_cannot_be_looked_at(arguments: dict[str, Any]) -> None:
    rig = booted()
    (finished,) = command(rig, "diagnose_connection", **arguments)
    assert isinstance(finished, FinishCommand)
    assert finished.status == "Rejected"


def test_the_last_result_is_remembered_and_shown_for_a_while() -> None:
    rig = booted()
    order = one(command(rig, "diagnose_connection", slot=1), DiagnoseConnection)
    assert not [e for e in rig.station.step(ConnectionDiagnosed(order.diagnosis_id, (FINE,)), rig.now) if e]
    effects = rig.station.step(ConnectionDiagnosed(order.diagnosis_id, (FINE, WRONG), over=True), rig.now)
    kept = one(effects, Remember)
    assert kept.key == "connection_diagnosis"
    assert (kept.value["verdict"], kept.value["steps"][1]["advice"]) == ("Wrong.", "Mend it.")
    assert rig.station.doctor.current(rig.now) is not None
    assert rig.station.doctor.current(rig.now.plus(31)) is None


@pytest.mark.parametrize(
    ("steps", "verdict"), [((FINE,), "The connection works."), ((FINE, ODD), "It works, but: Odd."), ((), None)]
)
def test_the_verdict(steps: tuple[Step, ...], verdict: str | None) -> None:
    rig = booted()
    order = one(command(rig, "diagnose_connection", slot=1), DiagnoseConnection)
    assert rig.station.doctor.current(rig.now).verdict == ""
    rig.step(ConnectionDiagnosed(order.diagnosis_id, steps, over=True))
    assert rig.station.doctor.current(rig.now).verdict == (verdict or "The connection works.")


def test_a_new_one_takes_the_place_of_the_old_one() -> None:
    rig = booted()
    first = one(command(rig, "diagnose_connection", slot=1), DiagnoseConnection)
    effects = command(rig, "diagnose_connection", slot=1)
    assert one(effects, StopDiagnosis).diagnosis_id == first.diagnosis_id
    rig.step(ConnectionDiagnosed(first.diagnosis_id, (WRONG,), over=True))
    assert rig.station.doctor.current(rig.now).steps == ()


def test_stopping() -> None:
    rig = booted()
    assert one(command(rig, "stop_diagnosis"), FinishCommand).status == "Rejected"
    order = one(command(rig, "diagnose_connection", slot=1), DiagnoseConnection)
    effects = command(rig, "stop_diagnosis")
    assert one(effects, StopDiagnosis).diagnosis_id == order.diagnosis_id
    rig.step(ConnectionDiagnosed(order.diagnosis_id, (FINE,), over=True))
    assert "connection_diagnosis" not in rig.disk.remembered
