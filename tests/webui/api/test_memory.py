"""What costs memory is loaded by who needs it, and by nobody else."""

from __future__ import annotations

import subprocess
import sys

from tests.support.appliance import PROJECT

CODE = """
import sys, django
django.setup()

def tell():
    print(*[name for name in ("ninja", "pydantic", "paho", "zeroconf") if name in sys.modules])

import webui.urls, station.project.urls, station.project.supervisor.roster, webui.metrics.views, webui.api.views
import webui.neighbourhood.views, webui.neighbourhood.process
tell()
import webui.neighbourhood.bridge
tell()
import webui.neighbourhood.announce
tell()
import webui.api.service
tell()
"""


def test_only_what_is_needed_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=PROJECT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == ["", "paho", "paho zeroconf", "ninja pydantic paho zeroconf"]
