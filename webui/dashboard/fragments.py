"""The live view as pieces of HTML, each with an id of its own, so that only what changed has to travel.

Rendered without a request and without the database: the same pieces serve every browser, and the work is done once
per process however many watch.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils import timezone, translation

from station.domain.moment import parse_rfc3339
from station.live.payloads import EvseLive, StationLive
from webui import words
from webui.charts.curve import draw
from webui.pieces import marked

# After so long without a word from the station, what is on the screen is old (s). It speaks at least every 2 s.
STALE_AFTER = 5.0

PIECES = ("state", "figures", "curve", "actions")  # of a card
CARDS = "evses"  # the id of what holds all cards

# A car is plugged in, and nobody is authorised. (A transaction may run nevertheless: TxStartPoint decides that.)
_IDLE = frozenset({"waiting_for_card", "finishing"})
_UNLOCKABLE = _IDLE | {"faulted", "unavailable"}


def moment(text: str | None) -> datetime | None:
    """The local time behind an RFC 3339 text of the live view, or None where it is none."""
    if not text:
        return None
    try:
        return timezone.localtime(parse_rfc3339(text))
    except (ValueError, OverflowError):
        return None


def evse_fragments(evse: EvseLive, at: str) -> dict[str, str]:
    """The pieces of one EVSE's card, by id; ``at`` is the station's clock, for how long the session has lasted."""
    return dict(_evse_fragments(evse, at, translation.get_language() or ""))


@lru_cache(maxsize=32)
def _evse_fragments(evse: EvseLive, at: str, language: str) -> tuple[tuple[str, str], ...]:
    with translation.override(language):
        started, now = moment(evse.started_at), moment(at)
        over = evse.transaction_id is not None and evse.activity == "finishing"  # only the contactor has yet to open
        context = {
            "evse": evse,
            "said": words.to_driver(evse),
            "who": words.masked(evse.id_token, evse.id_token_type),
            "started": started,
            "lasted": (now - started) if started and now else None,
            "phases": [
                {"name": f"L{index}", "current": current, "voltage": voltage}
                for index, (current, voltage) in enumerate(zip(evse.current, evse.voltage, strict=False), start=1)
                if voltage > 20 or current > 0.05
            ],
            "curve": draw(evse.curve),
            "can_start": evse.plugged and not over and evse.activity in _IDLE,
            "can_stop": evse.transaction_id is not None and evse.activity not in _IDLE,
            "can_unlock": evse.plugged and not over and evse.activity in _UNLOCKABLE,
        }
        return tuple(
            (name, marked(name, render_to_string(f"dashboard/_{piece}.html", context)))
            for piece in PIECES
            for name in [f"evse-{evse.evse_id}-{piece}"]
        )


def status_fragment(station: StationLive) -> str:
    """The strip above the cards: CSMS, board, what is waiting."""
    accepted = station.connected and station.registration == "Accepted"
    return render_to_string(
        "dashboard/_status.html",
        {
            "station": station,
            "link": words.registration(station.connected, station.registration),
            "link_tone": "good" if accepted else "bad" if not station.connected else "wait",
        },
    )


def clock_fragment(at: str) -> str:
    """The station's own clock; it also tells the page that the line is alive."""
    return render_to_string("dashboard/_clock.html", {"at": moment(at)})


def master_fragment(station: StationLive) -> str:
    """After a master card: which sessions are to end (C16.FR.01); empty while none was shown."""
    running = [evse for evse in station.evses if evse.transaction_id is not None and evse.activity != "finishing"]
    return render_to_string("dashboard/_master.html", {"choosing": station.master_pass, "evses": running})


def notice_fragment(kind: str = "", since: datetime | None = None) -> str:
    """The line that says what is wrong with the live view: ``stale``, ``bus``, or nothing."""
    return render_to_string("dashboard/_notice.html", {"kind": kind, "since": since})


def pieces(station: StationLive) -> dict[str, str]:
    """Every piece of the live view but the notice, by id."""
    found = {
        "station-status": marked("station-status", status_fragment(station)),
        "station-clock": marked("station-clock", clock_fragment(station.at)),
        "station-master": marked("station-master", master_fragment(station)),
    }
    for evse in station.evses:
        # The clock only moves a card while a session's duration is on it.
        found.update(evse_fragments(evse, station.at[:19] + "Z" if evse.started_at else ""))
    return found


def marks(station: StationLive, found: dict[str, str]) -> dict[str, str]:
    """What a browser has that shows all of ``found``: the marks by id, and under ``evses`` which cards there are."""
    return {CARDS: _card_list(station), **{name: mark_of(html) for name, html in found.items()}}


def mark_of(piece: str) -> str:
    """The mark that ``pieces.marked`` put on it."""
    return piece.split('data-mark="')[1][:8]


def _card_list(station: StationLive) -> str:
    return ",".join(str(evse.evse_id) for evse in station.evses)


def cards(station: StationLive, found: dict[str, str]) -> str:
    """All cards, to begin with or when the EVSEs have changed."""
    return render_to_string(
        "dashboard/_cards.html",
        {
            "mark": _card_list(station),
            "cards": [
                {
                    "evse_id": evse.evse_id,
                    "pieces": [found[f"evse-{evse.evse_id}-{piece}"] for piece in PIECES],
                }
                for evse in station.evses
            ],
        },
    )
