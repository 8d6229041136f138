"""Gathers what ``domain.reason`` needs: from an EVSE, and from what the blocks know of who stands there."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from station.device_model.components import AuthCtrlr
from station.domain import evse as conditions
from station.domain import reason
from station.domain.availability import Outage, OutBy
from station.domain.board import BoardWarning
from station.domain.evse import EV_GRACE, Evse
from station.domain.moment import Moment, rfc3339
from station.domain.reason import Circumstances, LimitedBy, Offline, Reason

if TYPE_CHECKING:
    from station.ocpp.blocks.c_authorization import AuthorizationBlock
    from station.ocpp.context import Context
    from station.ocpp.power import PowerControl

PASSING = 20.0  # s for which a refusal concerns whoever passes by
STANDING = 600.0  # s for which it concerns a car that is plugged in


class Reasons:
    """Looks, and changes nothing."""

    def __init__(self, context: Context, authorization: AuthorizationBlock, power: PowerControl) -> None:
        self._context = context
        self._authorization = authorization
        self._power = power

    def find(self, evse: Evse, now: Moment) -> Reason:
        """Why that EVSE does what it does."""
        return reason.find(self.circumstances(evse, now))

    def circumstances(self, evse: Evse, now: Moment) -> Circumstances:
        """The facts behind it."""
        context, snapshot, transaction = self._context, evse.snapshot, evse.transaction
        lobby = context.lobby.authorization
        waiting = evse.authorization or lobby
        outage = context.availability.outage(evse.id)
        if outage is None and context.restarting:
            outage = Outage(OutBy.RESET)
        reserved_for, reserved_until = self._reserved(evse)
        return Circumstances(
            board_online=evse.board_online and snapshot is not None,
            lost_since=self._since(evse.board_lost_at, now),
            faults=tuple(sorted(str(fault) for fault in evse.faults)),
            plugged=evse.plugged,
            kept=evse.kept_for is not None,
            authorized=evse.authorization is not None,
            awaited=lobby is not None,
            wait_left=_left(waiting.expires if waiting else None, now),
            lock_failed=evse.lock_failed,
            needs_lock=evse.socket and not evse.locked,
            suspended=evse.suspended_by_station,
            fell_back=evse.watchdog_tripped,
            transferring=evse.transferring,
            power=evse.meter.power,
            limit=self._power.limit(evse) if snapshot else 0.0,
            paused=evse.limit == 0,
            limited_by=self._limited_by(evse),
            offering=evse.offering,
            offered_long=evse.offered_at is not None and now.monotonic >= evse.offered_at + EV_GRACE,
            charged=transaction is not None and transaction.seconds_charging > 0,
            soc=snapshot.soc if snapshot else None,
            transaction=transaction is not None,
            ending=transaction is not None and "ending" in transaction.extra,
            over=self._over(evse),
            outage=outage,
            checking=self._authorization.asking(evse.id) and (evse.plugged or len(context.evses) == 1),
            refusal=self._refusal(evse, now),
            deauthorized=evse.refused,
            reserved=evse.id in context.reservations.held,
            reserved_for=reserved_for,
            reserved_until=reserved_until,
            may_charge=context.may_charge(),
            registration=context.outbox.registration or "",
            offline=self._offline(),
        )

    def _reserved(self, evse: Evse) -> tuple[str, str]:
        """For whom the EVSE is kept (empty: for several, or whoever of a group), and until when at least."""
        kept = self._context.reservations
        named = kept.naming(evse.id)
        if named is not None:
            token = named.id_token.loggable
            return f"•• {token[-min(4, len(token) // 2) :] if len(token) > 1 else ''}".rstrip(), rfc3339(named.expires)
        ends = [one.expires for one in kept.entries.values() if one.evse_id is None]
        return "", rfc3339(min(ends)) if ends else ""

    def _since(self, monotonic: float | None, now: Moment) -> str:
        if monotonic is None:
            return ""
        at = self._context.clock.utc(now) - timedelta(seconds=now.monotonic - monotonic)
        return rfc3339(at.replace(microsecond=0))

    def _over(self, evse: Evse) -> bool:
        """Whoever is plugged in has had a session here, and nobody was authorized since."""
        if evse.transaction is not None:
            return evse.transaction.extra.get("authorized") is False
        return conditions.EV_CONNECTED in evse.spent

    def _limited_by(self, evse: Evse) -> LimitedBy:
        if evse.snapshot is None:
            return LimitedBy.NOTHING
        if BoardWarning.TEMPERATURE_HIGH in evse.snapshot.warnings:
            return LimitedBy.TEMPERATURE
        rating, cable = self._power.rating(evse), evse.snapshot.cable_limit
        if evse.limit is not None and evse.limit < min(rating, cable):
            return LimitedBy.OWNER
        return LimitedBy.CABLE if cable < rating else LimitedBy.NOTHING

    def _refusal(self, evse: Evse, now: Moment) -> str:
        """Why the last token was refused, where that concerns who stands at this EVSE."""
        refusal = self._authorization.refusal
        if refusal is None or refusal.evse_id not in (None, evse.id):
            return ""
        age = now.monotonic - refusal.at
        if age <= PASSING:
            waits = any(other.plugged and not other.authorization for other in self._context.evses.values())
            # A card that could have been meant for any of them was meant for where a car waits.
            return refusal.why if refusal.evse_id is not None or evse.plugged or not waits else ""
        came = evse.plugged_at is not None and refusal.at >= evse.plugged_at
        return refusal.why if came and age <= STANDING else ""

    def _offline(self) -> Offline:
        """Who may charge now by the rules of C13, C15 and our own."""
        model, outbox = self._context.model, self._context.outbox
        if outbox.online and outbox.registration == "Accepted":
            return Offline.NOT
        if model[AuthCtrlr.OfflineTxForEveryIdEnabled] or model[AuthCtrlr.OfflineTxForUnknownIdEnabled]:
            return Offline.ANYBODY
        if "NoAuthorization" in model[AuthCtrlr.SupportedIdTokenTypes]:
            return Offline.ANYBODY
        known = self._context.token_cache.enabled and model[AuthCtrlr.LocalAuthorizeOffline]
        return Offline.KNOWN if known else Offline.NOBODY


def _left(expires: float | None, now: Moment) -> int | None:
    return None if expires is None else max(0, math.ceil(expires - now.monotonic))
