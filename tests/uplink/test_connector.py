"""Connecting again and again, by profiles and back-off, against real servers on loopback."""

from __future__ import annotations

import asyncio
import http
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from websockets.asyncio.server import Server, ServerConnection, serve

from station.domain.certificates import TlsMaterial
from station.domain.network import FailureCause, NetworkProfile
from station.uplink.backoff import BackOffRules
from station.uplink.configuration import LinkSettings
from station.uplink.connector import Connector
from station.uplink.link import Link, LinkRefused


class User:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.refusals: list[tuple[int, FailureCause, bool]] = []
        self.link: Link | None = None
        self._news = asyncio.Event()

    def link_opened(self, link: Link, profile: NetworkProfile, spare_password: bool) -> None:
        self.link = link
        self._note(("opened", profile.slot))

    def link_refused(self, profile: NetworkProfile, refusal: LinkRefused, spare_password: bool) -> None:
        self.refusals.append((profile.slot, refusal.cause, spare_password))

    async def frame_received(self, frame: bytes) -> None:
        self._note(frame)

    def link_closed(self, reason: str) -> None:
        self._note(("closed", reason))

    def _note(self, what: object) -> None:
        self.heard.append(what)
        self._news.set()

    async def until(self, count: int) -> list[object]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
        return self.heard


class Bed:
    """A connector with settings that a test may change; waits are noted and take no time."""

    def __init__(self, *profiles: NetworkProfile, last_good: int | None = None) -> None:
        self.user = User()
        self.profiles = list(profiles)
        self.waits: list[float] = []
        self.settings = LinkSettings("CS", "", (1, 2), 1, BackOffRules(10, 0, 2), 0)
        self.connector = Connector(
            self.user,
            lambda: self.profiles,
            lambda: self.settings,
            lambda slot: TlsMaterial(()),
            Path("none"),
            random.Random(1),
            last_good=last_good,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    async def during(self, test: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.create_task(self.connector.run())
        try:
            await test()
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.connector.close()


def csms(handler: Callable[[ServerConnection], Awaitable[None]], **options):
    return serve(handler, "127.0.0.1", 0, subprotocols=["ocpp2.0.1"], close_timeout=1, **options)


def profile(server: Server, slot: int = 1) -> NetworkProfile:
    return NetworkProfile(slot, f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", 1)


DEAD = NetworkProfile(1, "ws://127.0.0.1:1", 1)


async def idle(websocket: ServerConnection) -> None:
    await websocket.wait_closed()


def test_frames_and_reconnection_after_a_close():
    async def twice(websocket: ServerConnection) -> None:
        await websocket.send("hello")
        await websocket.close(1001)

    async def test() -> None:
        async with csms(twice) as server:
            bed = Bed(profile(server))

            async def both() -> None:
                closed = ("closed", "closed by the CSMS with 1001")
                assert (await bed.user.until(6))[:6] == [("opened", 1), b"hello", closed] * 2
                assert bed.waits[0] == 10  # part 4, section 5.3: also the first attempt after a loss waits

            await bed.during(both)

    asyncio.run(test())


def test_refusals_back_off_and_are_told_once(caplog):
    caplog.set_level("INFO", logger="station.uplink")
    refusals = 3

    def refuse(connection: ServerConnection, request):
        nonlocal refusals
        refusals -= 1
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "") if refusals >= 0 else None

    async def test() -> None:
        async with csms(idle, process_request=refuse) as server:
            bed = Bed(profile(server))

            async def connected() -> None:
                assert await bed.user.until(1) == [("opened", 1)]
                assert bed.waits == [10, 20, 40]
                assert bed.user.refusals == [(1, FailureCause.CREDENTIALS, False)] * 3

            await bed.during(connected)

    asyncio.run(test())
    assert caplog.text.count("HTTP 401") == 1


def test_second_profile_when_the_first_fails():
    async def test() -> None:
        async with csms(idle) as server:
            bed = Bed(DEAD, profile(server, 2))

            async def connected() -> None:
                assert await bed.user.until(1) == [("opened", 2)]

            await bed.during(connected)

    asyncio.run(test())


def test_reconnect_leaves_properly_and_starts_at_the_first_profile():
    codes = []

    async def note(websocket: ServerConnection) -> None:
        await websocket.wait_closed()
        codes.append(websocket.close_code)

    async def test() -> None:
        async with csms(note) as old, csms(idle) as new:
            bed = Bed(profile(old, 2))

            async def moved() -> None:
                await bed.user.until(1)
                bed.user.link.send("last words")
                bed.profiles = [profile(new, 1), profile(old, 2)]
                bed.connector.reconnect("a new network profile")
                assert (await bed.user.until(3))[1:] == [("closed", "the station connects anew"), ("opened", 1)]
                assert bed.waits == []

            await bed.during(moved)
        assert codes == [1000]

    asyncio.run(test())


def test_reconnect_while_waiting_goes_at_once():
    async def test() -> None:
        async with csms(idle) as server:
            bed = Bed(DEAD)
            waiting = asyncio.Event()

            async def sleep(seconds: float) -> None:
                waiting.set()
                await asyncio.Event().wait()

            bed.connector._sleep = sleep

            async def moved() -> None:
                await waiting.wait()
                bed.profiles = [profile(server)]
                bed.connector.reconnect("provisioned")
                assert await bed.user.until(1) == [("opened", 1)]

            await bed.during(moved)

    asyncio.run(test())


def test_without_profiles_it_waits_for_one():
    async def test() -> None:
        async with csms(idle) as server:
            bed = Bed()

            async def provisioned() -> None:
                while not bed.waits:  # noqa: ASYNC110 - only what happens is waited for, no time
                    await asyncio.sleep(0)
                assert bed.connector.state == "no CSMS is configured"
                bed.profiles = [profile(server)]
                assert await bed.user.until(1) == [("opened", 1)]

            await bed.during(provisioned)

    asyncio.run(test())


def test_close_says_goodbye():
    codes = []

    async def note(websocket: ServerConnection) -> None:
        codes.extend([message async for message in websocket])
        codes.append(websocket.close_code)

    async def test() -> None:
        async with csms(note) as server:
            bed = Bed(profile(server))

            async def connected() -> None:
                await bed.user.until(1)
                bed.user.link.send("last words")

            await bed.during(connected)
        assert codes == ["last words", 1001]

    asyncio.run(test())


def test_a_link_that_was_opened_by_what_was_in_force_before_is_no_link():
    async def test() -> None:
        async with csms(idle) as new:
            bed = Bed()

            def late(connection: ServerConnection, request) -> None:
                bed.profiles = [profile(new, 2)]
                bed.connector.reconnect("other settings, while this one is being opened")

            async with csms(idle, process_request=late) as old:
                bed.profiles = [profile(old, 1)]

                async def moved() -> None:
                    assert await bed.user.until(1) == [("opened", 2)]

                await bed.during(moved)

    asyncio.run(test())
