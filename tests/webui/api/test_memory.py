"""What costs memory is loaded by who needs it, and by nobody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.appliance import PROJECT

HEAVY = ("ninja", "pydantic", "paho", "zeroconf")
PRELUDE = """
import sys, django
django.setup()
import webui.urls, station.project.urls, station.project.supervisor.roster, webui.metrics.views, webui.api.views
import webui.neighbourhood.views, webui.neighbourhood.process
"""


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("", []),
        ("import webui.api.service", ["ninja", "pydantic"]),
        ("import webui.neighbourhood.bridge", ["paho"]),
        ("import webui.neighbourhood.announce", ["zeroconf"]),
    ],
)
def test_only_what_is_needed_is_loaded(code: str, loaded: list[str]) -> None:
    look = f"print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{PRELUDE}\n{code}\n{look}"],
        cwd=PROJECT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == str(loaded)
