"""How firmware is updated (part 2, block L); the variables are our own, and the factory's to set."""

from __future__ import annotations

from station.device_model.definition import READ_ONLY, Component, boolean, integer

MEBIBYTE = 1024 * 1024


class FirmwareCtrlr(Component):
    """UpdateFirmware requests (L01)."""

    DownloadDuringTransactions = boolean(
        True,
        READ_ONLY,
        "A firmware is downloaded while somebody charges; otherwise the download waits",
        persistent=True,
        vendor=True,
    )
    InstallDuringTransactions = boolean(
        False,
        READ_ONLY,
        "A firmware is installed and started while somebody charges; the session goes on after a short pause",
        persistent=True,
        vendor=True,
    )
    UpdateCancelable = boolean(
        True,
        READ_ONLY,
        "A new UpdateFirmware takes the place of a running one; otherwise it is rejected",
        persistent=True,
        vendor=True,
    )
    ProbationTime = integer(
        600,
        READ_ONLY,
        "How long a new firmware may take to be accepted by the CSMS before the one before it comes back",
        unit="s",
        minimum=20,
        maximum=86_400,
        persistent=True,
        vendor=True,
    )
    MaxImageSize = integer(
        512 * MEBIBYTE,
        READ_ONLY,
        "Largest firmware that is downloaded, in bytes",
        minimum=MEBIBYTE // 16,
        maximum=2_147_483_647,
        persistent=True,
        vendor=True,
    )
