"""The power goes at any point of a certificate renewal: the station always comes up, and connected.

The station is the whole pure one, on a disk in memory and on the real database; keys are the uplink's files, and what
an attempt to connect presents is loaded by OpenSSL. The CSMS takes the new certificate, or it does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from station.domain.effects import Stored
from station.domain.events import ConnectionFailed
from station.domain.memory import Memory
from station.domain.network import FailureCause
from station.store import repositories
from station.uplink.tls import TlsUnusable, client_context
from tests.ocpp.blocks.certified import Certified
from tests.support.disk import Disk

POINTS = 50
PAUSE = 20.0  # s from one attempt to connect to the next


class PowerCut(BaseException):
    """Nothing of the station catches it."""


class Fuse:
    """Blows when its count is reached."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise PowerCut


class FusedDisk(Disk):
    """The power may go before a commit and after it, never in between: that is the database's word."""

    fuse: Fuse

    def commit(self, effects: Iterable[Stored]) -> None:
        effects = list(effects)
        if effects:
            self.fuse.point()
        self.write(effects)
        if effects:
            self.fuse.point()

    def write(self, effects: list[Stored]) -> None:
        super().commit(effects)


class DatabaseDisk(FusedDisk):
    """The same on the station's real database."""

    def write(self, effects: list[Stored]) -> None:
        super().write(effects)
        repositories.commit(effects)

    def load(self) -> Memory:
        return repositories.load()


class Scene:
    """A station, its CSMS, and the way between them."""

    def __init__(self, disk: type[FusedDisk], fuse: Fuse, *, takes_new: bool) -> None:
        station = self.station = Certified()
        self.rig = station.rig
        self.takes_new = takes_new
        self.signed: list[str] = []
        fused = disk(**{name: getattr(station.rig.disk, name) for name in Disk.__dataclass_fields__})
        fused.fuse = fuse
        if disk is DatabaseDisk:
            _copy(fused)
        station.rig.disk = fused
        station.rig.after_step = fuse.point  # what is committed is not carried out wholly, or not heard of
        station.rig.on_frame = lambda frame: fuse.point()
        station.rig.answers["SignCertificate"] = {"status": "Accepted"}
        station.rig.power_cut()
        station.rig.boot()
        station.rig.let(1)

    def renew(self) -> None:
        """What is cut short: from the trigger until the new certificate has proven itself, or has not."""
        station = self.station
        station.trigger()
        self.sign()
        self.connect()

    def sign(self) -> None:
        new = self.station.authority.sign(self.station.csr)
        self.signed.append(new)
        self.station.signed(new)

    def connect(self) -> None:
        """Leave the link and find a way back, as the uplink's connector does."""
        if self.rig.online:
            self.rig.disconnect()
        for _ in range(8):
            if self._attempt():
                self.rig.let(3)
                return
            self.rig.skip(PAUSE)
        raise AssertionError("the station does not find its way back")

    def _attempt(self) -> bool:
        material = self.rig.material()
        try:
            client_context(3, material, self.rig.signing.keys)
        except TlsUnusable as error:
            self.rig.step(ConnectionFailed(1, 3, FailureCause.CONFIGURATION, str(error)))
            return False
        if material.chain[0] in self.signed and not self.takes_new:
            self.rig.step(ConnectionFailed(1, 3, FailureCause.STATION_CERTIFICATE, "not taken"))
            return False
        self.rig.connect()
        return True

    def come_back(self) -> None:
        """The power is back."""
        self.rig.power_cut()
        self.rig.boot(connect=False)
        self.connect()

    def check(self) -> None:
        """It is connected, with one certificate whose key is there, and no other key lies around."""
        assert self.rig.online
        [own] = self.station.own()
        assert own == self.station.shown()
        assert own in self.signed or own == self.station.first.chain[0]
        if not self.takes_new:
            assert own == self.station.first.chain[0]
        request = self.rig.disk.load().remembered.get("certificate_request")
        needed = {record.key for record in self.rig.disk.load().certificates if record.key}
        needed |= {request["key"]} if request and request["key"] else set()
        assert set(self.station.key_files()) == needed


def _copy(disk: FusedDisk) -> None:
    """What the disk in memory had so far, into the database."""
    from station.domain.effects import Enqueue, Remember, SaveCertificate, SaveNetworkProfile, SaveVariable

    memory = Disk.load(disk)
    effects: list[Stored] = [SaveCertificate(record) for record in memory.certificates]
    effects += [SaveNetworkProfile(profile) for profile in memory.network_profiles]
    effects += [Remember(key, value) for key, value in memory.remembered.items()]
    effects += [Enqueue(call.sequence, call.action, call.payload, call.created) for call in memory.queue]
    effects += [SaveVariable(**asdict(one)) for one in memory.variables]
    repositories.commit(effects)


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    """Also between what is done to make a file last."""
    fuse = Fuse()

    def fused(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            fuse.point()
            result = function(*arguments, **options)
            fuse.point()
            return result

        return call

    monkeypatch.setattr("station.store.secrets.os.fsync", fused(os.fsync))
    monkeypatch.setattr(Path, "replace", fused(Path.replace))
    monkeypatch.setattr(Path, "unlink", fused(Path.unlink))
    return fuse


@pytest.mark.django_db
@pytest.mark.parametrize("takes_new", [True, False])
@pytest.mark.parametrize("disk", [FusedDisk, DatabaseDisk])
def test_it_always_comes_up_connected(disk: type[FusedDisk], fuse: Fuse, takes_new: bool) -> None:
    def scene() -> Scene:
        _empty()
        return Scene(disk, fuse, takes_new=takes_new)

    whole = scene()
    before = fuse.passed
    whole.renew()
    whole.check()
    points = fuse.passed - before
    assert points >= POINTS
    for number in range(POINTS):
        one = scene()
        fuse.left = number * points // POINTS
        with pytest.raises(PowerCut):
            one.renew()
        one.come_back()
        one.check()
        if number % 5 == 0:  # and the next renewal works
            one.takes_new = True
            one.renew()
            one.check()
            assert one.station.own() == one.signed[-1:]


def _empty() -> None:
    from station.store import models

    for model in (models.Certificate, models.NetworkProfile, models.Remembered, models.QueuedCall, models.Variable):
        model.objects.all().delete()
