"""A machine that gets full says so once, in time."""

from __future__ import annotations

from pathlib import Path

from station.domain.events import SecurityObserved
from station.uplink.resources import ResourceWatch, Room, disk_room, memory_room

MB = 1_000_000


def test_told_once_and_again_after_it_was_better() -> None:
    told: list[SecurityObserved] = []
    disk = [4000 * MB]
    watch = ResourceWatch(Path(), told.append, disk=lambda _: (disk[0], 8000 * MB), memory=lambda: (90 * MB, 512 * MB))
    seen = []
    for free in (4000, 201, 199, 150, 199, 250, 199, 301, 199):
        disk[0] = free * MB
        watch.look()
        seen.append(len(told))
    assert seen == [0, 0, 1, 1, 1, 1, 1, 1, 2]
    assert told[0] == SecurityObserved("MemoryExhaustion", "disk: 199 MB of 8000 MB are free")


def test_a_small_machine_is_judged_by_its_size() -> None:
    told: list[SecurityObserved] = []
    free = 7 * MB
    watch = ResourceWatch(Path(), told.append, disk=lambda _: (26 * MB, 512 * MB), memory=lambda: (free, 128 * MB))
    watch.look()
    assert told == []
    free = 6 * MB
    watch.look()
    assert [one.tech_info for one in told] == ["memory: 6 MB of 128 MB are free"]


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    def broken() -> Room:
        return memory_room(tmp_path / "nothing")

    told: list[SecurityObserved] = []
    ResourceWatch(tmp_path / "nothing", told.append, memory=broken).look()
    (tmp_path / "nothing").write_text("MemTotal:\nx\n")
    ResourceWatch(tmp_path, told.append, memory=broken, disk=lambda _: (10**12, 10**12)).look()
    assert told == []


def test_this_machine(tmp_path: Path) -> None:
    for free, whole in (disk_room(tmp_path), memory_room()):
        assert 0 < free <= whole
