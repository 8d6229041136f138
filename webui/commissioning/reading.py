"""What the station itself says in commissioning: the board's condition, its self-tests, and a test charge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from station.device_model.components import EVSE, Connector, ElectricalFeed
from station.device_model.model import DeviceModel
from station.domain.moment import parse_rfc3339
from station.live.payloads import EvseLive, StationLive
from station.store.models import MeterPoint, Remembered, Transaction
from webui import words

TESTS = "self_tests"  # remembered by the station
TOLERANCE = 0.1  # of the nominal voltage, EN 50160
HOT = 75.0  # °C with nothing charging
_TESTED: Mapping[str, tuple[str, Any]] = {
    "Passed": ("good", lambda: _("passed")),
    "Failed": ("bad", lambda: _("failed: the protection of this EVSE does not work")),
    "Refused": ("bad", lambda: _("refused by the board: its contactor is closed")),
    "NoAnswer": ("bad", lambda: _("no outcome came from the board")),
    "Running": ("wait", lambda: _("running …")),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``tone`` is ``good``, ``bad``, ``wait`` (not yet) or ``off`` (only told)."""

    label: str
    value: str
    tone: str = "off"


def number(value: float, places: int = 1) -> str:
    """A figure in the person's own way of writing."""
    return str(number_format(value, places))


def tests() -> dict[int, tuple[datetime, str, str]]:
    """By EVSE id when its last self-test ended, how (a word of the station), and whose it was."""
    row = Remembered.objects.filter(key=TESTS).first()
    found = {}
    for evse_id, told in (row.value if row is not None and isinstance(row.value, dict) else {}).items():
        try:
            found[int(evse_id)] = (parse_rfc3339(told["at"]), str(told["outcome"]), str(told["who"]))
        except (KeyError, TypeError, ValueError):
            continue  # of another version
    return found


def outcome_in_words(word: str) -> str:
    """How a self-test came out."""
    return str(_TESTED[word][1]()) if word in _TESTED else word


def board_limits(live: StationLive | None, model: DeviceModel) -> dict[int, float]:
    """A that cable and board carry, by EVSE id; a socket carries what a driver's cable does."""
    found = {}
    for evse_id in range(1, model.evses + 1):
        told = (live.engineering if live else {}).get(str(evse_id), {}).get("cable_limit")
        socket = model[Connector.ConnectorType.at(evse_id, 1)].startswith("s")
        if isinstance(told, int | float) and told > 0 and not socket:
            found[evse_id] = float(told)
    return found


def evse_checks(live: StationLive, evse: EvseLive, model: DeviceModel) -> list[Check]:
    """What one EVSE says of itself at this moment."""
    found = [_faults(evse)]
    nominal = model[ElectricalFeed.ACVoltage]
    phases = model[EVSE.SupplyPhases.at(evse.evse_id)] if evse.evse_id <= model.evses else 1
    for phase in range(max(1, phases)):
        voltage = evse.voltage[phase]
        fits = abs(voltage - nominal) <= TOLERANCE * nominal
        found.append(Check(_("Voltage of L%(phase)d") % {"phase": phase + 1}, f"{number(voltage)} V", _tone(fits)))
    if evse.temperature is not None:
        cool = evse.temperature < HOT
        found.append(Check(_("Temperature"), f"{number(evse.temperature)} °C", _tone(cool)))
    told = live.engineering.get(str(evse.evse_id), {})
    if isinstance(told.get("cable_limit"), int | float):
        found.append(Check(_("Cable and board carry"), f"{told['cable_limit']:g} A"))
    found.append(Check(_("Contactor"), _("closed") if evse.contactor_closed else _("open"), _tone(_rests(evse))))
    return found


def _rests(evse: EvseLive) -> bool:
    """The contactor is open, or closed for somebody who charges."""
    return not evse.contactor_closed or evse.transaction_id is not None


def _faults(evse: EvseLive) -> Check:
    faults = words.faults(evse)
    return Check(_("Faults"), " ".join(faults) if faults else _("none"), _tone(not faults))


def _tone(good: bool) -> str:
    return "good" if good else "bad"


def test_check(evse_id: int, since: datetime, known: Mapping[int, tuple[datetime, str, str]], *, runs: bool) -> Check:
    """The self-test of an EVSE; one from before ``since`` does not count."""
    label = _("Self-test")
    if runs:
        return Check(label, outcome_in_words("Running"), "wait")
    told = known.get(evse_id)
    if told is None or told[0] < since:
        return Check(label, _("not run yet"), "wait")
    tone, _said = _TESTED.get(told[1], ("bad", None))
    return Check(label, outcome_in_words(told[1]), tone)


def runs_test(live: StationLive | None, evse_id: int) -> bool:
    """A self-test of that EVSE is under way."""
    return bool(live and live.engineering.get(str(evse_id), {}).get("self_test") == "Running")


# ------------------------------------------------------------------ the test charge


@dataclass(frozen=True, slots=True)
class Tick:
    """Something that the station has to see in a test charge."""

    label: str
    seen: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """A test charge at one EVSE since ``since`` (None: not begun)."""

    evse_id: int
    since: datetime | None
    ticks: tuple[Tick, ...]
    transaction: Transaction | None = None
    energy: float = 0.0  # Wh

    @property
    def done(self) -> bool:
        return self.since is not None and all(tick.seen for tick in self.ticks)


def charge(evse_id: int, since: datetime | None, live: StationLive | None) -> Charge:
    """How far the test charge is, by what the station has noted and what it sees now."""
    transaction = None
    if since is not None:
        made = Transaction.objects.filter(evse_id=evse_id, started_at__gte=since)
        transaction = _best(list(made.order_by("-started_at")[:5]))
    evse = next((one for one in live.evses if one.evse_id == evse_id), None) if live and since else None
    energy = _energy(transaction, evse)
    plugged = transaction is not None or bool(evse and evse.plugged)
    token = transaction is not None and bool(transaction.id_token or transaction.authorized_by)
    authorized = token or bool(evse and evse.id_token)
    ended = transaction is not None and transaction.ended_at is not None
    who = words.masked(transaction.id_token, transaction.id_token_type) if transaction and transaction.id_token else ""
    reason = words.reason(transaction.stopped_reason) if transaction and transaction.ended_at else ""
    ticks = (
        Tick(_("A car is plugged in"), plugged),
        Tick(_("Somebody is authorized"), authorized, who),
        Tick(_("Energy flows"), energy > 0, f"{number(energy)} Wh" if energy > 0 else ""),
        Tick(_("The session has ended"), ended and energy > 0, reason if energy > 0 else ""),
    )
    return Charge(evse_id, since, ticks, transaction, energy)


def _best(rows: list[Transaction]) -> Transaction | None:
    """The latest that has ended with energy, else the latest."""
    whole = [row for row in rows if row.ended_at is not None and row.energy > 0]
    return next(iter(whole or rows), None)


def _energy(transaction: Transaction | None, evse: EvseLive | None) -> float:
    if transaction is None:
        return 0.0
    if transaction.ended_at is not None:
        return transaction.energy / 1000
    if evse is not None and evse.transaction_id == transaction.transaction_id:
        return evse.energy
    points = MeterPoint.objects.filter(transaction=transaction)
    ends = [points.order_by("id").first(), points.order_by("-id").first()]
    return max(0.0, ends[1].energy - ends[0].energy) if ends[0] and ends[1] else 0.0


def kept_charge(found: Charge) -> dict[str, Any]:
    """What the protocol says of it."""
    row = found.transaction
    if row is None or row.ended_at is None:
        return {}
    power = MeterPoint.objects.filter(transaction=row).order_by("-power").values_list("power", flat=True).first()
    return {
        "transaction_id": row.transaction_id,
        "started": row.started_at.isoformat(),
        "ended": row.ended_at.isoformat(),
        "seconds": round((row.ended_at - row.started_at).total_seconds()),
        "energy": round(row.energy / 1000, 1),
        "power": round(power or 0.0),
        "reason": row.stopped_reason,
        "by": words.masked(row.id_token, row.id_token_type) if row.id_token else "",
    }
