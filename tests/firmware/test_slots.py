"""Which slot runs: trials are counted, confirmed, taken back; whatever is damaged ends in code that is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from station.firmware import slots
from station.firmware.installer import Order
from station.firmware.slot_installer import SlotInstaller
from station.firmware.switch import SlotSwitch
from tests.firmware.images import FILES, image, manifest, version_of


def install(data: Path, version: str, running: str = "0", slot: str = "factory") -> str:
    files = {**FILES, "station/__init__.py": f'__version__ = "{version}"\n'.encode()}
    (data / "x.img").write_bytes(image(files, manifest(files, version=version)))
    installer = SlotInstaller(data, running, slot, version_of, sync=lambda: None)
    return installer.install(Order(data / "x.img", f"transfer-{version}", 60.0))


def confirm(data: Path, slot: str) -> None:
    SlotInstaller(data, "", slot).confirm()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path


def test_an_empty_folder_is_the_factorys(data: Path) -> None:
    assert slots.begin(data) == ("factory", False)
    assert not list(data.iterdir())


def test_a_trial_is_confirmed(data: Path) -> None:
    install(data, "1")
    assert SlotSwitch(data, "0").pending()
    assert slots.begin(data) == ("a", True)
    assert SlotSwitch(data, "1", "a").on_trial() == 60.0
    confirm(data, "a")
    confirm(data, "a")
    assert SlotSwitch(data, "1", "a").on_trial() is None
    assert not SlotSwitch(data, "1", "a").pending()
    for _ in range(5):
        assert slots.begin(data) == ("a", False)
    assert SlotSwitch(data, "1", "a").running().installation == "transfer-1"


def test_slots_take_turns(data: Path) -> None:
    running = "factory"
    for version in ("1", "2", "3"):
        install(data, version, "0", running)
        slot, on_trial = slots.begin(data)
        assert on_trial
        assert slot != running
        confirm(data, slot)
        running = slot
    assert running == "a"
    assert {name: one.version for name, one in slots.load(data).slots.items()} == {"a": "3", "b": "2"}


def test_three_starts_without_a_word(data: Path) -> None:
    install(data, "1")
    slots.begin(data)
    confirm(data, "a")
    install(data, "2", "1", "a")
    assert [slots.begin(data) for _ in range(5)] == [("b", True)] * 3 + [("a", False)] * 2
    running = SlotSwitch(data, "1", "a").running()
    assert running.failed == "transfer-2"
    assert "3 times" in running.why


def test_given_up(data: Path) -> None:
    install(data, "1")
    slots.begin(data)
    SlotSwitch(data, "1", "a").give_up("it crashed")
    assert slots.begin(data) == ("factory", False)
    running = SlotSwitch(data, "0").running()
    assert (running.installation, running.failed, running.why) == ("", "transfer-1", "it crashed")


def test_what_failed_is_forgotten_with_the_next_success(data: Path) -> None:
    install(data, "1")
    slots.begin(data)
    SlotSwitch(data, "1", "a").give_up("it crashed")
    install(data, "1")
    slots.begin(data)
    confirm(data, "a")
    assert not SlotSwitch(data, "1", "a").running().failed


@pytest.mark.parametrize("name", ["manage.py", "webui/a.py", "manifest.json"])
@pytest.mark.parametrize("damage", ["gone", "changed", "empty"])
@pytest.mark.parametrize("confirmed", [False, True])
def test_code_that_is_not_whole_is_never_run(data: Path, name: str, damage: str, confirmed: bool) -> None:
    install(data, "1")
    if confirmed:
        slots.begin(data)
        confirm(data, "a")
    path = data / "firmware" / "a" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(b"" if damage == "empty" else content[:-2] + b"x\n")
    assert slots.begin(data) == ("factory", False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 2, "good": "a", "slots": {}, "trial": null, "failed": null}',
        '{"format": 1, "good": "c", "slots": {"c": {"installation": "x", "version": "1"}}, "trial": null, "failed": 0}',
        '{"format": 1, "good": "a", "slots": {}, "trial": {"slot": "b", "starts": 0, "patience": 1}, "failed": null}',
        '{"format": 1, "good": "a", "slots": {"a": {"what": 1}}, "trial": null, "failed": null}',
    ],
)
def test_a_damaged_state_is_the_factorys(data: Path, text: str) -> None:
    install(data, "1")
    (data / "firmware" / "state.json").write_text(text)
    assert slots.begin(data) == ("factory", False)
    assert SlotSwitch(data, "0").running().version == "0"


def test_newer_code_beside_manage_py_runs_itself(data: Path) -> None:
    install(data, "1")
    slots.begin(data)
    confirm(data, "a")
    assert slots.begin(data, lambda version: version == "1") == ("factory", False)
    assert slots.begin(data, lambda version: False) == ("a", False)


def test_a_start_that_cannot_be_counted_is_none(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(data, "1")

    def save(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(slots, "save", save)
    assert slots.begin(data) == ("factory", False)


def test_the_form_of_the_state_is_a_promise(data: Path) -> None:
    """Other versions of the station read it: whoever changes it changes FORMAT, and then nobody can go back."""
    install(data, "1")
    assert json.loads((data / "firmware" / "state.json").read_text()) == {
        "format": 1,
        "good": "factory",
        "slots": {"a": {"installation": "transfer-1", "version": "1"}},
        "trial": {"slot": "a", "starts": 0, "patience": 60.0},
        "failed": None,
    }
