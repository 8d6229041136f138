"""What the live view says to the driver."""

from __future__ import annotations

from typing import Any

from station.live.payloads import EvseLive, decode, encode
from station.uplink.presenter import REFUSAL_SHOWN, Presenter
from tests.support.memory_rig import MemoryRig

MESSAGE = {"format": "UTF8", "content": "Bonjour", "language": "fr"}


def seen(rig: MemoryRig, evse_id: int = 1) -> EvseLive:
    live = Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1").present(rig.station, rig.now)
    assert decode(encode(live)) == live
    return live.evses[evse_id - 1]


def says(rig: MemoryRig, status: str, **info: Any) -> None:
    rig.answers["Authorize"] = {"idTokenInfo": {"status": status, "language1": "fr", "language2": "en", **info}}


def test_a_refusal_is_shown_for_a_while_where_nobody_charges() -> None:
    rig = MemoryRig().boot()
    says(rig, "NoCredit", personalMessage=MESSAGE)
    rig.plug()
    rig.card(evse=1)
    shown = seen(rig)
    assert (shown.message, shown.personal_message, shown.languages) == ("NoCredit", "Bonjour", ("fr", "en"))
    assert not seen(rig, 2).message
    rig.let(REFUSAL_SHOWN + 1)
    assert not seen(rig).message


def test_who_charges_is_greeted_and_told_no_refusal() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    says(rig, "Blocked")
    rig.card(evse=1)
    says(rig, "Accepted", personalMessage=MESSAGE)
    rig.card(evse=1)
    rig.let(3)
    shown = seen(rig)
    assert (shown.message, shown.personal_message) == ("", "Bonjour")


def test_a_master_pass_asks_for_a_choice() -> None:
    rig = MemoryRig(**{"AuthCtrlr.MasterPassGroupId": "M", "AuthCtrlr.MasterPassSelection": "true"}).boot()
    rig.plug()
    rig.card(evse=1)
    rig.let(3)
    says(rig, "Accepted", groupIdToken={"idToken": "M", "type": "Central"})
    rig.card("04CC")
    presenter = Presenter("life", identity="CP-1", csms_url="")
    assert presenter.present(rig.station, rig.now).master_pass
    rig.operator("master_pass", evse_ids=[1])
    assert not presenter.present(rig.station, rig.now).master_pass


def test_the_csms_has_something_new_to_say_while_charging() -> None:
    rig = MemoryRig().boot()
    says(rig, "Accepted", personalMessage=MESSAGE)
    rig.plug()
    rig.answers["TransactionEvent"] = lambda event: (
        {"updatedPersonalMessage": {"format": "UTF8", "content": "0,49 €/kWh"}} if "idToken" in event else {}
    )
    rig.card(evse=1)
    rig.let(3)
    assert seen(rig).personal_message == "0,49 €/kWh"
    assert seen(rig).languages == ("fr", "en")
