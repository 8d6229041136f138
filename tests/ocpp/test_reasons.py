"""The reasons of a whole station, as a driver would meet them."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.board import Fault
from station.domain.reason import LimitedBy, Offline, Reason, Why
from station.ocpp.reasons import PASSING, STANDING
from tests.support.memory_rig import MemoryRig


def reason(rig: MemoryRig, evse: int = 1) -> Reason:
    return rig.station.reason(rig.station.context.evses[evse], rig.now)


def why(rig: MemoryRig, evse: int = 1) -> Why:
    return reason(rig, evse).why


def says(rig: MemoryRig, status: str) -> None:
    rig.answers["Authorize"] = {"idTokenInfo": {"status": status}}


def test_a_whole_session() -> None:
    rig = MemoryRig().boot()
    assert why(rig) is Why.FREE
    rig.plug()
    assert why(rig) is Why.WAITING_FOR_CARD
    rig.answers["Authorize"] = None
    rig.card()
    assert (why(rig), why(rig, 2)) == (Why.CHECKING, Why.FREE)
    rig.release()
    assert why(rig) in (Why.STARTING, Why.CAR_PREPARES)
    rig.let(5)
    assert reason(rig) == Reason(Why.CHARGING)
    rig.ev(wants_energy=False)
    rig.let(10)
    assert (why(rig), reason(rig).charged) == (Why.CAR_PAUSES, True)
    rig.card()
    rig.let(10)
    assert why(rig) is Why.OVER
    rig.unplug()
    assert why(rig) is Why.FREE


def test_a_car_that_asks_for_nothing_from_the_beginning() -> None:
    rig = MemoryRig().boot()
    rig.ev(wants_energy=False)
    rig.plug()
    rig.card()
    rig.let(2)
    assert why(rig) is Why.CAR_PREPARES
    rig.let(5)
    assert (why(rig), reason(rig).charged) == (Why.CAR_PAUSES, False)


@pytest.mark.parametrize(
    "status",
    [
        *("Blocked", "ConcurrentTx", "Expired", "Invalid", "NoCredit", "NotAllowedTypeEVSE", "NotAtThisLocation"),
        *("NotAtThisTime", "Unknown"),
    ],
)
def test_a_refused_card_is_the_reason_while_the_car_waits(status: str) -> None:
    rig = MemoryRig().boot()
    says(rig, status)
    rig.plug()
    rig.card()
    assert reason(rig) == Reason(Why.REFUSED, status=status)
    assert why(rig, 2) is Why.FREE, "another EVSE has nothing to do with it"
    rig.let(PASSING + 10)
    assert reason(rig) == Reason(Why.REFUSED, status=status)
    rig.skip(STANDING)
    rig.poll()
    assert why(rig) is Why.WAITING_FOR_CARD


def test_the_next_driver_does_not_hear_of_the_last_ones_refusal() -> None:
    rig = MemoryRig().boot()
    says(rig, "Blocked")
    rig.plug()
    rig.card()
    rig.unplug()
    rig.let(PASSING + 1)
    rig.plug()
    assert why(rig) is Why.WAITING_FOR_CARD


def test_a_session_after_a_refusal_ends_as_any_other() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    says(rig, "Blocked")
    rig.card(evse=1)
    says(rig, "Accepted")
    rig.card(evse=1)
    rig.let(5)
    rig.card(evse=1)
    rig.let(10)
    assert why(rig) is Why.OVER


def test_a_card_before_the_cable_waits_with_a_clock() -> None:
    rig = MemoryRig(**{"TxCtrlr.EVConnectionTimeOut": "30"}).boot()
    rig.card()
    assert reason(rig) == reason(rig, 2) == Reason(Why.WAITING_FOR_CABLE, left=30)
    rig.let(12)
    assert reason(rig).left == 18
    rig.let(20)
    assert why(rig) is Why.FREE


@pytest.mark.parametrize(("status", "told"), [("Pending", "Pending"), ("Rejected", "Rejected"), (None, "")])
def test_a_csms_that_has_not_accepted_the_station(status: str | None, told: str) -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = status and {
        "status": status, "interval": 300, "currentTime": "2026-03-01T12:00:00Z"
    }  # fmt: skip
    rig.boot()
    rig.plug()
    assert reason(rig) == Reason(Why.NOT_ACCEPTED, status=told)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Offline.NOBODY),
        ({"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"}, Offline.ANYBODY),
        ({"AuthCtrlr.OfflineTxForEveryIdEnabled": "true"}, Offline.ANYBODY),
        ({"AuthCacheCtrlr.Enabled": "true", "AuthCtrlr.LocalAuthorizeOffline": "true"}, Offline.KNOWN),
        ({"AuthCacheCtrlr.Enabled": "false", "AuthCtrlr.LocalAuthorizeOffline": "true"}, Offline.NOBODY),
    ],
)
def test_who_may_charge_while_the_csms_is_away(variables: dict[str, str], expected: Offline) -> None:
    rig = MemoryRig(**{"AuthCtrlr.OfflineTxForUnknownIdEnabled": "false", **variables}).boot()
    rig.plug()
    assert reason(rig) == Reason(Why.WAITING_FOR_CARD)
    rig.disconnect()
    assert reason(rig) == Reason(Why.WAITING_FOR_CARD, offline=expected)
    rig.card()
    allowed = rig.station.context.evses[1].authorization is not None
    assert allowed is (expected is Offline.ANYBODY), "what is said of it is not what happens"


def test_out_of_service_by_the_csms_or_by_a_person_since_when() -> None:
    rig = MemoryRig().boot()
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    assert reason(rig) == Reason(Why.UNAVAILABLE, by="csms", since="2026-03-01T12:00:00.000Z")
    assert why(rig, 2) is Why.FREE
    rig.let(60)
    rig.operator("availability", evse_id=0, operative=False)
    assert reason(rig, 2) == Reason(Why.UNAVAILABLE, by="person", who="owner", since="2026-03-01T12:01:00.000Z")
    rig.power_cut()
    rig.boot()
    assert reason(rig, 2).who == "owner", "a power cut made it forget who"
    rig.operator("availability", 2, evse_id=0, operative=True)
    assert (reason(rig).by, why(rig, 2)) == ("csms", Why.FREE)


def test_out_of_service_after_the_session_that_runs() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    assert why(rig) is Why.CHARGING
    rig.card()
    rig.let(10)
    assert reason(rig).by == "csms"


def test_a_reset_that_waits_for_the_session_takes_the_others_out() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.call("Reset", {"type": "OnIdle"})
    assert why(rig) is Why.CHARGING
    assert reason(rig, 2) == Reason(Why.UNAVAILABLE, by="reset")


@pytest.mark.parametrize("fault", list(Fault))
def test_faults(fault: Fault) -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.fault(1, fault)
    assert reason(rig) == Reason(Why.FAULT, faults=(str(fault),))
    rig.fault(1, None)
    rig.let(1)
    # A fault of the first two kinds has ended the transaction that the cable began (TxStartPoint).
    ended = fault in (Fault.GROUND_FAILURE, Fault.OVER_CURRENT)
    assert why(rig) is (Why.OVER if ended else Why.WAITING_FOR_CARD)
    rig.card()
    rig.let(5)
    assert why(rig) is Why.CHARGING, "a card begins a new session without unplugging"


def test_the_board_is_gone_since() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.board.online = False
    rig.let(1)
    told = reason(rig)
    assert (told.why, told.since[:17]) == (Why.NO_BOARD, "2026-03-01T12:00:")
    rig.let(30)
    assert reason(rig) == told


def refuses(rig: MemoryRig) -> Any:
    return {"idTokenInfo": {"status": "Expired"}}


def test_the_csms_takes_its_word_back_and_the_session_ends() -> None:
    rig = MemoryRig(**{"TxCtrlr.StopTxOnInvalidId": "true"}).boot()
    rig.answers["TransactionEvent"] = lambda event: refuses(rig) if "idToken" in event else {}
    rig.plug()
    rig.card()
    rig.let(10)
    assert reason(rig) == Reason(Why.DEAUTHORIZED, status="Expired")
    rig.unplug()
    assert why(rig) is Why.FREE
    rig.plug()
    assert why(rig) is Why.WAITING_FOR_CARD


def test_the_csms_takes_its_word_back_and_the_energy_stops() -> None:
    rig = MemoryRig(**{"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "0"}).boot()
    rig.answers["TransactionEvent"] = lambda event: refuses(rig) if "idToken" in event else {}
    rig.plug()
    rig.card()
    rig.let(10)
    assert reason(rig) == Reason(Why.SUSPENDED, status="Expired")


def test_a_cable_limit_is_said() -> None:
    rig = MemoryRig().boot()
    rig.board.evses[1].cable_limit = 13.0
    rig.plug()
    rig.card()
    rig.let(5)
    assert reason(rig) == Reason(Why.CHARGING, limited_by=LimitedBy.CABLE)


def test_before_the_first_look_at_the_board() -> None:
    rig = MemoryRig()
    rig.boot(connect=False)
    evse = rig.station.context.evses[1]
    evse.snapshot = None
    assert why(rig) is Why.NO_BOARD


def with_sockets() -> MemoryRig:
    rig = MemoryRig(**{f"Connector@{evse}.1.ConnectorType": "sType2" for evse in (1, 2)})
    for evse in rig.board.evses.values():
        evse.socket = True
    return rig.boot()


def test_a_cable_that_is_kept_for_its_owner() -> None:
    rig = with_sockets()
    rig.plug()
    rig.card()
    rig.let(5)
    assert why(rig) is Why.CHARGING
    rig.unplug()
    rig.let(10)
    assert why(rig) is Why.KEPT


def test_a_lock_that_does_not_shut() -> None:
    rig = with_sockets()
    rig.board.evses[1].lock_broken = True
    rig.plug()
    rig.card()
    assert why(rig) is Why.LOCKING
    rig.let(5)
    assert why(rig) is Why.LOCK_FAILED


def test_a_cable_that_is_too_thin_to_charge_by() -> None:
    rig = MemoryRig().boot()
    rig.board.evses[1].cable_limit = 5.0
    rig.ev(wants_energy=False)  # as every EV by so small an offer
    rig.plug()
    rig.card()
    rig.let(5)
    assert reason(rig) == Reason(Why.TOO_LITTLE, limit=5.0)


def test_an_evse_that_is_reserved() -> None:
    rig = MemoryRig(**{"ReservationCtrlr.Enabled": "true"}).boot()
    request = {"id": 1, "expiryDateTime": "2026-03-01T12:30:00Z", "evseId": 1}
    asked = rig.call("ReserveNow", {**request, "idToken": {"idToken": "04AA", "type": "ISO14443"}})
    assert asked == {"status": "Accepted"}
    kept = Reason(Why.RESERVED, who="•• AA", until="2026-03-01T12:30:00.000Z")
    assert (reason(rig), why(rig, 2)) == (kept, Why.FREE)
    rig.plug()
    assert reason(rig) == kept
    rig.card("04BB", evse=1)
    assert reason(rig) == kept, "whom it is kept for says more than that it is"
    rig.card("04AA", evse=1)
    rig.let(5)
    assert why(rig) is Why.CHARGING


def test_a_driver_who_is_let_in_elsewhere_is_not_sent_to_a_reserved_evse() -> None:
    rig = MemoryRig(**{"ReservationCtrlr.Enabled": "true"}).boot()
    request = {"id": 1, "expiryDateTime": "2026-03-01T12:30:00Z", "evseId": 1}
    rig.call("ReserveNow", {**request, "idToken": {"idToken": "04AA", "type": "ISO14443"}})
    rig.card("04BB")
    assert (why(rig), why(rig, 2)) == (Why.RESERVED, Why.WAITING_FOR_CABLE)


def test_a_reservation_of_any_evse_holds_the_last_free_one() -> None:
    rig = MemoryRig(**{"ReservationCtrlr.Enabled": "true", "ReservationCtrlr.NonEvseSpecific": "true"}).boot()
    request = {"id": 1, "expiryDateTime": "2026-03-01T12:30:00Z"}
    rig.call("ReserveNow", {**request, "idToken": {"idToken": "04AA", "type": "ISO14443"}})
    assert why(rig) is why(rig, 2) is Why.FREE
    rig.plug()
    kept = Reason(Why.RESERVED, until="2026-03-01T12:30:00.000Z")
    assert (why(rig), reason(rig, 2)) == (Why.WAITING_FOR_CARD, kept)
    rig.skip(1900)
    rig.poll()
    assert why(rig, 2) is Why.FREE


def test_a_limit_of_the_owner_slows_down_or_pauses() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card()
    rig.operator("limit", evse_id=1, current=8)
    rig.let(5)
    assert reason(rig) == Reason(Why.CHARGING, limited_by=LimitedBy.OWNER)
    rig.operator("limit", 2, evse_id=1, current=0)
    rig.let(5)
    assert reason(rig) == Reason(Why.PAUSED)
    rig.operator("limit", 3, evse_id=1, current=80)
    rig.let(5)
    assert reason(rig) == Reason(Why.CHARGING)
