"""Who may charge: cards, the CSMS's word, offline, and no authorization at all (C01, C15)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from station.domain.board import CardRead
from tests.ocpp.blocks.stations import station
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

START = "TxCtrlr.TxStartPoint"


def asked(rig: MemoryRig) -> list[str]:
    return [one["idToken"]["idToken"] for one in rig.sent("Authorize")]


def refusals(rig: MemoryRig) -> list[str]:
    return [one.data["why"] for one in rig.disk.journal if one.kind == "refused"]


# ------------------------------------------------------------------ the CSMS's word


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"idTokenInfo": {"status": "Blocked"}}, "Blocked"),
        ({"idTokenInfo": {"status": "ConcurrentTx"}}, "ConcurrentTx"),
        ({"error": "InternalError"}, "no_answer"),
        ({"idTokenInfo": {"status": "Perhaps"}}, "no_answer"),
        (None, "no_answer"),
    ],
)
def test_no_energy_without_accepted(answer: dict[str, Any] | None, why: str) -> None:
    """C01.FR.01, C01.FR.02."""
    rig = station(**{START: "Authorized"})
    rig.answers["Authorize"] = answer
    rig.plug()
    rig.card()
    rig.let(40)
    assert asked(rig) == ["04A2B3C4D5E6F7"]
    assert rig.events() == []
    assert rig.board.evses[1].power == 0
    assert refusals(rig) == [why]


@pytest.mark.parametrize(("allowed", "starts"), [([1], True), ([2], False), ([], True)])
def test_a_token_may_be_for_some_evses_only(allowed: list[int], starts: bool) -> None:
    """C01.FR.19, C01.FR.20, C01.FR.21."""
    rig = station(**{START: "Authorized"})
    info: dict[str, Any] = {"status": "Accepted"} | ({"evseId": allowed} if allowed else {})
    rig.answers["Authorize"] = {"idTokenInfo": info}
    rig.plug(1)
    rig.card()
    rig.let(3)
    assert bool(rig.events()) is starts
    assert refusals(rig) == ([] if starts else ["NotAllowedTypeEVSE"])


def test_a_token_for_evse_2_does_not_start_where_the_cable_went() -> None:
    """C01.FR.21, with the EVSE not known when the card was read."""
    rig = station(**{START: "PowerPathClosed"})
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "evseId": [2]}}
    rig.card()
    rig.plug(1)
    rig.let(3)
    assert rig.board.evses[1].power == 0
    rig.plug(2)
    rig.let(3)
    assert rig.board.evses[2].power > 0


def test_the_own_card_ends_it_without_asking() -> None:
    """C01.FR.03."""
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    rig.card()
    rig.let(1)
    assert len(asked(rig)) == 1
    assert check(rig)[0].ended


def test_the_own_card_ends_an_authorization_that_waits() -> None:
    rig = station(**{START: "PowerPathClosed"})
    rig.card()
    rig.let(2)
    rig.card()
    rig.plug()
    rig.let(3)
    assert rig.board.evses[1].power == 0


def test_the_card_held_twice_while_the_csms_thinks() -> None:
    rig = station()
    rig.answers["Authorize"] = None
    rig.plug()
    rig.card()
    rig.card()
    rig.answers.clear()
    rig.release()
    rig.let(3)
    assert len(asked(rig)) == 1
    assert rig.board.evses[1].power > 0


def test_two_drivers_at_once() -> None:
    rig = station()
    rig.answers["Authorize"] = None
    rig.plug(1)
    rig.plug(2)
    rig.card("04AA", evse=1)
    rig.card("04BB", evse=2)
    rig.answers.clear()
    rig.release()
    rig.let(3)
    assert [told.token["idToken"] for told in check(rig) if told.token] == ["04AA", "04BB"]


def test_the_shared_reader_serves_the_cable_that_came_last() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug(2)
    rig.let(1)
    rig.plug(1)
    rig.card()
    assert rig.events()[0]["evse"]["id"] == 1


def test_the_world_changes_while_the_csms_thinks() -> None:
    rig = station(**{START: "Authorized"})
    rig.answers["Authorize"] = None
    rig.plug(1)
    rig.card(evse=1)
    rig.fault(1)
    rig.answers.clear()
    rig.release()
    rig.let(1)
    assert refusals(rig) == ["faulted"]
    assert rig.events() == []


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda rig: rig.fault(1), "faulted"),
        (
            lambda rig: rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}}),
            "unavailable",
        ),
        (lambda rig: rig.call("Reset", {"type": "OnIdle"}), "restarting"),
    ],
)
def test_where_nobody_is_let_in(prepare: Any, why: str) -> None:
    rig = station(evses=1)
    prepare(rig)
    rig.card()
    assert refusals(rig) == [why]
    assert asked(rig) == []


# ------------------------------------------------------------------ offline (C15)


@pytest.mark.parametrize(("enabled", "starts"), [("true", True), ("false", False)])
def test_an_unknown_card_offline(enabled: str, starts: bool) -> None:
    """C15.FR.08, C15.FR.02."""
    rig = station(**{"AuthCtrlr.OfflineTxForUnknownIdEnabled": enabled})
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    assert (rig.board.evses[1].power > 0) is starts
    rig.connect()
    assert any("idToken" in event for event in rig.events()) is starts
    assert asked(rig) == []


def test_the_link_that_breaks_while_the_csms_thinks_makes_it_offline() -> None:
    rig = station()
    rig.answers["Authorize"] = None
    rig.plug()
    rig.card()
    rig.disconnect()
    rig.let(3)
    assert rig.board.evses[1].power > 0


def test_who_was_let_in_offline_may_be_refused_later() -> None:
    """C15.FR.04."""
    rig = station()
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    rig.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    rig.connect()
    rig.let(2)
    assert rig.told()[-1] == "Ended Deauthorized EVConnected DeAuthorized"
    check(rig)


def test_another_card_of_the_group_cannot_stop_offline() -> None:
    rig = station(evses=1)
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.plug()
    rig.card("04AA")
    rig.let(3)
    rig.disconnect()
    rig.card("04BB")
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert refusals(rig) == ["offline"]


def test_a_colleague_with_his_own_car_is_not_taken_for_a_stop() -> None:
    rig = station()
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.plug(1)
    rig.card("04AA")
    rig.let(3)
    rig.plug(2)
    rig.card("04BB")
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert rig.board.evses[2].power > 0


# ------------------------------------------------------------------ AuthCtrlr.Enabled false


def test_nobody_is_asked_where_authorization_is_off() -> None:
    """C01.FR.01, C02.FR.01."""
    rig = station(**{"AuthCtrlr.Enabled": "false"})
    rig.plug()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert not asked(rig)
    told = [event["idToken"] for event in rig.events() if "idToken" in event]
    assert told == [{"idToken": "", "type": "NoAuthorization"}]
    rig.unplug()
    rig.let(1)
    rig.plug()
    rig.let(3)
    assert len(check(rig)) == 2


@pytest.mark.parametrize("stop", ["Authorized", "EVConnected"])
def test_what_the_csms_stopped_does_not_start_by_itself(stop: str) -> None:
    """F03.FR.02, F03.FR.03."""
    rig = station(**{"AuthCtrlr.Enabled": "false", "TxCtrlr.TxStopPoint": stop})
    rig.plug()
    rig.let(3)
    rig.call("RequestStopTransaction", {"transactionId": rig.events()[0]["transactionInfo"]["transactionId"]})
    rig.let(10)
    assert rig.board.evses[1].power == 0
    rig.unplug()
    rig.let(1)
    rig.plug()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    check(rig)


def test_a_bay_that_stays_occupied_keeps_nobody_out() -> None:
    rig = station(**{"AuthCtrlr.Enabled": "false"})
    rig.bay()
    for _ in range(2):
        rig.plug()
        rig.let(3)
        assert rig.board.evses[1].power > 0
        rig.unplug()
        rig.let(1)


# ------------------------------------------------------------------ the card reader's counter


def hold(rig: MemoryRig, *counts: int, at: float | None = -1.0) -> None:
    """The reader's list as the next snapshot shows it; ``at`` -1: read now."""
    when = rig.now.monotonic if at == -1.0 else at
    rig.board.reads = [CardRead(count, f"04{count:04X}", "ISO14443", None, when) for count in counts]
    rig.poll()


def presented(rig: MemoryRig) -> list[str]:
    return [one.data["id_token"] for one in rig.disk.journal if one.kind == "card_read"]


def test_a_doubled_snapshot_is_no_second_card() -> None:
    rig = station()
    rig.card()
    rig.poll()
    rig.poll()
    assert len(presented(rig)) == 1


def test_two_cards_in_one_snapshot_both_count() -> None:
    """A snapshot was lost in between."""
    rig = station()
    hold(rig, 1)
    hold(rig, 1, 2, 3)
    assert presented(rig) == ["040001", "040002", "040003"]


def test_a_snapshot_that_comes_late_brings_nothing_back() -> None:
    rig = station()
    hold(rig, 1)
    rig.let(0.2)
    late = rig.board.snapshot(rig.now.monotonic)
    rig.let(0.2)
    rig.plug()
    hold(rig, 1, 2)
    rig.step(late)
    rig.poll()
    assert presented(rig) == ["040001", "040002"]
    assert rig.station.context.evses[1].plugged, "what is past unplugs nothing"


def test_a_list_that_forgot_its_newest_brings_nothing_back() -> None:
    rig = station()
    hold(rig, 1, 2)
    hold(rig, 1)
    hold(rig, 1, 2)
    assert presented(rig) == ["040001", "040002"]


def test_the_counter_wraps() -> None:
    rig = station()
    rig.board.power_cycle()
    hold(rig, 65_534, at=None)
    hold(rig, 65_534, 65_535)
    hold(rig, 65_535, 0)
    hold(rig, 0, 1)
    assert presented(rig) == ["04FFFF", "040000", "040001"]


def test_a_restart_takes_no_card_twice() -> None:
    rig = station()
    hold(rig, 1)
    rig.boot()
    assert presented(rig) == ["040001"]
    hold(rig, 1, 2)
    assert presented(rig) == ["040001", "040002"]


def test_a_card_during_the_restart_still_counts() -> None:
    rig = station()
    hold(rig, 1)
    rig.board.reads.append(replace(rig.board.reads[0], count=2, uid="04CAFE"))
    rig.boot()
    assert presented(rig) == ["040001", "04CAFE"]


def test_an_old_card_and_one_of_unknown_age_start_nothing() -> None:
    rig = station()
    hold(rig, 1, at=rig.now.monotonic - 11)
    hold(rig, 1, 2, at=None)
    assert presented(rig) == []
    hold(rig, 2)
    assert presented(rig) == []


def test_a_board_that_rebooted_counts_from_the_start() -> None:
    rig = station()
    hold(rig, 1, 2, 3)
    rig.board.power_cycle()
    rig.poll()
    hold(rig, 1)
    assert presented(rig) == ["040001", "040002", "040003", "040001"]


def test_nothing_is_read_from_a_board_that_does_not_answer() -> None:
    rig = station()
    rig.board.online = False
    hold(rig, 1)
    assert presented(rig) == []
    rig.board.online = True
    rig.poll()
    assert presented(rig) == ["040001"]
