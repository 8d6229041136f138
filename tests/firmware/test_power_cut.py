"""Power goes at every single point of an installation: what starts next is always whole.

A disk that forgets: what was written and not yet synchronised is empty after the cut, or gone, or there.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from station.firmware import slots
from station.firmware.installer import Order
from station.firmware.slot_installer import SlotInstaller
from tests.firmware.images import FILES, manifest, version_of
from tests.firmware.images import image as make

MORE = {f"webui/page{number}.py": f"PAGE = {number}\n".encode() * 20 for number in range(12)}


class PowerCut(BaseException):
    """Not an Exception: nothing may catch it."""


class Disk:
    """Counts what is done to the disk, and lets the power go before the ``cut``-th of it.

    ``loose`` are files whose content was not synchronised, ``moved`` what stood where something was renamed to in a
    folder that was not.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.count = 0
        self.cut = -1
        self.loose: set[str] = set()
        self._root = str(root)
        self._handles: dict[int, str] = {}
        self.moved: dict[Path, bytes | None] = {}
        monkeypatch.setattr(os, "fsync", lambda handle: None)  # the real one takes long, and helps nobody here
        for name in ("mkdir", "open", "fsync", "replace", "unlink", "rmdir"):
            monkeypatch.setattr(os, name, self._counted(name, getattr(os, name)))
        monkeypatch.setattr(os, "close", self._closing(os.close))
        monkeypatch.setattr(shutil, "rmtree", self._remove)

    def tick(self) -> None:
        self.count += 1
        if self.count == self.cut:
            raise PowerCut

    def _counted(self, name: str, real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if not (isinstance(arguments[0], int) or str(arguments[0]).startswith(self._root)):
                return real(*arguments, **options)
            self.tick()
            if name == "replace":
                self._before(Path(arguments[1]))
            result = real(*arguments, **options)
            self._note(name, arguments, result)
            return result

        return call

    def _note(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        if name == "open":
            self._handles[result] = str(arguments[0])
            if arguments[1] & os.O_WRONLY:
                self.loose.add(str(arguments[0]))
        elif name == "fsync":
            synchronised = self._handles.get(arguments[0], "")
            self.loose.discard(synchronised)
            self.moved = {path: old for path, old in self.moved.items() if str(path.parent) != synchronised}
        elif name == "replace" and str(arguments[0]) in self.loose:
            self.loose.add(str(arguments[1]))

    def _before(self, target: Path) -> None:
        if target not in self.moved:
            self.moved[target] = target.read_bytes() if target.is_file() else None

    def _closing(self, real: Any) -> Any:
        def close(handle: int) -> None:
            real(handle)
            self._handles.pop(handle, None)

        return close

    def _remove(self, place: Path, **_: Any) -> None:
        """File by file, as rmtree does it."""
        for folder, folders, files in os.walk(place, topdown=False):
            for name in files:
                os.unlink(Path(folder, name))  # noqa: PTH108 - counted
            for name in folders:
                os.rmdir(Path(folder, name))  # noqa: PTH106
        if place.exists():
            os.rmdir(place)  # noqa: PTH106

    def forget(self, chance: random.Random) -> None:
        """The power is gone: of what was not synchronised nobody knows what is left."""
        for path, old in self.moved.items():
            if old is not None and chance.random() < 0.5:
                path.write_bytes(old)
                self.loose.discard(str(path))
        for name in sorted(self.loose):
            path = Path(name)
            if path.is_file():
                fate = chance.choice(("empty", "half", "whole"))
                content = path.read_bytes()
                path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "whole": content}[fate])


@contextmanager
def _disk(root: Path) -> Iterator[Disk]:
    with pytest.MonkeyPatch.context() as patch:
        yield Disk(patch, root)


def prepared(data: Path) -> Path:
    """A station that runs version 1 from slot a, and an old version 0.5 in slot b."""
    data.mkdir()
    for version, slot in (("0.5", "factory"), ("0.6", "a"), ("1", "b")):
        files = {**FILES, "station/__init__.py": f'__version__ = "{version}"\n'.encode()}
        (data / "x.img").write_bytes(make(files, manifest(files, version=version)))
        SlotInstaller(data, "0", slot, version_of, sync=lambda: None).install(Order(data / "x.img", version, 60.0))
        new, _ = slots.begin(data)
        slots.confirm(data, new)
    files = {**FILES, **MORE}
    (data / "x.img").write_bytes(make(files, manifest(files)))
    assert slots.begin(data) == ("a", False)
    return data


def update(data: Path) -> None:
    """Version 2 into slot b, its first start, its confirmation."""
    installer = SlotInstaller(data, "1", "a", version_of, sync=lambda: None)
    installer.install(Order(data / "x.img", "2", 60.0))
    assert slots.begin(data) == ("b", True)
    slots.confirm(data, "b")


def what_starts(data: Path) -> str:
    """The version that starts; it is whole, and it is the only one to choose from."""
    slot, _ = slots.begin(data)
    assert slot in ("a", "b"), "the factory's code is the last resort, and was not needed"
    assert slots.whole(data, slot)
    return version_of(data / "firmware" / slot)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many points there are."""
    data = prepared(tmp_path_factory.mktemp("count") / "data")
    with _disk(data) as disk:
        update(data)
    assert version_of(data / "firmware" / "b") == "2.0"
    return disk.count


def test_power_goes_at_every_point(tmp_path: Path, points: int) -> None:
    assert points > 60
    ready = prepared(tmp_path / "ready")
    chance = random.Random(1)
    started = set()
    for cut in range(1, points + 1):
        data = tmp_path / f"cut{cut}"
        shutil.copytree(ready, data)
        with _disk(data) as disk:
            disk.cut = cut
            with pytest.raises(PowerCut):
                update(data)
        disk.forget(chance)
        version = what_starts(data)
        assert version in ("1", "2.0"), cut
        started.add(version)
        # and the update can be done again
        if version == "1":
            update(data)
        else:
            slots.confirm(data, "b")
        assert what_starts(data) == "2.0"
        shutil.rmtree(data)
    assert started == {"1", "2.0"}
