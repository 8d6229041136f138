"""Who may charge, since when, and on whose word (block C)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from station.domain.moment import parse_rfc3339
from station.domain.transaction import IdToken

ACCEPTED = "Accepted"
NO_AUTHORIZATION = IdToken("", "NoAuthorization")  # what the start button presents (C02.FR.01)


class AuthorizedBy(StrEnum):
    """On whose word a driver may charge; shown on the session's page."""

    CSMS = "csms"  # Authorize was answered with Accepted
    CACHE = "cache"  # the authorization cache knows it as accepted (C12)
    OFFLINE = "offline"  # unknown token, accepted while offline (C15)
    REMOTE = "remote"  # RequestStartTransaction without a check of our own (F01.FR.02)
    OPERATOR = "operator"  # started on the station's own web page
    NONE_NEEDED = "none_needed"  # AuthCtrlr.Enabled is false (C01.FR.01), or the start button (C02)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """IdTokenInfoType: what the CSMS says of a token. ``evse_ids`` empty means any EVSE (C01.FR.19)."""

    status: str  # AuthorizationStatusEnumType
    group_id_token: IdToken | None = None
    evse_ids: tuple[int, ...] = ()
    cache_expiry: datetime | None = None
    languages: tuple[str, ...] = ()  # language1, language2 (RFC 5646)
    personal_message: str = ""

    @property
    def accepted(self) -> bool:
        return self.status == ACCEPTED

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> TokenInfo:
        """From an IdTokenInfoType that is valid against the schema; a date that is none counts as not given."""
        group = data.get("groupIdToken")
        try:
            expiry = parse_rfc3339(data["cacheExpiryDateTime"]) if "cacheExpiryDateTime" in data else None
        except ValueError:
            expiry = None
        return cls(
            status=data["status"],
            group_id_token=IdToken(group["idToken"], group["type"]) if group and group["idToken"] else None,
            evse_ids=tuple(data.get("evseId") or ()),
            cache_expiry=expiry,
            languages=tuple(data[name] for name in ("language1", "language2") if data.get(name)),
            personal_message=(data.get("personalMessage") or {}).get("content", ""),
        )


@dataclass(frozen=True, slots=True)
class CachedToken:
    """An entry of the authorization cache (C10). ``key`` is a digest of the token, which itself is not kept."""

    key: str
    info: TokenInfo
    stored: datetime
    updated: datetime  # when the CSMS last spoke of it: AuthCacheCtrlr.LifeTime counts from here (C10.FR.10)
    used: datetime
    uses: int = 1

    @property
    def size(self) -> int:
        """Bytes that this entry takes of AuthCacheCtrlr.Storage: its texts, and 8 for each number or date."""
        info = self.info
        group = info.group_id_token
        texts = (self.key, info.status, *info.languages, info.personal_message)
        texts += (group.id_token, group.type) if group else ()
        return sum(len(text.encode()) for text in texts) + 8 * (5 + len(info.evse_ids))


@dataclass(frozen=True, slots=True)
class Authorization:
    """A driver's permission to charge at one EVSE, or at the next one that a cable is plugged into.

    ``expires`` (monotonic seconds) is when it ends unless an EV was connected (EVConnectionTimeOut, C01.FR.26).
    ``evse_ids`` empty means any EVSE (C01.FR.19..21). ``languages`` and ``personal_message`` are what the CSMS
    gave for the driver to be spoken to (C01.FR.08, C01.FR.09).
    """

    id_token: IdToken
    by: AuthorizedBy
    group_id_token: IdToken | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None  # the reservation that it uses up (H03.FR.09)
    evse_ids: tuple[int, ...] = ()
    expires: float | None = None
    languages: tuple[str, ...] = ()
    personal_message: str = ""
    extra: dict[str, object] = field(default_factory=dict)
