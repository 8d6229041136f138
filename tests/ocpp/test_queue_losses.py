"""What the queue could not keep is counted, and outlives a restart; and how its lanes fare, for people."""

from __future__ import annotations

import pytest

from station.ocpp import outbox
from tests.ocpp.test_outbox import ATTEMPTS, INTERVAL, station


def test_nothing_is_lost_while_the_csms_is_away() -> None:
    rig = station()
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.power_cut()
    rig.boot()
    rig.let(5)
    assert not rig.disk.queue
    assert "queue_losses" not in rig.disk.remembered


def test_what_is_given_up_is_counted_and_noted_with_its_session() -> None:
    """E13.FR.04."""
    rig = station(**{ATTEMPTS: "2", INTERVAL: "10"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    rig.card()
    rig.skip(40)
    losses = rig.disk.remembered["queue_losses"]["given_up"]
    assert (losses["count"], losses["action"], losses["why"]) == (2, "TransactionEvent", "InternalError")
    noted = [entry for entry in rig.disk.journal if entry.kind == "message_given_up"]
    assert len(noted) == 2
    assert noted[0].transaction_id == rig.events()[0]["transactionInfo"]["transactionId"]
    assert noted[0].data == {"action": "TransactionEvent", "attempts": 2, "why": "InternalError"}
    rig.power_cut()
    rig.boot(connect=False)
    rig.unplug()
    rig.connect()
    rig.skip(60)
    assert rig.disk.remembered["queue_losses"]["given_up"]["count"] > 2


def test_what_is_dropped_for_want_of_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "AT_MOST", 20)
    rig = station()
    rig.set_variable("SampledDataCtrlr.TxUpdatedInterval", "60")
    rig.plug()
    rig.card()
    rig.let(5)
    rig.disconnect()
    for _ in range(40):
        rig.skip(60)
        rig.poll()
    dropped = sum(entry.data["dropped"] for entry in rig.disk.journal if entry.kind == "queue_full")
    assert dropped > 0
    losses = rig.disk.remembered["queue_losses"]
    assert losses["no_room"]["count"] == dropped
    assert "given_up" not in losses


def test_how_the_lanes_fare() -> None:
    rig = station(**{ATTEMPTS: "3", INTERVAL: "10"})
    lanes = rig.station.outbox.lanes
    assert lanes() == []
    rig.answers["TransactionEvent"] = None
    rig.plug()
    (lane,) = lanes()
    assert (lane.kind, lane.waiting, lane.action, lane.sending) == ("transactions", 1, "TransactionEvent", True)
    assert (lane.attempts, lane.retry_at) == (0, None)
    rig.skip(30.5)
    (lane,) = lanes()
    assert (lane.attempts, lane.sending) == (1, False)
    assert lane.retry_at == pytest.approx(rig.now.monotonic + 10, abs=1)
    rig.disconnect()
    rig.fault()
    assert [one.kind for one in lanes()] == ["transactions", "events"]
    assert lanes()[1].since == rig.station.clock.utc(rig.now)
