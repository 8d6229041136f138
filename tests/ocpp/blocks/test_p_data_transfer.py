"""DataTransfer: no vendor extension is implemented (P01)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.memory_rig import MemoryRig


@pytest.mark.parametrize(
    "request_",
    [
        {"vendorId": "org.example"},
        {"vendorId": "org.example", "messageId": "m", "data": {"deep": [1, None, {"x": "y"}]}},
    ],
)
def test_every_vendor_is_unknown(request_: dict[str, Any]) -> None:
    """P01.FR.05."""
    assert MemoryRig().boot().call("DataTransfer", request_) == {"status": "UnknownVendorId"}


def test_a_vendor_must_be_named() -> None:
    assert MemoryRig().boot().call("DataTransfer", {"data": 1}) == {"error": "OccurrenceConstraintViolation"}
