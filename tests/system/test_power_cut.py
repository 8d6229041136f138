"""The power goes at twenty random points of a few sessions: whatever was said once is said once, and nothing is lost.

A power cut is SIGKILL to the whole process group. The points come from a seed that is printed; ``POWER_CUT_SEED`` sets
it. After every start the test does what the people at the station would: it looks what the station knows and holds
the card again where it knows nothing.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.appliance import PASSWORD, QUICK, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.system.charging import agree, wait_told

SESSIONS = (("card", 7), ("unplug", 7), ("csms", 6))  # how each ends, and how many cuts it suffers
LONGEST_WAIT = 2.5  # s of a session between two cuts
ENERGY = 3.0  # Wh that each session at least charges after its last cut


@pytest.fixture(scope="module")
def chance() -> random.Random:
    seed = int(os.environ.get("POWER_CUT_SEED", random.SystemRandom().randrange(10**6)))
    print(f"POWER_CUT_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def csms() -> Iterator[ScriptedCsms]:
    with ScriptedCsms(password=PASSWORD) as running:
        yield running


@pytest.fixture
def appliance(tmp_path: Path, csms: ScriptedCsms) -> Iterator[Appliance]:
    with Appliance(tmp_path) as running:
        running.provision_csms(csms.url, variables=(*QUICK, "SampledDataCtrlr.TxUpdatedInterval=1"))
        running.start()
        yield running


class Cuts:
    """Cuts the power at the places in a session that chance chose."""

    def __init__(self, appliance: Appliance, chance: random.Random, count: int) -> None:
        self._appliance = appliance
        self._chance = chance
        self._places = sorted(chance.choices(["plugged", "card", "charging", "stopping", "stopped"], k=count))

    def at(self, place: str) -> None:
        """The session is at ``place``: cut as often as is due here, each time somewhere in the next moments."""
        for _ in range(self._places.count(place)):
            pause = self._chance.uniform(0, LONGEST_WAIT) if self._chance.random() < 0.7 else 0.0
            time.sleep(pause)
            plugged = self._appliance.evse()["plugged"]
            self._appliance.kill9()
            print(f"  cut {pause:.2f} s after {place}")
            if self._chance.random() < 0.25:  # and once more while it comes up
                self._appliance.start(healthy=False)
                time.sleep(self._chance.uniform(0.2, 3.0))
                self._appliance.kill9()
                print("  and again while it came up")
            self._appliance.start()
            self._appliance.wait_registered()
            assert self._appliance.evse()["plugged"] == plugged, "a cable outlives a power cut"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("how", "count"), SESSIONS)
def test_power_cuts(appliance: Appliance, csms: ScriptedCsms, chance: random.Random, how: str, count: int) -> None:
    cuts = Cuts(appliance, chance, count)
    before = {row["transaction_id"] for row in appliance.sessions()}
    register = appliance.evse()["energy"]

    def ours() -> list[str]:
        return [row["transaction_id"] for row in appliance.sessions() if row["transaction_id"] not in before]

    appliance.plug(max_current=32)
    cuts.at("plugged")
    wait_until(ours, "the transaction that the cable starts")
    appliance.card()
    cuts.at("card")
    _hold_until_authorized(appliance, ours)
    appliance.wait_evse(1, "charging", contactor=True, power=lambda power: power > 500)
    cuts.at("charging")
    _hold_until_authorized(appliance, ours)
    here = appliance.evse()["energy"]
    appliance.wait_evse(1, "goes on after the cut", timeout=30, energy=lambda energy: energy >= here + ENERGY)
    [transaction_id] = ours()
    assert appliance.session(transaction_id)["active"]

    _stop(appliance, csms, transaction_id, how)
    cuts.at("stopping")
    if how != "unplug" and not _comes_true(lambda: not appliance.session(transaction_id)["active"]):
        _stop(appliance, csms, transaction_id, how)  # the first time was lost with the power
    wait_until(lambda: not appliance.session(transaction_id)["active"], f"stopped ({how})")
    cuts.at("stopped")
    if appliance.evse()["plugged"]:
        mark = csms.mark()
        appliance.unplug()
        csms.wait_for("StatusNotification", lambda status: status["connectorStatus"] == "Available", since=mark)

    account = wait_told(csms, transaction_id, 30)
    wait_until(lambda: not appliance.queue(), "nothing left to tell")
    flown = appliance.evse()["energy"] - register
    assert ours() == [transaction_id], "one cable, one card, one transaction"
    assert account.complete
    assert account.conflicts == []
    assert account.gaps == []
    assert account.arrivals == sorted(account.arrivals)
    assert account.energy is not None
    assert account.energy >= ENERGY
    assert flown - 1.5 <= account.energy <= flown + 0.001, "what has flown is billed, and no more"
    expected = {"card": {"Local"}, "unplug": {"EVDisconnected", "PowerLoss"}, "csms": {"Remote"}}[how]
    assert account.stopped_reason in expected
    agree(appliance, account)


def _comes_true(condition: Callable[[], bool]) -> bool:
    """Whether ``condition`` holds within the time in which a station that knows of it would have acted."""
    try:
        return wait_until(condition, "done", 4)
    except AssertionError:
        return False


def _authorized(appliance: Appliance, transaction_id: str) -> bool:
    return bool(appliance.session(transaction_id)["id_token"])


def _hold_until_authorized(appliance: Appliance, ours: Callable[[], list[str]]) -> None:
    """A card whose reading was lost with the power is held again; one that was not must not be: it would stop."""
    [transaction_id] = ours()
    if not _comes_true(lambda: _authorized(appliance, transaction_id)):
        appliance.card()
        wait_until(lambda: _authorized(appliance, transaction_id), "authorized by the second card", 10)


def _stop(appliance: Appliance, csms: ScriptedCsms, transaction_id: str, how: str) -> None:
    if how == "card":
        appliance.card()
    elif how == "unplug":
        appliance.unplug()
    else:
        csms.wait_connected()
        assert csms.call("RequestStopTransaction", {"transactionId": transaction_id})["status"] == "Accepted"
