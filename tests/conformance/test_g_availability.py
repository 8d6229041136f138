"""Part 6, section 2.8: G Availability."""

import pytest

from tests.conformance.rig import Rig
from tests.conformance.states import Session, availability, booted, configured, connector_is, unavailable

LEVELS = {"station": (None, None), "evse": (1, None), "connector": (1, 1)}


def _change(rig: Rig, *, operative: bool, evse: int | None = None, connector: int | None = None) -> str:
    payload = availability(operative=operative, evse=evse, connector=connector)
    status: str = rig.call("ChangeAvailability", payload)["status"]
    return status


def _all_evses(rig: Rig, evse: int | None) -> list[int]:
    return [evse] if evse else list(range(1, rig.evses + 1))


@pytest.mark.tc("TC_G_01")
def test_available_to_occupied(rig: Rig) -> None:
    configured(rig).ev_connected_pre_session()


@pytest.mark.tc("TC_G_02")
@pytest.mark.both_rigs
def test_occupied_to_available(rig: Rig) -> None:
    session = configured(rig)
    session.ev_connected_pre_session()
    rig.unplug()
    session.connector_status("Available")


@pytest.mark.tc("TC_G_03", "TC_G_05", "TC_G_07")
@pytest.mark.parametrize("level", LEVELS)
def test_operative_to_inoperative(rig: Rig, level: str) -> None:
    rig.start()
    unavailable(rig, *LEVELS[level])
    if level != "station":
        rig.expect_none("StatusNotification", lambda one: one["evseId"] == 2, during=1.0)


@pytest.mark.tc("TC_G_04", "TC_G_06", "TC_G_08")
@pytest.mark.parametrize("level", LEVELS)
def test_inoperative_to_operative(rig: Rig, level: str) -> None:
    evse, connector = LEVELS[level]
    rig.start()
    unavailable(rig, evse, connector)
    assert _change(rig, operative=True, evse=evse, connector=connector) == "Accepted"
    for number in _all_evses(rig, evse):
        assert connector_is(rig, "Available", number)["connectorId"] == 1


@pytest.mark.tc("TC_G_09", "TC_G_12", "TC_G_15")
@pytest.mark.parametrize("level", LEVELS)
def test_operative_to_operative(rig: Rig, level: str) -> None:
    evse, connector = LEVELS[level]
    rig.start()
    assert _change(rig, operative=True, evse=evse, connector=connector) == "Accepted"


@pytest.mark.tc("TC_G_10", "TC_G_13", "TC_G_16")
@pytest.mark.parametrize("level", LEVELS)
def test_inoperative_to_inoperative(rig: Rig, level: str) -> None:
    evse, connector = LEVELS[level]
    rig.start()
    unavailable(rig, evse, connector)
    assert _change(rig, operative=False, evse=evse, connector=connector) == "Accepted"


@pytest.mark.tc("TC_G_11", "TC_G_14", "TC_G_17")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("stop", ["EVConnected,Authorized", "EVConnected", "ParkingBayOccupancy"])
def test_with_ongoing_transaction(rig: Rig, level: str, stop: str) -> None:
    evse, connector = LEVELS[level]
    session = configured(rig, stop=stop)
    session.parking_bay_occupied()
    session.energy_transfer_started()
    assert _change(rig, operative=False, evse=evse, connector=connector) == "Scheduled"
    if level == "station":
        connector_is(rig, "Unavailable", 2)  # no transaction there
    session.stop_authorized()
    told = _told_when_ended(session)
    session.ev_connected_post_session()
    rig.unplug()
    session.connected = False
    if not session.ended:
        session.event("EVCommunicationLost")
        told = _told_when_ended(session) or told
    rig.bay(occupied=False)
    if not session.ended:
        session.event("EVDeparted")
        told = _told_when_ended(session) or told
    assert session.ended
    assert told


def _told_when_ended(session: Session) -> bool:
    if session.ended:
        session.connector_status("Unavailable")
    return session.ended


@pytest.mark.tc("TC_G_18", "TC_G_19", "TC_G_21")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("how", ["reset", "power"])
def test_state_persists_across_reboot(rig: Rig, level: str, how: str) -> None:
    evse, connector = LEVELS[level]
    rig.start()
    unavailable(rig, evse, connector)
    if how == "power":
        rig.power_cycle()
    else:
        assert rig.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    booted(rig, statuses=dict.fromkeys(_all_evses(rig, evse), "Unavailable"))
