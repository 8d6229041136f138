"""What holds for every test."""

import os

import pytest

# pytest-django has read tests.settings by now. What tests start as a process of its own is the appliance itself.
os.environ["DJANGO_SETTINGS_MODULE"] = "station.project.settings"
os.environ.pop("STATION_DATA", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rig``: what the certification cases in tests/conformance run against, and where their outcomes are noted.

    Without it all run in memory, and those marked ``both_rigs`` on the appliance, too.
    """
    parser.addoption("--rig", choices=("memory", "appliance"), help="station under test")
    parser.addoption(
        "--security-profile", type=int, choices=(1, 2, 3), default=1, help="by which the station is connected at first"
    )
    parser.addoption("--conformance-report", metavar="FILE", help="note each certification case's outcome there")
