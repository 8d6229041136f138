"""The authorization cache: what the CSMS has said of tokens, kept for the next time (C10 to C12)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from station.device_model.components import AuthCacheCtrlr
from station.domain.authorization import CachedToken, TokenInfo
from station.domain.effects import ForgetCachedToken, SaveCachedToken
from station.domain.moment import Moment, rfc3339
from station.domain.transaction import IdToken

if TYPE_CHECKING:
    from station.ocpp.context import Context

# C02.FR.03, C03.FR.02, C05.FR.02; a Local identifier is made up anew, or always asked about (C06.FR.02).
NEVER_KEPT = ("NoAuthorization", "Central", "Local")
SALT = "cache_salt"  # remembered

Policy: TypeAlias = Callable[[CachedToken], Any]

# AuthCacheCtrlr.Policy: what sorts first goes first.
POLICIES: Mapping[str, Policy] = {
    "LRU": lambda entry: entry.used,
    "LFU": lambda entry: (entry.uses, entry.used),
    "FIFO": lambda entry: entry.stored,
    "CUSTOM": lambda entry: (entry.info.accepted, entry.used),  # as C10.FR.07 suggests
}


class TokenCache:
    """Entries by a digest of their token, so that nobody who copies the database learns whose cards were here.

    Bounded by the limit of ``AuthCacheCtrlr.Storage``; while the cache is not enabled it is neither asked nor changed.
    """

    def __init__(self, context: Context, entries: Iterable[CachedToken]) -> None:
        self._context = context
        self._entries = {entry.key: entry for entry in entries}
        context.model.source(AuthCacheCtrlr.Storage, lambda: self.size)

    @property
    def enabled(self) -> bool:
        """C10.FR.11."""
        model = self._context.model
        return model[AuthCacheCtrlr.Available] and model[AuthCacheCtrlr.Enabled]

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    # ------------------------------------------------------------------ asking

    def find(self, id_token: IdToken, now: Moment) -> TokenInfo | None:
        """What the CSMS last said of the token; None where that is not known (any more) or the cache is off."""
        if not self.enabled or id_token.type in NEVER_KEPT:
            return None
        self._drop_expired(self._context.clock.utc(now))
        entry = self._entries.get(self._key(id_token))
        return entry.info if entry else None

    def used(self, id_token: IdToken, now: Moment) -> None:
        """Somebody was let in because of that entry; the replacement policy counts it."""
        entry = self._entries.get(self._key(id_token))
        if entry is not None:
            self._save(replace(entry, used=self._context.clock.utc(now), uses=entry.uses + 1))

    # ------------------------------------------------------------------ changing

    def update(self, id_token: IdToken, info: TokenInfo, now: Moment) -> None:
        """The CSMS has spoken of a token, whatever it said (C10.FR.01, C10.FR.04, C10.FR.05, C12.FR.06)."""
        if not self.enabled or id_token.type in NEVER_KEPT or not id_token.id_token:
            return
        at = self._context.clock.utc(now)
        self._drop_expired(at)
        key = self._key(id_token)
        if info.cache_expiry is not None and info.cache_expiry <= at:
            self._forget(key)  # C10.FR.13, as the errata explain it: not to be kept
            return
        known = self._entries.get(key)
        if known is None:
            entry = CachedToken(key, info, stored=at, updated=at, used=at)
        else:
            entry = replace(known, info=info, updated=at, used=at)
        if self._make_room(entry):
            self._save(entry)

    def about(self, id_token: IdToken) -> list[str]:
        """What is kept of a token, in lines for a customer's report (N09)."""
        entry = self._entries.get(self._key(id_token))
        if entry is None:
            return []
        return [f"authorization cache: {entry.info.status}, since {rfc3339(entry.stored)}, used {entry.uses} times"]

    def forget(self, id_token: IdToken) -> bool:
        """Remove a token's entry, whether the cache is enabled or not; True where there was one."""
        return self._forget(self._key(id_token))

    def clear(self) -> None:
        """Remove all (C11)."""
        if self._entries:
            self._entries.clear()
            self._context.emit(ForgetCachedToken(None))

    # ------------------------------------------------------------------ inside

    def _key(self, id_token: IdToken) -> str:
        """C10.FR.12: salted, so that two stations keep different digests of the same card."""
        salt = self._context.remembered.get(SALT)
        if not isinstance(salt, str):
            salt = self._context.new_id()
            self._context.remember(SALT, salt)
        return hashlib.sha256(f"{salt}\n{id_token.type}\n{id_token.id_token.casefold()}".encode()).hexdigest()

    def _save(self, entry: CachedToken) -> None:
        self._entries[entry.key] = entry
        self._context.emit(SaveCachedToken(entry))

    def _forget(self, key: str) -> bool:
        if self._entries.pop(key, None) is None:
            return False
        self._context.emit(ForgetCachedToken(key))
        return True

    def _drop_expired(self, at: datetime) -> None:
        life_time = timedelta(seconds=self._context.model[AuthCacheCtrlr.LifeTime])
        for entry in list(self._entries.values()):
            expiry = entry.info.cache_expiry
            if expiry is None:
                expiry = entry.updated + life_time  # C10.FR.08, C10.FR.10
            if at >= expiry:
                self._forget(entry.key)

    def _make_room(self, entry: CachedToken) -> bool:
        """C10.FR.07: older entries go until this one fits; False where it is too large by itself."""
        room = self._context.model.limits(AuthCacheCtrlr.Storage).maximum
        if room is None:
            return True
        if entry.size > room:
            self._forget(entry.key)
            return False
        others = [other for other in self._entries.values() if other.key != entry.key]
        taken = sum(other.size for other in others)
        for other in sorted(others, key=self._order()):
            if taken + entry.size <= room:
                break
            taken -= other.size
            self._forget(other.key)
        return True

    def _order(self) -> Policy:
        return POLICIES[self._context.model[AuthCacheCtrlr.Policy]]
