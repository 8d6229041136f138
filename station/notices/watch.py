"""What is wrong at this moment: followed from the journal and from what the station remembers, never asked of it.

The uplink knows nothing of this room and never waits for it. It has written down what happened, so nothing is missed
while the transfer worker is away: it reads on from where it was. What the station remembers as it is (which faults
there are, whether the housing is open) is taken as it is; the journal tells what came and went between two looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from station.domain.moment import parse_rfc3339
from station.notices.models import Kind, Settings, Trouble, Watch
from station.store.models import JournalEntry, NetworkProfile, Remembered

KINDS = (
    *("fault", "fault_cleared", "started", "link_up", "link_down"),
    *("door_opened", "door_closed", "firmware_failed", "firmware_installed"),
)
AT_FIRST = 2_000  # entries of the journal that are looked at where nothing was read before
AT_ONCE = 1_000  # entries per look
BOARD = "BoardOffline"


@dataclass(slots=True)
class _Seen:
    """A trouble as this look finds it. ``came``: how often since the look before; ``ended_at``: it is over again."""

    kind: Kind
    since: datetime
    evse_id: int | None = None
    codes: tuple[str, ...] = ()
    came: int = 0
    ended_at: datetime | None = None


class Observer:
    """Looks now and then; writes only where something has changed."""

    def __init__(self) -> None:
        self._read = 0  # up to where the journal was looked at in this life

    def look(self, now: datetime) -> None:
        """Bring the troubles up to date. Raises django.db.Error."""
        watch = Watch.objects.filter(pk=1).first()
        newest = JournalEntry.objects.aggregate(newest=Max("id"))["newest"] or 0
        first = watch is None
        if watch is None:
            watch = Watch(pk=1, cursor=max(0, newest - AT_FIRST))
        restored = watch.cursor > newest  # a database from a backup
        if restored:
            watch.cursor = newest
        begin = max(self._read if self._read <= newest else 0, watch.cursor)
        entries = list(JournalEntry.objects.filter(id__gt=begin, kind__in=KINDS).order_by("id")[:AT_ONCE])
        found = _Reading(dict(watch.state))
        for entry in entries:
            found.take(entry)
        found.look_around(now, Settings.current())
        changed = _changed(found.seen, now, quietly=first)
        if entries or first or restored or changed:
            watch.cursor = entries[-1].pk if entries else watch.cursor
            watch.state = found.state
            with transaction.atomic():
                for row in changed:
                    row.save()
                watch.save()
        self._read = entries[-1].pk if len(entries) == AT_ONCE else max(newest, watch.cursor)


class _Reading:
    """Follows the journal. ``state`` is what has to be known of it at the next look; JSON."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.seen: dict[str, _Seen] = {}

    # ------------------------------------------------------------------ what happened

    def take(self, entry: JournalEntry) -> None:
        """One entry, in order."""
        data = entry.data if isinstance(entry.data, dict) else {}
        at = entry.at.isoformat()
        match entry.kind:
            case "fault":
                listed = data.get("faults")
                codes = [str(code)[:40] for code in listed][:10] if isinstance(listed, list) else []
                if codes == [BOARD]:
                    self._begin("board", entry)
                elif entry.evse_id is not None:
                    self._begin(f"fault:{entry.evse_id}", entry, codes)
            case "fault_cleared":
                self._end("board", entry)
                self._end(f"fault:{entry.evse_id}", entry)
            case "started":
                # what still holds is told anew; and until the link is up it is down
                for key in [key for key in self.state if key == "board" or key.startswith("fault:")]:
                    self._end(key, entry)
                self.state.setdefault("csms", {"since": at})
            case "link_down":
                self.state.setdefault("csms", {"since": at})
            case "link_up":
                self.state.pop("csms", None)
            case "door_opened":
                self._begin("tamper", entry)
            case "door_closed":
                self._end("tamper", entry)
            case "firmware_failed":
                self._begin("firmware", entry, [str(data.get("status") or "")[:40]])
            case "firmware_installed":
                self._end("firmware", entry)

    def _begin(self, key: str, entry: JournalEntry, codes: list[str] | None = None) -> None:
        kind = Kind(key.partition(":")[0])
        before = self.seen.get(key)
        if key not in self.state:
            evse_id = entry.evse_id if kind is Kind.FAULT else None
            came = 1 + (before.came if before else 0)
            self.seen[key] = _Seen(kind, entry.at, evse_id, tuple(codes or ()), came)
        self.state[key] = {"since": entry.at.isoformat(), "codes": codes or []}

    def _end(self, key: str, entry: JournalEntry) -> None:
        if self.state.pop(key, None) is not None and key in self.seen:
            self.seen[key].ended_at = entry.at

    # ------------------------------------------------------------------ how things are

    def look_around(self, now: datetime, settings: Settings) -> None:
        """Add what is there now, whether the journal has told of it or not."""
        for evse_id, codes in _problems():
            key = f"fault:{evse_id}"
            known = self.state.get(key) or {}
            self._there(key, Kind.FAULT, _at(known.get("since"), now), evse_id, tuple(codes))
        for key, told in self.state.items():
            kind, _, number = key.partition(":")
            if kind == "csms":
                self._csms(_at(told.get("since"), now), now, settings)
            else:
                evse_id = int(number) if number.isdecimal() else None
                self._there(key, Kind(kind), _at(told.get("since"), now), evse_id, tuple(told.get("codes") or ()))
        if _remembered("door_open") is True and "tamper" not in self.state:
            self._there("tamper", Kind.TAMPER, now)

    def _csms(self, since: datetime, now: datetime, settings: Settings) -> None:
        if now - since >= timedelta(hours=settings.csms_hours) and NetworkProfile.objects.exists():
            self._there("csms", Kind.CSMS, since)

    def _there(
        self, key: str, kind: Kind, since: datetime, evse_id: int | None = None, codes: tuple[str, ...] = ()
    ) -> None:
        seen = self.seen.setdefault(key, _Seen(kind, since, evse_id))
        seen.ended_at = None
        seen.codes = tuple(dict.fromkeys((*seen.codes, *codes)))[:10]


def _changed(seen: dict[str, _Seen], now: datetime, *, quietly: bool) -> list[Trouble]:
    """The troubles that are not as they are stored. ``quietly``: nobody is told of what was there before."""
    changed = []
    rows = {row.key: row for row in Trouble.objects.all()}
    for key, one in seen.items():
        row = rows.pop(key, None) or Trouble(key=key, kind=one.kind, evse_id=one.evse_id)
        before = None if row.pk is None else (row.since, row.ended_at, row.codes, row.times)
        if row.pk is None or row.ended_at is not None or one.came:  # it came anew
            row.times += max(1, one.came)
            row.codes, row.since = [], one.since
        row.codes = list(dict.fromkeys((*row.codes, *one.codes)))[:10]
        row.ended_at = one.ended_at
        if quietly:
            row.told, row.times = one.ended_at is None, 0
        if before != (row.since, row.ended_at, row.codes, row.times):
            changed.append(row)
    for row in rows.values():
        if row.ended_at is None:
            row.ended_at = now
            changed.append(row)
    return changed


def _problems() -> Iterator[tuple[int, list[str]]]:
    kept = _remembered("problems")
    for evse_id, codes in kept.items() if isinstance(kept, dict) else ():
        if str(evse_id).isdecimal() and isinstance(codes, list) and codes:
            yield int(evse_id), [str(code)[:40] for code in codes[:10]]


def _remembered(key: str) -> Any:
    return Remembered.objects.filter(key=key).values_list("value", flat=True).first()


def _at(text: Any, otherwise: datetime) -> datetime:
    try:
        return parse_rfc3339(str(text))
    except (ValueError, OverflowError):
        return otherwise


def active() -> list[Trouble]:
    """What is wrong now, the latest first."""
    return list(Trouble.objects.filter(ended_at=None))


def long_ago(moment: datetime | None, now: datetime, span: timedelta) -> bool:
    """Whether ``span`` has passed since ``moment``; true also where the clock was set back behind it."""
    return moment is None or not moment <= now < moment + span
