"""The process of the neighbourhood without its neighbours: settings, the uplink's words, orders as commands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from station.domain.events import LimitWanted
from station.domain.wire import unpack_limit
from station.live import bus
from station.live.payloads import StationLive, encode
from station.store.models import Command
from tests.webui.making import station
from webui.api import live
from webui.neighbourhood import announce, process, switch
from webui.neighbourhood.doors import HTTPS, Door
from webui.neighbourhood.models import Neighbourhood
from webui.neighbourhood.topics import Order


def test_it_begins_anew_with_other_settings(db: None, tmp_path: Path) -> None:
    beats: list[Any] = []

    def beat(word: Any) -> None:
        beats.append(word)
        switch.write(tmp_path, switch.Wish(version=len(beats)))  # somebody saves

    process.BEAT, before = 0.01, process.BEAT
    try:
        assert process.run(beat, tmp_path, ()) == 0
    finally:
        process.BEAT = before
    assert beats[0] == {"mqtt": "off", "mdns": False}


def test_a_password_that_cannot_be_read_is_said(db: None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Neighbourhood(pk=1, mqtt=True, host="x", password="sealed:1:nonsense").save()
    assert process.run(lambda word: None, tmp_path, ()) == process.FAILED
    assert "cannot be read" in caplog.text


def test_every_publication_is_heard_also_after_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SILENT", 0.05)
    heard: list[StationLive] = []

    async def run() -> None:
        layer: Any = get_channel_layer()
        listening = asyncio.create_task(process._listen(heard.append))
        for count in (1, 2):
            async with asyncio.timeout(10):
                assert await layer.receive(bus.UPLINK) == {"type": bus.HELLO}
            await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": "nonsense"})
            await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": encode(station())})
            async with asyncio.timeout(10):
                while len(heard) < count:  # noqa: ASYNC110 - what is heard is a list
                    await asyncio.sleep(0.005)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(run())


def test_a_layer_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tries = 0

    async def once(*_: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            raise asyncio.CancelledError
        raise ConnectionError("gone")

    monkeypatch.setattr(process, "_listen_once", once)
    monkeypatch.setattr(process, "RETRY", 0.0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(process._listen(lambda live: None))
    assert caplog.text.count("is away") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        ("Accepted", "Unlocked.", "The connector is unlocked."),
        ("Rejected", "occupied", "Somebody is charging here already."),
    ],
)
def test_an_order_becomes_a_command(status: str, message: str, said: str) -> None:
    async def run() -> str:
        layer: Any = get_channel_layer()
        doing = asyncio.create_task(process.carry_out(Order(2, "unlock")))
        async with asyncio.timeout(10):
            nudge = await layer.receive(bus.UPLINK)
        changes = {"status": status, "message": message, "finished_at": timezone.now()}
        await Command.objects.filter(pk=nudge["command_id"]).aupdate(**changes)
        return await doing

    assert asyncio.run(run()) == said
    row = Command.objects.get()
    assert (row.user, row.who, row.action, row.arguments) == (None, "MQTT", "unlock", {"evse_id": 2})


def test_a_limit_goes_to_the_uplink_and_a_layer_that_fails_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> dict[str, Any]:
        await process.limit(1, 8.0, 60.0)
        return dict(await get_channel_layer().receive(bus.UPLINK))

    told = asyncio.run(run())
    assert told["type"] == bus.LIMIT_WANTED
    assert unpack_limit(told["limit"]) == LimitWanted(1, 8.0, 60.0, "MQTT")
    monkeypatch.setattr(process, "get_channel_layer", lambda: None)
    asyncio.run(process.limit(1, 8.0, 60.0))


@pytest.mark.parametrize(
    ("name", "mdns", "announced"), [("Garage", True, ["Garage"]), ("", True, ["CP-1"]), ("x", False, [])]
)
def test_what_is_announced(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mdns: bool, announced: list[str]
) -> None:
    door = Door(HTTPS, 8443)
    Neighbourhood(pk=1, mdns=mdns, mdns_name=name, version=1).save()
    names: list[str] = []
    words: list[Any] = []

    async def announce_(told: str, doors: Any) -> None:
        assert tuple(doors) == (door,)
        names.append(told)
        await asyncio.Event().wait()

    async def ask(message: Any) -> StationLive:
        return station()

    def beat(word: Any) -> None:
        words.append(word)
        if names or not mdns:
            switch.write(tmp_path, switch.Wish(version=9))

    monkeypatch.setattr(announce, "announce", announce_)
    monkeypatch.setattr(live, "_ask", ask)
    monkeypatch.setattr(process, "BEAT", 0.01)
    assert process.run(beat, tmp_path, (door,)) == 0
    assert names == announced
    assert words[-1] == {"mqtt": "off", "mdns": mdns}
