"""A token on its way to a decision, and what a refused driver is told."""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.moment import Moment
from station.domain.transaction import IdToken

FREE_TRIES = 3  # wrong key codes before the first pause
FIRST_PAUSE = 5.0  # s
LONGEST_PAUSE = 600.0  # s


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody wants to charge, or to stop, with ``id_token``.

    ``taken`` is a word where there is no place for the token to start: it may still stop what runs, by its group
    (C09.FR.03) or as a master pass (C16).
    """

    id_token: IdToken
    evse_id: int | None  # what the driver or the CSMS chose; None: to be found
    trigger: str = "Authorized"  # TriggerReasonEnumType
    remote_start_id: int | None = None
    taken: str = ""
    command_id: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last refusal, for the live view. ``why`` is a stable word or an AuthorizationStatusEnumType."""

    at: float  # monotonic
    evse_id: int | None
    why: str
    languages: tuple[str, ...] = ()
    personal_message: str = ""


class KeyCodeGuard:
    """Makes whoever tries key codes wait longer after each wrong one (C04.FR.06)."""

    def __init__(self) -> None:
        self._wrong = 0
        self._open_at = 0.0  # monotonic

    def waiting(self, id_token: IdToken, now: Moment) -> bool:
        """True where this is a key code and no further one is taken yet."""
        return id_token.type == "KeyCode" and now.monotonic < self._open_at

    def judged(self, id_token: IdToken, status: str, now: Moment) -> None:
        """What came of a token; only key codes count."""
        if id_token.type != "KeyCode":
            return
        if status not in ("Invalid", "Unknown"):
            self._wrong = 0
            return
        self._wrong += 1
        if self._wrong >= FREE_TRIES:
            pause = FIRST_PAUSE * 2 ** min(self._wrong - FREE_TRIES, 16)
            self._open_at = now.monotonic + min(pause, LONGEST_PAUSE)
