"""Processes die, hang and are stopped: the appliance comes back, or goes without leaving anything behind."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import psutil
import pytest

from tests.support.appliance import STOP_WITHIN, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.system.charging import agree, charge, charging, wait_told

NAMES = ("redis", "simulator", "hardware", "uplink", "web", "transfers")
BACK_WITHIN = 40.0  # s; back-off included


def _wait_replaced(appliance: Appliance, name: str, old: psutil.Process, timeout: float = BACK_WITHIN) -> None:
    def replaced() -> bool:
        new = appliance.process(name)
        return new is not None and new.pid != old.pid

    wait_until(replaced, f"another {name} in place of {old.pid}", timeout)


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_process_comes_back(appliance: Appliance, csms: ScriptedCsms, name: str) -> None:
    old = appliance.process(name)
    assert old is not None, f"{name} is not among {appliance.processes()}"
    old.kill()
    _wait_replaced(appliance, name, old)
    appliance.wait_healthy(BACK_WITHIN)
    appliance.wait_registered()
    appliance.wait_bench()


@pytest.mark.parametrize("name", ["uplink", "hardware"])
def test_a_session_survives_the_death_of_a_process(appliance: Appliance, csms: ScriptedCsms, name: str) -> None:
    transaction_id = charge(appliance, csms)
    mark = csms.mark()
    old = appliance.process(name)
    assert old is not None
    old.kill()
    _wait_replaced(appliance, name, old)
    appliance.wait_healthy(BACK_WITHIN)
    csms.wait_for("TransactionEvent", lambda event: "meterValue" in event, since=mark, timeout=30)
    appliance.wait_evse(1, "charging on", contactor=True, power=lambda power: power > 1000)
    appliance.unplug()
    account = wait_told(csms, transaction_id)
    assert account.stopped_reason == "EVDisconnected"
    agree(appliance, account)


def test_the_board_looks_after_itself_when_the_station_is_stuck(appliance: Appliance, csms: ScriptedCsms) -> None:
    """All of the station's processes stand still at once: each is replaced, and charging goes on afterwards."""
    transaction_id = charge(appliance, csms)
    stuck = {name: appliance.process(name) for name in ("hardware", "uplink", "web", "transfers")}
    mark = csms.mark()
    for process in stuck.values():
        assert process is not None
        process.suspend()
    for name, process in stuck.items():
        assert process is not None
        _wait_replaced(appliance, name, process, 60)
    appliance.wait_healthy(BACK_WITHIN)
    csms.wait_for("TransactionEvent", charging, since=mark, timeout=40)
    appliance.wait_evse(1, "charging on", contactor=True, power=lambda power: power > 1000)
    appliance.unplug()
    agree(appliance, wait_told(csms, transaction_id))


def test_no_orphan_is_left_when_the_supervisor_is_killed(appliance: Appliance, csms: ScriptedCsms) -> None:
    family = appliance.processes()
    assert len(family) >= len(NAMES) + 1
    psutil.Process(appliance.pid).kill()
    appliance.wait_exit()
    wait_until(lambda: not appliance.processes() and not any(_runs(process) for process in family), "all gone", 10)
    appliance.start()
    appliance.wait_registered()


@pytest.mark.parametrize("wait", [0.3, 1.0, 2.0, 4.0])
def test_it_stops_in_time_also_while_it_comes_up(appliance: Appliance, csms: ScriptedCsms, wait: float) -> None:
    appliance.stop()
    appliance.start(healthy=False)
    time.sleep(wait)
    family = appliance.processes()
    psutil.Process(appliance.pid).send_signal(signal.SIGTERM)
    appliance.wait_exit(STOP_WITHIN)
    wait_until(lambda: not any(_runs(process) for process in family), "all gone", 2)
    appliance.start()
    appliance.wait_registered()


def test_it_stops_in_time_while_a_process_is_stuck(appliance: Appliance, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    hung = appliance.process("hardware")
    assert hung is not None
    hung.suspend()
    try:
        appliance.stop()
    finally:
        with suppress(psutil.NoSuchProcess):
            hung.resume()
    appliance.start()
    appliance.wait_registered()
    appliance.unplug()
    agree(appliance, wait_told(csms, transaction_id))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
