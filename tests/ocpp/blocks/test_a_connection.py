"""What is made of failed attempts to connect: security events once, journal, a bounded record (A00)."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.events import ConnectionFailed, LinkUp
from station.domain.network import FailureCause
from tests.support.memory_rig import MemoryRig

KEY = "connection_failures"


def offline() -> MemoryRig:
    rig = MemoryRig().boot()
    rig.let(1)
    rig.disconnect()
    return rig


def fail(rig: MemoryRig, cause: FailureCause, slot: int = 1, detail: str = "no") -> None:
    rig.step(ConnectionFailed(slot, 2, cause, detail))


def queued(rig: MemoryRig) -> list[str]:
    return [call.payload["type"] for call in rig.disk.queue.values() if call.action == "SecurityEventNotification"]


def logged(rig: MemoryRig, kind: str) -> list[Any]:
    return [one.data for one in rig.disk.journal if one.kind == kind]


@pytest.mark.parametrize(
    ("cause", "event", "critical"),
    [
        (FailureCause.CSMS_CERTIFICATE, "InvalidCsmsCertificate", True),
        (FailureCause.TLS_VERSION, "InvalidTLSVersion", True),
        (FailureCause.TLS_CIPHER_SUITE, "InvalidTLSCipherSuite", True),
        (FailureCause.CREDENTIALS, "FailedToAuthenticateAtCsms", False),
        (FailureCause.STATION_CERTIFICATE, "FailedToAuthenticateAtCsms", False),
    ],
)
def test_a_refusal_is_a_security_event(cause: FailureCause, event: str, critical: bool) -> None:
    rig = offline()
    fail(rig, cause, detail="such and such")
    assert queued(rig) == ([event] if critical else [])
    logs = [(one.type, one.tech_info, one.critical) for one in rig.disk.security_log]
    assert (event, "network slot 1: such and such", critical) in logs
    rig.power_cut()
    rig.boot()  # and connected
    rig.let(1)
    told = [one["type"] for one in rig.sent("SecurityEventNotification")]
    assert told.count(event) == int(critical)


@pytest.mark.parametrize(
    "cause", [FailureCause.NAME, FailureCause.UNREACHABLE, FailureCause.TLS, FailureCause.CONFIGURATION]
)
def test_what_is_no_matter_of_security_is_in_the_journal_only(cause: FailureCause) -> None:
    rig = offline()
    before = len(rig.disk.security_log)
    fail(rig, cause)
    assert queued(rig) == []
    assert len(rig.disk.security_log) == before
    assert logged(rig, "connection_failed") == [{"slot": 1, "security_profile": 2, "cause": str(cause), "detail": "no"}]


def test_repeated_attempts_are_told_once_and_counted() -> None:
    """A00.FR.316, A00.FR.419: the note."""
    rig = offline()
    commits = 0
    for _ in range(100):
        before = rig.disk.remembered.get(KEY)
        fail(rig, FailureCause.TLS_VERSION)
        commits += rig.disk.remembered.get(KEY) != before
    assert queued(rig) == ["InvalidTLSVersion"]
    assert len(logged(rig, "connection_failed")) == 1
    assert commits == 7  # 1, 2, 4 … 64: the flash is spared
    rig.step(LinkUp(1, 2))
    assert [(one["attempts"], one["over"]) for one in rig.disk.remembered[KEY]] == [(100, True)]


def test_every_slot_and_cause_is_told_however_they_alternate() -> None:
    rig = offline()
    for _ in range(5):
        fail(rig, FailureCause.CSMS_CERTIFICATE, slot=1)
        fail(rig, FailureCause.UNREACHABLE, slot=2)
        fail(rig, FailureCause.CSMS_CERTIFICATE, slot=2)
    assert queued(rig) == ["InvalidCsmsCertificate"] * 2
    assert len(logged(rig, "connection_failed")) == 3


def test_a_power_cut_tells_nothing_twice() -> None:
    rig = offline()
    fail(rig, FailureCause.CSMS_CERTIFICATE)
    rig.power_cut()
    rig.boot(connect=False)
    fail(rig, FailureCause.CSMS_CERTIFICATE)
    assert queued(rig).count("InvalidCsmsCertificate") == 1


def test_after_a_connection_it_is_news_again() -> None:
    """As TC_A_05 has it."""
    rig = offline()
    for _ in range(2):
        fail(rig, FailureCause.CSMS_CERTIFICATE)
        rig.connect()
        rig.let(1)
        rig.disconnect()
    told = [one["type"] for one in rig.sent("SecurityEventNotification")]
    assert told.count("InvalidCsmsCertificate") == 2


def test_a_connection_without_failures_writes_nothing() -> None:
    rig = offline()
    rig.connect()
    assert KEY not in rig.disk.remembered


def test_the_record_is_bounded() -> None:
    rig = offline()
    for _ in range(10):
        for cause in FailureCause:
            fail(rig, cause)
        rig.step(LinkUp(1, 2))
    assert len(rig.disk.remembered[KEY]) == 20
