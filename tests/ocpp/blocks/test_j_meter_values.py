"""Sampled and clock-aligned meter values, their contexts, and a meter that lies (J01, J02)."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.moment import parse_rfc3339
from tests.support.invariants import check, registers
from tests.support.memory_rig import MemoryRig

SAMPLED, ALIGNED = "SampledDataCtrlr.", "AlignedDataCtrlr."
REGISTER = "Energy.Active.Import.Register"


def station(*, sampled: str = "0", aligned: str = "0", **variables: str) -> MemoryRig:
    return MemoryRig(**{SAMPLED + "TxUpdatedInterval": sampled, ALIGNED + "Interval": aligned, **variables}).boot()


def charge(rig: MemoryRig, seconds: float) -> None:
    """A session at EVSE 1 that lasts about so long."""
    rig.plug()
    rig.card()
    rig.let(seconds)
    rig.card()
    rig.let(2)


def contexts(event: dict[str, Any]) -> list[str]:
    return [meter["sampledValue"][0]["context"] for meter in event.get("meterValue", [])]


def of_trigger(rig: MemoryRig, trigger: str) -> list[dict[str, Any]]:
    return [event for event in rig.events() if event["triggerReason"] == trigger]


# ------------------------------------------------------------------ sampled


def test_contexts_of_a_session() -> None:
    """E01.FR.09, J02.FR.11, E06.FR.11."""
    rig = station(sampled="20")
    charge(rig, 50)
    assert [contexts(event) for event in rig.events()] == [
        ["Transaction.Begin"],
        [],
        [],
        ["Sample.Periodic"],
        ["Sample.Periodic"],
        ["Transaction.Begin", "Transaction.End"],
    ]
    check(rig)


def test_periodic_values_carry_the_configured_measurands() -> None:
    rig = station(sampled="10")
    measurands = f"{REGISTER},Power.Active.Import,Voltage,Current.Import,Power.Factor,SoC"
    assert rig.set_variable(SAMPLED + "TxUpdatedMeasurands", measurands) == "Accepted"
    rig.board.evses[1].soc = 41.5
    rig.plug()
    rig.card()
    rig.let(11)
    values = {
        one["measurand"]: one for one in of_trigger(rig, "MeterValuePeriodic")[0]["meterValue"][0]["sampledValue"]
    }
    assert list(values) == measurands.split(",")
    assert values["Power.Active.Import"]["value"] == 3680.0
    assert values["Power.Active.Import"]["unitOfMeasure"] == {"unit": "W"}
    assert (values["Voltage"]["value"], values["Voltage"]["phase"]) == (230.0, "L1-N")
    assert (values["Current.Import"]["value"], values["Current.Import"]["phase"]) == (16.0, "L1")
    assert values["Power.Factor"]["value"] == 1.0
    assert (values["SoC"]["value"], values["SoC"]["location"]) == (41.5, "EV")


def test_what_the_ev_does_not_tell_is_left_out() -> None:
    rig = station(sampled="10")
    rig.set_variable(SAMPLED + "TxUpdatedMeasurands", "SoC")
    rig.plug()
    rig.let(25)
    assert of_trigger(rig, "MeterValuePeriodic") == []


def test_no_measurands_no_values() -> None:
    rig = station(sampled="10")
    for name in ("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands"):
        assert rig.set_variable(SAMPLED + name, "") == "Accepted"
    charge(rig, 30)
    assert all("meterValue" not in event for event in rig.events())
    assert of_trigger(rig, "MeterValuePeriodic") == []


def test_interval_0_sends_none() -> None:
    rig = station()
    charge(rig, 200)
    assert of_trigger(rig, "MeterValuePeriodic") == []


@pytest.mark.parametrize("name", [SAMPLED, ALIGNED])
def test_enabled_false_takes_none(name: str) -> None:
    rig = station(sampled="10", aligned="10")
    assert rig.set_variable(name + "Enabled", "false") == "Accepted"
    charge(rig, 30)
    gone = "MeterValuePeriodic" if name == SAMPLED else "MeterValueClock"
    there = "MeterValueClock" if name == SAMPLED else "MeterValuePeriodic"
    assert of_trigger(rig, gone) == []
    assert of_trigger(rig, there) != []


def test_a_changed_interval_takes_effect_at_once() -> None:
    rig = station(sampled="3600")
    rig.plug()
    rig.set_variable(SAMPLED + "TxUpdatedInterval", "10")
    rig.let(35)
    assert len(of_trigger(rig, "MeterValuePeriodic")) == 3
    rig.set_variable(SAMPLED + "TxUpdatedInterval", "0")
    rig.let(60)
    assert len(of_trigger(rig, "MeterValuePeriodic")) == 3


def test_missed_samples_are_not_made_up_for() -> None:
    rig = station(sampled="10")
    rig.plug()
    rig.now = rig.now.plus(95)
    rig.let(10)
    assert len(of_trigger(rig, "MeterValuePeriodic")) == 2


def test_the_ended_event_collects_samples() -> None:
    """J02.FR.10: only the Ended event may carry several intervals."""
    rig = station(**{SAMPLED + "TxEndedInterval": "10"})
    charge(rig, 35)
    ended = rig.events()[-1]
    assert contexts(ended) == [*["Sample.Periodic"] * 4, "Transaction.End"]  # TC_J_10
    stamps = [parse_rfc3339(meter["timestamp"]) for meter in ended["meterValue"]]
    assert stamps == sorted(stamps)
    check(rig)


def test_collected_samples_outlast_a_power_cut() -> None:
    rig = station(**{SAMPLED + "TxEndedInterval": "10"})
    rig.plug()
    rig.card()
    rig.let(25)
    rig.ev(1, wants_energy=False)
    rig.let(6)
    rig.power_cut()
    rig.boot()
    rig.let(2)
    rig.card()
    rig.let(2)
    assert len(contexts(rig.events()[-1])) >= 4


def test_a_long_session_thins_its_samples_and_keeps_first_and_last() -> None:
    """E06.FR.13."""
    rig = station(**{SAMPLED + "TxEndedInterval": "1"})
    charge(rig, 900)
    ended = rig.events()[-1]
    assert 100 <= len(ended["meterValue"]) <= 200
    assert ended["meterValue"][0]["timestamp"] == rig.events()[0]["timestamp"]
    assert contexts(ended)[-1] == "Transaction.End"
    check(rig)


# ------------------------------------------------------------------ aligned


def test_aligned_values_of_idle_evses() -> None:
    """J01.FR.14: on the quarter of the hour, whenever the station started."""
    rig = station(aligned="900")
    rig.skip(400)
    assert rig.sent("MeterValues") == []
    rig.skip(600)
    assert [one["evseId"] for one in rig.sent("MeterValues")] == [1, 2]
    assert {one["meterValue"][0]["timestamp"] for one in rig.sent("MeterValues")} == {"2026-03-01T12:15:00.000Z"}
    assert rig.sent("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["context"] == "Sample.Clock"


def test_aligned_values_of_a_transaction_travel_in_its_events() -> None:
    """J01.FR.22."""
    rig = station(aligned="60")
    rig.plug(2)
    rig.skip(61)
    assert [one["evseId"] for one in rig.sent("MeterValues")] == [1]
    (event,) = of_trigger(rig, "MeterValueClock")
    assert contexts(event) == ["Sample.Clock"]
    check(rig)


def test_aligned_values_may_be_for_idle_stations_only() -> None:
    """J01.FR.19, J01.FR.20."""
    rig = station(aligned="60", **{ALIGNED + "SendDuringIdle": "true"})
    rig.skip(61)
    assert len(rig.sent("MeterValues")) == 2
    rig.plug(1)
    rig.skip(120)
    assert len(rig.sent("MeterValues")) == 2
    assert of_trigger(rig, "MeterValueClock") == []


def test_aligned_values_for_the_ended_event() -> None:
    rig = station(**{ALIGNED + "TxEndedInterval": "30"})
    charge(rig, 65)
    assert contexts(rig.events()[-1]) == ["Transaction.Begin", "Sample.Clock", "Sample.Clock", "Transaction.End"]


def test_idle_values_of_an_offline_day_are_not_heaped_up() -> None:
    rig = station(aligned="60")
    rig.disconnect()
    rig.skip(7200)
    rig.connect()
    assert rig.sent("MeterValues") == []


def test_an_interval_that_does_not_divide_the_day_starts_anew_at_midnight() -> None:
    rig = station(aligned="7000")
    rig.skip(86_400)
    stamps = [one["meterValue"][0]["timestamp"][11:19] for one in rig.sent("MeterValues") if one["evseId"] == 1]
    assert "00:00:00" in stamps
    assert "01:56:40" in stamps


# ------------------------------------------------------------------ a meter that lies


@pytest.mark.parametrize(
    "says",
    [
        {"energy": 0},
        {"energy": 999_000},
        {"energy": 0xFFFF_FFFF},
        {"energy": -1},
        {"energy": 2**63 - 1},
        {"energy": 9_000_000_000},
        {"total_power": 1e6},
        {"total_power": -500.0},
        {"voltage": (6553.5, 0.0, 0.0)},
        {"ok": False},
        {"age": 30.0},
    ],
)
def test_what_cannot_be_is_never_billed_and_flagged(says: dict[str, Any]) -> None:
    rig = station(sampled="1")
    rig.plug()
    rig.card()
    rig.let(10)
    rig.board.evses[1].meter = says
    rig.let(5)
    rig.board.evses[1].meter = {}
    rig.let(5)
    rig.card()
    rig.let(2)
    (told,) = check(rig)
    values = [value for event in told.events for value in registers(event)]
    assert max(values) <= rig.board.evses[1].energy / 1000
    (record,) = rig.disk.transactions.values()
    assert record.meter_stop == int(rig.board.evses[1].energy)
    assert record.meter_suspect


def test_a_lying_meter_tells_only_the_last_believed_register() -> None:
    rig = station(sampled="10")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.board.evses[1].meter = {"ok": False}
    rig.let(6)
    values = of_trigger(rig, "MeterValuePeriodic")[0]["meterValue"][0]["sampledValue"]
    assert [value["measurand"] for value in values] == [REGISTER]


def test_a_meter_that_lies_at_the_end_bills_what_was_last_believed() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(10)
    believed = int(rig.board.evses[1].energy)
    rig.board.evses[1].meter = {"energy": 0}
    rig.card()
    rig.let(2)
    (record,) = rig.disk.transactions.values()
    assert believed <= record.meter_stop <= believed + 2000  # type: ignore[operator]
    assert record.meter_suspect
    check(rig)


def test_a_register_that_starts_anew_during_a_power_cut_is_not_billed() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(30)
    rig.power_cut()
    rig.board.evses[1].energy = 0
    rig.boot()
    rig.let(5)
    rig.card()
    rig.let(2)
    check(rig)
    (record,) = rig.disk.transactions.values()
    assert record.meter_suspect
    assert record.meter_stop is None or record.meter_stop >= record.meter_start


# ------------------------------------------------------------------ the registers of the phases


def told_phases(rig: MemoryRig, contexts: tuple[str, ...] = ("Sample.Periodic",)) -> list[tuple[str | None, float]]:
    """Phase and value of every energy register in the transaction's events of those contexts."""
    return [
        (one.get("phase"), one["value"])
        for event in rig.events()
        for meter in event.get("meterValue", ())
        for one in meter["sampledValue"]
        if one["measurand"] == REGISTER and one["context"] in contexts
    ]


def three_phases(*, energy_phases: tuple[int, ...] | None = None, phases: int = 3, **variables: str) -> MemoryRig:
    """A station with three phases, or ``phases`` of them connected; ``energy_phases``: what the meter says of them."""
    rig = station(sampled="10", **{"EVSE@1.SupplyPhases": "3", "EVSE@1.Power": "22080", **variables})
    rig.power_cut()
    rig.board.evses[1].phases = phases
    if energy_phases is not None:
        rig.board.evses[1].meter = {"energy_phases": energy_phases}
    return rig.boot()


def test_each_phase_has_its_register_and_the_total_comes_first() -> None:
    rig = three_phases()
    rig.plug()
    rig.card()
    rig.let(11)
    told = told_phases(rig)
    assert [phase for phase, _ in told] == [None, "L1", "L2", "L3"]
    total, *each = [value for _, value in told]
    assert total > 1000
    assert sum(each) == pytest.approx(total, abs=0.003)


@pytest.mark.parametrize("context", ["Transaction.Begin", "Sample.Periodic", "Transaction.End", "Sample.Clock"])
def test_only_the_total_where_that_is_configured(context: str) -> None:
    """Part 2, 2.7.18: for all meter values, whenever they are taken."""
    for without, phases in (("true", {None}), ("false", {None, "L1", "L2", "L3"})):
        rig = three_phases(**{SAMPLED + "RegisterValuesWithoutPhases": without, ALIGNED + "Interval": "10"})
        charge(rig, 21)
        rig.card()
        rig.let(2)
        assert {phase for phase, _ in told_phases(rig, (context,))} == phases


def test_the_csms_switches_it_in_a_transaction() -> None:
    rig = three_phases()
    rig.plug()
    rig.card()
    rig.let(11)
    assert rig.set_variable(SAMPLED + "RegisterValuesWithoutPhases", "true") == "Accepted"
    rig.let(20)
    assert [phase for phase, _ in told_phases(rig)] == [None, "L1", "L2", "L3", None, None]


def test_a_meter_that_knows_no_phases_tells_the_total() -> None:
    rig = three_phases(energy_phases=())
    rig.plug()
    rig.let(11)
    assert [phase for phase, _ in told_phases(rig)] == [None]


def test_a_register_does_not_vanish_with_a_switch_to_one_phase() -> None:
    rig = three_phases(energy_phases=(500_000, 400_000, 0), phases=1)
    rig.plug()
    rig.let(11)
    assert told_phases(rig)[1:] == [("L1", 500.0), ("L2", 400.0)]


def test_what_is_signed_is_the_total() -> None:
    rig = three_phases(**{SAMPLED + "SignReadings": "true"})
    rig.plug()
    rig.card()
    rig.let(11)
    values = [
        one
        for event in rig.events()
        for meter in event.get("meterValue", ())
        for one in meter["sampledValue"]
        if one["measurand"] == REGISTER
    ]
    assert values
    assert all(("signedMeterValue" in one) == ("phase" not in one) for one in values)
