"""Debian's mosquitto on a free port of loopback, and somebody else who is connected to it."""

from __future__ import annotations

import getpass
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.ports import free_port
from tests.support.waiting import wait_until

MOSQUITTO = "/usr/sbin/mosquitto"


class Broker:
    """``lines`` go into its configuration. Stopped and started at will, on the same port."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        anonymous = [] if any("allow_anonymous" in line for line in lines) else ["allow_anonymous true"]
        # As root it would become another user, who may not read the test's files.
        head = [f"user {getpass.getuser()}", f"listener {self.port} 127.0.0.1"]
        self._file.write_text("\n".join([*head, *anonymous, *lines, ""]))
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Broker:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._file)], stdout=log, stderr=log)
        wait_until(lambda: "running" in self._log.read_text(), "mosquitto runs", 10, 0.02)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
            self._log.write_text("")


class Neighbour:
    """Hears everything that is said at a broker; ``said`` is the last word of each topic."""

    def __init__(self, port: int) -> None:
        self.said: dict[str, str] = {}
        self.retained: dict[str, bool] = {}
        self._up = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: self._up.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        assert self._up.wait(10)

    def _hear(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        self.said[message.topic] = message.payload.decode()
        self.retained[message.topic] = message.retain

    def say(self, topic: str, text: str, *, retain: bool = False) -> None:
        self._client.publish(topic, text, 1, retain=retain).wait_for_publish(5)

    def until(self, topic: str, text: str | None) -> None:
        wait_until(lambda: self.said.get(topic) == text, f"{topic} says {text}, not {self.said.get(topic)}", 15, 0.02)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
