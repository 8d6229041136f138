"""The live view as pieces of HTML, each with an id of its own, so that only what changed has to travel.

Rendered without a request and without the database: the same pieces serve every browser of one kind of viewer, and the
work is done once per process however many watch (``shared``).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils import timezone, translation

from station.domain.moment import parse_rfc3339
from station.domain.reason import Why
from station.live.payloads import EvseLive, StationLive
from webui import words
from webui.charts.curve import draw
from webui.dashboard import known
from webui.owner import here
from webui.owner.models import Settings
from webui.pieces import marked
from webui.queue.line import one_line
from webui.tariff import running
from webui.templatetags.quantities import MISSING, money

# After so long without a word from the station, what is on the screen is old (s). It speaks at least every 2 s.
STALE_AFTER = 5.0

PIECES = ("state", "figures", "curve", "actions")  # of a card
CARDS = "evses"  # the id of what holds all cards

# A car is plugged in, and nobody is authorised. (A transaction may run nevertheless: TxStartPoint decides that.)
_IDLE = frozenset({"waiting_for_card", "finishing"})
_UNLOCKABLE = _IDLE | {"faulted", "unavailable"}
# The station would refuse; the sentence says why.
_NOBODY_MAY_START = frozenset({Why.NOT_ACCEPTED, Why.UNAVAILABLE, Why.RESERVED})


def moment(text: str | None) -> datetime | None:
    """The local time behind an RFC 3339 text of the live view, or None where it is none."""
    if not text:
        return None
    try:
        return timezone.localtime(parse_rfc3339(text))
    except (ValueError, OverflowError):
        return None


class Viewer(NamedTuple):
    """A kind of viewer, who all see the same. ``technical``: an installer, who sees what is behind the words, too."""

    language: str
    technical: bool = False


def reader(technical: bool = False) -> Viewer:
    """Whoever reads the active language."""
    return Viewer(translation.get_language() or "", technical)


def evse_fragments(evse: EvseLive, at: str, viewer: Viewer | None = None) -> dict[str, str]:
    """The pieces of one EVSE's card, by id; ``at`` is the station's clock, for how long the session has lasted."""
    started, now = moment(evse.started_at), moment(at)
    cost = money(running.so_far(evse, started, now)) if evse.transaction_id else MISSING
    shown = "" if cost == MISSING else cost
    return dict(_evse_fragments(evse, at, viewer or reader(), known.who(evse), shown))


# From one publication to the next most of it stays: two EVSEs in four languages for two kinds of people.
@lru_cache(maxsize=16)
def _evse_fragments(evse: EvseLive, at: str, viewer: Viewer, who: str, cost: str) -> tuple[tuple[str, str], ...]:
    with translation.override(viewer.language):
        started, now = moment(evse.started_at), moment(at)
        over = evse.transaction_id is not None and evse.activity == "finishing"  # only the contactor has yet to open
        useless = evse.reason.why in _NOBODY_MAY_START
        context = {
            "evse": evse,
            "said": words.to_driver(evse),
            "who": who,
            "cost": cost,
            "started": started,
            "lasted": (now - started) if started and now else None,
            "phases": [
                {"name": f"L{index}", "current": current, "voltage": voltage}
                for index, (current, voltage) in enumerate(zip(evse.current, evse.voltage, strict=False), start=1)
                if voltage > 20 or current > 0.05
            ],
            "curve": draw(evse.curve),
            "technical": viewer.technical,
            "can_start": evse.plugged and not over and evse.activity in _IDLE and not useless,
            "can_stop": evse.transaction_id is not None and evse.activity not in _IDLE,
            "can_unlock": (evse.plugged and not over and evse.activity in _UNLOCKABLE) or evse.reason.why == Why.KEPT,
        }
        return tuple(
            (name, marked(name, render_to_string(f"dashboard/_{piece}.html", context)))
            for piece in PIECES
            for name in [f"evse-{evse.evse_id}-{piece}"]
        )


def status_fragment(station: StationLive, viewer: Viewer | None = None) -> str:
    """The strip above the cards: CSMS, board, what is waiting."""
    accepted = station.connected and station.registration == "Accepted"
    return render_to_string(
        "dashboard/_status.html",
        {
            "station": station,
            "place": _place(),
            "technical": viewer.technical if viewer else False,
            "link": words.registration(station.connected, station.registration),
            "link_tone": "good" if accepted else "bad" if not station.connected else "wait",
            "waits": one_line(station),
        },
    )


def _place() -> str:
    """What people call the station, and where it is."""
    told = here.settings.last(Settings())
    return " · ".join(part for part in (told.name, told.place) if part)


def clock_fragment(at: str) -> str:
    """The station's own clock; it also tells the page that the line is alive."""
    return render_to_string("dashboard/_clock.html", {"at": moment(at)})


def master_fragment(station: StationLive) -> str:
    """After a master card: which sessions are to end (C16.FR.01); empty while none was shown."""
    running = [evse for evse in station.evses if evse.transaction_id is not None and evse.activity != "finishing"]
    return render_to_string("dashboard/_master.html", {"choosing": station.master_pass, "evses": running})


def notice_fragment(kind: str = "", since: datetime | None = None) -> str:
    """The line that says what is wrong with the live view: ``stale``, ``bus``, or nothing."""
    with timezone.override(here.zone.last(here.zone_named(""))):
        return render_to_string("dashboard/_notice.html", {"kind": kind, "since": since})


def pieces(station: StationLive, viewer: Viewer | None = None) -> dict[str, str]:
    """Every piece of the live view but the notice, by id, as ``viewer`` sees it (else whoever reads this language)."""
    viewer = viewer or reader()
    with translation.override(viewer.language), timezone.override(here.zone.last(here.zone_named(""))):
        found = {
            "station-status": marked("station-status", status_fragment(station, viewer)),
            "station-clock": marked("station-clock", clock_fragment(station.at)),
            "station-master": marked("station-master", master_fragment(station)),
        }
        for evse in station.evses:
            # The clock only moves a card while a session's duration is on it.
            found.update(evse_fragments(evse, station.at[:19] + "Z" if evse.started_at else "", viewer))
    return found


def marks(station: StationLive, found: dict[str, str]) -> dict[str, str]:
    """What a browser has that shows all of ``found``: the marks by id, and under ``evses`` which cards there are."""
    return {CARDS: _card_list(station), **{name: mark_of(html) for name, html in found.items()}}


def mark_of(piece: str) -> str:
    """The mark that ``pieces.marked`` put on it."""
    return piece.split('data-mark="')[1][:8]


def _card_list(station: StationLive) -> str:
    return ",".join(str(evse.evse_id) for evse in station.evses)


def cards(station: StationLive, found: dict[str, str], viewer: Viewer | None = None) -> str:
    """All cards, to begin with or when the EVSEs have changed."""
    context = {
        "mark": _card_list(station),
        "cards": [
            {
                "evse_id": evse.evse_id,
                "pieces": [found[f"evse-{evse.evse_id}-{piece}"] for piece in PIECES],
            }
            for evse in station.evses
        ],
    }
    with translation.override((viewer or reader()).language):
        return render_to_string("dashboard/_cards.html", context)
