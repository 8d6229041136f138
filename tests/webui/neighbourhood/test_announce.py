"""mDNS: what is announced, and that others find it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from station.project.environment import Address
from webui.neighbourhood import announce
from webui.neighbourhood.doors import HTTP, HTTPS, Door, doors


@pytest.mark.parametrize(
    ("web", "tls", "found"),
    [
        ("127.0.0.1:8000", None, []),
        ("0.0.0.0:8000", None, []),  # plain HTTP from elsewhere is refused: no door
        ("127.0.0.1:8000", "127.0.0.1:8443", []),
        ("127.0.0.1:8000", "[::1]:8443", []),
        ("127.0.0.1:8000", "0.0.0.0:8443", [Door(HTTPS, 8443)]),
        ("0.0.0.0:80", "[::]:443", [Door(HTTPS, 443), Door(HTTP, 80)]),
        ("localhost:80", "192.168.1.5:443", [Door(HTTPS, 443, "192.168.1.5")]),
    ],
)
def test_only_what_can_be_reached_is_announced(web: str, tls: str | None, found: list[Door]) -> None:
    def address(text: str) -> Address:
        host, _, port = text.rpartition(":")
        return Address(host.strip("[]"), int(port))

    assert list(doors(address(web), address(tls) if tls else None)) == found


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("CP-1", "cp-1.local."),
        ("Garage Süd!", "garage-s-d.local."),
        ("***", "charging-station.local."),
        ("x" * 99, "x" * 60 + ".local."),
    ],
)
def test_a_host_name_of_the_stations_name(name: str, host: str) -> None:
    assert announce.host_name(name) == host


def test_names_that_dns_has_no_room_for() -> None:
    [info] = announce.infos("ä" * 99 + ".local", [Door(HTTPS, 8443)], ["10.0.0.1"])
    label = info.name.removesuffix(f".{HTTPS}")
    assert len(label.encode()) <= 63
    [info] = announce.infos("...", [Door(HTTPS, 8443)], ["10.0.0.1"])
    assert info.name == f"Charging station.{HTTPS}"


def test_addresses_of_this_machine_are_not_its_own_alone() -> None:
    assert not [one for one in announce.addresses() if one.startswith("127.") or one == "::1"]


def test_others_find_it_and_see_it_go() -> None:
    async def run() -> None:
        seen: dict[str, ServiceStateChange] = {}
        news = asyncio.Event()

        def heard(zeroconf: Any, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            seen[name] = state_change
            news.set()

        async def until(change: ServiceStateChange) -> None:
            async with asyncio.timeout(20):
                while seen.get(name) is not change:
                    news.clear()
                    await news.wait()

        name = f"Garage.{HTTPS}"
        here = ["10.1.2.3"]
        other = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
        browser = AsyncServiceBrowser(other.zeroconf, HTTPS, handlers=[heard])
        task = asyncio.create_task(
            announce.announce(
                "Garage", [Door(HTTPS, 8443)], interfaces=["127.0.0.1"], reachable=lambda: list(here), look=0.05
            )
        )
        try:
            await until(ServiceStateChange.Added)
            info = AsyncServiceInfo(HTTPS, name)
            assert await info.async_request(other.zeroconf, 5000)
            assert (info.port, info.parsed_addresses(), info.server) == (8443, ["10.1.2.3"], "garage.local.")
            assert info.decoded_properties["path"] == "/"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await until(ServiceStateChange.Removed)
            await browser.async_cancel()
            await other.async_close()

    asyncio.run(run())


def test_without_an_address_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[list[str]] = []

    async def while_the_same(name: str, doors: Any, here: list[str], **more: Any) -> None:
        begun.append(here)
        raise asyncio.CancelledError

    answers = iter([[], [], ["10.0.0.1"]])
    monkeypatch.setattr(announce, "_while_the_same", while_the_same)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(announce.announce("x", [Door(HTTPS, 1)], reachable=lambda: next(answers), look=0.0))
    assert begun == [["10.0.0.1"]]


def test_a_network_that_refuses_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    async def while_the_same(*_: Any, **__: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            raise asyncio.CancelledError
        raise OSError("no such device")

    monkeypatch.setattr(announce, "_while_the_same", while_the_same)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(announce.announce("x", [Door(HTTPS, 1)], reachable=lambda: ["10.0.0.1"], again=0.0))
    assert caplog.text.count("no such device") == 1, "said once"
