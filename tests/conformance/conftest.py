"""``rig`` is the station under test: in memory, or with ``--rig appliance`` the running appliance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import validations
from tests.conformance.appliance import OnAppliance
from tests.conformance.memory import InMemory
from tests.conformance.record import Recorder, starts
from tests.conformance.rig import Rig


def pytest_configure(config: pytest.Config) -> None:
    """Where a report is wanted, note the outcomes."""
    path = config.getoption("--conformance-report")
    if path:
        config.pluginmanager.register(
            Recorder(Path(path), config.getoption("--rig"), config.getoption("--security-profile")),
            "conformance-recorder",
        )


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Not started yet: the case calls ``rig.start`` with its configuration. Afterwards the whole trace is validated."""
    profile = request.config.getoption("--security-profile")
    if request.config.getoption("--rig") == "appliance":
        with OnAppliance(tmp_path) as appliance:
            appliance.security_profile = profile
            yield appliance
            validations.check(appliance)
            request.node.user_properties += starts(appliance.messages())
    else:
        memory = InMemory()
        memory.security_profile = profile
        yield memory
        validations.check(memory)
        request.node.user_properties += starts(memory.messages())
