"""The queue in a browser: it fills while the operator's system is away, and drains before one's eyes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from station.live.payloads import LaneLive, QueueLive
from tests.browser.conftest import Opener, PlayedUplink, Web

pytestmark = pytest.mark.browser


def test_a_queue_that_drains(opened: Opener, web: Web, uplink: PlayedUplink) -> None:
    now = datetime.now(UTC)
    for number in range(1, 13):
        payload = {"eventType": "Updated", "triggerReason": "MeterValuePeriodic", "transactionInfo": {}}
        web.rows(
            "INSERT INTO station_queued_call (sequence, action, payload, created, attempts) VALUES (?, ?, ?, ?, 0)",
            *(number, "TransactionEvent", json.dumps(payload), f"{now - timedelta(minutes=13 - number):%F %T}"),
        )
    try:
        lanes = (
            LaneLive("transactions", 12, (now - timedelta(minutes=12)).isoformat(), "TransactionEvent", 1),
            LaneLive("events", 1, (now - timedelta(minutes=2)).isoformat(), "NotifyEvent"),
        )
        curve = [(time.time() - 720 + 60 * number, number) for number in range(13)]
        uplink.show(
            *(),
            connected=False,
            registration=None,
            queue_length=13,
            queue=QueueLive(lanes, tuple(curve)),
            at=f"{now:%FT%TZ}",
        )
        watched = opened("/queue/")
        page = watched.page
        expect(page.locator("#queue-now")).to_contain_text("13 messages wait")
        expect(page.locator("#queue-now")).to_contain_text("goes as soon as the operator's system is back")
        expect(page.get_by_role("img", name="Messages waiting over time")).to_be_visible()
        expect(page.get_by_text("Meter values of a session").first).to_be_visible()
        watched.assert_well_everywhere("queue")
        web.rows("DELETE FROM station_queued_call")
        uplink.show(queue=QueueLive((), (*curve, (time.time(), 0))), at=f"{datetime.now(UTC):%FT%TZ}")
        expect(page.locator("#queue-now")).to_contain_text("Everything has been delivered.")
        expect(page.get_by_text("Nothing waits.")).to_be_visible()
        watched.assert_well()
    finally:
        web.rows("DELETE FROM station_queued_call")
