"""Part 6, section 2.11: J Meter values."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.conformance.rig import Payload, Rig
from tests.conformance.states import Session, configured

ENERGY = "Energy.Active.Import.Register"
SEVERAL = f"{ENERGY},Power.Active.Import,Voltage,Current.Import"
INTERVAL = 3  # s
JITTER = 0.5  # s, of real time


def _measured(meter: Payload, context: str, measurands: str) -> None:
    """One MeterValueType: its context, an element per measurand, and nothing of the EV's but its SoC (6.2.58)."""
    assert meter["sampledValue"][0]["context"] == context, meter
    told = {sample.get("measurand", ENERGY) for sample in meter["sampledValue"]}
    assert told == set(measurands.split(",")), meter
    for sample in meter["sampledValue"]:
        assert sample.get("location") != "EV" or sample["measurand"] == "SoC", sample


def _spaced(stamps: list[str], interval: float = INTERVAL) -> None:
    """Timestamps that are ``interval`` apart, or the same."""
    times = [datetime.fromisoformat(stamp).timestamp() for stamp in stamps]
    assert len(set(times)) > 1, stamps
    for earlier, later in pairwise(sorted(set(times))):
        assert abs(later - earlier - interval) < JITTER, stamps


def _aligned(rig: Rig, measurands: str) -> str:
    """The next MeterValues; its timestamp."""
    values = rig.expect("MeterValues", within=3 * INTERVAL)
    for meter in values["meterValue"]:
        _measured(meter, "Sample.Clock", measurands)
    stamp: str = values["meterValue"][0]["timestamp"]
    return stamp


def _through(rig: Rig, session: Session) -> Payload:
    """EnergyTransferStarted, a while, ParkingBayUnoccupied; the Ended event."""
    session.energy_transfer_started()
    rig.let(2.5 * INTERVAL)
    session.parking_bay_unoccupied()
    return session.events[-1]


@pytest.mark.tc("TC_J_01")
@pytest.mark.both_rigs
def test_clock_aligned_without_transaction(rig: Rig) -> None:
    rig.start(**{"AlignedDataCtrlr.Interval": str(INTERVAL), "AlignedDataCtrlr.Measurands": SEVERAL})
    stamps = [_aligned(rig, SEVERAL) for _ in range(3 * rig.evses)]
    assert len(set(stamps)) == 3, stamps  # one shared by all EVSEs
    _spaced(stamps)


@pytest.mark.tc("TC_J_02")
@pytest.mark.parametrize("phases", [1, 3])
def test_clock_aligned_in_a_transaction(rig: Rig, phases: int) -> None:
    rig.phases = phases
    session = configured(
        rig,
        **{
            "AlignedDataCtrlr.Interval": str(INTERVAL),
            "AlignedDataCtrlr.Measurands": SEVERAL,
            "AlignedDataCtrlr.SendDuringIdle": "false",
            "SampledDataCtrlr.RegisterValuesWithoutPhases": "false",
        },
    )
    session.energy_transfer_started()
    rig.forget()
    events = []
    for _ in range(3):
        event = session.event("MeterValueClock")
        _measured(event["meterValue"][0], "Sample.Clock", SEVERAL)
        _phases_told(event["meterValue"][0], phases)
        events.append(event["meterValue"][0]["timestamp"])
    _spaced(events)
    others = [_aligned(rig, SEVERAL) for _ in range(2)]
    _spaced(others)
    assert set(others) <= set(events)


def _phases_told(meter: Payload, phases: int) -> None:
    told: dict[str, list[Any]] = {}
    for sample in meter["sampledValue"]:
        told.setdefault(sample["measurand"], []).append(sample.get("phase"))
    each = [f"L{number + 1}" for number in range(phases)]
    assert told["Voltage"] == [f"{phase}-N" for phase in each], told
    assert told["Current.Import"] == each, told
    assert told[ENERGY] == [None, *(each if phases > 1 else [])], told
    assert told["Power.Active.Import"] == [None, *(each if phases > 1 else [])], told


@pytest.mark.tc("TC_J_03")
def test_clock_aligned_in_the_ended_event(rig: Rig) -> None:
    session = configured(
        rig,
        **{
            "AlignedDataCtrlr.TxEndedInterval": str(INTERVAL),
            "AlignedDataCtrlr.TxEndedMeasurands": SEVERAL,
            "AlignedDataCtrlr.Interval": "0",
            "SampledDataCtrlr.TxEndedMeasurands": "",
        },
    )
    ended = _through(rig, session)
    for meter in ended["meterValue"]:
        _measured(meter, "Sample.Clock", SEVERAL)
    _spaced([meter["timestamp"] for meter in ended["meterValue"]])


@pytest.mark.tc("TC_J_06")
def test_no_clock_aligned_values_in_a_transaction(rig: Rig) -> None:
    session = configured(
        rig,
        **{
            "AlignedDataCtrlr.Interval": str(INTERVAL),
            "AlignedDataCtrlr.SendDuringIdle": "true",
            "SampledDataCtrlr.Enabled": "false",
        },
    )
    first = _aligned(rig, ENERGY)
    session.energy_transfer_started()
    place = len(rig.messages())
    rig.let(INTERVAL + 2)
    during = [one.payload for one in rig.messages()[place:]]
    session.parking_bay_unoccupied()
    assert not [one for one in during if "meterValue" in one], during
    assert not [event for event in session.events if "meterValue" in event], session.events
    place = len(rig.messages())
    rig.forget()
    stamps = [_aligned(rig, ENERGY) for _ in range(2 * rig.evses)]
    _spaced(stamps)
    apart = datetime.fromisoformat(stamps[0]).timestamp() - datetime.fromisoformat(first).timestamp()
    assert abs(apart / INTERVAL - round(apart / INTERVAL)) * INTERVAL < JITTER


@pytest.mark.tc("TC_J_06")
def test_no_clock_aligned_values_of_the_evse_in_a_transaction(rig: Rig) -> None:
    session = configured(
        rig, **{"AlignedDataCtrlr.Interval": str(INTERVAL), "AlignedDataCtrlr@1.SendDuringIdle": "true"}
    )
    session.energy_transfer_started()
    rig.forget()
    rig.expect("MeterValues", lambda one: one["evseId"] == 2)
    rig.expect_none("MeterValues", lambda one: one["evseId"] == 1, during=float(INTERVAL))
    rig.expect_none("TransactionEvent", lambda one: one["triggerReason"] == "MeterValueClock", during=0.1)


@pytest.mark.tc("TC_J_07")
def test_started_event(rig: Rig) -> None:
    session = configured(rig, start="EVConnected", **{"SampledDataCtrlr.TxStartedMeasurands": SEVERAL})
    session.parking_bay_occupied()
    session.ev_connected_pre_session()
    session.energy_transfer_started()
    _measured(session.events[0]["meterValue"][0], "Transaction.Begin", SEVERAL)


@pytest.mark.tc("TC_J_08")
def test_begin_where_the_evse_is_not_known_at_the_start(rig: Rig) -> None:
    session = configured(rig, start="Authorized", **{"SampledDataCtrlr.TxStartedMeasurands": SEVERAL})
    session.energy_transfer_started()
    assert "evse" not in session.events[0], session.events
    assert "meterValue" not in session.events[0], session.events
    known = next(event for event in session.events if "evse" in event)
    _measured(known["meterValue"][0], "Transaction.Begin", SEVERAL)


@pytest.mark.tc("TC_J_09")
def test_updated_events(rig: Rig) -> None:
    session = configured(
        rig,
        **{"SampledDataCtrlr.TxUpdatedInterval": str(INTERVAL), "SampledDataCtrlr.TxUpdatedMeasurands": SEVERAL},
    )
    session.energy_transfer_started()
    stamps = []
    for _ in range(3):
        event = session.event("MeterValuePeriodic")
        _measured(event["meterValue"][0], "Sample.Periodic", SEVERAL)
        stamps.append(event["meterValue"][0]["timestamp"])
    _spaced(stamps)


@pytest.mark.tc("TC_J_10")
def test_ended_event(rig: Rig) -> None:
    session = configured(
        rig,
        **{
            "SampledDataCtrlr.TxEndedInterval": str(INTERVAL),
            "SampledDataCtrlr.TxEndedMeasurands": SEVERAL,
            "AlignedDataCtrlr.TxEndedMeasurands": "",
        },
    )
    *periodic, last = _through(rig, session)["meterValue"]
    for meter in periodic:
        _measured(meter, "Sample.Periodic", SEVERAL)
    _spaced([meter["timestamp"] for meter in periodic])
    _measured(last, "Transaction.End", SEVERAL)


@pytest.mark.tc("TC_J_01", "TC_J_07", "TC_J_09", "TC_J_10")
def test_empty_lists_send_nothing(rig: Rig) -> None:
    lists = ("AlignedDataCtrlr.Measurands", "AlignedDataCtrlr.TxEndedMeasurands")
    lists += tuple(f"SampledDataCtrlr.Tx{when}Measurands" for when in ("Started", "Updated", "Ended"))
    session = configured(
        rig,
        **dict.fromkeys(lists, ""),
        **{"AlignedDataCtrlr.Interval": "1", "SampledDataCtrlr.TxUpdatedInterval": "1"},
    )
    _through(rig, session)
    assert not [event for event in session.events if "meterValue" in event], session.events
    rig.expect_none("MeterValues", during=2.0)
