"""Debian's RAUC with two slots that are files: what the station has it do, and what it reads out of its answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from station.firmware.installer import InstallFailed, InstallRefused, Order
from station.firmware.rauc import REBOOT, Rauc, RaucInstaller, RaucSwitch
from tests.support.manufacturer import Manufacturer, Signer, key_usage
from tests.support.waiting import wait_until

ROOT = os.geteuid() == 0  # RAUC mounts the bundle, for which it must be root
MADE = Manufacturer()
USAGE = ((key_usage(digital_signature=True), True),)
SIGNER = MADE.signer(extensions=USAGE)

# A bootloader's memory, in a folder: what is tried next, and whether a slot is good.
BACKEND = """#!/bin/sh
cd {folder}/boot
case "$1" in
get-primary) cat primary ;;
set-primary) echo "$2" >primary; echo good >"state.$2" ;;
get-state) cat "state.$2" ;;
set-state) echo "$3" >"state.$2" ;;
*) exit 1 ;;
esac
"""
SYSTEM = """[system]
compatible=charging-station
bootloader=custom
statusfile={folder}/status
mountprefix={folder}/mnt
[handlers]
bootloader-custom-backend={folder}/backend
[keyring]
path={folder}/root.pem
[slot.rootfs.0]
device={folder}/slot0
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/slot1
type=raw
bootname=B
"""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow eavesdrop="true"/></policy></busconfig>
"""


class Machine:
    """A machine with RAUC, two slots and a bootloader; ``boot`` boots it anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.boots = 0
        self._service: subprocess.Popen[bytes] | None = None
        for name in ("boot", "mnt", "data"):
            (folder / name).mkdir()
        for slot in ("slot0", "slot1"):
            (folder / slot).write_bytes(bytes(512 * 1024))
        for name, text in (("system.conf", SYSTEM), ("bus.conf", BUS), ("backend", BACKEND)):
            (folder / name).write_text(text.format(folder=folder))
        (folder / "backend").chmod(0o755)
        (folder / "root.pem").write_text(MADE.pem)
        for name, text in (("primary", "A"), ("state.A", "good"), ("state.B", "good")):
            (folder / "boot" / name).write_text(f"{text}\n")
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus"}
        command = ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile"]
        self._bus = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(lambda: (folder / "bus").exists(), "the bus", 10)

    def boot(self) -> str:
        """Boot what the bootloader would: the primary slot, unless it is bad."""
        self.end_service()
        self.boots += 1
        primary = (self.folder / "boot" / "primary").read_text().strip()
        if (self.folder / "boot" / f"state.{primary}").read_text().strip() != "good":
            primary = "B" if primary == "A" else "A"
            (self.folder / "boot" / "primary").write_text(f"{primary}\n")
        command = ["rauc", f"--conf={self.folder}/system.conf", f"--override-boot-slot={primary}", "service"]
        with (self.folder / "service.log").open("ab") as out:
            self._service = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        wait_until(self._answers, "RAUC's service", 10)
        return primary

    def _answers(self) -> bool:
        asked = subprocess.run(["rauc", "status"], env=self.environment, capture_output=True, check=False)
        return asked.returncode == 0

    def end_service(self) -> None:
        if self._service is not None:
            self._service.terminate()
            self._service.wait(10)

    def close(self) -> None:
        self.end_service()
        self._bus.terminate()
        self._bus.wait(10)

    @property
    def rauc(self) -> Rauc:
        command = ["env", f"DBUS_SYSTEM_BUS_ADDRESS=unix:path={self.folder}/bus", "rauc"]
        return Rauc(self.folder / "data", [*command, f"--conf={self.folder}/system.conf"], lambda: f"boot {self.boots}")

    def bundle(
        self, version: str, content: bytes = b"new", *, signer: Signer = SIGNER, compatible: str = "charging-station"
    ) -> Path:
        place = self.folder / "in"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "rootfs.img").write_bytes(content.ljust(4096, b"\0"))
        (place / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n[image.rootfs]\nfilename=rootfs.img\n"
        )
        (self.folder / "signer.pem").write_text(signer.pem)
        (self.folder / "key.pem").write_bytes(
            signer.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        target = self.folder / f"{version}.raucb"
        keys = ("--cert", str(self.folder / "signer.pem"), "--key", str(self.folder / "key.pem"))
        subprocess.run(["rauc", *keys, "bundle", str(place), str(target)], check=True, capture_output=True)
        return target


@dataclass
class Station:
    """The station's side in one boot of that machine."""

    machine: Machine
    version: str = "1.0.0"

    @property
    def installer(self) -> RaucInstaller:
        return RaucInstaller(self.machine.folder / "data", self.version, self.machine.rauc)

    @property
    def switch(self) -> RaucSwitch:
        return RaucSwitch(self.machine.folder / "data", self.version, self.machine.rauc)

    def install(self, bundle: Path) -> str:
        return self.installer.install(Order(bundle, "transfer-1", 60.0))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    try:
        assert machine.boot() == "A"
        yield machine
    finally:
        machine.close()


def test_a_bundle_is_installed_and_proves_itself(machine: Machine) -> None:
    station = Station(machine)
    assert not station.switch.pending()
    bundle = machine.bundle("2.0.0")
    if not ROOT:
        with pytest.raises(InstallFailed):
            station.install(bundle)
        return
    assert station.install(bundle) == "2.0.0"
    assert (machine.folder / "slot1").read_bytes()[:3] == b"new"
    assert station.switch.pending()
    assert machine.boot() == "B"
    new = Station(machine, "2.0.0")
    assert new.switch.running().installation == "transfer-1"
    assert new.switch.on_trial() == 60.0
    assert not new.switch.pending()
    new.installer.confirm()
    assert new.switch.on_trial() is None
    assert new.switch.running().installation == "transfer-1"
    assert (machine.folder / "boot" / "state.B").read_text() == "good\n"


def test_a_power_cut_before_anything_was_written(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    rauc = machine.rauc
    order = Order(machine.bundle("2.0.0"), "transfer-1", 60.0)
    real = rauc.run
    monkeypatch.setattr(rauc, "run", lambda *words, **more: cut() if words[0] == "install" else real(*words, **more))
    with pytest.raises(KeyboardInterrupt):
        RaucInstaller(machine.folder / "data", "1.0.0", rauc).install(order)
    assert not Station(machine).switch.pending()
    assert machine.boot() == "A"
    running = Station(machine).switch.running()
    assert (running.installation, running.failed) == ("", "")  # it is to be done again


def test_what_is_given_up_is_left(machine: Machine) -> None:
    if ROOT:
        Station(machine).install(machine.bundle("2.0.0"))
        machine.boot()
    new = Station(machine, "2.0.0")
    new.switch.give_up("it was not accepted")
    assert (machine.folder / "boot" / f"state.{'B' if ROOT else 'A'}").read_text() == "bad\n"
    if ROOT:
        assert machine.boot() == "A"
        running = Station(machine).switch.running()
        assert (running.installation, running.failed, running.why) == ("", "transfer-1", "it was not accepted")


def test_the_bootloader_goes_back_by_itself(machine: Machine) -> None:
    if not ROOT:
        return
    Station(machine).install(machine.bundle("2.0.0"))
    (machine.folder / "boot" / "state.B").write_text("bad\n")  # it has counted the boots
    assert machine.boot() == "A"
    running = Station(machine).switch.running()
    assert (running.failed, running.installation) == ("transfer-1", "")
    assert "bootloader" in running.why
    assert Station(machine).switch.on_trial() is None


def bad(machine: Machine, how: str) -> Path:
    match how:
        case "another manufacturer's":
            return machine.bundle("2.0.0", signer=Manufacturer("Another").signer(extensions=USAGE))
        case "older":
            return machine.bundle("0.9.0")
        case "a version that is none":
            return machine.bundle("2 0")
    path = machine.bundle("2.0.0")
    content = path.read_bytes()
    path.write_bytes({"cut off": content[:-100], "a flipped bit": _flipped(content), "no bundle": b"x" * 5000}[how])
    return path


def _flipped(content: bytes) -> bytes:
    return content[:300] + bytes([content[300] ^ 1]) + content[301:]


@pytest.mark.parametrize(
    "how", ["another manufacturer's", "older", "a version that is none", "cut off", "a flipped bit", "no bundle"]
)
def test_a_bad_bundle(machine: Machine, how: str) -> None:
    with pytest.raises(InstallRefused) as refused:
        Station(machine).install(bad(machine, how))
    assert str(refused.value)
    assert not Station(machine).switch.pending()
    assert (machine.folder / "boot" / "primary").read_text() == "A\n"


def test_a_bundle_for_another_machine(machine: Machine) -> None:
    with pytest.raises(InstallFailed):
        Station(machine).install(machine.bundle("2.0.0", compatible="toaster"))
    assert (machine.folder / "boot" / "primary").read_text() == "A\n"


def test_without_rauc(tmp_path: Path) -> None:
    rauc = Rauc(tmp_path, ["/no/such/program"])
    with pytest.raises(InstallFailed, match="cannot be run"):
        RaucInstaller(tmp_path, "1", rauc).confirm()
    with pytest.raises(InstallRefused, match="cannot be run"):
        RaucInstaller(tmp_path, "1", rauc).install(Order(tmp_path / "x", "t", 60.0))
    switch = RaucSwitch(tmp_path, "1", rauc)
    switch.give_up("no")
    assert switch.running().version == "1"
    assert switch.on_trial() is None
    assert not switch.pending()


def test_the_machine_is_booted_by_the_sites_own_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def booted() -> Any:
        return (tmp_path / "booted").exists()

    monkeypatch.setenv(REBOOT, f"touch '{tmp_path}/booted'")
    RaucSwitch(tmp_path, "1").restart()
    assert booted()
    monkeypatch.setenv(REBOOT, "/no/such/program now")
    RaucSwitch(tmp_path, "1").restart()  # says so in the log
