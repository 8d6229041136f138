"""Who may have power, by what was said in the open: cards held up, answers of the CSMS, commands (blocks C, E and F).

The station's own reasoning is not asked. Each grant is a permit; a closing contactor needs one, and what takes it
away again (the cable pulled, a stop that was told, the CSMS's refusal) opens the contactor within seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.broken import Broken

GRACE = 3.0  # s around EVConnectionTimeOut
STOPS_WITHIN = 12.0  # s: the decision, the EV's time, the contactor's, a look
STALE = 300.0  # s for which an old setting still counts: what was decided by it goes on
TAKEN_AWAY = {"StopAuthorized", "RemoteStop", "Deauthorized", "EVConnectTimeout"}
FOREVER = float("inf")
TRUE = "true"


@dataclass
class Permit:
    """``evses`` are those it may serve. It ends at ``until`` unless a cable comes before."""

    token: str | None
    evses: frozenset[int]
    until: float
    why: str
    since: float


@dataclass
class Settings:
    """The station's variables as the CSMS set them, and what they were shortly before."""

    values: dict[str, str]
    changed: dict[str, float] = field(default_factory=dict)

    def set(self, name: str, value: str, t: float) -> None:
        if self.values.get(name) != value:
            self.changed[name] = t
        self.values[name] = value

    def maybe(self, name: str, t: float, value: str = TRUE) -> bool:
        """It has that value, or may have had it when something that still goes on was decided."""
        return self.values.get(name) == value or t - self.changed.get(name, -FOREVER) < STALE

    def surely(self, name: str, t: float) -> bool:
        """It is true, and has been for long enough to matter."""
        return self.values.get(name) == TRUE and t - self.changed.get(name, -FOREVER) >= STALE


@dataclass
class Permits:
    """Grants and takes away; ``closed`` and ``open`` are what the contactors do."""

    settings: Settings
    evses: frozenset[int]
    plugged: set[int] = field(default_factory=set)
    pending: list[Permit] = field(default_factory=list)
    bound: dict[int, Permit] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)  # tokens that the CSMS ever accepted
    presented: list[tuple[float, str, int | None]] = field(default_factory=list)
    unpermitted: dict[int, float] = field(default_factory=dict)  # EVSE -> since when it has power without a permit
    taken: dict[int, float] = field(default_factory=dict)  # EVSE -> when its permit was last taken away

    # ------------------------------------------------------------------ granting

    def grant(self, t: float, why: str, token: str | None, evses: frozenset[int] | None = None) -> None:
        """Somebody may charge, at one of ``evses`` (None: anywhere)."""
        where = evses if evses is not None else self.evses
        waiting = bool(where & self.plugged - set(self.bound))
        self.pending.append(Permit(token, where, FOREVER if waiting else t + self._timeout(), why, t))
        del self.pending[:-20]

    def _timeout(self) -> float:
        return float(self.settings.values["TxCtrlr.EVConnectionTimeOut"]) + GRACE

    def card(self, t: float, uid: str, evse: int | None, *, online: bool, accepted: bool) -> None:
        """A card was held up; while the CSMS cannot be asked the station's own rules hold (C13, C15)."""
        self.presented = [one for one in self.presented if t - one[0] < STALE]
        self.presented.append((t, uid, evse))
        where = frozenset({evse}) if evse else None
        if self._trusted_offline(uid, t) and (not online or (not accepted and self._before_accepted(t))):
            self.grant(t, "offline", uid, where)
        elif uid in self.known and self._asks_the_cache(t):
            self.grant(t, "cache", uid, where)

    def link_lost(self, t: float) -> None:
        """Whoever was being asked about is now decided on by the station itself."""
        for at, uid, evse in self.presented:
            if t - at < 100.0 and self._trusted_offline(uid, t):
                self.grant(t, "offline", uid, frozenset({evse}) if evse else None)

    def _before_accepted(self, t: float) -> bool:
        return self.settings.maybe("TxCtrlr.TxBeforeAcceptedEnabled", t)

    def _asks_the_cache(self, t: float) -> bool:
        return self.settings.maybe("AuthCacheCtrlr.Enabled", t) and self.settings.maybe(
            "AuthCtrlr.LocalPreAuthorize", t
        )

    def _trusted_offline(self, uid: str, t: float) -> bool:
        if self.settings.maybe("AuthCtrlr.OfflineTxForUnknownIdEnabled", t):
            return True
        cache = self.settings.maybe("AuthCacheCtrlr.Enabled", t) and uid in self.known
        return cache and self.settings.maybe("AuthCtrlr.LocalAuthorizeOffline", t)

    def authorize_answered(self, t: float, token: str, info: Mapping[str, Any]) -> None:
        if info["status"] == "Accepted":
            self.known.add(token)
            only = info.get("evseId")
            self.grant(t, "Authorize", token, frozenset(only) if only else None)

    # ------------------------------------------------------------------ taking away

    def take_away(self, evse: int | None, t: float, token: str | None = None) -> None:
        """Nobody may charge there any more; None: whoever waited for a cable with ``token``."""
        if evse is not None:
            self.taken[evse] = t
            if self.bound.pop(evse, None):
                self.unpermitted.setdefault(evse, t)
        where = self.evses if evse is None else frozenset({evse})
        if token is not None:
            self.pending = [one for one in self.pending if one.token != token or not one.evses <= where]

    def plugged_in(self, evse: int, t: float) -> None:
        self.plugged.add(evse)
        for permit in self.pending:
            if evse in permit.evses and permit.until >= t and evse not in self.bound:
                permit.until = FOREVER

    def pulled(self, evse: int, t: float, *, held: bool) -> None:
        """The cable is pulled from the EV; ``held``: its other end stays locked in the socket."""
        self.plugged.discard(evse)
        permit = self.bound.pop(evse, None)
        if permit and not self.settings.surely("TxCtrlr.StopTxOnEVSideDisconnect", t):
            until = FOREVER if held else t + self._timeout()  # E10.FR.01, E10.FR.02
            self.pending.append(Permit(permit.token, frozenset({evse}), until, permit.why, t))
        elif permit:
            # the contactor opens with the cable; a look at the board may be late for both
            self.pending.append(Permit(permit.token, frozenset({evse}), t + GRACE, permit.why, t))

    def cable_gone(self, evse: int, t: float) -> None:
        """The cable that was held is taken out of the socket."""
        for permit in self.pending:
            if permit.evses == frozenset({evse}):
                permit.until = min(permit.until, t + self._timeout())

    def rebooted(self, t: float) -> None:
        """What waited for a cable waits anew (the transaction lasts, its time begins again)."""
        for permit in self.pending:
            permit.until = max(permit.until, t + self._timeout()) if permit.until >= t - 5000 else permit.until
        for evse, permit in self.bound.items():
            if evse not in self.plugged:
                permit.until = t + self._timeout()

    # ------------------------------------------------------------------ power

    def power(self, evse: int, t: float, *, closed: bool, excused: bool) -> None:
        """The contactor of an EVSE is ``closed`` now. ``excused``: the station cannot reach the board."""
        if not closed or evse in self.bound:
            self.unpermitted.pop(evse, None)
            return
        after = self.taken.get(evse, 0.0) if evse in self.unpermitted else 0.0  # what still goes on begins nothing
        usable = [one for one in self.pending if evse in one.evses and one.until >= t and one.since >= after]
        permit = min(usable, key=lambda one: len(one.evses), default=None)
        if permit is not None:
            self.pending.remove(permit)
            self.bound[evse] = permit
            return
        if self.settings.maybe("AuthCtrlr.Enabled", t, "false"):
            self.bound[evse] = Permit(None, frozenset({evse}), FOREVER, "nobody is asked", t)
            return
        since = self.unpermitted.setdefault(evse, t)
        if excused:
            self.unpermitted[evse] = t
        elif t - since > STOPS_WITHIN:
            raise Broken("power", f"EVSE {evse} has had power for {t - since:.1f} s although nobody may charge there")

    def closes(self, evse: int, t: float) -> None:
        """The contactor closes, which the station must have allowed."""
        self.power(evse, t, closed=True, excused=False)
        if evse not in self.bound:
            raise Broken("no_permit", f"the contactor of EVSE {evse} closes although nobody may charge there")
