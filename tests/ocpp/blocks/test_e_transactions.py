"""The life of a transaction: cable first, card first, its ends, and what its events say (E01 to E15)."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.board import Fault
from station.domain.events import OperatorCommand
from tests.ocpp.blocks.stations import charging, station
from tests.support.invariants import check

START, STOP = "TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"
TIMEOUT = "TxCtrlr.EVConnectionTimeOut"
BLOCKED = {"idTokenInfo": {"status": "Blocked"}}


# ------------------------------------------------------------------ E02, cable first


def test_cable_first() -> None:
    rig = charging()
    rig.ev(1, wants_energy=False)
    rig.let(6)
    rig.ev(1, wants_energy=True)
    rig.let(2)
    rig.card()
    rig.let(1)
    rig.unplug()
    assert rig.told() == [
        "Started CablePluggedIn EVConnected",
        "Updated Authorized EVConnected",
        "Updated ChargingStateChanged Charging",
        "Updated ChargingStateChanged SuspendedEV",  # E01.FR.19
        "Updated ChargingStateChanged Charging",
        "Ended StopAuthorized EVConnected Local",
    ]
    check(rig)


def test_what_is_told_once() -> None:
    rig = charging(**{STOP: "EVConnected"})
    rig.let(60)
    rig.card()
    rig.let(2)
    rig.unplug()
    events = rig.events()
    assert [event.get("idToken", {}).get("idToken") for event in events] == [
        None,
        "04A2B3C4D5E6F7",  # E02.FR.01
        None,
        "04A2B3C4D5E6F7",  # E07.FR.02: the token that stopped it
        None,
        None,
    ]
    assert [event.get("evse") for event in events] == [{"id": 1, "connectorId": 1}] + [None] * 5
    assert [event.get("numberOfPhasesUsed") for event in events] == [None, None, 1, None, None, None]  # E02.FR.18
    assert [event["transactionInfo"].get("stoppedReason") for event in events] == [None] * 5 + ["Local"]
    assert all("offline" not in event for event in events)
    check(rig)


def test_the_number_of_phases_is_told_when_it_changes() -> None:
    """E02.FR.19."""
    rig = charging()
    rig.board.evses[1].meter = {"current": (16.0, 16.0, 16.0)}
    rig.let(1)
    assert rig.events()[-1]["numberOfPhasesUsed"] == 3
    assert rig.told()[-1] == "Updated ChargingStateChanged Charging"


def test_time_spent_charging_leaves_pauses_out() -> None:
    rig = charging()
    rig.ev(1, wants_energy=False)
    rig.let(60)
    rig.card()
    rig.let(2)
    assert rig.events()[-1]["transactionInfo"]["timeSpentCharging"] == pytest.approx(4, abs=1)


def test_the_energy_of_an_event_is_the_board_s_register() -> None:
    rig = charging()
    rig.let(600)
    rig.card()
    rig.let(3)
    first, *_, last = [one["sampledValue"][0]["value"] for one in rig.events()[-1]["meterValue"]]
    assert (first, last) == (1000.0, int(rig.board.evses[1].energy) / 1000)
    (record,) = rig.disk.transactions.values()
    assert (record.meter_start, record.meter_stop) == (1_000_000, int(rig.board.evses[1].energy))


# ------------------------------------------------------------------ E03, card first


def test_card_first_with_two_evses_waits_for_the_cable_to_say_where() -> None:
    rig = station()
    rig.card()
    assert rig.events()[0]["triggerReason"] == "Authorized"
    assert "evse" not in rig.events()[0]
    assert "meterValue" not in rig.events()[0]
    rig.let(5)
    rig.plug(2)
    rig.let(5)
    assert rig.told() == [
        "Started Authorized Idle",
        "Updated CablePluggedIn EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    second = rig.events()[1]
    assert second["evse"] == {"id": 2, "connectorId": 1}  # E01.FR.16
    assert second["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin"  # E01.FR.17
    check(rig)


@pytest.mark.parametrize("evses", [1, 2])
def test_card_first_at_a_known_evse(evses: int) -> None:
    rig = station(evses=evses)
    rig.card(evse=1 if evses == 2 else None)
    assert rig.events()[0]["evse"] == {"id": 1, "connectorId": 1}
    rig.plug(1)
    rig.let(3)
    assert rig.told()[-1] == "Updated ChargingStateChanged Charging"
    check(rig)


def test_the_cable_in_another_evse_starts_nothing_there() -> None:
    rig = station(**{START: "Authorized", STOP: "Authorized"})
    rig.card(evse=1)
    rig.plug(2)
    rig.let(5)
    assert len(check(rig)) == 1
    assert rig.board.evses[2].power == 0


def test_card_first_in_an_occupied_bay_is_for_the_car_that_stands_there() -> None:
    rig = station(**{START: "ParkingBayOccupancy", STOP: "ParkingBayOccupancy"})
    rig.bay(2)
    rig.card()
    rig.let(1)
    rig.plug(2)
    rig.let(5)
    assert rig.told() == [
        "Started EVDetected Idle",
        "Updated Authorized Idle",
        "Updated CablePluggedIn EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    check(rig)


def test_a_card_that_waits_joins_the_transaction_that_the_bay_began_meanwhile() -> None:
    rig = station(**{START: "ParkingBayOccupancy", STOP: "ParkingBayOccupancy"})
    rig.card()
    rig.bay(1)
    rig.plug(1)
    rig.let(5)
    (told,) = check(rig)
    assert told.token == {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}
    assert rig.board.evses[1].power > 0


def test_an_evse_out_of_order_takes_no_waiting_card() -> None:
    rig = station()
    rig.card()
    rig.fault(1)
    rig.plug(1)
    rig.let(2)
    assert "evse" not in rig.events()[0]
    assert not rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]


# ------------------------------------------------------------------ EVConnectionTimeOut


@pytest.mark.parametrize("evse", [None, 1])
def test_nobody_plugs_in(evse: int | None) -> None:
    """E03.FR.05, F02.FR.07."""
    rig = station(**{STOP: "EVConnected", TIMEOUT: "20"})
    rig.card(evse=evse)
    rig.let(19)
    assert len(rig.events()) == 1
    rig.let(2)
    assert rig.told()[-1] == "Ended EVConnectTimeout Idle Timeout"
    rig.plug(1)
    rig.let(5)
    assert rig.board.evses[1].power == 0
    check(rig)


def test_nobody_plugs_in_while_the_bay_is_the_stop_point() -> None:
    """E03.FR.15, F02.FR.08."""
    rig = station(**{START: "ParkingBayOccupancy", STOP: "ParkingBayOccupancy", TIMEOUT: "20"})
    rig.bay(1)
    rig.card(evse=1)
    rig.let(21)
    assert rig.told()[-1] == "Updated EVConnectTimeout Idle"
    rig.plug(1)
    rig.let(5)
    assert rig.board.evses[1].power == 0
    rig.unplug(1)
    rig.bay(1, occupied=False)
    assert rig.told()[-1] == "Ended EVDeparted Idle Timeout"
    check(rig)


def test_the_timeout_without_a_transaction_only_ends_the_authorization() -> None:
    """C01.FR.26."""
    rig = station(**{START: "PowerPathClosed", TIMEOUT: "20"})
    rig.card()
    rig.let(21)
    rig.plug()
    rig.let(5)
    assert rig.events() == []
    assert rig.board.evses[1].power == 0


def test_the_cable_in_time_stops_the_clock() -> None:
    rig = station(**{TIMEOUT: "20"})
    rig.card()
    rig.let(15)
    rig.plug()
    rig.let(60)
    assert rig.told()[-1] == "Updated ChargingStateChanged Charging"


# ------------------------------------------------------------------ how it ends


def test_stop_by_another_card_of_the_same_group() -> None:
    """C09.FR.03, C09.FR.05, E07.FR.02."""
    rig = station()
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.plug()
    rig.card("04AA")
    rig.let(5)
    rig.card("04BB")
    rig.let(1)
    assert rig.told()[-1] == "Ended StopAuthorized EVConnected Local"
    assert rig.events()[-1]["idToken"]["idToken"] == "04BB"
    assert len(rig.sent("Authorize")) == 2
    check(rig)


@pytest.mark.parametrize("answer", [{"idTokenInfo": {"status": "Accepted"}}, BLOCKED, {"error": "GenericError"}, None])
def test_a_stranger_s_card_stops_nothing(answer: dict[str, Any] | None) -> None:
    """C09.FR.11, E07.FR.01."""
    rig = charging()
    rig.answers["Authorize"] = answer
    rig.card("04BB")
    rig.let(40)
    assert not check(rig)[0].ended
    assert rig.board.evses[1].power > 0


def test_a_blocked_card_of_the_group_stops_nothing() -> None:
    """C09.FR.11."""
    rig = station()
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.plug()
    rig.card("04AA")
    rig.let(5)
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Blocked", **group}}
    rig.card("04BB")
    rig.let(2)
    assert not check(rig)[0].ended


def test_the_same_card_in_another_spelling_is_the_same() -> None:
    rig = charging()
    rig.card("04a2b3c4d5e6f7")
    rig.let(1)
    assert check(rig)[0].ended


def test_stop_by_the_operator() -> None:
    rig = charging()
    done = rig.operator("stop", 7, evse_id=1)
    rig.let(1)
    assert done is not None
    assert done.status == "Accepted"
    assert rig.told()[-1] == "Ended StopAuthorized EVConnected Local"


@pytest.mark.parametrize(
    ("who", "token"), [("olga (house)", "WEB-olga.house"), ("Jörg", "WEB-J.rg"), ("x" * 99, "WEB-" + "x" * 32)]
)
def test_the_operators_own_name_is_an_identifier_string(who: str, token: str) -> None:
    rig = station()
    rig.plug()
    rig.step(OperatorCommand(1, who, "start", {"evse_id": 1}))
    rig.let(3)
    assert rig.events()[1]["idToken"] == {"idToken": token, "type": "Local"}


def test_start_by_the_operator_and_its_refusals() -> None:
    rig = station()
    rig.plug()
    assert rig.operator("start", 1, evse_id=1).status == "Accepted"  # type: ignore[union-attr]
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert rig.events()[1]["idToken"] == {"idToken": "WEB-owner", "type": "Local"}
    assert rig.operator("start", 2, evse_id=1).status == "Rejected"  # type: ignore[union-attr]
    assert rig.operator("start", 3, evse_id=9).status == "Rejected"  # type: ignore[union-attr]
    assert rig.operator("stop", 4, evse_id=2).status == "Rejected"  # type: ignore[union-attr]
    assert rig.operator("dance", 5).status == "Rejected"  # type: ignore[union-attr]


def test_unplugging_deauthorizes() -> None:
    """E09.FR.01."""
    rig = charging(**{STOP: "ParkingBayOccupancy"})
    rig.bay(1)
    rig.unplug()
    assert rig.told()[-1] == "Updated EVCommunicationLost Idle"
    rig.plug()
    rig.let(10)
    assert rig.board.evses[1].power == 0
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    check(rig)


def test_unplugging_deauthorizes_for_the_next_life_too() -> None:
    rig = charging(**{STOP: "ParkingBayOccupancy"})
    rig.bay(1)
    rig.unplug()
    rig.power_cut()
    rig.boot()
    rig.plug()
    rig.let(10)
    assert rig.board.evses[1].power == 0


def test_unplugging_may_keep_the_authorization() -> None:
    """E10: the same driver plugs in again within EVConnectionTimeOut."""
    rig = charging(**{STOP: "Authorized", "TxCtrlr.StopTxOnEVSideDisconnect": "false", TIMEOUT: "30"})
    rig.unplug()
    assert rig.told()[-1] == "Updated EVCommunicationLost Idle"
    rig.let(20)
    rig.plug()
    rig.let(40)
    assert rig.told()[-2:] == ["Updated CablePluggedIn EVConnected", "Updated ChargingStateChanged Charging"]
    rig.unplug()
    rig.let(31)
    assert rig.told()[-1] == "Ended EVConnectTimeout Idle Timeout"  # E10.FR.02
    check(rig)


def test_who_took_the_cable_out_of_the_socket_leaves_no_open_door() -> None:
    """E10.FR.02: where no lock holds a cable (UnlockOnEVSideDisconnect) the authorization waits no longer than else."""
    variables = {"TxCtrlr.StopTxOnEVSideDisconnect": "false", "OCPPCommCtrlr.UnlockOnEVSideDisconnect": "true"}
    rig = station(**variables, **{STOP: "Authorized", "Connector@1.1.ConnectorType": "sType2"})
    rig.board.evses[1].socket = True
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].power > 0
    rig.unplug()
    rig.let(1)
    assert not rig.board.evses[1].locked
    rig.board.evses[1].cable = False
    rig.let(61)
    assert rig.told()[-1] == "Ended EVConnectTimeout Idle Timeout"
    rig.plug()
    rig.let(10)
    assert rig.board.evses[1].power == 0
    check(rig)


def test_a_dangerous_fault_ends_the_session() -> None:
    """E06.FR.16."""
    rig = charging()
    rig.fault(1, Fault.GROUND_FAILURE)
    rig.let(2)
    assert rig.told()[-1] == "Ended AbnormalCondition EVConnected GroundFault"
    rig.fault(1, None)
    rig.let(10)
    assert rig.board.evses[1].power == 0
    assert len(check(rig)) == 1


def test_a_passing_fault_suspends_the_session() -> None:
    rig = charging()
    rig.fault(1, Fault.OVER_TEMPERATURE)
    assert rig.told()[-1] == "Updated AbnormalCondition SuspendedEVSE"
    rig.let(5)
    rig.fault(1, None)
    rig.let(5)
    assert rig.told()[-1] == "Updated ChargingStateChanged Charging"


def test_energy_that_flows_while_the_contactor_opens_belongs_to_the_transaction() -> None:
    rig = charging()
    rig.card()
    rig.board.evses[1].energy += 12
    rig.poll()
    assert rig.board.evses[1].closed
    assert not check(rig)[0].ended, "the contactor is still closed"
    rig.let(2)
    assert check(rig)[0].ended
    (record,) = rig.disk.transactions.values()
    assert record.meter_stop == int(rig.board.evses[1].energy)


def test_a_board_that_does_not_open_holds_the_end_up_for_some_seconds_only() -> None:
    rig = charging()
    rig.card()
    rig.board.online = False
    rig.skip(7)
    assert not check(rig)[0].ended
    rig.skip(2)
    assert check(rig)[0].ended


# ------------------------------------------------------------------ E14


def test_get_transaction_status() -> None:
    rig = station()
    assert rig.call("GetTransactionStatus") == {"messagesInQueue": False}  # E14.FR.06, .08
    assert rig.call("GetTransactionStatus", {"transactionId": "x"}) == {
        "ongoingIndicator": False,
        "messagesInQueue": False,
    }  # E14.FR.01
    rig.answers["TransactionEvent"] = None
    rig.plug()
    transaction = rig.events()[0]["transactionInfo"]["transactionId"]
    ask = {"transactionId": transaction}
    assert rig.call("GetTransactionStatus") == {"messagesInQueue": True}  # E14.FR.07
    assert rig.call("GetTransactionStatus", ask) == {"ongoingIndicator": True, "messagesInQueue": True}
    del rig.answers["TransactionEvent"]
    rig.release()
    assert rig.call("GetTransactionStatus", ask) == {"ongoingIndicator": True, "messagesInQueue": False}  # E14.FR.02
    rig.unplug()
    assert rig.call("GetTransactionStatus", ask) == {"ongoingIndicator": False, "messagesInQueue": False}  # E14.FR.03
