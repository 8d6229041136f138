"""The factory's ``manage.py`` and what it hands over to: real interpreters, a very small station."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from station.firmware import slots
from tests.firmware.images import image, manifest

PROJECT = Path(__file__).resolve().parent.parent.parent

# A station of one file: it says which code runs, and does what it is told to.
CODE = """
import json, os, sys
from station import __version__
import station
what = {"version": __version__, "slot": os.environ.get("STATION_SLOT"), "argv": sys.argv, "pid": os.getpid()}
what["path"] = station.__file__
print(json.dumps(what))
sys.stdout.flush()
%s
"""


class World:
    """A factory with version 1, and a data folder; ``add`` puts a firmware on trial."""

    def __init__(self, folder: Path) -> None:
        self.factory = folder / "factory"
        self.data = folder / "data"
        self.data.mkdir()
        (self.factory / "station" / "firmware").mkdir(parents=True)
        (self.factory / "station" / "domain").mkdir()
        (self.factory / "station" / "__init__.py").write_text('__version__ = "1"\n')
        for name in ("launcher.py", "slots.py"):
            shutil.copy(PROJECT / "station" / "firmware" / name, self.factory / "station" / "firmware")
        shutil.copy(PROJECT / "station" / "domain" / "versions.py", self.factory / "station" / "domain")
        text = (PROJECT / "manage.py").read_text()
        begin, end = text.index("def main()"), text.index("if __name__")
        (self.factory / "manage.py").write_text(
            text[:begin] + "def main():\n" + _indented(CODE % "") + "\n\n" + text[end:]
        )

    def add(self, version: str = "2", does: str = "", *, whole: bool = True, confirmed: bool = False) -> None:
        files = {
            "manage.py": (CODE % does).encode(),
            "station/__init__.py": f'__version__ = "{version}"\n'.encode(),
            "station/firmware/slots.py": b"",
        }
        (self.data / "x.img").write_bytes(image(files, manifest(files, version=version)))
        from station.firmware.installer import Order
        from station.firmware.slot_installer import SlotInstaller

        running = SlotInstaller(self.data, "0", "factory", lambda place: version, sync=lambda: None)
        running.install(Order(self.data / "x.img", f"transfer-{version}", 60.0))
        slot = slots.load(self.data).trial
        assert slot is not None
        if confirmed:
            slots.confirm(self.data, slot.slot)
        if not whole:
            (self.data / "firmware" / slot.slot / "manage.py").write_text("")

    def run(self, *arguments: str, **environment: str) -> tuple[int, list[dict[str, str]], str]:
        """Run manage.py; its status, what was said by whatever code ran, and the rest."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STATION_")}
        done = subprocess.run(
            [sys.executable, str(self.factory / "manage.py"), *arguments],
            env={**inherited, "STATION_DATA": str(self.data), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.data,
        )
        said = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, said, done.stderr

    @property
    def state(self) -> slots.State:
        return slots.load(self.data)


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_without_any_firmware_the_factory_runs(world: World) -> None:
    status, (said,), _ = world.run("appliance")
    assert (status, said["version"], said["slot"]) == (0, "1", "factory")
    assert not list(world.data.iterdir())


def test_a_firmware_on_trial_runs_and_is_counted(world: World) -> None:
    world.add()
    status, (said,), _ = world.run("appliance", "--traceback")
    assert (status, said["version"], said["slot"]) == (0, "2", "a")
    assert said["path"].startswith(str(world.data))
    assert said["argv"] == [str(world.data / "firmware" / "a" / "manage.py"), "appliance", "--traceback"]
    assert world.state.trial is not None
    assert world.state.trial.starts == 1


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("sys.exit(1)", "it ended with 1"),
        ("sys.exit('station: the database cannot be used')", "the database cannot be used"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_firmware_that_does_not_start_is_left_at_once(world: World, does: str, why: str) -> None:
    world.add(does=does)
    status, said, _ = world.run("appliance")
    assert (status, said[-1]["version"]) == (0, "1")
    assert len({one["pid"] for one in said}) == 1
    assert world.state.trial is None
    assert world.state.failed is not None
    assert why in world.state.failed.why


def test_the_one_before_it_comes_back_and_not_the_factory(world: World) -> None:
    world.add("2", confirmed=True)
    world.add("3", "raise RuntimeError('no')")
    _, said, _ = world.run("appliance")
    assert [one["version"] for one in said] == ["3", "2"]
    assert world.run("appliance")[1][0]["version"] == "2"


def test_a_proper_end_is_no_failure(world: World) -> None:
    for does in ("sys.exit(0)", "sys.exit(130)", "raise KeyboardInterrupt"):
        world.add(does=does)
        status, said, _ = world.run("appliance")
        assert [one["version"] for one in said] == ["2"]
        assert status in (0, 130)
        assert world.state.trial is not None
        slots.give_up(world.data, "for the next one")


def test_a_good_firmware_that_cannot_be_loaded_any_more_is_left_for_this_time(world: World) -> None:
    world.add(does="raise ImportError('the packages of the machine were changed')", confirmed=True)
    _, said, told = world.run("appliance")
    assert [one["version"] for one in said] == ["2", "1"]
    assert "the packages" in told
    assert world.state.good == "a"


def test_the_last_resort_is_not_asked_for_a_good_ones_own_refusal(world: World) -> None:
    world.add(does="sys.exit('station: a port is in use')", confirmed=True)
    status, said, told = world.run("appliance")
    assert (status, len(said)) == (1, 1)
    assert "a port is in use" in told


def test_damaged_code_is_not_run(world: World) -> None:
    world.add(whole=False)
    assert world.run("appliance")[1][0]["version"] == "1"
    assert world.state.failed is not None


def test_while_another_one_runs_nothing_is_counted(world: World) -> None:
    world.add(does="sys.exit('station: a station is already running')")
    with (world.data / "appliance.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, said, told = world.run("appliance")
    assert (status, [one["version"] for one in said]) == (1, ["2"])
    assert "already running" in told
    assert world.state.trial is not None
    assert world.state.trial.starts == 0


def test_newer_code_beside_manage_py_runs_itself(world: World) -> None:
    world.add("2", confirmed=True)
    (world.factory / "station" / "__init__.py").write_text('__version__ = "2.1"\n')
    assert world.run("appliance")[1][0]["version"] == "2.1"
    (world.factory / "station" / "__init__.py").write_text('__version__ = "1.9"\n')
    assert world.run("appliance")[1][0]["version"] == "2"


def test_provision_belongs_to_the_code_that_runs(world: World) -> None:
    world.add("2", "sys.exit(2)")
    status, said, _ = world.run("provision", "--identity", "x")
    assert (status, [one["version"] for one in said]) == (2, ["2"])
    assert world.state.trial is not None
    assert world.state.trial.starts == 0


@pytest.mark.parametrize("command", ["firmware", "bench", "migrate"])
def test_other_commands_are_the_factorys(world: World, command: str) -> None:
    world.add(confirmed=True)
    assert world.run(command)[1][0]["version"] == "1"


def test_a_data_folder_that_is_not_there(world: World) -> None:
    assert world.run("appliance", STATION_DATA=str(world.data / "none"))[1][0]["version"] == "1"
    assert not (world.data / "none").exists()
