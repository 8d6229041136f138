"""Stations to begin a test of a block with."""

from __future__ import annotations

from tests.support.memory_rig import MemoryRig


def station(*, evses: int = 2, **variables: str) -> MemoryRig:
    """A booted station that sends no meter values by itself."""
    quiet = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0"}
    return MemoryRig(evses=evses, **quiet, **variables).boot()


def charging(**variables: str) -> MemoryRig:
    """EVSE 1 charges, cable first."""
    rig = station(**variables)
    rig.plug()
    rig.card()
    rig.let(5)
    return rig
