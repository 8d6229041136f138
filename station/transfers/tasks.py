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


@shared_task(name="transfers.download_firmware", expires=60)
def download_firmware(transfer_id: str, attempt: int, parameters: dict[str, Any]) -> str:
    """Begin to download and verify a firmware; see ``firmware``. The station says it again if this one gets lost."""
    from station.transfers import firmware

    return firmware.begin_download(transfer_id, attempt, parameters)


@shared_task(name="transfers.install_firmware", expires=60)
def install_firmware(transfer_id: str, attempt: int, parameters: dict[str, Any]) -> str:
    """Install what was downloaded; see ``firmware``."""
    from station.transfers import firmware

    return firmware.install(transfer_id, attempt, parameters)


@shared_task(name="transfers.confirm_firmware", expires=60)
def confirm_firmware(transfer_id: str, attempt: int, parameters: dict[str, Any]) -> str:
    """The running firmware was accepted by the CSMS; see ``firmware``."""
    from station.transfers import firmware

    return firmware.confirm(transfer_id, attempt)


@shared_task(name="transfers.work", expires=60)
def work() -> str:
    """Begin what the web interface has filed as long work; see ``work``. Whoever waits for it says it again."""
    from station.transfers import work

    return work.begin()
