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
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_rfc3339(text: str) -> datetime:
    """The aware datetime behind an RFC 3339 text; no zone counts as UTC.

    What in UTC would lie outside of the years 1 to 9999 is the nearest time within: a CSMS that means "for ever" may
    write it so. Raises ValueError where ``text`` is none.
    """
    at = datetime.fromisoformat(text)
    if not at.tzinfo:
        return at.replace(tzinfo=UTC)
    try:
        at.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if at.year > 1 else datetime.min.replace(tzinfo=UTC)
    return at
