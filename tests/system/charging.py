"""Steps that many of these tests begin or end with, and what must hold of every session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from station.csms.ledger import Account
from tests.support.appliance import CARD, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until

TOKEN = {"idToken": CARD, "type": "ISO14443"}


def charging(event: Mapping[str, Any]) -> bool:
    """True for a TransactionEvent that says Charging."""
    return bool(event["transactionInfo"].get("chargingState") == "Charging")


def periodic(event: Mapping[str, Any]) -> bool:
    """True for a TransactionEvent that was sent for its meter values."""
    return bool(event["triggerReason"] == "MeterValuePeriodic")


def of_evse(appliance: Appliance, evse_id: int) -> str:
    """The id of the transaction that runs at an EVSE, from the history."""
    found = [row["transaction_id"] for row in appliance.sessions() if row["active"] and row["evse_id"] == evse_id]
    assert len(found) == 1, f"running at EVSE {evse_id}: {found}"
    transaction_id: str = found[0]
    return transaction_id


def charge(appliance: Appliance, csms: ScriptedCsms, evse_id: int = 1, energy: float = 2.0, **ev: Any) -> str:
    """Plug in, hold the card, wait until the CSMS has heard and ``energy`` Wh have flowed; the transaction's id."""
    before = appliance.evse(evse_id)["energy"]
    known = {account.transaction_id for account in csms.ledger.accounts()}
    appliance.plug(evse_id, **ev)
    appliance.card(evse=evse_id)
    event = csms.wait_for(
        "TransactionEvent",
        lambda event: charging(event) and event["transactionInfo"]["transactionId"] not in known,
        timeout=20,
    )
    wait_energy(appliance, evse_id, before + energy)
    transaction_id: str = event["transactionInfo"]["transactionId"]
    return transaction_id


def wait_energy(appliance: Appliance, evse_id: int, register: float, timeout: float = 30) -> None:
    """Return when the board's register has reached ``register`` Wh."""
    appliance.wait_evse(evse_id, f"{register:.1f} Wh on the register", timeout, energy=lambda value: value >= register)


def wait_told(csms: ScriptedCsms, transaction_id: str, timeout: float = 20) -> Account:
    """The CSMS's account of a transaction that has ended, once it is complete."""
    wait_until(
        lambda: (account := csms.ledger.get(transaction_id)) is not None and account.complete,
        f"{transaction_id} complete at the CSMS",
        timeout,
    )
    return csms.account(transaction_id)


def agree(appliance: Appliance, account: Account) -> None:
    """The history and the CSMS's own record of a session say the same, to the watt-hour and the second."""
    # The CSMS may have heard before the commit of its answer; the history itself is written before anything is sent.
    row = appliance.session(account.transaction_id)
    assert not row["active"]
    assert account.meter_start is not None
    assert account.meter_stop is not None
    assert abs(row["meter_start"] / 1000 - account.meter_start) < 0.001
    assert abs(row["meter_stop"] / 1000 - account.meter_stop) < 0.001
    assert row["energy"] == row["meter_stop"] - row["meter_start"]
    assert row["evse_id"] == account.evse_id
    assert row["id_token"] == (account.id_token or "")
    assert row["stopped_reason"] == account.stopped_reason
    assert _seconds(row["started_at"]) == _seconds(account.started_at)
    assert _seconds(row["ended_at"]) == _seconds(account.ended_at)
    register = account.register()
    assert register == sorted(register), "the register went back"


def _seconds(timestamp: str | None) -> str:
    assert timestamp is not None
    return timestamp.replace(" ", "T")[:19]
