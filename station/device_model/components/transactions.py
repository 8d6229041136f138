"""When a transaction begins and ends (part 2, section 2.6)."""

from __future__ import annotations

from station.device_model.definition import READ_WRITE, Component, boolean, integer, member_list

TX_START_POINTS = (
    "ParkingBayOccupancy",
    "EVConnected",
    "Authorized",
    "DataSigned",
    "PowerPathClosed",
    "EnergyTransfer",
)
TX_STOP_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")


class TxCtrlr(Component):
    """Transactions."""

    EVConnectionTimeOut = integer(
        60,
        READ_WRITE,
        "How long an authorization waits for the cable",
        unit="s",
        minimum=1,
        maximum=3600,
        required="2.6.1",
    )
    StopTxOnEVSideDisconnect = boolean(True, READ_WRITE, "Pulling the cable from the EV deauthorizes", required="2.6.2")
    TxBeforeAcceptedEnabled = boolean(False, READ_WRITE, "Charge before the CSMS has accepted the station")
    TxStartPoint = member_list(
        TX_START_POINTS,
        ("EVConnected", "Authorized"),
        READ_WRITE,
        "The first of these to happen starts a transaction",
        empty_allowed=False,
        required="2.6.4",
    )
    TxStopPoint = member_list(
        TX_STOP_POINTS,
        ("EVConnected", "Authorized"),
        READ_WRITE,
        "The first of these to be no longer so ends it",
        empty_allowed=False,
        required="2.6.5",
    )
    StopTxOnInvalidId = boolean(
        True, READ_WRITE, "A card that the CSMS refuses during the transaction deauthorizes it", required="2.6.8"
    )
    MaxEnergyOnInvalidId = integer(
        0,
        READ_WRITE,
        "What a transaction gets at most whose card the CSMS refuses, where that does not deauthorize it",
        unit="Wh",
        minimum=0,
        maximum=1_000_000,
    )
    ResumptionTimeout = integer(
        3600,
        READ_WRITE,
        "A transaction that a power cut interrupted for longer ends with PowerLoss instead of going on",
        unit="s",
        minimum=0,
        maximum=604_800,
        vendor=True,
    )
