"""What the station has others do: never waited for, and an answer for whatever is asked."""

from __future__ import annotations

import asyncio
import threading
import uuid
from pathlib import Path
from typing import Any

from station.domain.effects import CancelTransfer, LookUpCustomer, StartTransfer
from station.domain.events import CustomerLookedUp
from station.domain.transaction import IdToken
from station.store import spool
from station.uplink.errands import Errands

TOKENS = (IdToken("A", "Central"),)
ID = str(uuid.uuid4())


class Desk:
    """Errands with a broker that can be away or hang."""

    def __init__(self, data: Path) -> None:
        self.offered: list[object] = []
        self.sent: list[tuple[str, Any]] = []
        self.news = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        self.broken = False
        self.errands = Errands(self.look_up, self.offered.append, data, self.send)

    async def look_up(self, tokens: tuple[IdToken, ...]) -> tuple[str, ...]:
        if self.broken:
            raise OSError("the disk is gone")
        return tuple(token.id_token for token in tokens)

    def send(self, name: str, arguments: Any) -> None:
        self.open.wait(10)
        self.sent.append((name, arguments))
        self.news.release()
        if self.broken:
            raise ConnectionError("away")


def order(number: int, transfer_id: str = ID) -> StartTransfer:
    return StartTransfer(transfer_id, number, "upload_log", {"url": "x"})


def test_a_customer_is_looked_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def scene() -> None:
        desk.errands.run(LookUpCustomer("1", TOKENS))
        await asyncio.sleep(0)
        desk.broken = True
        desk.errands.run(LookUpCustomer("2", TOKENS))
        while len(desk.offered) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)

    asyncio.run(scene())
    assert desk.offered == [CustomerLookedUp("1", ("A",)), CustomerLookedUp("2", failed=True)]


def test_orders_go_out_in_order_and_an_absent_broker_harms_nothing(tmp_path: Path, caplog: Any) -> None:
    desk = Desk(tmp_path)
    desk.broken = True
    for number in range(3):
        desk.errands.run(order(number))
        assert desk.news.acquire(timeout=10)
    assert [(name, arguments["attempt"]) for name, arguments in desk.sent] == [
        ("transfers.upload_log", 0),
        ("transfers.upload_log", 1),
        ("transfers.upload_log", 2),
    ]
    assert sum("could not be told" in record.message for record in caplog.records) <= 1


def test_a_broker_that_hangs_piles_nothing_up_and_a_cancel_does_not_wait_for_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.open.clear()
    for number in range(100):
        desk.errands.run(order(number))
    desk.errands.run(CancelTransfer(ID))
    assert spool.canceled(spool.folder(tmp_path, ID))
    desk.open.set()
    other = str(uuid.uuid4())
    desk.errands.run(order(1, other))
    while not desk.sent or desk.sent[-1][1]["transfer_id"] != other:
        assert desk.news.acquire(timeout=10)
    assert len(desk.sent) <= 2  # the one that hung, and the one after the cancel


def test_a_cancel_that_cannot_be_written_is_logged(tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "spool").write_text("in the way")
    Desk(tmp_path).errands.run(CancelTransfer(ID))
    assert "could not be canceled" in caplog.text
