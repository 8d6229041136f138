"""Reset: at once or on idle, with and without a transaction, and with a CSMS that does not answer (B11, B12)."""

from __future__ import annotations

import pytest

from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig


def charging(**variables: str) -> MemoryRig:
    rig = MemoryRig(**{"SampledDataCtrlr.TxUpdatedInterval": "0", **variables}).boot()
    rig.plug()
    rig.card()
    rig.let(5)
    return rig


def reboot(rig: MemoryRig) -> None:
    """What the shell does about Reboot."""
    assert len(rig.reboots) == 1
    rig.reboots.clear()
    rig.power_cut()
    rig.boot()


@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_an_idle_station_resets_at_once(kind: str) -> None:
    """B11.FR.01, B11.FR.03, B11.FR.04."""
    rig = MemoryRig().boot()
    assert rig.call("Reset", {"type": kind}) == {"status": "Accepted"}
    reboot(rig)
    assert rig.sent("BootNotification")[-1]["reason"] == "RemoteReset"
    rig.power_cut()
    rig.boot()
    assert rig.sent("BootNotification")[-1]["reason"] == "PowerUp", "the reason is said once"


def test_the_answer_comes_before_the_reboot() -> None:
    rig = MemoryRig().boot()
    answered: list[bool] = []
    rig.after_step = lambda: answered.append(bool(rig.reboots))
    assert rig.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    assert answered[0], "in the same step, behind the answer"


def test_one_evse_alone_is_not_reset() -> None:
    """B11.FR.09, B12.FR.09."""
    rig = charging()
    for kind in ("Immediate", "OnIdle"):
        assert rig.call("Reset", {"type": kind, "evseId": 1})["status"] == "Rejected"
    rig.let(60)
    assert not rig.reboots
    assert rig.board.evses[1].power > 0


def test_immediate_ends_the_transaction_first() -> None:
    """B12.FR.02, B12.FR.04."""
    rig = charging()
    assert rig.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    assert not rig.reboots, "the contactor is still closed"
    rig.let(2)
    assert rig.told()[-1] == "Ended ResetCommand EVConnected ImmediateReset"
    reboot(rig)
    rig.let(5)
    assert len(check(rig)) == 1, "the EV that stays connected starts nothing by itself"


def test_immediate_waits_no_longer_than_the_message_timeout() -> None:
    """B12.FR.05: the event is sent after the reboot."""
    rig = charging(**{"OCPPCommCtrlr.MessageTimeout[Default]": "10"})
    rig.answers["TransactionEvent"] = None
    rig.call("Reset", {"type": "Immediate"})
    rig.let(9)
    assert not rig.reboots
    rig.let(2)
    rig.answers.clear()
    reboot(rig)
    assert rig.events()[-1]["eventType"] == "Ended"
    assert rig.events()[-1]["offline"] is True
    assert not rig.disk.queue
    check(rig)


def test_immediate_offline_does_not_wait_for_the_csms() -> None:
    rig = charging()
    rig.call("Reset", {"type": "Immediate"})
    rig.disconnect()
    rig.let(2)
    reboot(rig)
    (told,) = check(rig)
    assert told.ended


def test_on_idle_waits_for_the_driver() -> None:
    """B12.FR.01, B12.FR.03."""
    rig = charging()
    assert rig.call("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    rig.let(120)
    assert not rig.reboots
    rig.card()
    rig.let(2)
    assert rig.told()[-1] == "Ended StopAuthorized EVConnected Local"
    reboot(rig)
    assert rig.sent("BootNotification")[-1]["reason"] == "ScheduledReset"


def test_nobody_new_is_let_in_before_the_reset() -> None:
    rig = charging()
    rig.call("Reset", {"type": "OnIdle"})
    rig.plug(2)
    rig.card("04BB", evse=2)
    request = {"evseId": 2, "remoteStartId": 1, "idToken": {"idToken": "04CC", "type": "ISO14443"}}
    assert rig.call("RequestStartTransaction", request)["status"] == "Rejected"
    assert rig.operator("start", 1, evse_id=2).status == "Rejected"  # type: ignore[union-attr]
    rig.let(5)
    assert len(check(rig)) == 1
    assert rig.board.evses[2].power == 0


def test_who_was_let_in_before_gets_his_transaction() -> None:
    rig = charging(**{"TxCtrlr.TxStartPoint": "EnergyTransfer"})
    rig.plug(2)
    rig.ev(2, wants_energy=False)
    rig.card("04BB", evse=2)
    rig.call("Reset", {"type": "OnIdle"})
    rig.ev(2, wants_energy=True)
    rig.let(3)
    assert [told.evse_id for told in check(rig)] == [1, 2]


def test_immediate_takes_the_energy_from_who_has_no_transaction_yet() -> None:
    rig = MemoryRig(**{"TxCtrlr.TxStartPoint": "EnergyTransfer"}).boot()
    rig.plug()
    rig.card()
    rig.answers["StatusNotification"] = None
    rig.plug(2)
    rig.call("Reset", {"type": "Immediate"})
    rig.let(5)
    assert rig.board.evses[1].power == 0
    assert not rig.events()


def test_immediate_overrules_on_idle() -> None:
    rig = charging()
    rig.call("Reset", {"type": "OnIdle"})
    assert rig.call("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    rig.let(2)
    assert rig.reboots == ["RemoteReset"]


def test_unavailable_outlasts_the_reset() -> None:
    """B11.FR.02, B12.FR.06."""
    rig = MemoryRig().boot()
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    rig.call("Reset", {"type": "Immediate"})
    reboot(rig)
    assert rig.statuses(1)[-1] == "Unavailable"
    assert rig.statuses(2)[-1] == "Available"


def test_the_operator_s_restart() -> None:
    rig = charging()
    assert rig.operator("restart", 3).status == "Accepted"  # type: ignore[union-attr]
    rig.let(2)
    assert rig.told()[-1].endswith("Reboot")
    reboot(rig)
    assert rig.sent("BootNotification")[-1]["reason"] == "LocalReset"
    check(rig)
