"""The charging infrastructure: station, EVSEs, connectors, and the station's clock (part 2, sections 2.1 and 2.13)."""

from __future__ import annotations

from station.device_model import values
from station.device_model.definition import (
    READ_ONLY,
    READ_WRITE,
    Component,
    Scope,
    Variable,
    boolean,
    date_time,
    decimal,
    integer,
    option_list,
    sequence_list,
    string,
)

AVAILABILITY_STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")


def _availability_state() -> Variable[str]:
    return option_list(
        AVAILABILITY_STATES,
        "Available",
        READ_ONLY,
        "What StatusNotification would say of it now",
        computed=True,
        required="2.13.2",
    )


def _available() -> Variable[bool]:
    return boolean(True, READ_ONLY, "Built in, wired and meant for use", constant=True, required="2.13.1")


def _problem() -> Variable[bool]:
    return boolean(False, READ_ONLY, "A fault keeps it from working", computed=True)


# Which conductor of the supply each of the EVSE's is (part 2, 2.13.5): R, S, T are L1, L2, L3; x is not connected.
PHASE_ROTATIONS = ("", "RST", "STR", "TRS", "RTS", "SRT", "TSR", "Rxx", "Sxx", "Txx")


def _supply_phases() -> Variable[int]:
    return integer(
        1,
        READ_ONLY,
        "Alternating-current phases that are connected",
        minimum=0,
        maximum=3,
        constant=True,
        required="2.13.6",
    )


class ChargingStation(Component):
    """The whole."""

    AvailabilityState = _availability_state()
    Available = _available()
    Problem = _problem()
    SupplyPhases = _supply_phases()
    Model = string("WebStation", READ_ONLY, "The model, as in BootNotification", maximum=20, constant=True)
    VendorName = string("OpenStation", READ_ONLY, "Who made it, as in BootNotification", maximum=50, constant=True)
    SerialNumber = string("", READ_ONLY, "The station's serial number", maximum=25, constant=True)
    MinimumStatusDuration = integer(
        0,
        READ_WRITE,
        "How long a status has to last before StatusNotification tells it",
        unit="s",
        minimum=0,
        maximum=300,
    )
    AllowNewSessionsPendingFirmwareUpdate = boolean(
        False,
        READ_WRITE,
        "Sessions may begin while a firmware update waits for the running ones to end; it may then wait for long",
    )
    FirmwareVersion = string("", READ_ONLY, "The firmware that runs", maximum=50, computed=True)


class ElectricalFeed(Component):
    """What the building gives the station. It has one feed."""

    ACVoltage = decimal(
        230.0,
        READ_ONLY,
        "Nominal voltage of each phase to neutral; ratings in W are made of A with it",
        unit="V",
        minimum=100,
        maximum=300,
        constant=True,
    )
    FuseRating = decimal(
        0.0,
        READ_ONLY,
        "Fuse before the station, each phase; all EVSEs together stay within it. 0: nobody has said",
        unit="A",
        minimum=0,
        maximum=1000,
        constant=True,
    )


class EVSE(Component, scope=Scope.EVSE):
    """What charges one EV at a time."""

    AvailabilityState = _availability_state()
    Available = _available()
    Problem = _problem()
    SupplyPhases = _supply_phases()
    Power = decimal(
        0.0,
        READ_ONLY,
        "Real power at this moment; its maxLimit is the EVSE's rating and what the factory sets",
        unit="W",
        minimum=0,
        maximum=7360,  # 32 A, one phase, 230 V
        computed=True,
        rated=True,
        required="2.13.7",
    )
    PhaseRotation = option_list(
        PHASE_ROTATIONS,
        "",
        READ_ONLY,
        "Which phase of the supply each of its conductors is, as R, S and T; empty: nobody has said",
        constant=True,
    )
    AllowReset = boolean(False, READ_ONLY, "The EVSE can be reset by itself", constant=True)


class Connector(Component, scope=Scope.CONNECTOR):
    """A cable or socket of an EVSE."""

    AvailabilityState = _availability_state()
    Available = _available()
    Problem = _problem()
    ConnectorType = string(
        "cType1",
        READ_ONLY,
        "A ConnectorEnumType: a fixed cable with a Type 1 plug",
        maximum=20,
        constant=True,
        required="2.13.4",
    )
    SupplyPhases = _supply_phases()


class ConnectorPlugRetentionLock(Component, scope=Scope.CONNECTOR):
    """What holds the plug of a driver's cable in its socket."""

    Available = boolean(False, READ_ONLY, "There is such a lock; a fixed cable needs none", computed=True)
    Problem = boolean(False, READ_ONLY, "It should hold a plug and does not (G05)", computed=True)


class ClockCtrlr(Component):
    """What time it is, and who says so."""

    DateTime = date_time(None, READ_ONLY, "The station's time", computed=True, required="2.1.24")
    TimeSource = sequence_list(
        ("Heartbeat", "NTP"),
        ("Heartbeat", "NTP"),
        READ_WRITE,
        "Where the time comes from, the best source first; NTP is the machine's own clock service",
        empty_allowed=False,
        required="2.1.30",
    )
    TimeOffset = string(
        "",
        READ_WRITE,
        "Local time's offset, for display only",
        maximum=6,
        format=values.time_offset,
    )
    TimeOffsetNextTransition = string(
        "",
        READ_WRITE,
        "The offset from NextTimeOffsetTransitionDateTime on",
        name="TimeOffset",
        instance="NextTransition",
        maximum=6,
        format=values.time_offset,
    )
    NextTimeOffsetTransitionDateTime = date_time(
        None, READ_WRITE, "When the offset changes, say to daylight saving time"
    )
    TimeAdjustmentReportingThreshold = integer(
        20,
        READ_WRITE,
        "A larger adjustment of the clock is a security event (SettingSystemTime)",
        unit="s",
        minimum=0,
        maximum=86_400,
    )
    TimeZone = string("", READ_WRITE, "Local time zone, for display only", maximum=64, format=values.time_zone)
