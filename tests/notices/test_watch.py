"""What is wrong, followed from the journal and what the station remembers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from station.domain.effects import Journal, Remember, SaveNetworkProfile
from station.domain.network import NetworkProfile
from station.notices import watch
from station.notices.models import Trouble, Watch
from station.notices.watch import Observer
from station.store import repositories
from station.store.models import JournalEntry
from tests.webui.making import NOON

pytestmark = pytest.mark.django_db


class World:
    """A station's journal, and somebody who looks at it every ten seconds. Time is counted in seconds from noon."""

    def __init__(self) -> None:
        self.observer = Observer()
        repositories.commit([SaveNetworkProfile(NetworkProfile(1, "ws://csms.example/", 1))])

    def at(self, second: float) -> datetime:
        return NOON + timedelta(seconds=second)

    def note(self, second: float, kind: str, evse_id: int | None = None, **data: Any) -> None:
        repositories.commit([Journal(self.at(second), kind, evse_id=evse_id, data=data)])

    def remember(self, key: str, value: Any) -> None:
        repositories.commit([Remember(key, value)])

    def look(self, second: float) -> dict[str, Trouble]:
        self.observer.look(self.at(second))
        return {row.key: row for row in Trouble.objects.all()}

    def fault(self, second: float, *codes: str, evse_id: int = 1) -> None:
        self.note(second, "fault", evse_id, faults=list(codes))
        self.remember("problems", {str(evse_id): list(codes)})

    def clear(self, second: float, evse_id: int = 1) -> None:
        self.note(second, "fault_cleared", evse_id)
        self.remember("problems", None)


@pytest.fixture
def world() -> World:
    made = World()
    made.note(-5, "link_up")
    made.look(0)
    return made


def test_all_is_well(world: World) -> None:
    assert world.look(10) == {}


def test_a_fault_comes_and_goes(world: World) -> None:
    world.fault(3, "GroundFailure")
    row = world.look(10)["fault:1"]
    assert (row.kind, row.evse_id, row.codes, row.since, row.ended_at) == (
        "fault",
        1,
        ["GroundFailure"],
        world.at(3),
        None,
    )
    assert (row.times, row.told) == (1, False)
    assert world.look(20)["fault:1"].since == world.at(3)
    world.clear(25)
    row = world.look(30)["fault:1"]
    assert (row.ended_at, row.times) == (world.at(30), 1)
    world.fault(35, "OverTemperature")
    row = world.look(40)["fault:1"]
    assert (row.codes, row.since, row.ended_at, row.times) == (["OverTemperature"], world.at(35), None, 2)


def test_one_that_came_and_went_between_two_looks_is_not_missed(world: World) -> None:
    for second in (1, 3, 5):
        world.fault(second, "GroundFailure")
        world.clear(second + 1)
    row = world.look(10)["fault:1"]
    assert (row.times, row.since, row.ended_at) == (3, world.at(5), world.at(6))


def test_another_fault_on_top_is_seen_though_the_journal_has_no_word_of_it(world: World) -> None:
    world.fault(3, "GroundFailure")
    world.look(10)
    world.remember("problems", {"1": ["GroundFailure", "OverTemperature"], "2": ["ConnectorLockFailure"]})
    found = world.look(20)
    assert found["fault:1"].codes == ["GroundFailure", "OverTemperature"]
    assert (found["fault:2"].since, found["fault:2"].codes) == (world.at(20), ["ConnectorLockFailure"])
    world.remember("problems", None)
    assert world.look(30)["fault:2"].ended_at == world.at(30)


def test_the_board_is_away_for_all_at_once(world: World) -> None:
    for evse_id in (1, 2):
        world.note(3, "fault", evse_id, faults=["BoardOffline"])
    found = world.look(10)
    assert list(found) == ["board"]
    assert (found["board"].since, found["board"].times) == (world.at(3), 1)
    world.note(15, "fault_cleared", 1)
    world.note(15, "fault_cleared", 2)
    assert world.look(20)["board"].ended_at is not None


def test_the_csms_is_away_for_too_long(world: World) -> None:
    world.note(60, "link_down")
    assert world.look(3 * 3600) == {}
    row = world.look(4 * 3600 + 61)["csms"]
    assert (row.since, row.times) == (world.at(60), 1)
    world.note(5 * 3600, "started")
    assert world.look(5 * 3600 + 1)["csms"].since == world.at(60), "a restart is no connection"
    world.note(5 * 3600 + 10, "link_up")
    assert world.look(5 * 3600 + 20)["csms"].ended_at is not None


def test_a_station_without_csms_misses_none() -> None:
    world = World()
    repositories.commit([SaveNetworkProfile(NetworkProfile(1, "ws://csms.example/", 1))])
    from station.store.models import NetworkProfile as Row

    Row.objects.all().delete()
    world.note(0, "started")
    world.look(1)
    assert world.look(40 * 3600) == {}


def test_the_housing_and_the_firmware(world: World) -> None:
    world.note(3, "door_opened")
    world.note(4, "firmware_failed", status="InvalidSignature")
    found = world.look(10)
    assert (found["tamper"].since, found["firmware"].codes) == (world.at(3), ["InvalidSignature"])
    world.note(15, "door_closed")
    world.note(16, "firmware_installed")
    assert all(row.ended_at is not None for row in world.look(20).values())


def test_a_housing_that_was_open_before_anybody_looked() -> None:
    world = World()
    world.remember("door_open", True)
    assert world.look(0)["tamper"].told, "what was there at first is shown, and told to nobody"


def test_what_was_there_at_the_first_look_is_not_told() -> None:
    world = World()
    world.fault(-100, "GroundFailure")
    world.clear(-50)
    world.fault(-20, "GroundFailure", evse_id=2)
    found = world.look(0)
    assert (found["fault:1"].ended_at, found["fault:1"].times, found["fault:1"].told) == (world.at(-50), 0, False)
    assert (found["fault:2"].ended_at, found["fault:2"].times, found["fault:2"].told) == (None, 0, True)


def test_after_a_restart_of_the_station_what_holds_still_holds(world: World) -> None:
    world.fault(3, "GroundFailure")
    world.note(3, "fault", 2, faults=["OverCurrent"])
    world.look(10)
    world.note(15, "started")
    found = world.look(20)
    assert found["fault:1"].ended_at is None, "the station remembers it"
    assert found["fault:2"].ended_at is not None, "of this nothing is known any more"


def test_a_restart_of_the_observer_counts_nothing_twice(world: World) -> None:
    world.fault(3, "GroundFailure")
    world.look(10)
    for second in range(11, 14):
        world.note(second, "card_read")
    world.observer = Observer()
    assert world.look(20)["fault:1"].times == 1
    world.clear(25)
    world.observer = Observer()
    assert world.look(30)["fault:1"].ended_at is not None


def test_nothing_is_written_while_nothing_is_wrong(world: World, django_assert_max_num_queries: Any) -> None:
    world.note(3, "card_read")
    world.look(10)
    before = Watch.objects.get().cursor
    world.note(13, "plugged_in")
    with django_assert_max_num_queries(9) as asked:
        world.observer.look(world.at(20))
    assert not [one["sql"] for one in asked if not one["sql"].startswith("SELECT")], "not even a lock is taken"
    assert Watch.objects.get().cursor == before


def test_a_long_journal_is_read_in_bites(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "AT_ONCE", 3)
    for second in range(1, 5):
        world.note(second, "fault", 1, faults=["GroundFailure"])
        world.note(second, "fault_cleared", 1)
    for second in range(10, 13):
        found = world.look(second)
    assert (found["fault:1"].times, found["fault:1"].ended_at) == (4, world.at(4))


def test_a_database_from_a_backup_has_a_shorter_journal(world: World) -> None:
    for second in range(5):
        world.note(second, "link_up")
    world.look(10)
    JournalEntry.objects.all().delete()
    JournalEntry.objects.create(pk=1, at=world.at(11), kind="door_opened")
    world.look(20)
    JournalEntry.objects.create(pk=2, at=world.at(21), kind="door_opened")
    assert "tamper" in world.look(30)


@pytest.mark.parametrize("data", [None, [], {"faults": "x"}, {"faults": None}, {}])
def test_an_entry_of_another_version(world: World, data: Any) -> None:
    JournalEntry.objects.create(at=world.at(3), kind="fault", evse_id=1, data=data if data is not None else [])
    assert world.look(10)["fault:1"].codes == []


@pytest.mark.parametrize("kept", [1, [], {"x": ["y"]}, {"1": "y"}, {"1": []}])
def test_problems_of_another_version(world: World, kept: Any) -> None:
    world.remember("problems", kept)
    assert world.look(10) == {}
