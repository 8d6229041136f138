"""The station's card reader: which of its reads are new."""

from __future__ import annotations

from station.domain.board import BoardSnapshot, CardRead
from station.domain.moment import Moment
from station.ocpp.context import Context

FRESH = 10.0  # s: an older card read, found after a restart, starts nothing
COUNTER = 0x10000  # the reader's counter is 16 bits wide


def new_reads(context: Context, board: BoardSnapshot, now: Moment) -> list[CardRead]:
    """The reads not taken yet; the counter is remembered, so that none is lost or taken twice.

    A read that the poller already found at its first look may be of any age: it is noted, never acted upon.
    """
    if not board.online:
        return []
    known = context.remembered.get("card_reader")
    same_boot = known is not None and known["boot"] == board.boot_count
    taken = known["count"] if known and same_boot else 0
    last = board.card_reads[-1].count if board.card_reads else taken
    if same_boot and (last - taken) % COUNTER >= COUNTER // 2:
        last = taken  # never backwards
    context.remember("card_reader", {"boot": board.boot_count, "count": last})
    return [
        read
        for read in board.card_reads
        if read.at is not None
        and now.monotonic - read.at <= FRESH
        and (not same_boot or 0 < (read.count - taken) % COUNTER < COUNTER // 2)
    ]
