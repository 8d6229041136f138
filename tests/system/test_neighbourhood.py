"""MQTT on the whole appliance: switched on at the page, heard at a broker, obeyed, and gone when it is switched off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.appliance import PROJECT, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.support.web import WebSession
from tests.system.charging import charging, wait_told
from tests.webui.neighbourhood.brokers import Broker, Neighbour

PASSWORD = "a long enough word"
MAKE = f"""
import django; django.setup()
from django.contrib.auth.models import User
User.objects.create_superuser("ada", password={PASSWORD!r})
"""
PAGE = "/neighbourhood/"
BASE = "garage/box"


@pytest.fixture(scope="module")
def web(shared_appliance: Appliance) -> WebSession:
    environment = {**shared_appliance.environment, "DJANGO_SETTINGS_MODULE": "station.project.settings"}
    subprocess.run([sys.executable, "-c", MAKE], cwd=PROJECT, env=environment, timeout=60, check=True)
    return WebSession(shared_appliance.web, name="ada", password=PASSWORD)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path).start()
    yield running
    running.stop()


@pytest.fixture
def neighbour(broker: Broker) -> Iterator[Neighbour]:
    somebody = Neighbour(broker.port)
    yield somebody
    somebody.close()


def save(web: WebSession, version: int, port: int, **more: str) -> None:
    fields = {
        "version": str(version),
        "host": "127.0.0.1",
        "port": str(port),
        "topic": BASE,
        "scope": "control",
        "discovery": "on",
        "discovery_topic": "homeassistant",
        **more,
    }
    assert "Saved" in web.post(PAGE, list(fields.items()))


def test_mqtt_from_the_page_to_the_board(
    appliance: Appliance, csms: ScriptedCsms, web: WebSession, broker: Broker, neighbour: Neighbour
) -> None:
    assert appliance.process("neighbours") is None, "what nobody switched on does not run"
    assert "takes the station" in web.post(
        f"{PAGE}check/", [("host", "127.0.0.1"), ("port", str(broker.port)), ("topic", "x")]
    )
    save(web, 0, broker.port, mqtt="on")
    neighbour.until(f"{BASE}/availability", "online")
    neighbour.until(f"{BASE}/evse/1/state", "free")
    process = appliance.process("neighbours")
    assert process is not None
    wait_until(lambda: appliance.health()[1]["neighbours"] == {"mqtt": "connected", "mdns": False}, "its word")
    assert "is connected to the broker" in web.get(PAGE)

    mark = csms.mark()
    appliance.plug()
    neighbour.until(f"{BASE}/evse/1/plugged", "ON")
    neighbour.say(f"{BASE}/evse/1/charge/set", "ON")
    event = csms.wait_for("TransactionEvent", charging, since=mark)
    neighbour.until(f"{BASE}/evse/1/state", "charging")
    neighbour.until(f"{BASE}/evse/1/charge", "ON")
    neighbour.say(f"{BASE}/evse/1/limit/set", "8")
    appliance.wait_evse(1, "limited to 8 A", limit=8.0)
    neighbour.until(f"{BASE}/evse/1/limit", "8.0")
    neighbour.say(f"{BASE}/evse/1/unlock/set", "PRESS")
    neighbour.until(f"{BASE}/evse/1/unlock/answer", "Stop the session first.")
    neighbour.say(f"{BASE}/evse/1/charge/set", "OFF")
    wait_told(csms, event["transactionInfo"]["transactionId"])
    neighbour.until(f"{BASE}/evse/1/charge", "OFF")
    with appliance.database() as database:
        rows = database.execute("SELECT who, action, status FROM station_command WHERE who = 'MQTT' ORDER BY id")
        assert [tuple(row) for row in rows] == [
            ("MQTT", "start", "Accepted"),
            ("MQTT", "unlock", "Rejected"),
            ("MQTT", "stop", "Accepted"),
        ]
    print("PSS", process.memory_full_info().pss // 1024 // 1024, "MB")

    save(web, 1, broker.port)  # without "mqtt": switched off
    wait_until(lambda: appliance.process("neighbours") is None, "the process is gone", 15)
    neighbour.until(f"{BASE}/availability", "offline")
    assert "neighbours is switched off" in appliance.log_tail(200)
    assert "WARNING MQTT" not in appliance.log_tail(200)
    appliance.unplug()
