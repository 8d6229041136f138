"""L01.FR.06, .07, .33: an update and those who charge, or want to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ocpp.blocks.firmware_rig import CARD, DOWNLOADED, WHOLE, Rig, make


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make(tmp_path)


def charge(rig: Rig, evse: int = 1, card: str = CARD) -> None:
    rig.plug(evse)
    rig.card(card, evse=evse)
    rig.let(3)
    assert rig.station.context.evses[evse].transaction is not None


def test_it_waits_for_the_session_and_lets_nobody_else_in(rig: Rig) -> None:
    charge(rig)
    rig.update()
    rig.let(5)
    assert rig.told() == [*DOWNLOADED, "InstallScheduled"]
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Occupied", "Unavailable")  # L01.FR.07
    rig.card("04FFEEDDCCBBAA", evse=2)
    rig.plug(2)
    rig.let(3)
    assert rig.station.context.evses[2].transaction is None
    start = {"idToken": {"idToken": "X", "type": "Central"}, "remoteStartId": 1, "evseId": 2}
    assert rig.call("RequestStartTransaction", start)["status"] == "Rejected"
    rig.card(CARD, evse=1)
    rig.reboot()
    rig.let(3)
    assert rig.told() == [*DOWNLOADED, "InstallScheduled", *WHOLE[3:]]
    assert rig.security()[-1] == "FirmwareUpdated"
    assert rig.statuses(2)[-1] == "Occupied"


def test_sessions_may_begin_while_it_waits(tmp_path: Path) -> None:
    rig = make(tmp_path, **{"ChargingStation.AllowNewSessionsPendingFirmwareUpdate": "true"})
    charge(rig)
    rig.update()
    rig.let(5)
    assert "Unavailable" not in rig.statuses(2)
    charge(rig, 2, "04FFEEDDCCBBAA")
    rig.card(CARD, evse=1)
    rig.let(15)
    assert rig.told()[-1] == "InstallScheduled"
    rig.card("04FFEEDDCCBBAA", evse=2)
    rig.reboot()


def test_who_was_let_in_before_may_still_plug_in(rig: Rig) -> None:
    rig.card(CARD)
    rig.let(1)
    rig.update()
    rig.let(5)
    assert rig.told()[-1] == "InstallScheduled"
    assert "Unavailable" not in rig.statuses(1)
    rig.plug(1)
    rig.let(3)
    assert rig.station.context.evses[1].transaction is not None
    assert rig.statuses(2)[-1] == "Unavailable"


def test_a_cancel_gives_the_evses_back(rig: Rig) -> None:
    charge(rig)
    rig.update()
    rig.let(5)
    assert rig.statuses(2)[-1] == "Unavailable"
    rig.update(request_id=8, retrieve=rig.after(10_000))
    rig.let(2)
    assert rig.statuses(2)[-1] == "Available"


def test_an_evse_that_the_csms_took_out_of_service_stays_so(rig: Rig) -> None:
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})
    rig.update()
    rig.reboot()
    rig.let(3)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Unavailable")


def test_a_session_outlives_the_change_of_the_code(tmp_path: Path) -> None:
    rig = make(tmp_path, **{"FirmwareCtrlr.InstallDuringTransactions": "true"})
    charge(rig)
    transaction = rig.station.context.evses[1].transaction
    assert transaction is not None
    rig.update()
    rig.reboot()
    rig.let(10)
    assert rig.told() == WHOLE
    after = rig.station.context.evses[1].transaction
    assert after is not None
    assert after.transaction_id == transaction.transaction_id
    assert "Ended" not in [event["eventType"] for event in rig.events_of(transaction.transaction_id)]
