"""What the live pieces need of the database: asked once for all, and not to be had without harm."""

from __future__ import annotations

import asyncio

import pytest

from tests.webui.making import CARD, charging, station
from webui.dashboard import known


def test_twenty_browsers_ask_the_database_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[frozenset[str]] = []

    def look_up(tokens: frozenset[str]) -> None:
        asked.append(tokens)
        known._note(tokens)

    monkeypatch.setattr(known, "_look_up", look_up)
    live = station(charging(1))

    async def watch() -> None:
        await asyncio.gather(*(known.refresh(live) for _ in range(20)))
        await known.refresh(live)

    asyncio.run(watch())
    assert asked == [frozenset({CARD})]
    asyncio.run(known.refresh(station(charging(1, id_token="04BB"))))
    assert asked[1:] == [frozenset({"04BB"})], "a card that nobody asked about is asked about at once"


def test_a_database_that_fails_or_hangs_does_not_hold_the_view_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tokens: frozenset[str]) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(known, "_look_up", fail)
    asyncio.run(known.refresh(station(charging(1))))
    assert known.who(charging(1)) == "Card •• E6F7"

    known.forget()
    monkeypatch.setattr(known, "PATIENCE", 0.01)
    hanging = asyncio.Event()

    async def hang(tokens: frozenset[str]) -> None:
        await hanging.wait()

    monkeypatch.setattr(known, "_try", hang)

    async def watch() -> None:
        await asyncio.wait_for(known.refresh(station(charging(1))), 5)
        hanging.set()

    asyncio.run(watch())
