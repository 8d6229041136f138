"""The API on the whole appliance: what docs/api.md shows works as it stands there, and a limit reaches the board."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.appliance import PROJECT, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.system.charging import charge, wait_told

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
MAKE = """
import django; django.setup()
from django.contrib.auth.models import User
from webui.accounts import tokens
user = User.objects.filter(username="machine").first() or User.objects.create_user("machine", is_staff=True)
print(tokens.make(user, "test", ["read", "control", "configure"], None)[1])
"""


@pytest.fixture(scope="module")
def token(shared_appliance: Appliance) -> str:
    made = subprocess.run(
        [sys.executable, "-c", MAKE],
        cwd=PROJECT,
        env={**shared_appliance.environment, "DJANGO_SETTINGS_MODULE": "station.project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return made.stdout.strip()


class Caller:
    def __init__(self, appliance: Appliance, token: str) -> None:
        self.url = f"http://127.0.0.1:{appliance.web}"
        self.token = token

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/api/v1/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def evse(self) -> dict[str, Any]:
        status, told = self("GET", "evses/1")
        assert status == 200
        return dict(told)


@pytest.fixture
def api(appliance: Appliance, token: str) -> Caller:
    return Caller(appliance, token)


def test_what_the_documentation_shows_works(appliance: Appliance, api: Caller, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms)
    appliance.unplug()
    wait_told(csms, transaction_id)
    appliance.plug()  # for the examples that start and stop
    for block in re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.S):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            env={"PATH": "/usr/bin:/bin", "STATION": api.url, "TOKEN": api.token},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip()


def test_a_limit_reaches_the_board_and_the_csms(appliance: Appliance, api: Caller, csms: ScriptedCsms) -> None:
    transaction_id = charge(appliance, csms, energy=0)
    status, limit = api("PUT", "evses/1/limit", {"current": 8, "valid_for": 60})
    assert (status, limit["current"], limit["timed"]) == (200, 8.0, 8.0)
    appliance.wait_evse(1, "limited to 8 A", limit=8.0)
    mark = csms.mark()
    assert api("PUT", "evses/1/limit", {"current": 0})[0] == 200
    appliance.wait_evse(1, "paused", contactor=False)
    told = csms.wait_for("TransactionEvent", since=mark)
    assert told["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    wait_until(lambda: api.evse()["state"] == "suspended_evse", "the API says so, too")
    assert api.evse()["why_not_charging"]
    assert api("DELETE", "evses/1/limit")[0] == 200
    appliance.wait_evse(1, "charges again", contactor=True)
    assert api.evse()["limit"] == {"current": None, "standing": None, "timed": None, "until": None}
    status, refused = api("POST", "evses/1/unlock")
    assert (status, refused["status"], refused["detail"]) == (409, 409, "Stop the session first.")
    appliance.unplug()
    wait_told(csms, transaction_id)


def test_metrics_of_all_processes(appliance: Appliance, api: Caller) -> None:
    request = urllib.request.Request(f"{api.url}/metrics", headers={"Authorization": f"Bearer {api.token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        text = answer.read().decode()
    assert "station_healthy 1\n" in text
    assert 'station_evse_state{evse="1",state="free"} 1\n' in text
    for process in ("web", "uplink", "hardware", "transfers", "redis", "supervisor"):
        [amount] = re.findall(rf'station_process_memory_bytes{{process="{process}"}} (\d+)\n', text)
        assert 1_000_000 < int(amount) < 200_000_000
    assert re.search(r"^station_board_polls_total [1-9]", text, re.M)
