"""Every card that a person may want to find: those with a name, those that are blocked, those seen here lately.

The addresses of pages hold a digest of the card's number and never the number, for addresses end up in histories.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from station.domain.moment import parse_rfc3339
from station.store.models import Command, JournalEntry, Remembered, Transaction
from webui import words
from webui.cards.models import Card

BLOCKED, TAUGHT = "blocked_cards", "taught_card"  # remembered by the station
TEACH = "teach_card"
LATELY = 2_000  # sessions, and as many entries of the journal, that are looked through
KINDS = ("ISO14443", "ISO15693", "MacAddress", "eMAID", "Central")  # a key code is no card, and stays unseen
KEY_LENGTH = 20

Identity = tuple[str, str]  # type, number without regard to case


@dataclass(slots=True)
class Found:
    """A card, and all that is known of it. ``sessions`` counts those among the last ``LATELY`` of the station."""

    id_token: str
    type: str
    named: Card | None = None
    blocked: bool = False
    last: datetime | None = None  # when it was last seen here
    evse_id: int | None = None  # where
    sessions: int = 0

    @property
    def key(self) -> str:
        """What stands for the card in an address."""
        return key_of(self.id_token, self.type)

    @property
    def masked(self) -> str:
        """Kind and last characters."""
        return words.masked(self.id_token, self.type)

    @property
    def tail(self) -> str:
        """The last characters, by which the sessions' list finds it."""
        return self.id_token[-min(4, len(self.id_token)) :]

    def seen(self, at: datetime, evse_id: int | None) -> None:
        if self.last is None or at > self.last:
            self.last, self.evse_id = at, evse_id


def key_of(id_token: str, kind: str) -> str:
    """A digest that only this station can make."""
    return salted_hmac("webui.cards", f"{kind}:{id_token.casefold()}").hexdigest()[:KEY_LENGTH]


class Cards:
    """One look at the store; good for one page. ``user`` also sees the card that was taught in for them."""

    def __init__(self, user: Any = None) -> None:
        self._found: dict[Identity, Found] = {}
        for card in Card.objects.all():
            self._card(card.id_token, card.id_token_type).named = card
        for id_token, kind in _blocked():
            self._card(id_token, kind).blocked = True
        for id_token, kind, at, evse_id in _sessions():
            card_seen = self._card(id_token, kind)
            card_seen.seen(at, evse_id)
            card_seen.sessions += 1
        for id_token, kind, at, evse_id in _reads():
            self._card(id_token, kind).seen(at, evse_id)
        for id_token, kind in _taught_for(user):
            self._card(id_token, kind)

    def _card(self, id_token: str, kind: str) -> Found:
        return self._found.setdefault((kind, id_token.casefold()), Found(id_token, kind))

    def named(self) -> list[Found]:
        """Those with a name, by their names."""
        found = [card for card in self._found.values() if card.named]
        return sorted(found, key=lambda card: (str(card.named).casefold(), card.key))

    def unnamed(self, most: int = 50) -> list[Found]:
        """Blocked ones first, then as they were seen, the latest first."""
        found = [card for card in self._found.values() if not card.named]
        return sorted(found, key=lambda card: (not card.blocked, -card.last.timestamp() if card.last else 0.0))[:most]

    def find(self, key: str) -> Found | None:
        """The card behind an address."""
        return next((card for card in self._found.values() if card.key == key), None)


def _blocked() -> Iterator[tuple[str, str]]:
    row = Remembered.objects.filter(key=BLOCKED).first()
    for one in row.value if row is not None and isinstance(row.value, list) else ():
        if isinstance(one, list) and len(one) == 2:
            yield str(one[0]), str(one[1])


def _sessions() -> Iterator[tuple[str, str, datetime, int | None]]:
    rows = Transaction.objects.order_by("-started_at").values_list(
        "id_token", "id_token_type", "started_at", "evse_id"
    )[:LATELY]
    for id_token, kind, at, evse_id in rows:
        if id_token and kind in KINDS:
            yield id_token, kind, at, evse_id


def _reads() -> Iterator[tuple[str, str, datetime, int | None]]:
    """Cards that were held to the reader, also in vain."""
    rows = JournalEntry.objects.order_by("-id").values_list("kind", "data", "at", "evse_id")[:LATELY]
    for kind, data, at, evse_id in rows:
        if kind == "card_read" and isinstance(data, dict) and data.get("type") in KINDS and data.get("id_token"):
            yield str(data["id_token"]), str(data["type"]), at, evse_id


@dataclass(frozen=True, slots=True)
class Taught:
    """What the reader read for a teach-in."""

    id_token: str
    type: str
    at: datetime


def taught(command: Command) -> Taught | None:
    """What came of a teach-in that worked; None where it is gone again (after ten minutes, or a restart)."""
    row = Remembered.objects.filter(key=TAUGHT).first()
    value = row.value if row is not None and isinstance(row.value, dict) else {}
    if value.get("command_id") != command.pk:
        return None
    try:
        return Taught(str(value["id_token"]), str(value["type"]), timezone.localtime(parse_rfc3339(value["at"])))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _taught_for(user: Any) -> Iterator[tuple[str, str]]:
    command = None
    if user is not None:
        command = Command.objects.filter(action=TEACH, user=user, status=Command.Status.ACCEPTED).first()
    found = taught(command) if command is not None else None
    if found is not None:
        yield found.id_token, found.type
