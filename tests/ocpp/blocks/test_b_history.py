"""Who has set a variable, from what, and when: what the station says of it for the history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from station.domain.effects import SaveVariable, SetBy, Stored
from tests.support.disk import Disk
from tests.support.memory_rig import EPOCH, MemoryRig


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[SaveVariable]:
    """Every change of the device model that a station of the test commits."""
    found: list[SaveVariable] = []
    commit = Disk.commit

    def noted(self: Disk, effects: Iterable[Stored]) -> None:
        effects = list(effects)
        found.extend(effect for effect in effects if isinstance(effect, SaveVariable))
        commit(self, effects)

    monkeypatch.setattr(Disk, "commit", noted)
    return found


def brief(change: SaveVariable) -> tuple[Any, ...]:
    return change.by, change.who, change.old, change.value


def test_the_csms_an_installer_and_the_station_itself(saved: list[SaveVariable]) -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 90, "currentTime": EPOCH.isoformat()}
    rig.boot()
    assert [brief(one) for one in saved if one.variable == "HeartbeatInterval"] == [(SetBy.STATION, "", "300", "90")]
    saved.clear()
    rig.set_variable("TxCtrlr.EVConnectionTimeOut", "30")
    rig.operator("set_variable", component="TxCtrlr", variable="EVConnectionTimeOut", value="45")
    assert [brief(one) for one in saved] == [(SetBy.CSMS, "", "60", "30"), (SetBy.PERSON, "owner", "30", "45")]
    assert all(one.at == rig.station.clock.utc(rig.now) for one in saved)


def test_what_is_refused_or_as_it_was_is_no_change(saved: list[SaveVariable]) -> None:
    rig = MemoryRig().boot()
    saved.clear()
    rig.set_variable("TxCtrlr.EVConnectionTimeOut", "60")
    rig.set_variable("TxCtrlr.EVConnectionTimeOut", "0")
    rig.set_variable("ChargingStation.Model", "Another")
    assert saved == []


def test_a_secret_has_no_past(saved: list[SaveVariable]) -> None:
    rig = MemoryRig().boot()
    saved.clear()
    for password in ("correct horse battery", "another horse battery"):
        rig.set_variable("SecurityCtrlr.BasicAuthPassword", password)
    assert [one.old for one in saved] == [None, None]
