"""What the owner does with cards at the station: blocking some, and having one taught in."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.events import OperatorCommand
from tests.ocpp.blocks.test_c_authorization import START, asked, refusals, station
from tests.ocpp.blocks.test_c_local_options import CACHE, CARD, OTHER, cached, says
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig


def block(rig: MemoryRig, uid: str = CARD, kind: str = "ISO14443", *, un: bool = False) -> tuple[str, str]:
    number = len(rig.disk.finished) + 1
    done = rig.operator("unblock_card" if un else "block_card", number, id_token=uid, type=kind)
    assert done is not None
    return done.status, done.message


def taught(rig: MemoryRig) -> Any:
    return rig.disk.remembered.get("taught_card")


def teach(rig: MemoryRig, number: int = 70, who: str = "owner") -> None:
    rig.step(OperatorCommand(number, who, "teach_card"))


def outcome(rig: MemoryRig, number: int = 70) -> tuple[str, str] | None:
    done = rig.disk.finished.get(number)
    return (done.status, done.message) if done else None


# ------------------------------------------------------------------ blocked


@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("spelt", [CARD, CARD.lower()])
def test_a_blocked_card_is_refused_and_nobody_is_asked(online: bool, spelt: str) -> None:
    rig = station(**{START: "Authorized", "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    assert block(rig, spelt) == ("Accepted", "Done.")
    if not online:
        rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    assert asked(rig) == []
    assert refusals(rig) == ["blocked_here"]
    assert rig.events() == []
    assert rig.board.evses[1].power == 0
    rig.card(OTHER)
    rig.let(3)
    assert rig.board.evses[1].power > 0


def test_what_the_cache_knows_does_not_help_a_blocked_card() -> None:
    rig = station(**CACHE)
    cached(rig)
    block(rig)
    rig.plug()
    rig.card()
    rig.let(3)
    assert refusals(rig)[-1] == "blocked_here"
    assert rig.board.evses[1].power == 0


def test_it_outlives_a_power_cut_and_can_be_taken_back() -> None:
    rig = station(**{START: "Authorized"})
    block(rig)
    rig.power_cut()
    rig.boot()
    rig.plug()
    rig.card()
    rig.let(3)
    assert refusals(rig) == ["blocked_here"]
    assert block(rig, un=True) == ("Accepted", "Done.")
    assert rig.disk.remembered.get("blocked_cards") is None
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0


def test_a_card_that_is_blocked_while_it_charges_may_still_end_it() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    block(rig)
    rig.let(3)
    assert rig.board.evses[1].power > 0
    rig.card()
    rig.let(3)
    assert refusals(rig) == []
    assert len(check(rig)) == 1
    assert rig.board.evses[1].power == 0


def test_blocked_while_the_csms_was_being_asked() -> None:
    rig = station(**{START: "Authorized"})
    rig.answers["Authorize"] = None
    rig.plug()
    rig.card()
    block(rig)
    rig.release()
    rig.let(2)
    assert refusals(rig) == ["blocked_here"]
    assert rig.events() == []


def test_a_blocked_card_ends_nobody_else_s_session() -> None:
    rig = station()
    says(rig, groupIdToken={"idToken": "FAMILY", "type": "Central"})
    rig.plug()
    rig.card(OTHER)
    rig.let(3)
    block(rig)
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert refusals(rig) == ["blocked_here"]


@pytest.mark.parametrize("asked_first", ["true", "false"])
def test_what_the_csms_starts_is_its_own_affair(asked_first: str) -> None:
    """The block is of the place: it concerns cards that are presented here (F01, F02 stay as they are)."""
    rig = station(**{"AuthCtrlr.AuthorizeRemoteStart": asked_first})
    block(rig)
    rig.plug()
    token = {"idToken": CARD, "type": "ISO14443"}
    answer = rig.call("RequestStartTransaction", {"remoteStartId": 1, "idToken": token, "evseId": 1})
    assert answer["status"] == "Accepted"
    rig.let(3)
    assert rig.board.evses[1].power > 0


@pytest.mark.parametrize(
    ("uid", "kind", "said"),
    [
        ("", "ISO14443", "bad_token"),
        ("A" * 37, "ISO14443", "bad_token"),
        ("04\x00", "ISO14443", "bad_token"),
        (CARD, "Paper", "bad_token"),
        (CARD, "", "bad_token"),
    ],
)
def test_what_is_no_card_cannot_be_blocked(uid: str, kind: str, said: str) -> None:
    rig = station()
    assert block(rig, uid, kind) == ("Rejected", said)
    assert rig.disk.remembered.get("blocked_cards") is None


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.ocpp.blocks.c_authorization.blocked_cards.MOST", 2)
    rig = station()
    for uid in ("04AA", "04BB", "04aa"):
        assert block(rig, uid) == ("Accepted", "Done.")
    assert block(rig, "04CC") == ("Rejected", "too_many_blocked")


def test_a_customer_s_block_is_told_and_taken_out() -> None:
    """N09.FR.03, N10.FR.03."""
    rig = station()
    block(rig)
    token = {"idToken": CARD, "type": "ISO14443"}
    rig.call("CustomerInformation", {"requestId": 1, "report": True, "clear": True, "idToken": token})
    rig.let(1)
    said = "".join(one["data"] for one in rig.sent("NotifyCustomerInformation"))
    assert "is blocked at this station by its owner" in said
    assert rig.disk.remembered.get("blocked_cards") is None


# ------------------------------------------------------------------ taught in


def test_the_next_card_is_taught_and_authorizes_nothing() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug()
    teach(rig)
    assert outcome(rig) is None
    rig.card()
    rig.let(3)
    assert outcome(rig) == ("Accepted", "taught")
    assert {key: taught(rig)[key] for key in ("command_id", "id_token", "type")} == {
        "command_id": 70,
        "id_token": CARD,
        "type": "ISO14443",
    }
    assert asked(rig) == []
    assert rig.events() == []
    assert CARD not in str([one.data for one in rig.disk.journal])


def test_a_card_still_at_the_reader_is_the_same_reading() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug()
    teach(rig)
    rig.card()
    rig.let(3)
    rig.card()
    rig.let(1)
    assert asked(rig) == []
    rig.card(OTHER)  # somebody else is not kept waiting
    assert asked(rig) == [OTHER]


def test_the_card_charges_as_ever_afterwards() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug()
    teach(rig)
    rig.card()
    rig.let(6)
    rig.card()
    rig.let(3)
    assert asked(rig) == [CARD]
    assert rig.board.evses[1].power > 0


def test_nobody_holds_a_card_to_the_reader() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug()
    teach(rig)
    rig.skip(61)
    assert outcome(rig) == ("Rejected", "no_card_read")
    rig.card()
    assert asked(rig) == [CARD]


def test_one_person_at_a_time_and_the_last_wish_of_each() -> None:
    rig = station()
    teach(rig, 70)
    teach(rig, 71, "somebody else")
    assert outcome(rig, 71) == ("Rejected", "teaching_taken")
    teach(rig, 72)
    assert outcome(rig, 70) == ("Rejected", "teaching_stopped")
    rig.card()
    assert outcome(rig, 72) == ("Accepted", "taught")
    assert taught(rig)["command_id"] == 72


def test_stopped() -> None:
    rig = station(**{START: "Authorized"})
    rig.plug()
    teach(rig)
    for number, who, which in ((71, "somebody else", 70), (72, "owner", 69)):
        rig.step(OperatorCommand(number, who, "stop_teaching", {"command_id": which}))
        assert outcome(rig, number) == ("Rejected", "not_teaching")
    rig.step(OperatorCommand(73, "owner", "stop_teaching", {"command_id": 70}))
    assert outcome(rig) == ("Rejected", "teaching_stopped")
    assert outcome(rig, 73) == ("Accepted", "Done.")
    rig.card()
    assert asked(rig) == [CARD]


def test_without_a_board_there_is_no_reader() -> None:
    rig = station()
    rig.board.online = False
    rig.let(1)
    teach(rig)
    assert outcome(rig) == ("Rejected", "no_reader")


@pytest.mark.parametrize("how", ["time", "restart", "again"])
def test_what_was_read_does_not_stay(how: str) -> None:
    rig = station()
    teach(rig)
    rig.card()
    assert taught(rig)
    if how == "time":
        rig.skip(601)
    elif how == "restart":
        rig.power_cut()
        rig.boot()
    else:
        teach(rig, 71)
    assert taught(rig) is None
