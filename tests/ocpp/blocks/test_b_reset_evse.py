"""Reset of one EVSE, what a scheduled reset takes out of service, and a reset that fails (B11, B12, ResetRetries)."""

from __future__ import annotations

from station.domain.board import Fault
from tests.support.memory_rig import MemoryRig

ALLOWED = {"EVSE@1.AllowReset": "true"}
OTHER = "04FFEEDDCCBBAA"


def started(**variables: str) -> MemoryRig:
    rig = MemoryRig(**variables).boot()
    rig.let(1)
    return rig


def charging(**variables: str) -> MemoryRig:
    rig = started(**variables)
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].closed
    return rig


def reset(rig: MemoryRig, kind: str = "Immediate", evse: int | None = None) -> tuple[str, str]:
    answer = rig.call("Reset", {"type": kind, **({} if evse is None else {"evseId": evse})})
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


# ------------------------------------------------------------------ the station


def test_who_is_free_is_unavailable_until_the_scheduled_reset() -> None:
    """B12, 3a."""
    rig = charging()
    assert reset(rig, "OnIdle") == ("Scheduled", "")
    assert rig.statuses(2)[-1] == "Unavailable"
    rig.plug(2)
    rig.card(OTHER)
    rig.let(5)
    assert not rig.board.evses[2].closed
    assert not rig.reboots
    rig.card()
    rig.let(3)
    assert rig.reboots == ["ScheduledReset"]


def test_who_was_let_in_before_still_finds_an_evse() -> None:
    rig = charging()
    rig.card(OTHER)
    reset(rig, "OnIdle")
    rig.plug(2)
    rig.let(5)
    assert rig.board.evses[2].closed


def test_a_reset_under_way_is_not_put_off_by_another() -> None:
    rig = charging()
    rig.answers["TransactionEvent"] = None
    reset(rig)
    assert reset(rig, "OnIdle") == ("Accepted", "")
    rig.let(31)
    assert rig.reboots == ["RemoteReset"]  # B12.FR.05


def test_a_reboot_that_does_not_happen_is_tried_again_and_then_given_up() -> None:
    """ResetRetries."""
    rig = started(**{"OCPPCommCtrlr.ResetRetries": "2"})
    reset(rig)
    rig.let(1)
    assert rig.reboots == ["RemoteReset"]
    rig.let(65)
    assert rig.reboots == ["RemoteReset"] * 3
    rig.let(40)
    assert rig.reboots == ["RemoteReset"] * 3
    assert [entry.kind for entry in rig.disk.journal].count("reset_failed") == 1
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].closed  # the station goes on


# ------------------------------------------------------------------ one EVSE


def test_only_the_evse_that_allows_it() -> None:
    rig = started(**ALLOWED)
    assert reset(rig, evse=2) == ("Rejected", "UnsupportedParam")
    assert reset(rig, evse=3) == ("Rejected", "UnknownEvse")


def test_an_evse_is_out_for_a_moment_and_comes_back() -> None:
    """B11.FR.08."""
    rig = started(**ALLOWED)
    assert reset(rig, evse=1) == ("Accepted", "")
    assert rig.statuses(1)[-1] == "Unavailable"
    rig.card()
    rig.plug()
    rig.let(2)
    assert not rig.board.evses[1].closed
    rig.let(2)
    assert rig.statuses(1)[-1] == "Occupied"
    rig.let(2)
    assert rig.board.evses[1].closed  # the card that came meanwhile waited for it
    assert not rig.reboots
    assert len(rig.statuses(2)) == 1


def test_an_evse_s_reset_ends_its_own_transaction_only() -> None:
    """B12.FR.08."""
    rig = charging(**ALLOWED)
    rig.plug(2)
    rig.card(OTHER)
    rig.let(5)
    assert reset(rig, evse=1) == ("Accepted", "")
    rig.let(6)
    assert [told for told in rig.told() if told.startswith("Ended")] == [
        "Ended ResetCommand EVConnected ImmediateReset"
    ]
    assert not rig.board.evses[1].closed
    assert rig.board.evses[2].closed
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].closed  # the EV may charge again


def test_an_evse_waits_for_its_driver_and_lets_nobody_else_in() -> None:
    """B12.FR.07."""
    rig = charging(**ALLOWED)
    assert reset(rig, "OnIdle", 1) == ("Scheduled", "")
    rig.let(10)
    assert rig.board.evses[1].closed
    rig.card()
    rig.let(0.4)
    start = {"idToken": {"idToken": OTHER, "type": "ISO14443"}, "remoteStartId": 1, "evseId": 1}
    assert rig.call("RequestStartTransaction", start)["status"] == "Rejected"
    rig.let(5)
    assert rig.statuses(1)[-2:] == ["Unavailable", "Occupied"]
    assert rig.call("RequestStartTransaction", start)["status"] == "Accepted"


def test_what_the_csms_made_inoperative_stays_so() -> None:
    """B12.FR.06."""
    rig = started(**ALLOWED)
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    reset(rig, evse=1)
    rig.let(5)
    assert rig.statuses(1)[-1] == "Unavailable"


def test_an_evse_whose_board_does_not_answer_is_tried_again_and_given_back() -> None:
    """ResetRetries."""
    rig = started(**ALLOWED, **{"OCPPCommCtrlr.ResetRetries": "1"})
    reset(rig, evse=1)
    rig.board.online = False
    rig.let(30)
    kinds = [entry.kind for entry in rig.disk.journal]
    assert kinds.count("reset_failed") == 1
    rig.board.online = True
    rig.let(1)
    assert rig.statuses(1)[-1] == "Available"


def test_no_single_evse_once_the_station_is_to_restart() -> None:
    """B11.FR.06."""
    rig = charging(**ALLOWED)
    reset(rig, "OnIdle")
    assert reset(rig, evse=1) == ("Rejected", "NotEnabled")


def test_a_reset_evse_keeps_its_fault() -> None:
    rig = started(**ALLOWED)
    rig.fault(1, Fault.GROUND_FAILURE)
    reset(rig, evse=1)
    rig.let(5)
    assert rig.statuses(1)[-1] == "Faulted"
