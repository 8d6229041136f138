"""The CSMS goes away: charging goes on, and all of it is told afterwards, in order and marked."""

from __future__ import annotations

from tests.support.appliance import CARD, Appliance
from tests.support.csms import Delay, Refuse, ScriptedCsms
from tests.support.waiting import wait_until
from tests.system.charging import agree, charge, charging, of_evse, wait_energy, wait_told


def _lose(appliance: Appliance, csms: ScriptedCsms) -> None:
    csms.refuse()
    wait_until(lambda: not appliance.uplink()["connected"], "link lost")


def test_a_whole_session_without_the_csms(appliance: Appliance, csms: ScriptedCsms) -> None:
    _lose(appliance, csms)
    mark = csms.mark()
    appliance.plug()
    appliance.card()
    wait_energy(appliance, 1, appliance.evse()["energy"] + 8, timeout=40)
    transaction_id = of_evse(appliance, 1)
    appliance.card()
    wait_until(lambda: not appliance.session(transaction_id)["active"], "stopped by card")
    appliance.wait_evse(1, "open", contactor=False)
    appliance.unplug()
    waiting = [call for call in appliance.queue() if call["action"] == "TransactionEvent"]
    assert len(waiting) >= 4
    assert csms.ledger.get(transaction_id) is None

    csms.accept()
    account = wait_told(csms, transaction_id)
    assert account.offline == sorted(account.events)
    assert account.arrivals == sorted(account.arrivals)
    assert account.duplicates == 0
    assert account.id_token == CARD
    assert account.stopped_reason == "Local"
    assert len(account.events) == len(waiting)
    agree(appliance, account)
    wait_until(lambda: not appliance.queue(), "nothing left in the queue")
    assert csms.requests("BootNotification", mark) == []  # part 4, 5.3: the same station, the same boot


def test_the_link_is_lost_within_a_session(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    told = set(csms.account(transaction_id).events)
    _lose(appliance, csms)
    wait_energy(appliance, 1, appliance.evse()["energy"] + 8, timeout=40)
    assert appliance.evse()["contactor"]
    mark = csms.mark()
    csms.accept()
    appliance.wait_registered()
    csms.wait_for("TransactionEvent", lambda event: not event.get("offline", False), since=mark)
    appliance.unplug()
    account = wait_told(csms, transaction_id)
    assert account.arrivals == sorted(account.arrivals)
    assert account.offline, "something happened while the link was down"
    assert told.isdisjoint(account.offline)
    assert account.offline == list(range(account.offline[0], account.offline[-1] + 1))
    agree(appliance, account)


def test_a_line_that_breaks_again_and_again_loses_nothing(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms, energy=0)
    for _ in range(4):
        mark = csms.mark()
        csms.drop()
        csms.wait_for("TransactionEvent", since=mark, timeout=20)
    appliance.unplug()
    account = wait_told(csms, transaction_id)
    assert account.arrivals == sorted(account.arrivals)
    agree(appliance, account)


def test_the_csms_answers_with_errors_and_late(appliance: Appliance, csms: ScriptedCsms) -> None:
    """E13: what the CSMS fails to process is sent again, the same content under the same number."""
    failures = iter([Refuse("InternalError"), Refuse("SomethingNew", "an unknown code"), Delay(2.0)])
    csms.on("TransactionEvent", lambda event: next(failures, None))
    transaction_id = charge(appliance, csms, energy=1)
    appliance.unplug()
    account = wait_told(csms, transaction_id, timeout=30)
    assert any(charging(event) for event in account.in_order)
    assert account.arrivals == sorted(account.arrivals)
    agree(appliance, account)
