"""A log that a person has sent somewhere: as the CSMS's, but the CSMS hears nothing of it."""

from __future__ import annotations

import pytest

from station.ocpp.blocks.n_diagnostics import logs
from tests.ocpp.blocks.test_n_logs import URL, get_log, told, trigger
from tests.support.memory_rig import MemoryRig
from tests.support.transfers import HandServer


@pytest.fixture
def rig() -> MemoryRig:
    rig = MemoryRig().boot()
    rig.transfers.servers[URL] = HandServer()
    rig.let(1)
    return rig


def send(rig: MemoryRig, **changes: object) -> tuple[str, str]:
    done = rig.operator("send_log", 5, **{"log_type": "SecurityLog", "url": URL, **changes})
    assert done is not None
    return done.status, done.message


def test_it_is_made_and_sent(rig: MemoryRig) -> None:
    assert send(rig) == ("Accepted", logs.BY_HAND)
    assert trigger(rig) == ("Idle", None)  # N01.FR.07: nothing but Idle goes without a requestId
    rig.let(10)
    assert told(rig) == [("Idle", None)]
    assert rig.transfers.servers[URL].taken == ["security_station_20260301T120001Z.log.gz"]
    assert rig.disk.remembered[logs.RUNNING] is None
    assert [entry.kind for entry in rig.disk.journal if entry.kind.startswith("log_")] == [
        "log_ordered",
        "log_uploaded",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "dummy://x"}, "The URL begins with none of"),
        ({"url": "https://"}, "The URL names no host."),
        ({"url": "https://a b/"}, "The URL contains spaces"),
        ({"url": 5}, "This cannot be read."),
        ({"log_type": "Everything"}, "This cannot be read."),
        ({"log_type": None}, "This cannot be read."),
    ],
)
def test_what_cannot_be_sent(rig: MemoryRig, changes: dict[str, object], said: str) -> None:
    status, message = send(rig, **changes)
    assert status == "Rejected"
    assert message.startswith(said)


def test_one_at_a_time_and_the_csms_goes_first(rig: MemoryRig) -> None:
    get_log(rig, request_id=1)
    assert send(rig) == ("Rejected", "Another log is being sent.")
    rig.let(10)
    assert send(rig)[0] == "Accepted"
    assert get_log(rig, request_id=2)["status"] == "AcceptedCanceled"
    rig.let(10)
    assert told(rig)[-1] == ("Uploaded", 2)


def test_it_outlives_a_restart(rig: MemoryRig) -> None:
    send(rig)
    rig.power_cut()
    rig.boot()
    rig.let(20)
    assert len(rig.transfers.servers[URL].taken) == 1
    assert rig.disk.remembered[logs.RUNNING] is None
