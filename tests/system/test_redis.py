"""Redis goes away during a session: power never drops, nothing is lost."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from tests.support.appliance import Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.system.charging import agree, charge, periodic, wait_told

AWAY = 36.0  # s; longer than the board's watchdog waits (30 s), so that it must have been fed all the while


def test_charging_goes_on_while_redis_is_killed_again_and_again(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    killed = 0
    end = time.monotonic() + AWAY
    while time.monotonic() < end:
        redis = appliance.process("redis")
        if redis is not None:
            with suppress(psutil.NoSuchProcess):
                redis.kill()
                killed += 1
        evse = appliance.evse()
        assert evse["contactor"], f"the contactor opened: {evse}"
        assert evse["power"] > 1000, f"power dropped: {evse}"
        time.sleep(0.1)
    assert killed >= 2, "Redis was never there to be killed: is it restarted?"
    mark = csms.mark()
    appliance.wait_healthy(60)
    assert appliance.evse()["power"] > 1000
    csms.wait_for("TransactionEvent", periodic, since=mark)
    appliance.card()
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "Local"
    agree(appliance, account)


def test_a_redis_that_hangs_is_replaced_and_nobody_waits_for_it(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    redis = appliance.process("redis")
    assert redis is not None
    redis.suspend()
    wait_until(lambda: appliance.health()[0] == 503, "told by /healthz")
    variable = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}
    [told] = csms.call("GetVariables", {"getVariableData": [variable]}, timeout=5)["getVariableResult"]
    assert told["attributeStatus"] == "Accepted"
    assert appliance.evse()["power"] > 1000
    wait_until(lambda: not redis.is_running(), "the supervisor ends it", 40)
    appliance.wait_healthy(60)
    assert appliance.evse()["power"] > 1000
    appliance.unplug()
    agree(appliance, wait_told(csms, transaction_id))
