"""The power curve costs little flash and misses nothing that changed."""

from __future__ import annotations

from itertools import pairwise

from station.domain.effects import SaveMeterPoint, Stored
from tests.support.memory_rig import MemoryRig


def recording() -> tuple[MemoryRig, list[SaveMeterPoint]]:
    rig = MemoryRig(**{"SampledDataCtrlr.TxUpdatedInterval": "0"}).boot()
    points: list[SaveMeterPoint] = []
    commit = rig.disk.commit

    def note(effects: list[Stored]) -> None:
        points.extend(effect for effect in effects if isinstance(effect, SaveMeterPoint))
        commit(effects)

    rig.disk.commit = note  # type: ignore[assignment, method-assign]
    return rig, points


def test_a_steady_hour_is_a_point_a_minute() -> None:
    rig, points = recording()
    rig.plug()
    rig.card()
    rig.let(600)
    assert 10 <= len(points) <= 14
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(points)]
    assert max(gaps) <= 60.2


def test_a_change_is_a_point_at_once() -> None:
    rig, points = recording()
    rig.plug()
    rig.card()
    rig.let(30)
    count = len(points)
    rig.ev(1, wants_energy=False)
    assert [point.power for point in points[count:]] == [3680.0, 0.0], "where the level part ended, and the step"


def test_a_trembling_ev_is_at_most_two_points_in_two_seconds() -> None:
    rig, points = recording()
    rig.plug()
    rig.card()
    rig.let(5)
    count = len(points)
    for _ in range(50):
        rig.board.evses[1].ampere = 22.0 - rig.board.evses[1].ampere
        rig.let(0.2)
    assert 4 <= len(points) - count <= 10


def test_the_last_point_is_the_end_and_the_units_are_the_curve_s() -> None:
    rig, points = recording()
    rig.board.evses[1].soc = 50.0
    rig.plug()
    rig.card()
    rig.let(30)
    steady = points[-1]
    assert (steady.power, steady.current, steady.soc) == (3680.0, 16.0, 50.0)
    rig.card()
    rig.let(2)
    (record,) = rig.disk.transactions.values()
    assert points[-1].energy == (record.meter_stop or 0) / 1000
    count = len(points)
    rig.let(120)
    assert len(points) == count, "nothing is drawn after the end"
