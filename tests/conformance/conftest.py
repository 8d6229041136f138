"""``rig`` is the station under test: in memory, or with ``--rig appliance`` the running appliance.

Without the option, as in ``make test``, the cases marked ``both_rigs`` are played on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import setting, validations
from tests.conformance.appliance import OnAppliance
from tests.conformance.memory import InMemory
from tests.conformance.record import Recorder, starts
from tests.conformance.rig import Rig


def pytest_configure(config: pytest.Config) -> None:
    """Where a report is wanted, note the outcomes."""
    path = config.getoption("--conformance-report")
    if path:
        rig = config.getoption("--rig")
        if not rig:
            raise pytest.UsageError("--conformance-report needs --rig")
        output = getattr(config, "workeroutput", None)  # pytest-xdist
        recorder = Recorder(Path(path), rig, config.getoption("--security-profile"), output)
        config.pluginmanager.register(recorder, "conformance-recorder")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Where no rig is named, a representative part runs on both."""
    if "rig" in metafunc.fixturenames and not metafunc.config.getoption("--rig"):
        both = metafunc.definition.get_closest_marker("both_rigs")
        if both:
            metafunc.parametrize("rig", ["memory", "appliance"], indirect=True)


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Not started yet: the case calls ``rig.start`` with its configuration.

    Afterwards the whole trace is validated, and that the case applies to the station as it was set.
    """
    profile = request.config.getoption("--security-profile")
    if getattr(request, "param", request.config.getoption("--rig")) == "appliance":
        with OnAppliance(tmp_path) as appliance:
            appliance.security_profile = profile
            yield appliance
            _check(appliance, request.node)
    else:
        memory = InMemory(tmp_path)
        memory.security_profile = profile
        yield memory
        _check(memory, request.node)


def _check(rig: Rig, test: pytest.Item) -> None:
    validations.check(rig)
    setting.check(rig, *(str(ident) for mark in test.iter_markers("tc") for ident in mark.args))
    test.user_properties += starts(rig.messages())
