"""What is measured: few figures with stable names (docs/api.md has them all)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone

from station.live.payloads import EvseLive, StationLive
from station.store.models import Command, QueuedCall, Transaction
from webui.metrics import machine
from webui.metrics.text import Page

STATES = (
    *("free", "waiting_for_card", "waiting_for_plug", "authorizing", "preparing", "charging", "suspended_ev"),
    *("suspended_evse", "finishing", "unavailable", "faulted", "no_board"),
)
_counted: tuple[datetime, int] | None = None  # sessions that began up to then; a million are not counted twice


def page(live: StationLive | None, health: dict[str, Any]) -> str:
    """The whole page; ``live`` None: the uplink does not answer. ``health`` is what /healthz says."""
    found = Page()
    _station(found, live, health)
    if live is not None:
        _evses(found, live.evses)
    _history(found)
    _machine(found, health)
    return found.text()


def forget() -> None:
    """As after a start of the process."""
    global _counted
    _counted = None


def _station(found: Page, live: StationLive | None, health: dict[str, Any]) -> None:
    gauge = "gauge"
    found.family("station_healthy", gauge, "1 while all that charging needs runs").add(health.get("status") == "ok")
    found.family("station_uplink_up", gauge, "1 while the uplink answers").add(live is not None)
    if live is None:
        return
    labels = {"identity": live.identity, "firmware": live.firmware_version}
    found.family("station_info", gauge, "always 1; what the station is").add(1, labels)
    found.family("station_csms_connected", gauge, "1 while the link to the CSMS is up").add(live.connected)
    accepted = live.connected and live.registration == "Accepted"
    found.family("station_csms_accepted", gauge, "1 while the CSMS has accepted the station").add(accepted)
    found.family("station_board_online", gauge, "1 while the board answers").add(live.board_online)
    found.family("station_door_open", gauge, "1 while the housing is open").add(live.door_open)


def _evses(found: Page, evses: tuple[EvseLive, ...]) -> None:
    def each(name: str, kind: str, about: str, value: Any) -> None:
        family = found.family(name, kind, about)
        for evse in evses:
            family.add(value(evse), {"evse": evse.evse_id})

    def phases(name: str, about: str, values: Any) -> None:
        family = found.family(name, "gauge", about)
        for evse in evses:
            for number, value in enumerate(values(evse), start=1):
                family.add(value, {"evse": evse.evse_id, "phase": f"L{number}"})

    each("station_evse_power_watts", "gauge", "real power now", lambda evse: evse.power)
    each(
        "station_evse_energy_watt_hours_total",
        "counter",
        "the meter's import register",
        lambda evse: evse.register if evse.register else None,
    )
    phases("station_evse_current_amperes", "current of each phase", lambda evse: evse.current)
    phases("station_evse_voltage_volts", "voltage of each phase", lambda evse: evse.voltage)
    each("station_evse_offered_amperes", "gauge", "what the car may take per phase", lambda evse: evse.current_offered)
    each("station_evse_limit_amperes", "gauge", "the owner's limit per phase, while there is one", lambda e: e.limit)
    each("station_evse_plugged", "gauge", "1 while a car is connected", lambda evse: evse.plugged)
    each("station_evse_faults", "gauge", "how many faults there are now", lambda evse: len(evse.faults))
    each("station_evse_temperature_celsius", "gauge", "in the EVSE", lambda evse: evse.temperature)
    each("station_evse_soc_percent", "gauge", "state of charge, where the car tells it", lambda evse: evse.soc)
    each(
        "station_evse_session_energy_watt_hours",
        "gauge",
        "energy of the running session",
        lambda evse: evse.energy if evse.transaction_id else None,
    )
    state = found.family("station_evse_state", "gauge", "1 for the state that the EVSE is in, 0 for the others")
    for evse in evses:
        for name in dict.fromkeys((*STATES, evse.activity)):
            state.add(name == evse.activity, {"evse": evse.evse_id, "state": name})


def _history(found: Page) -> None:
    running = Transaction.objects.filter(active=True).count()
    found.family("station_sessions_running", "gauge", "sessions that run now").add(running)
    found.family("station_sessions_total", "counter", "sessions that have begun").add(_sessions())
    found.family("station_queue_length", "gauge", "calls that wait for the CSMS").add(QueuedCall.objects.count())
    oldest = QueuedCall.objects.order_by("sequence").values_list("created", flat=True).first()
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    found.family("station_queue_age_seconds", "gauge", "since when the oldest of them waits").add(age)
    outcomes = dict(Command.objects.order_by().values_list("status").annotate(Count("pk")))
    commands = found.family("station_commands", "gauge", "commands that are kept (20,000 at most), by outcome")
    for status in Command.Status:
        commands.add(outcomes.get(status.value, 0), {"status": status.value.lower()})


def _sessions() -> int:
    global _counted
    rows = Transaction.objects.order_by("-started_at").values_list("started_at", flat=True)
    newest = rows.first()
    if newest is None:
        return 0
    if _counted is None or newest < _counted[0]:
        _counted = (newest, Transaction.objects.filter(started_at__lte=newest).count())
    elif newest > _counted[0]:
        _counted = (newest, _counted[1] + Transaction.objects.filter(started_at__gt=_counted[0]).count())
    return _counted[1]


def _machine(found: Page, health: dict[str, Any]) -> None:
    poll = health.get("poll") or {}
    found.family("station_board_polls_total", "counter", "polls of the board since the worker started").add(
        poll.get("polls")
    )
    found.family(
        "station_board_polls_missed_total", "counter", "polls that were left out because one took too long"
    ).add(poll.get("missed"))
    late = (poll.get("late") or {}).get("max")
    found.family("station_board_poll_late_seconds", "gauge", "the latest that a poll began in two minutes").add(
        late / 1000 if isinstance(late, int | float) else None
    )
    memory = found.family("station_process_memory_bytes", "gauge", "proportional set size (PSS) of each process")
    for name, share in sorted(machine.memory().items()):
        memory.add(share, {"process": name})
