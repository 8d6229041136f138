"""The uplink as a whole: the real station, a real WebSocket and database; only Redis is in memory."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError
from websockets.asyncio.server import ServerConnection, serve

from station.domain.board import BoardSnapshot, EvseSnapshot
from station.domain.effects import SaveVariable
from station.domain.wire import pack_snapshot, unpack_setpoint
from station.live import bus
from station.live.payloads import decode
from station.store import models, repositories
from station.uplink import process
from station.uplink.process import DEMONSTRATION_IDENTITY, FAILED
from station.uplink.runtime import LAST_SLOT, REBOOT, Runtime

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS: dict[str, dict[str, Any]] = {
    "BootNotification": {"currentTime": "2024-05-01T10:00:00Z", "interval": 300, "status": "Accepted"},
    "Heartbeat": {"currentTime": "2024-05-01T10:00:00Z"},
}


class Csms:
    """Answers every call as a friendly CSMS does, and notes it."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[str, dict]] = asyncio.Queue()
        self.answers: asyncio.Queue[list] = asyncio.Queue()
        self.paths: list[str] = []
        self.close_code: int | None = None
        self.websocket: ServerConnection | None = None

    async def handle(self, websocket: ServerConnection) -> None:
        self.websocket = websocket
        self.paths.append(websocket.request.path)
        async for message in websocket:
            frame = json.loads(message)
            if frame[0] == 2:
                await websocket.send(json.dumps([3, frame[1], ANSWERS.get(frame[2], {})]))
                self.calls.put_nowait((frame[2], frame[3]))
            else:
                self.answers.put_nowait(frame)
        self.close_code = websocket.close_code

    async def until(self, action: str) -> dict:
        while True:
            called, payload = await self.calls.get()
            if called == action:
                return payload

    async def call(self, action: str, payload: dict) -> list:
        await self.websocket.send(json.dumps([2, f"call-{action}", action, payload]))
        return await self.answers.get()


class Bench:
    """The uplink with its CSMS, and the other ends of the channel layer."""

    def __init__(self, csms: Csms) -> None:
        self.csms = csms
        self.words: list[dict] = []
        self.layer = get_channel_layer()

    async def snapshot(self, at: float = 1.0) -> None:
        snapshot = BoardSnapshot(at=at, evses=(EvseSnapshot(1), EvseSnapshot(2)))
        await self.layer.send(bus.UPLINK, {"type": bus.BOARD_SNAPSHOT, "snapshot": pack_snapshot(snapshot)})


@pytest.fixture(autouse=True)
def in_memory(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


def provision(url: str) -> None:
    models.NetworkProfile.objects.create(slot=1, csms_url=url)
    repositories.commit([SaveVariable("SecurityCtrlr", "Identity", "CS-7")])


def live(drive: Callable[[Bench], Awaitable[None]], *, demo: bool = False) -> tuple[int, Csms]:
    """One life of the uplink, in which ``drive`` does what it likes; the exit status and the CSMS."""

    async def test() -> tuple[int, Csms]:
        csms = Csms()
        async with serve(csms.handle, "127.0.0.1", 0, subprotocols=["ocpp2.0.1"], close_timeout=1) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
            if not demo:
                await asyncio.to_thread(provision, url)
            bench = Bench(csms)
            life = asyncio.create_task(process._live(bench.words.append, url if demo else None))
            async with asyncio.timeout(30):
                try:
                    await drive(bench)
                finally:
                    if not life.done():
                        os.kill(os.getpid(), signal.SIGTERM)
                    status = await life
        return status, csms

    return asyncio.run(test())


async def booted(bench: Bench) -> None:
    await bench.csms.until("BootNotification")
    await bench.snapshot()
    await bench.csms.until("StatusNotification")


def test_life_from_boot_to_sigterm():
    async def drive(bench: Bench) -> None:
        watcher = "watcher"
        await bench.layer.group_add(bus.WATCHERS, watcher)
        await booted(bench)
        setpoint = unpack_setpoint((await bench.layer.receive(bus.HARDWARE))["setpoint"])
        assert [evse.evse_id for evse in setpoint.evses] == [1, 2]
        while True:
            seen = decode((await bench.layer.receive(watcher))["station"])
            if seen.registration == "Accepted":
                break
        assert (seen.connected, seen.identity, len(seen.evses)) == (True, "CS-7", 2)
        await bench.layer.send(bus.UPLINK, {"type": bus.HELLO})
        assert decode((await bench.layer.receive(watcher))["station"]).serial > seen.serial

    status, csms = live(drive)
    assert status == 0
    assert csms.paths == ["/ocpp/CS-7"]
    assert csms.close_code == 1001
    assert models.Remembered.objects.get(key=LAST_SLOT).value == 1


def test_health_word():
    async def drive(bench: Bench) -> None:
        await booted(bench)
        while not bench.words or bench.words[-1]["registration"] != "Accepted":  # noqa: ASYNC110 - it beats by time
            await asyncio.sleep(0.05)
        assert bench.words[-1]["connected"] is True
        assert bench.words[-1]["security_profile"] == 1
        assert len(json.dumps(bench.words[-1])) < 400

    assert live(drive)[0] == 0


def test_call_of_the_csms_is_answered():
    async def drive(bench: Bench) -> None:
        await booted(bench)
        wanted = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "WebSocketPingInterval"}}
        kind, call_id, payload = await bench.csms.call("GetVariables", {"getVariableData": [wanted]})
        assert (kind, call_id) == (3, "call-GetVariables")
        assert payload["getVariableResult"][0]["attributeValue"] == "120"
        refused = await bench.csms.call("GetVariables", {"getVariableData": []})
        assert refused[:3] == [4, "call-GetVariables", "OccurrenceConstraintViolation"]

    assert live(drive)[0] == 0


def test_size_limit_of_messages_is_configurable():
    repositories.commit([SaveVariable("OCPPCommCtrlr", "MaxMessageSize", "2000")])

    async def drive(bench: Bench) -> None:
        await booted(bench)
        refused = await bench.csms.call("DataTransfer", {"vendorId": "x", "data": "y" * 2000})
        assert refused[:3] == [4, "call-DataTransfer", "RpcFrameworkError"]
        assert (await bench.csms.call("DataTransfer", {"vendorId": "x", "data": "y" * 1000}))[0] == 3

    assert live(drive)[0] == 0


def test_reset_answers_and_reboots():
    async def drive(bench: Bench) -> None:
        await booted(bench)
        kind, _, payload = await bench.csms.call("Reset", {"type": "Immediate"})
        assert (kind, payload["status"]) == (3, "Accepted")
        await bench.csms.websocket.wait_closed()

    status, csms = live(drive)
    assert status == REBOOT
    assert csms.close_code == 1001


def test_command_of_an_operator():
    def filed() -> int:
        return models.Command.objects.create(who="ada", action="availability", arguments={"operative": False}).id

    def outcome(command_id: int) -> str:
        return models.Command.objects.get(id=command_id).status

    async def drive(bench: Bench) -> None:
        await booted(bench)
        command_id = await asyncio.to_thread(filed)
        await bench.layer.send(bus.UPLINK, {"type": bus.COMMAND_FILED, "command_id": command_id})
        while (await bench.csms.until("StatusNotification"))["connectorStatus"] != "Unavailable":
            pass
        assert await asyncio.to_thread(outcome, command_id) == "Accepted"

    assert live(drive)[0] == 0


def test_the_connection_doctor():
    """From the filed command over the live view to what is remembered."""
    shown: list[dict] = []

    def filed() -> int:
        return models.Command.objects.create(who="ada", action="diagnose_connection", arguments={"slot": 1}).id

    def remembered() -> dict | None:
        row = models.Remembered.objects.filter(key="connection_diagnosis").first()
        return row and row.value

    async def drive(bench: Bench) -> None:
        await booted(bench)
        await bench.layer.group_add(bus.WATCHERS, "watcher")
        command_id = await asyncio.to_thread(filed)
        await bench.layer.send(bus.UPLINK, {"type": bus.COMMAND_FILED, "command_id": command_id})
        while not shown or not shown[-1]["over"]:
            message = await bench.layer.receive("watcher")
            if diagnosis := decode(message["station"]).diagnosis:
                shown.append(diagnosis)
        assert (await asyncio.to_thread(remembered)) == json.loads(json.dumps(shown[-1]))

    assert live(drive)[0] == 0
    assert shown[-1]["verdict"] == "The connection works."
    assert [step["name"] for step in shown[-1]["steps"]][-1] == "boot"


def test_demonstration_until_somebody_provisions():
    async def drive(bench: Bench) -> None:
        await booted(bench)

    status, csms = live(drive, demo=True)
    assert status == 0
    assert csms.paths == [f"/ocpp/{DEMONSTRATION_IDENTITY}"]


def test_database_that_cannot_be_read_is_one_line(monkeypatch, caplog):
    def broken() -> None:
        raise OperationalError("file is not a database")

    monkeypatch.setattr(repositories, "load", broken)
    assert process.run(lambda word: None) == FAILED
    assert "file is not a database" in caplog.text
    assert "Traceback" not in caplog.text


def test_database_that_takes_no_step_ends_the_life(monkeypatch, caplog):
    caplog.set_level(logging.ERROR)
    monkeypatch.setitem(Runtime.__init__.__kwdefaults__, "commit_pauses", (0.0,))

    async def drive(bench: Bench) -> None:
        await booted(bench)

        def broken(effects) -> None:
            raise OperationalError("disk is full")

        monkeypatch.setattr(repositories, "commit", broken)
        await bench.csms.websocket.send('[2,"c","ChangeAvailability",{"operationalStatus":"Inoperative"}]')
        await bench.csms.websocket.wait_closed()
        assert bench.csms.answers.empty()

    status, _ = live(drive)
    assert status == FAILED
    assert "disk is full" in caplog.text
