"""Tasks of the transfer worker."""

from __future__ import annotations

from celery import shared_task

from station.transfers import housekeeping


@shared_task(name="transfers.housekeeping", expires=3600)
def keep_house() -> dict[str, int]:
    """Trim what would grow for ten years; see ``housekeeping``."""
    return housekeeping.run()
