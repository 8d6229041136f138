"""What stations say, in plain words for the one who watches the terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from station.csms.ledger import Account

Payload: TypeAlias = Mapping[str, Any]


def plain(text: object, limit: int = 80) -> str:
    """A foreign text made harmless for a log: one line, printable, at most ``limit`` characters."""
    line = "".join(sign if sign.isprintable() else "�" for sign in str(text)[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sentence(station: str, action: str, payload: Payload) -> str | None:
    """What a request means, or None where it is not worth a line. TransactionEvents: see ``event_sentence``."""
    match action:
        case "BootNotification":
            device = payload["chargingStation"]
            model = f"{device['vendorName']} {device['model']}, firmware {device.get('firmwareVersion', 'unknown')}"
            return f"{plain(station)} booted ({plain(payload['reason'])}): {plain(model)}"
        case "StatusNotification":
            status = plain(payload["connectorStatus"])
            return f"{plain(station)} EVSE {payload['evseId']} connector {payload['connectorId']} is {status}"
        case "Authorize":
            return f"{plain(station)} asks for card {card(payload['idToken']['idToken'])}: accepted"
        case "SecurityEventNotification":
            return f"{plain(station)} reports security event {plain(payload['type'])}"
    return None


def event_sentence(account: Account, event: Payload) -> str | None:
    """What a new TransactionEvent means; None for most of the Updated ones."""
    station, transaction = plain(account.station), plain(account.transaction_id)
    match event["eventType"]:
        case "Started":
            where = "" if account.evse_id is None else f" at EVSE {account.evse_id}"
            who = "" if account.id_token is None else f" for card {card(account.id_token)}"
            return f"{station} started transaction {transaction}{where}{who}"
        case "Ended":
            energy = "without a meter reading" if account.energy is None else f"after {account.energy:.1f} Wh"
            return f"{station} ended transaction {transaction} {energy} ({plain(account.stopped_reason)})"
    if event["triggerReason"] == "ChargingStateChanged":
        return f"{station} transaction {transaction} is now {plain(account.charging_state)}"
    return None


def card(id_token: object) -> str:
    """The end of a token's text: enough to recognise one's own card, not enough to copy it."""
    text = plain(id_token)
    return text if len(text) <= 4 else f"…{text[-4:]}"
