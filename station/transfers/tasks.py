"""Tasks of the transfer worker."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from station.transfers import housekeeping


@shared_task(name="transfers.housekeeping", expires=3600)
def keep_house() -> dict[str, int]:
    """Trim what would grow for ten years; see ``housekeeping``."""
    return housekeeping.run()


@shared_task(name="transfers.upload_log", expires=60)
def upload_log(transfer_id: str, attempt: int, parameters: dict[str, Any]) -> str:
    """One attempt to upload a log; see ``log_upload``. The station says it again if this one gets lost or too old."""
    from station.transfers import log_upload

    return log_upload.run(transfer_id, attempt, parameters)
