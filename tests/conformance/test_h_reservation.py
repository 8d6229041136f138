"""Part 6, section 2.9: H Reservation; and a reset of block B that has to do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from station.domain.moment import rfc3339
from tests.conformance.rig import CARD, OTHER_CARD, WITHIN, Payload, Rig
from tests.conformance.states import Session, availability, booted, configured, connector_is, unavailable

GROUP = {"idToken": "FLEET-7", "type": "Central"}
EXPIRY = 60  # s, as in the OCTT
HOUR = 3600


def reserve(rig: Rig, reservation_id: int = 1, token: str = CARD, *, lasts: float = HOUR, **fields: Any) -> str:
    """ReserveNow; returns the status."""
    payload = {
        "id": reservation_id,
        "expiryDateTime": rfc3339(rig.utc() + timedelta(seconds=lasts)),
        "idToken": {"idToken": token, "type": "ISO14443"},
        **fields,
    }
    status: str = rig.call("ReserveNow", payload)["status"]
    return status


def reserved(rig: Rig, token: str = CARD, *, lasts: float = HOUR, **fields: Any) -> None:
    """The state Reserved, of EVSE 1."""
    assert reserve(rig, 1, token, lasts=lasts, evseId=1, **fields) == "Accepted"
    connector_is(rig, "Reserved")


def used(session: Session, reservation_id: int = 1) -> None:
    """The CSMS was told once which reservation the transaction has ended (H01.FR.15)."""
    told = [event["reservationId"] for event in session.events if "reservationId" in event]
    assert told == [reservation_id], session.events


def in_group(payload: Payload) -> Payload:
    """How the CSMS answers Authorize for a token of the group."""
    return {"idTokenInfo": {"status": "Accepted", "groupIdToken": GROUP}}


@pytest.mark.tc("TC_H_01")
@pytest.mark.both_rigs
@pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
def test_the_reserved_token_is_let_in(rig: Rig, *, remote: bool) -> None:
    session = configured(rig, remote=remote)
    reserved(rig)
    session.authorize()
    connector_is(rig, "Available")
    session.energy_transfer_started()
    used(session)


@pytest.mark.tc("TC_H_02")
@pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
def test_another_token_is_not(rig: Rig, *, remote: bool) -> None:
    configured(rig)
    reserved(rig)
    rig.plug()
    event = rig.expect("TransactionEvent")
    assert event["eventType"] == "Started", event
    if remote:
        request = {"idToken": {"idToken": OTHER_CARD, "type": "ISO14443"}, "remoteStartId": 1, "evseId": 1}
        assert rig.call("RequestStartTransaction", request)["status"] == "Rejected"
    else:
        rig.card(OTHER_CARD)
    charging = "Charging"
    rig.expect_none(
        "TransactionEvent", lambda one: one["transactionInfo"]["chargingState"] == charging, during=WITHIN / 2
    )


@pytest.mark.tc("TC_H_03")
def test_an_evse_that_is_reserved_is_not_reserved_again(rig: Rig) -> None:
    rig.start()
    reserved(rig)
    assert reserve(rig, 2, OTHER_CARD, evseId=1) == "Occupied"


@pytest.mark.tc("TC_H_04")
def test_an_evse_that_is_in_use_is_not_reserved(rig: Rig) -> None:
    configured(rig).energy_transfer_started()
    assert reserve(rig, 1, OTHER_CARD, evseId=1) == "Occupied"


@pytest.mark.tc("TC_H_06")
def test_an_evse_that_is_unavailable_is_not_reserved(rig: Rig) -> None:
    rig.start()
    unavailable(rig, 1)
    assert reserve(rig, evseId=1) == "Unavailable"


@pytest.mark.tc("TC_H_07")
def test_a_reservation_that_is_not_used_ends(rig: Rig) -> None:
    session = configured(rig)
    reserved(rig, lasts=EXPIRY / 10)
    connector_is(rig, "Available")
    assert rig.expect("ReservationStatusUpdate") == {"reservationId": 1, "reservationUpdateStatus": "Expired"}
    session.token = OTHER_CARD
    session.authorize()
    session.energy_transfer_started()
    assert not any("reservationId" in event for event in session.events), session.events


@pytest.mark.tc("TC_H_22")
def test_reservations_are_switched_off(rig: Rig) -> None:
    rig.start(**{"ReservationCtrlr.Enabled": "false"})
    assert reserve(rig, evseId=1) == "Rejected"


@pytest.mark.tc("TC_H_23")
def test_a_reservation_is_replaced(rig: Rig) -> None:
    session = configured(rig)
    reserved(rig)
    assert reserve(rig, 1, OTHER_CARD, evseId=1) == "Accepted"
    session.token = OTHER_CARD
    session.authorize()
    session.energy_transfer_started()
    used(session)


@pytest.mark.tc("TC_H_19")
def test_a_token_of_the_group_is_let_in(rig: Rig) -> None:
    session = configured(rig)
    reserved(rig, groupIdToken=GROUP)
    rig.answer("Authorize", in_group)
    session.token = OTHER_CARD
    session.authorize()
    session.energy_transfer_started()
    used(session)


@pytest.mark.tc("TC_H_08")
@pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])
def test_any_evse_is_reserved(rig: Rig, *, remote: bool) -> None:
    session = configured(rig, remote=remote)
    assert reserve(rig) == "Accepted"
    rig.expect_none("StatusNotification", during=1.0)  # there is more than one EVSE
    session.authorize()
    session.energy_transfer_started()
    used(session)


def all_reserved(rig: Rig) -> None:
    """TC_H_14: as many reservations as EVSEs, each for somebody else."""
    for number in range(1, rig.evses + 1):
        assert reserve(rig, number, f"{CARD[:-2]}{number:02d}") == "Accepted"
    for evse in range(1, rig.evses + 1):
        connector_is(rig, "Reserved", evse)


@pytest.mark.tc("TC_H_09")
def test_no_evse_is_left_to_reserve(rig: Rig) -> None:
    rig.start()
    all_reserved(rig)
    assert reserve(rig, 100, OTHER_CARD) == "Occupied"


@pytest.mark.tc("TC_H_10")
def test_all_evses_are_in_use(rig: Rig) -> None:
    configured(rig).energy_transfer_started()
    Session(rig, evse=2, token=OTHER_CARD).energy_transfer_started()
    assert reserve(rig, 1, "04000000000003") == "Occupied"


@pytest.mark.tc("TC_H_12")
def test_the_station_is_unavailable(rig: Rig) -> None:
    rig.start()
    unavailable(rig)
    assert reserve(rig) == "Unavailable"


@pytest.mark.tc("TC_H_13")
def test_an_evse_has_to_be_named(rig: Rig) -> None:
    rig.start(**{"ReservationCtrlr.NonEvseSpecific": "false"})
    assert reserve(rig) == "Rejected"


@pytest.mark.tc("TC_H_14")
def test_as_many_reservations_as_evses(rig: Rig) -> None:
    rig.start()
    all_reserved(rig)


@pytest.mark.tc("TC_H_24")
def test_any_evse_for_a_group(rig: Rig) -> None:
    session = configured(rig)
    unavailable(rig, 2)  # so that one EVSE is left, which becomes Reserved
    assert reserve(rig, groupIdToken=GROUP) == "Accepted"
    connector_is(rig, "Reserved")
    rig.answer("Authorize", in_group)
    session.token = OTHER_CARD
    session.authorize()
    session.energy_transfer_started()
    used(session)


@pytest.mark.tc("TC_H_15")
def test_a_type_of_connector_is_reserved(rig: Rig) -> None:
    session = configured(rig)
    unavailable(rig, 2)
    assert reserve(rig, connectorType="cType1") == "Accepted"
    connector_is(rig, "Reserved")  # the last one of that type
    session.authorize()
    session.energy_transfer_started()
    used(session)


@pytest.mark.tc("TC_H_16")
def test_no_connector_of_the_type_is_left(rig: Rig) -> None:
    rig.start()
    all_reserved(rig)
    assert reserve(rig, 100, OTHER_CARD, connectorType="cType1") == "Occupied"


@pytest.mark.tc("TC_H_17")
def test_a_reservation_is_cancelled(rig: Rig) -> None:
    rig.start()
    reserved(rig)
    assert rig.call("CancelReservation", {"reservationId": 1})["status"] == "Accepted"
    connector_is(rig, "Available")


@pytest.mark.tc("TC_H_18")
def test_there_is_nothing_to_cancel(rig: Rig) -> None:
    rig.start()
    assert rig.call("CancelReservation", {"reservationId": 1})["status"] == "Rejected"


@pytest.mark.tc("TC_H_21")
def test_an_evse_that_becomes_unavailable_is_not_reserved_any_more(rig: Rig) -> None:
    session = configured(rig)
    reserved(rig)
    assert rig.call("ChangeAvailability", availability(operative=False, evse=1))["status"] == "Accepted"
    connector_is(rig, "Unavailable")
    assert rig.expect("ReservationStatusUpdate") == {"reservationId": 1, "reservationUpdateStatus": "Removed"}
    assert rig.call("ChangeAvailability", availability(operative=True, evse=1))["status"] == "Accepted"
    connector_is(rig, "Available")
    session.token = OTHER_CARD
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_B_24")
def test_a_reservation_outlives_a_reset(rig: Rig) -> None:
    rig.start()
    reserved(rig)
    rig.forget()
    assert rig.call("Reset", {"type": "Immediate"})["status"] == "Accepted"  # errata 2025-09, 6.2.16
    booted(rig, reason="RemoteReset", statuses={1: "Reserved"})
