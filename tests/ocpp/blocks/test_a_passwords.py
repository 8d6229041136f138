"""A01: a new password is tried before the old one is given up, whenever the power goes."""

from __future__ import annotations

import pytest

from station.domain.effects import Reconnect
from station.domain.events import CallReceived, ConnectionFailed, LinkUp
from station.domain.network import FailureCause
from tests.support.memory_rig import MemoryRig

OLD, NEW, NEWER = "the-old-password-16", "the-new-password-16", "the-next-password-1"
NAME = "SecurityCtrlr.BasicAuthPassword"


def connected() -> MemoryRig:
    rig = MemoryRig(**{NAME: OLD}).boot()
    rig.let(1)
    return rig


def change(rig: MemoryRig, password: str = NEW) -> None:
    """The CSMS sets it; the station leaves the link."""
    assert rig.set_variable(NAME, password) == "Accepted"
    assert rig.reconnects.pop() == "a new password was set"
    rig.disconnect()


def attempt(rig: MemoryRig, *accepted: str, cause: FailureCause = FailureCause.CREDENTIALS) -> str:
    """One attempt at a CSMS that takes these passwords; returns the one that was tried."""
    password, spare = rig.station.passwords.to_use
    if password in accepted:
        rig.online = True
        rig.rpc.link_up()
        rig.step(LinkUp(1, 1, spare))
    else:
        rig.step(ConnectionFailed(1, 1, cause, "no", spare))
    return password


def stored(rig: MemoryRig) -> str:
    return next(one.value for one in rig.disk.variables.values() if one.variable == "BasicAuthPassword")


def test_the_answer_goes_out_before_the_link_is_left() -> None:
    rig = connected()
    data = [
        {
            "attributeValue": NEW,
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
        }
    ]
    effects = rig.station.step(CallReceived("1", "SetVariables", {"setVariableData": data}), rig.now)
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds.index("Answer") < kinds.index("Reconnect")
    assert isinstance(effects[-1], Reconnect)


def test_the_new_one_works_and_the_old_one_is_gone() -> None:
    rig = connected()
    change(rig)
    assert rig.disk.remembered["password_spare"]["password"] == OLD
    assert attempt(rig, NEW) == NEW
    assert rig.disk.remembered["password_spare"] is None
    assert stored(rig) == NEW


def test_the_new_one_is_refused_and_the_old_one_serves_again() -> None:
    rig = connected()
    change(rig)
    assert attempt(rig, OLD) == NEW
    assert attempt(rig, OLD) == OLD
    assert stored(rig) == OLD
    assert [one.kind for one in rig.disk.journal].count("password_taken_back") == 1
    rig.disconnect()
    assert attempt(rig, OLD) == OLD


def test_a_csms_that_takes_the_new_one_late_loses_nobody() -> None:
    rig = connected()
    change(rig)
    attempt(rig, OLD)
    attempt(rig, OLD)
    rig.disconnect()
    assert [attempt(rig, NEW) for _ in range(2)] == [OLD, NEW]
    assert stored(rig) == NEW


def test_both_are_refused_and_both_are_tried_on() -> None:
    rig = connected()
    change(rig)
    assert [attempt(rig) for _ in range(4)] == [NEW, OLD, NEW, OLD]
    assert stored(rig) == NEW


@pytest.mark.parametrize(
    "cause", [FailureCause.UNREACHABLE, FailureCause.REFUSED, FailureCause.CSMS_CERTIFICATE, FailureCause.TLS]
)
def test_only_a_refusal_of_the_password_calls_for_the_other(cause: FailureCause) -> None:
    rig = connected()
    change(rig)
    assert [attempt(rig, cause=cause) for _ in range(3)] == [NEW] * 3


@pytest.mark.parametrize("cut_after", range(4))
def test_a_power_cut_anywhere_loses_neither(cut_after: int) -> None:
    rig = connected()
    change(rig)
    for _ in range(cut_after):
        attempt(rig)
    rig.power_cut()
    rig.boot(connect=False)
    assert attempt(rig, OLD) == NEW
    assert attempt(rig, OLD) == OLD
    assert stored(rig) == OLD


def test_changed_twice_before_a_connection_the_one_that_worked_is_kept() -> None:
    rig = connected()
    change(rig)
    rig.step(ConnectionFailed(1, 1, FailureCause.UNREACHABLE))
    assert (
        rig.operator("set_variable", component="SecurityCtrlr", variable="BasicAuthPassword", value=NEWER).status
        == "Accepted"
    )
    assert [attempt(rig, OLD) for _ in range(2)] == [NEWER, OLD]


def test_a_late_word_of_an_earlier_attempt_changes_nothing() -> None:
    rig = connected()
    change(rig)
    rig.step(ConnectionFailed(1, 1, FailureCause.CREDENTIALS, "no", False))
    rig.step(ConnectionFailed(1, 1, FailureCause.CREDENTIALS, "no", False))
    assert rig.station.passwords.to_use == (OLD, True)


def test_a_connection_by_certificate_says_nothing_of_the_password() -> None:
    rig = connected()
    change(rig)
    rig.step(LinkUp(1, 3))
    assert rig.disk.remembered["password_spare"]["password"] == OLD


def test_where_no_password_is_used_nothing_is_interrupted() -> None:
    rig = connected()
    rig.step(LinkUp(1, 3))
    assert rig.set_variable(NAME, NEW) == "Accepted"
    assert not rig.reconnects
    assert rig.station.passwords.to_use == (NEW, False)


def test_the_first_password_has_none_before_it() -> None:
    rig = MemoryRig().boot()
    rig.let(1)
    change(rig)
    assert "password_spare" not in rig.disk.remembered
    assert [attempt(rig) for _ in range(2)] == [NEW, NEW]


@pytest.mark.parametrize("password", ["", "x" * 15, "x" * 41, "with\na-line-break-in-it"])
def test_a_password_that_cannot_be(password: str) -> None:
    """TC_A_10: rejected, and nothing happens."""
    rig = connected()
    assert rig.set_variable(NAME, password) == "Rejected"
    assert not rig.reconnects
    assert stored(rig) == OLD
    assert "password_spare" not in rig.disk.remembered


def test_nothing_that_is_written_down_holds_a_password() -> None:
    """A01.FR.12."""
    rig = connected()
    change(rig)
    attempt(rig, OLD)
    attempt(rig, OLD)
    text = repr(rig.disk.journal) + repr([frame for side, frame in rig.trace if side == ">"])
    assert OLD not in text
    assert NEW not in text


# ------------------------------------------------------------------ an installer's trial


def credentials(rig: MemoryRig, password: str) -> None:
    done = rig.operator("set_credentials", 7, password=password)
    assert done is not None
    assert done.status == "Accepted"
    rig.reconnects.clear()
    rig.disconnect()


def test_what_an_installer_tries_has_no_spare() -> None:
    rig = connected()
    credentials(rig, NEW)
    assert [attempt(rig, OLD) for _ in range(3)] == [NEW] * 3
    rig.let(121)  # the trial's own end: the former settings come back
    assert attempt(rig, OLD) == OLD
    assert stored(rig) == OLD


def test_a_trial_in_between_leaves_the_spare_to_whom_it_belongs() -> None:
    rig = connected()
    change(rig)
    credentials(rig, NEWER)
    assert [attempt(rig) for _ in range(2)] == [NEWER] * 2
    rig.let(121)
    assert [attempt(rig, OLD) for _ in range(2)] == [NEW, OLD]


def test_what_an_installer_tried_and_kept_is_the_one_before_the_next() -> None:
    rig = connected()
    credentials(rig, NEW)
    assert attempt(rig, NEW) == NEW
    rig.let(1)
    change(rig, NEWER)
    assert [attempt(rig, NEW) for _ in range(2)] == [NEWER, NEW]
    assert stored(rig) == NEW
