"""TxStartPoint and TxStopPoint: each alone, and the combinations that make sense (E01, E03, E06)."""

from __future__ import annotations

import pytest

from station.domain.board import Fault
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

START, STOP = "TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"


def station(start: str, stop: str = "EVConnected,Authorized", **variables: str) -> MemoryRig:
    return MemoryRig(**{START: start, STOP: stop, "SampledDataCtrlr.TxUpdatedInterval": "0", **variables}).boot()


def whole_visit(rig: MemoryRig) -> list[str]:
    """Car in, cable, card, charge; the EV pauses; card, cable, car out: the event types after each."""
    seen: list[str] = []

    def after(what: str) -> None:
        rig.let(7)
        rig.poll()
        new = rig.told()[len(seen) :]
        seen.extend(new)
        steps.append(f"{what}: {', '.join(one.split()[0] + ' ' + one.split()[1] for one in new)}".rstrip())

    steps: list[str] = []
    rig.bay(1)
    after("bay")
    rig.plug(1)
    after("cable")
    rig.card()
    after("card")
    rig.ev(1, wants_energy=False)
    after("EV full")
    rig.card()
    after("card again")
    rig.unplug(1)
    after("cable out")
    rig.bay(1, occupied=False)
    after("bay empty")
    check(rig)
    return steps


def only(steps: list[str], kind: str) -> str:
    """At which step the first event of that type came, and its trigger."""
    found = [step for step in steps if kind in step]
    what, _, told = found[0].partition(": ")
    return f"{what}: {next(one for one in told.split(', ') if one.startswith(kind)).split()[1]}"


@pytest.mark.parametrize(
    ("point", "begins"),
    [
        ("ParkingBayOccupancy", "bay: EVDetected"),  # E01.FR.01
        ("EVConnected", "cable: CablePluggedIn"),  # E01.FR.02
        ("Authorized", "card: Authorized"),  # E01.FR.03
        ("PowerPathClosed", "card: Authorized"),  # E01.FR.05
        ("EnergyTransfer", "card: ChargingStateChanged"),  # E01.FR.06
        ("EVConnected,Authorized", "cable: CablePluggedIn"),
        ("ParkingBayOccupancy,EVConnected,Authorized,EnergyTransfer", "bay: EVDetected"),
        ("DataSigned,Authorized", "card: Authorized"),
    ],
)
def test_each_start_point_begins_at_its_moment(point: str, begins: str) -> None:
    assert only(whole_visit(station(point)), "Started") == begins


def test_data_signed_alone_never_begins_because_the_meter_cannot_sign() -> None:
    rig = station("DataSigned")
    whole_visit(rig)
    assert rig.events() == []


@pytest.mark.parametrize(
    ("point", "ends"),
    [
        ("ParkingBayOccupancy", "bay empty: EVDeparted"),  # E06.FR.01
        ("EVConnected", "cable out: EVCommunicationLost"),  # E06.FR.02
        ("Authorized", "card again: StopAuthorized"),  # E06.FR.03
        ("PowerPathClosed", "card again: StopAuthorized"),  # E06.FR.06
        ("EnergyTransfer", "EV full: ChargingStateChanged"),  # E06.FR.07
        ("EVConnected,Authorized", "card again: StopAuthorized"),
        ("ParkingBayOccupancy,EVConnected", "cable out: EVCommunicationLost"),
        ("Authorized,EnergyTransfer", "EV full: ChargingStateChanged"),
    ],
)
@pytest.mark.parametrize("start", ["ParkingBayOccupancy", "EVConnected", "Authorized"])
def test_each_stop_point_ends_at_its_moment(start: str, point: str, ends: str) -> None:
    assert only(whole_visit(station(start, point)), "Ended") == ends


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("ParkingBayOccupancy", "Local"),
        ("EVConnected", "Local"),  # the driver stopped by card; the cable only made it final
        ("Authorized", "Local"),
        ("EnergyTransfer", "StoppedByEV"),
    ],
)
def test_stopped_reason_says_who_ended_it(point: str, reason: str) -> None:
    rig = station("EVConnected", point)
    whole_visit(rig)
    assert next(one for one in rig.told() if one.startswith("Ended")).split()[-1] == reason


def test_power_path_closed_as_stop_point_ends_with_the_cable_too() -> None:
    rig = station("PowerPathClosed", "PowerPathClosed")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.unplug()
    rig.let(1)
    assert rig.told()[-1] == "Ended EVCommunicationLost Idle EVDisconnected"


def test_energy_transfer_as_stop_point_ends_with_the_authorization() -> None:
    """F03.FR.03: without authorization no energy flows."""
    rig = station("Authorized", "EnergyTransfer")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.card()
    rig.let(1)
    assert rig.told()[-1] == "Ended StopAuthorized EVConnected Local"


def test_a_fault_ends_what_only_lasts_while_energy_flows() -> None:
    """E06.FR.16."""
    rig = station("Authorized", "EnergyTransfer")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.fault(1, Fault.OVER_TEMPERATURE)
    rig.let(1)
    assert rig.told()[-1] == "Ended AbnormalCondition EVConnected Other"


def test_what_held_at_the_end_does_not_start_again() -> None:
    """The cable that stays in after the stop by card begins no new transaction; a new card does."""
    rig = station("EVConnected", "Authorized")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.card()
    rig.let(30)
    assert len(check(rig)) == 1
    rig.card()
    rig.let(2)
    assert len(check(rig)) == 2
    assert rig.events()[-2]["triggerReason"] == "Authorized"


def test_what_held_at_the_end_is_remembered_over_a_power_cut() -> None:
    rig = station("EVConnected", "Authorized")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.card()
    rig.let(3)
    rig.power_cut()
    rig.boot()
    rig.let(5)
    assert len(check(rig)) == 1
    rig.unplug()
    rig.plug()
    assert len(check(rig)) == 2


def test_two_evses_run_two_transactions() -> None:
    rig = station("EVConnected")
    rig.plug(1)
    rig.card("04AA", evse=1)
    rig.plug(2)
    rig.card("04BB", evse=2)
    rig.let(5)
    rig.card("04AA")
    rig.let(2)
    first, second = check(rig)
    assert (first.evse_id, first.ended) == (1, True)
    assert (second.evse_id, second.ended) == (2, False)


@pytest.mark.parametrize("point", ["Authorized", "EnergyTransfer"])
def test_a_transaction_that_nothing_could_end_any_more_ends_when_the_ev_leaves(point: str) -> None:
    rig = station("EVConnected", point)
    rig.plug()
    rig.let(2)
    rig.unplug()
    rig.let(1)
    assert rig.told()[-1] == "Ended EVCommunicationLost Idle EVDisconnected"


def test_start_points_may_change_while_a_transaction_runs() -> None:
    rig = station("EVConnected")
    rig.plug()
    assert rig.set_variable(START, "EnergyTransfer") == "Accepted"
    assert rig.set_variable(STOP, "EVConnected") == "Accepted"
    rig.card()
    rig.let(5)
    rig.card()
    rig.let(2)
    assert not check(rig)[0].ended
    rig.unplug()
    assert check(rig)[0].ended
