"""Part 6, section 2.7: F Remote control: start, stop and unlock."""

import pytest

from tests.conformance.kinds import kinds
from tests.conformance.rig import Payload, Rig
from tests.conformance.states import Session, configured


def _unlock(rig: Rig, evse: int = 1, connector: int = 1) -> str:
    status: str = rig.call("UnlockConnector", {"evseId": evse, "connectorId": connector})["status"]
    return status


@pytest.mark.tc("TC_F_01")
@kinds("ISO14443", "ISO15693", "Central", "NoAuthorization")
def test_remote_start_cable_plugin_first(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, remote=True)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_F_02")
@kinds("ISO14443", "ISO15693")  # of the others the CSMS is never asked (C03.FR.01, C02)
def test_remote_start_first_with_authorization(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, remote=True, **{"AuthCtrlr.AuthorizeRemoteStart": "true"})
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_F_03")
@kinds("ISO14443", "ISO15693", "Central", "NoAuthorization")
def test_remote_start_first_without_authorization(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, remote=True, **{"AuthCtrlr.AuthorizeRemoteStart": "false"})
    session.authorize()
    session.energy_transfer_started()
    rig.expect_none("Authorize", during=1.0)


@pytest.mark.tc("TC_F_04")
def test_remote_start_cable_plugin_timeout(rig: Rig) -> None:
    session = configured(rig, start="Authorized", remote=True, **{"TxCtrlr.EVConnectionTimeOut": "3"})
    session.authorize()
    event = session.event("EVConnectTimeout")
    assert event["eventType"] == "Ended", event
    again = Session(rig, remote=True, start_points=session.start_points, remote_start_id=43)
    again.authorize()
    assert again.events[-1]["eventType"] == "Started", again.events


@pytest.mark.tc("TC_F_05")
def test_unlock_with_ongoing_transaction(rig: Rig) -> None:
    rig.socket = True
    session = configured(rig)
    session.energy_transfer_started()
    assert _unlock(rig) == "OngoingAuthorizedTransaction"


@pytest.mark.tc("TC_F_06")
def test_unlock_without_transaction(rig: Rig) -> None:
    rig.socket = True
    rig.start()
    rig.plug()
    rig.let(0.5)
    assert _unlock(rig) == "Unlocked"


@pytest.mark.tc("TC_F_07")
def test_unlock_without_cable(rig: Rig) -> None:
    rig.socket = True
    rig.start()
    assert _unlock(rig) == "Unlocked"


@pytest.mark.tc("TC_F_08")
@pytest.mark.both_rigs
def test_remote_stop(rig: Rig) -> None:
    session = configured(rig)
    session.energy_transfer_started()
    session.remote = True
    session.stop_authorized()


@pytest.mark.tc("TC_F_09")
def test_remote_stop_rejected(rig: Rig) -> None:
    session = configured(rig)
    session.energy_transfer_started()
    unknown = {"transactionId": "7c0e1d1c-0000-4000-8000-00000000f009"}
    assert rig.call("RequestStopTransaction", unknown)["status"] == "Rejected"


@pytest.mark.tc("TC_F_10")
def test_unlock_unknown_connector(rig: Rig) -> None:
    rig.socket = True
    rig.start()
    assert _unlock(rig, connector=999) == "UnknownConnector"


@pytest.mark.tc("TC_K_38")
@pytest.mark.parametrize(("unit", "limit"), [("A", 6), ("W", 6000)])
def test_remote_start_ignores_a_charging_profile(rig: Rig, unit: str, limit: int) -> None:
    period = {"startPeriod": 0, "limit": limit, "numberPhases": 1}
    profile: Payload = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [{"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": [period]}],
    }
    session = configured(rig, remote=True)
    session.remote_extra = {"chargingProfile": profile}
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()
