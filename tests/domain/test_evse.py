"""Conditions, charging state and what a snapshot changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.board import BoardSnapshot, CPState, EvseSnapshot, Fault, MeterReading, WatchdogState
from station.domain.evse import EV_GRACE, Evse, Lobby
from station.domain.transaction import ChargingState, IdToken, Transaction

SOMEBODY = Authorization(IdToken("04AA", "ISO14443"), AuthorizedBy.CSMS)
OFFERED = {"cp_state": CPState.B2, "current_offered": 16.0}
CHARGING = {"cp_state": CPState.C2, "current_offered": 16.0, "contactor_closed": True}


def see(evse: Evse, at: float = 0.0, *, online: bool = True, **says: Any) -> Evse:
    snapshot = EvseSnapshot(evse.id, **says)
    evse.take(BoardSnapshot(at, online=online, evses=(snapshot,)), snapshot)
    return evse


def authorized(reached: ChargingState | None = None) -> Evse:
    transaction = Transaction("t", datetime(2026, 1, 1, tzinfo=UTC), charging_state=reached)
    return Evse(authorization=SOMEBODY, transaction=transaction)


def test_conditions() -> None:
    evse = Evse()
    assert evse.conditions() == set()
    assert see(evse, bay_occupied=True).conditions() == {"ParkingBayOccupancy"}
    assert see(evse, cp_state=CPState.B1).conditions() == {"EVConnected"}
    evse.authorization = SOMEBODY
    assert evse.conditions() == {"EVConnected", "Authorized", "PowerPathClosed"}
    assert see(evse, **CHARGING).conditions() == {"EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"}
    assert Lobby(authorization=SOMEBODY).conditions() == {"Authorized"}


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ({"cp_state": CPState.A}, ChargingState.IDLE),
        ({"cp_state": CPState.E}, ChargingState.IDLE),
        ({"cp_state": CPState.B1}, ChargingState.EV_CONNECTED),
        (OFFERED, ChargingState.EV_CONNECTED),
        (CHARGING, ChargingState.CHARGING),
        ({**CHARGING, "faults": frozenset({Fault.OVER_TEMPERATURE})}, ChargingState.SUSPENDED_EVSE),
        ({**OFFERED, "watchdog": WatchdogState.TRIPPED}, ChargingState.SUSPENDED_EVSE),
    ],
)
def test_the_state_of_a_young_session(says: dict[str, Any], state: ChargingState) -> None:
    assert see(authorized(), **says).charging_state(0.0) == state


@pytest.mark.parametrize(
    ("reached", "says", "state"),
    [
        (ChargingState.CHARGING, OFFERED, ChargingState.SUSPENDED_EV),
        (ChargingState.CHARGING, {"cp_state": CPState.B1}, ChargingState.SUSPENDED_EVSE),
        (ChargingState.SUSPENDED_EV, OFFERED, ChargingState.SUSPENDED_EV),
        (ChargingState.SUSPENDED_EVSE, OFFERED, ChargingState.SUSPENDED_EVSE),
        (ChargingState.SUSPENDED_EVSE, CHARGING, ChargingState.CHARGING),
    ],
)
def test_the_state_of_a_session_that_already_charged(
    reached: ChargingState, says: dict[str, Any], state: ChargingState
) -> None:
    assert see(authorized(reached), **says).charging_state(0.0) == state


def test_an_ev_has_its_time_to_take_the_offer() -> None:
    evse = see(authorized(), 100.0, **OFFERED)
    assert evse.charging_state(100.0 + EV_GRACE - 0.1) == ChargingState.EV_CONNECTED
    assert evse.charging_state(100.0 + EV_GRACE) == ChargingState.SUSPENDED_EV


def test_without_authorization_the_ev_is_just_connected() -> None:
    evse = see(authorized(ChargingState.CHARGING), **OFFERED)
    evse.authorization = None
    assert evse.charging_state(1000.0) == ChargingState.EV_CONNECTED


def test_a_refused_token_suspends() -> None:
    evse = see(authorized(), **OFFERED)
    evse.suspended_by_station = True
    assert evse.charging_state(0.0) == ChargingState.SUSPENDED_EVSE


@pytest.mark.parametrize(
    ("amperes", "phases", "used"),
    [((0.0, 0.0, 0.0), 3, 3), ((16.0, 16.0, 16.0), 3, 3), ((16.0, 0.1, 0.0), 3, 1)],
)
def test_phases_used(amperes: tuple[float, float, float], phases: int, used: int) -> None:
    assert see(Evse(), phases=phases, meter=MeterReading(current=amperes)).phases_used == used


def test_a_board_that_is_lost_and_comes_back() -> None:
    evse = see(Evse(), 1.0, cp_state=CPState.B1)
    see(evse, 2.0, online=False)
    see(evse, 3.0, online=False, cp_state=CPState.A)
    assert (evse.board_online, evse.board_lost_at, evse.plugged) == (False, 2.0, True)
    see(evse, 4.0, cp_state=CPState.B1)
    assert (evse.board_online, evse.board_lost_at, evse.plugged_at) == (True, None, 1.0)


def test_an_evse_that_the_board_does_not_know_is_lost() -> None:
    evse = Evse(id=3)
    evse.take(BoardSnapshot(5.0), None)
    assert (evse.board_online, evse.board_lost_at, evse.snapshot) == (False, 5.0, None)


def test_tokens_match_without_regard_to_case() -> None:
    token = IdToken("04aBcD", "ISO14443")
    assert token.matches(replace(token, id_token="04ABCD"))
    assert not token.matches(replace(token, type="ISO15693"))
    assert not token.matches(None)
