"""Which meter values are taken, and when (part 2, section 2.7)."""

from __future__ import annotations

from collections.abc import Iterable

from station.device_model.definition import (
    READ_ONLY,
    READ_WRITE,
    Component,
    Scope,
    Variable,
    boolean,
    integer,
    member_list,
)

DAY = 86_400
ENERGY = "Energy.Active.Import.Register"
MEASURANDS = (ENERGY, "Power.Active.Import", "Voltage", "Current.Import", "Power.Factor", "SoC")


def _measurands(default: Iterable[str], doc: str, required: str) -> Variable[tuple[str, ...]]:
    return member_list(MEASURANDS, default, READ_WRITE, doc, required=required)


def _interval(default: int, doc: str, required: str = "", *, vendor: bool = False) -> Variable[int]:
    return integer(default, READ_WRITE, doc, unit="s", minimum=0, maximum=DAY, required=required, vendor=vendor)


class SampledDataCtrlr(Component):
    """Values taken in step with a transaction."""

    Available = boolean(True, READ_ONLY, "Sampled values can be taken", constant=True)
    Enabled = boolean(True, READ_WRITE, "Sampled values are taken")
    TxStartedMeasurands = _measurands((ENERGY,), "Sent with the Started event", "2.7.6")
    TxUpdatedMeasurands = _measurands(
        ("Power.Active.Import", "Voltage", ENERGY, "Current.Import", "Power.Factor"),
        "Sent with Updated events at every TxUpdatedInterval",
        "2.7.7",
    )
    TxUpdatedInterval = _interval(60, "Time between two such; 0: none", "2.7.8")
    TxEndedMeasurands = _measurands((ENERGY,), "Sent with the Ended event", "2.7.4")
    TxEndedInterval = _interval(0, "Time between two values for the Ended event; 0: first and last only", "2.7.5")
    SignReadings = boolean(False, READ_WRITE, "Values of the energy register carry a signature (OCMF)")
    RegisterValuesWithoutPhases = boolean(
        False, READ_WRITE, "Of the energy register only the total is reported, not the registers of the phases"
    )
    RateChangedInterval = _interval(
        0, "After a change of the charging rate, the soonest that values are sent for it; 0: never", vendor=True
    )


class AlignedDataCtrlr(Component):
    """Values taken at even times of the clock."""

    Available = boolean(True, READ_ONLY, "Clock-aligned values can be taken", constant=True)
    Enabled = boolean(True, READ_WRITE, "Clock-aligned values are taken")
    Measurands = _measurands((ENERGY,), "Sent at every Interval", "2.7.11")
    Interval = _interval(900, "Time between two such, counted from midnight; 0: none", "2.7.12")
    TxEndedMeasurands = _measurands((ENERGY,), "Collected for the Ended event at every TxEndedInterval", "2.7.15")
    TxEndedInterval = _interval(0, "Time between two such, counted from midnight; 0: none", "2.7.16")
    SignReadings = boolean(False, READ_WRITE, "Values of the energy register carry a signature (OCMF)")
    SendDuringIdle = boolean(False, READ_WRITE, "No clock-aligned values while any transaction runs")


class EvseAlignedDataCtrlr(Component, scope=Scope.EVSE, name="AlignedDataCtrlr"):
    """The same for one EVSE."""

    SendDuringIdle = boolean(False, READ_WRITE, "No clock-aligned values of this EVSE while it has a transaction")
