"""What the station tells and forgets about customers (part 2, block N)."""

from __future__ import annotations

from station.device_model.definition import READ_WRITE, Component, boolean


class CustomerInformationCtrlr(Component):
    """CustomerInformation requests (N09, N10)."""

    CustomerIdentifierEnabled = boolean(
        False,
        READ_WRITE,
        "Customers may be asked for by customerIdentifier, too; somebody at the station says whose cards those are",
        vendor=True,
    )
