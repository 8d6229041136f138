"""Time as the pure station gets it: never read, always handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks: ``wall`` (aware, UTC) may jump by years, ``monotonic`` (seconds) never does."""

    wall: datetime
    monotonic: float

    def plus(self, seconds: float) -> Moment:
        """The moment ``seconds`` later, both clocks running evenly."""
        return Moment(self.wall + timedelta(seconds=seconds), self.monotonic + seconds)


def rfc3339(at: datetime) -> str:
    """``at`` as OCPP wants it: UTC, ``Z``, three fractional digits (some CSMSs refuse more)."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def parse_rfc3339(text: str) -> datetime:
    """The aware datetime behind an RFC 3339 text; raises ValueError where it is none. No zone counts as UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
