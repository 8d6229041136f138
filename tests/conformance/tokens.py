"""What the CSMS says of tokens, and the memory state IdTokenCached of part 6."""

from __future__ import annotations

from typing import Any

from tests.conformance.rig import CARD, Payload, Rig
from tests.conformance.states import Session

GROUP = "FLEET-7"
CACHE = {"AuthCacheCtrlr.Enabled": "true", "AuthCtrlr.LocalPreAuthorize": "true"}


def id_token_info(status: str = "Accepted", *, group: str | None = None) -> Payload:
    """A response that carries idTokenInfo."""
    info: Payload = {"status": status}
    if group:
        info["groupIdToken"] = {"idToken": group, "type": "Central"}
    return {"idTokenInfo": info}


def answer(rig: Rig, status: str = "Accepted", *, group: str | None = None) -> None:
    """From now on that is what the CSMS says of every token, in both responses that speak of one."""
    response = id_token_info(status, group=group)
    rig.answer("Authorize", response)
    rig.answer("TransactionEvent", lambda event: response if "idToken" in event else {})


def id_token_cached(rig: Rig, token: str = CARD, status: str = "Accepted", *, group: str | None = None) -> None:
    """IdTokenCached (errata 2025-09, 6.2.120)."""
    answer(rig, status, group=group)
    if status == "Accepted":
        session = Session(rig, token=token)
        session.authorize()
        session.energy_transfer_started()
        session.stop_authorized()
        session.ev_connected_post_session()
        session.ev_disconnected()
    else:
        rig.card(token)
        rig.expect("Authorize", lambda request: request["idToken"]["idToken"] == token)
        rig.expect_none("TransactionEvent", not_metering, during=1.0)
    rig.answer_by_default("Authorize", "TransactionEvent")
    rig.forget()


def not_metering(event: Payload) -> bool:
    """A TransactionEvent that says something happened; meter values may come at any time."""
    return event["triggerReason"] not in ("MeterValuePeriodic", "MeterValueClock")


def start_with_cache(rig: Rig, **variables: Any) -> None:
    """Boot with the authorization cache enabled and used."""
    rig.start(**{**CACHE, **variables})
