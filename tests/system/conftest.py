"""Whole appliances for the tests of this folder, and their logs where a test fails."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.appliance import PASSWORD, Appliance, running
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.system)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for appliance in running():
            report.sections.append((f"log of {appliance.identity}", appliance.log_tail()))
    return report


@pytest.fixture(scope="module")
def shared_csms() -> Iterator[ScriptedCsms]:
    """A CSMS for the tests of one module; ``csms`` hands it out with its answers as by default."""
    with ScriptedCsms(password=PASSWORD) as running_csms:
        yield running_csms


@pytest.fixture(scope="module")
def shared_appliance(tmp_path_factory: pytest.TempPathFactory, shared_csms: ScriptedCsms) -> Iterator[Appliance]:
    """An appliance for the tests of one module, registered at ``shared_csms``; ``appliance`` hands it out at rest."""
    with Appliance(tmp_path_factory.mktemp("appliance")) as appliance:
        appliance.provision_csms(shared_csms.url)
        appliance.start()
        appliance.wait_registered()
        yield appliance
        appliance.stop()


@pytest.fixture
def csms(shared_csms: ScriptedCsms) -> Iterator[ScriptedCsms]:
    yield shared_csms
    shared_csms.default()
    shared_csms.accept()


@pytest.fixture
def appliance(shared_appliance: Appliance, csms: ScriptedCsms) -> Iterator[Appliance]:
    """Running, registered, nothing plugged in, no transaction: before the test and again after it."""
    shared_appliance.wait_healthy()
    shared_appliance.wait_registered()
    yield shared_appliance
    csms.default()
    csms.accept()
    shared_appliance.wait_healthy()
    _bring_to_rest(shared_appliance, csms)


def _bring_to_rest(appliance: Appliance, csms: ScriptedCsms) -> None:
    """Unplug whatever is plugged in, clear faults, end what waits for a cable; return when all of it is told."""
    for number, evse in appliance.bench("/state")["evses"].items():
        if evse["fault"]:
            appliance.bench(f"/evse/{number}/fault", {"code": None})
        if evse["plugged"]:
            appliance.unplug(int(number))
    for session in appliance.sessions():
        if session["active"] and session["evse_id"] is None:
            csms.call("RequestStopTransaction", {"transactionId": session["transaction_id"]})
    wait_until(
        lambda: not any(session["active"] for session in appliance.sessions()) and not appliance.queue(),
        "every transaction ended and told",
        30,
    )
