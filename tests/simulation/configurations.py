"""How the simulated stations are set up: what an installer or a CSMS may choose, drawn from a seed."""

from __future__ import annotations

import random

# Common pairs first: they are drawn more often than a wild mixture.
POINTS = (
    ("EVConnected,Authorized", "EVConnected,Authorized"),
    ("PowerPathClosed", "PowerPathClosed"),
    ("PowerPathClosed", "EVConnected"),
    ("Authorized", "Authorized"),
    ("EVConnected", "EVConnected"),
    ("EnergyTransfer", "EnergyTransfer"),
    ("ParkingBayOccupancy", "ParkingBayOccupancy"),
    ("ParkingBayOccupancy,EVConnected,Authorized", "ParkingBayOccupancy"),
    ("DataSigned", "Authorized"),
    ("Authorized", "EVConnected"),
)
START_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "DataSigned", "PowerPathClosed", "EnergyTransfer")
STOP_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")

START, STOP = "TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"
ATTEMPTS = "OCPPCommCtrlr.MessageAttempts[TransactionEvent]"
RETRY_INTERVAL = "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"

# name -> what it is drawn from; the first is the most frequent
CHOICES: dict[str, tuple[str, ...]] = {
    "TxCtrlr.StopTxOnEVSideDisconnect": ("true", "true", "false"),
    "TxCtrlr.StopTxOnInvalidId": ("true", "false"),
    "TxCtrlr.TxBeforeAcceptedEnabled": ("false", "true"),
    "TxCtrlr.EVConnectionTimeOut": ("60", "20", "180"),
    "TxCtrlr.ResumptionTimeout": ("3600", "0", "60"),
    "TxCtrlr.MaxEnergyOnInvalidId": ("0", "500"),
    "AuthCtrlr.Enabled": ("true", "true", "true", "true", "false"),
    "AuthCtrlr.AuthorizeRemoteStart": ("false", "true"),
    "AuthCtrlr.LocalAuthorizeOffline": ("true", "false"),
    "AuthCtrlr.LocalPreAuthorize": ("false", "true"),
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": ("true", "false"),
    "AuthCtrlr.MasterPassGroupId": ("", "", "", "MASTER"),
    "AuthCacheCtrlr.Enabled": ("false", "true"),
    "AuthCacheCtrlr.LifeTime": ("2592000", "3600"),
    "AuthCacheCtrlr.Policy": ("CUSTOM", "LRU", "LFU", "FIFO"),
    "AuthCacheCtrlr.Storage": ("262144", "400"),
    "SampledDataCtrlr.TxUpdatedInterval": ("900", "300", "60", "0"),
    "SampledDataCtrlr.TxEndedInterval": ("0", "900"),
    "SampledDataCtrlr.RateChangedInterval": ("0", "0", "60"),
    "SampledDataCtrlr.SignReadings": ("false", "false", "false", "true"),
    "AlignedDataCtrlr.Interval": ("0", "3600", "900"),
    "AlignedDataCtrlr.TxEndedInterval": ("0", "1800"),
    "AlignedDataCtrlr.SendDuringIdle": ("false", "true"),
    "ClockCtrlr.TimeSource": ("Heartbeat", "NTP,Heartbeat"),
    "ChargingStation.MinimumStatusDuration": ("0", "0", "5"),
    "OCPPCommCtrlr.OfflineThreshold": ("60", "0", "600"),
    "OCPPCommCtrlr.MessageTimeout[Default]": ("30", "10"),
    "OCPPCommCtrlr.QueueAllMessages": ("false", "false", "true"),
    "OCPPCommCtrlr.ResetRetries": ("1", "0"),
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": ("false", "true"),
    ATTEMPTS: ("5", "3", "2", "50"),
    RETRY_INTERVAL: ("30", "60", "0", "120"),
}

# What a CSMS sets while the station runs, and to what.
SETTABLE = (
    "TxCtrlr.StopTxOnEVSideDisconnect",
    "TxCtrlr.StopTxOnInvalidId",
    "TxCtrlr.EVConnectionTimeOut",
    "AuthCtrlr.LocalPreAuthorize",
    "AuthCtrlr.LocalAuthorizeOffline",
    "AuthCtrlr.AuthorizeRemoteStart",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled",
    "AuthCacheCtrlr.Enabled",
    "AuthCacheCtrlr.Policy",
    "SampledDataCtrlr.TxUpdatedInterval",
    "SampledDataCtrlr.TxEndedInterval",
    "AlignedDataCtrlr.Interval",
    "AlignedDataCtrlr.SendDuringIdle",
    "ChargingStation.MinimumStatusDuration",
    "OCPPCommCtrlr.OfflineThreshold",
)
HEARTBEATS = (900, 900, 3600, 300)  # s, as the CSMS asks for


def draw(rng: random.Random) -> dict[str, str]:
    """One configuration; only what differs from the first choice is likely to matter, so most of it does not."""
    wild = rng.random()
    start, stop = rng.choice(POINTS[:4]) if rng.random() < 0.5 else rng.choice(POINTS)
    if wild < 0.25:
        start = ",".join(sorted(rng.sample(START_POINTS, rng.randint(1, 3))))
        stop = ",".join(sorted(rng.sample(STOP_POINTS, rng.randint(1, 3))))
    variables = {START: start, STOP: stop}
    for name, choice in CHOICES.items():
        variables[name] = rng.choice(choice) if rng.random() < 0.6 else choice[0]
    if "DataSigned" in start:
        variables["SampledDataCtrlr.SignReadings"] = "true"
    return variables
