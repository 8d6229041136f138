"""What is said over MQTT: topics and payloads from the live view, and Home Assistant's discovery. Plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from station.live.payloads import EvseLive, StationLive
from webui.api import presenting

ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
LEAST = 6  # A; below there is only 0
# Activities in which somebody is allowed to charge: the switch is on.
_ALLOWED = frozenset({"preparing", "charging", "suspended_ev", "suspended_evse", "authorizing"})
_SET = re.compile(r"evse/(?P<evse>[1-9]\d{0,2})/(?P<what>charge|unlock|limit)/set\Z")


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for over MQTT: ``start``, ``stop``, ``unlock``, or ``limit`` with A (None: no limit)."""

    evse_id: int
    action: str
    current: float | None = None


class BadOrder(ValueError):
    """A message that asks for nothing sensible; the text says why."""


def availability(base: str) -> str:
    return f"{base}/availability"


def subscriptions(base: str) -> list[str]:
    """The topics on which orders come."""
    return [f"{base}/evse/+/{what}/set" for what in ("charge", "unlock", "limit")]


def states(base: str, live: StationLive) -> dict[str, str]:
    """Every topic with what it says now."""
    found = {
        f"{base}/csms": ON if live.connected and live.registration == "Accepted" else OFF,
        f"{base}/queue": str(live.queue_length),
    }
    for evse in live.evses:
        found |= {f"{base}/evse/{evse.evse_id}/{name}": text for name, text in _of_evse(evse).items()}
    return found


def _of_evse(evse: EvseLive) -> dict[str, str]:
    limit = evse.current_max if evse.limit is None else min(evse.limit, evse.current_max or evse.limit)
    return {
        "state": evse.activity,
        "plugged": ON if evse.plugged else OFF,
        "charging": ON if evse.activity == "charging" else OFF,
        "charge": ON if evse.activity in _ALLOWED else OFF,
        "fault": ON if evse.faults else OFF,
        "reason": (presenting.why_not_charging(evse) or "")[:250],
        "power": f"{evse.power:.0f}",
        "energy": f"{evse.register:.1f}",
        "session_energy": f"{evse.energy:.1f}" if evse.transaction_id else "0.0",
        "current": f"{max(evse.current):.1f}",
        "offered": f"{evse.current_offered:.1f}",
        "limit": f"{limit:.1f}",
    }


def order(base: str, topic: str, payload: bytes, *, retained: bool, live: StationLive) -> Order:
    """The order behind a message. Raises BadOrder.

    A retained one counts for a limit only, which is a state: a start that a broker keeps would start again with every
    connection.
    """
    match = _SET.match(topic.removeprefix(f"{base}/"))
    if match is None:
        raise BadOrder("there is no such topic")
    evse_id, what = int(match["evse"]), match["what"]
    if not any(evse.evse_id == evse_id for evse in live.evses):
        raise BadOrder(f"there is no EVSE {evse_id}")
    if retained and what != "limit":
        raise BadOrder("a retained message starts and unlocks nothing")
    text = payload[:40].decode("utf-8", "replace").strip()
    if what == "limit":
        return Order(evse_id, "limit", _limit(text, next(one for one in live.evses if one.evse_id == evse_id)))
    if what == "unlock":
        if text.upper() != "PRESS":
            raise BadOrder("say PRESS to unlock")
        return Order(evse_id, "unlock")
    if text.upper() not in (ON, OFF):
        raise BadOrder("say ON or OFF")
    return Order(evse_id, "start" if text.upper() == ON else "stop")


def _limit(text: str, evse: EvseLive) -> float | None:
    try:
        current = float(text)
    except ValueError:
        raise BadOrder("the limit has to be a number of ampere") from None
    if not 0 <= current <= 80:  # also what is not a number at all
        raise BadOrder("the limit has to be from 0 to 80 A")
    if 0 < current < LEAST:
        raise BadOrder("the limit has to be 0, which pauses, or at least 6 A")
    return None if evse.current_max and current >= evse.current_max else current


# ------------------------------------------------------------------ Home Assistant


def discovery(base: str, prefix: str, live: StationLive, *, control: bool, wanted: bool) -> dict[str, str]:
    """Configuration topics of all entities; those that are not wanted are empty, which takes them away."""
    node = re.sub(r"[^A-Za-z0-9_-]", "-", base)
    about = {
        "availability_topic": availability(base),
        "device": {
            "identifiers": [node],
            "name": live.identity or "Charging station",
            "manufacturer": "OpenStation",
            "model": "WebStation",
            "sw_version": live.firmware_version,
        },
    }
    found = {}
    for kind, name, offered, config in _entities(base, live):
        topic = f"{prefix}/{kind}/{node}/{name}/config"
        told = {"unique_id": f"{node}_{name}", "object_id": f"{node}_{name}", **config, **about}
        found[topic] = json.dumps(told, ensure_ascii=False) if wanted and (control or not offered) else ""
    return found


def _entities(base: str, live: StationLive) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """Kind, name, whether it controls, and what is special about it."""
    yield _told(
        "binary_sensor", "csms", f"{base}/csms", "CSMS", device_class="connectivity", entity_category="diagnostic"
    )
    yield _told("sensor", "queue", f"{base}/queue", "Queue", entity_category="diagnostic", state_class="measurement")
    for evse in live.evses:
        here, which = f"{base}/evse/{evse.evse_id}", f"evse{evse.evse_id}"
        label = f"EVSE {evse.evse_id}" if len(live.evses) > 1 else ""

        def named(text: str, label: str = label) -> str:
            return f"{label} {text}".strip() if label else text[:1].upper() + text[1:]

        for name, text, unit, kind, state_class in _MEASURED:
            more = {"unit_of_measurement": unit, "device_class": kind, "state_class": state_class}
            yield _told("sensor", f"{which}_{name}", f"{here}/{name}", named(text), **more)
        yield _told("sensor", f"{which}_state", f"{here}/state", named("state"), icon="mdi:ev-station")
        yield _told("sensor", f"{which}_reason", f"{here}/reason", named("why not charging"), icon="mdi:help-circle")
        for name, text, kind in (
            ("plugged", "car", "plug"),
            ("charging", "charging", "battery_charging"),
            ("fault", "fault", "problem"),
        ):
            yield _told("binary_sensor", f"{which}_{name}", f"{here}/{name}", named(text), device_class=kind)
        yield _does("switch", f"{which}_charge", f"{here}/charge", named("charge"), state_topic=f"{here}/charge")
        yield _does("button", f"{which}_unlock", f"{here}/unlock", named("unlock"), icon="mdi:lock-open-variant")
        yield _does(
            "number",
            f"{which}_limit",
            f"{here}/limit",
            named("limit"),
            state_topic=f"{here}/limit",
            min=0,
            max=evse.current_max or 32,
            step=0.1,
            mode="box",
            unit_of_measurement="A",
            device_class="current",
            retain=True,
        )


_MEASURED = (
    ("power", "power", "W", "power", "measurement"),
    ("energy", "energy", "Wh", "energy", "total_increasing"),
    ("session_energy", "session energy", "Wh", "energy", "total_increasing"),
    ("current", "current", "A", "current", "measurement"),
    ("offered", "offered current", "A", "current", "measurement"),
)


def _told(kind: str, name: str, topic: str, label: str, **more: Any) -> tuple[str, str, bool, dict[str, Any]]:
    return kind, name, False, {"name": label, "state_topic": topic, **more}


def _does(kind: str, name: str, topic: str, label: str, **more: Any) -> tuple[str, str, bool, dict[str, Any]]:
    return kind, name, True, {"name": label, "command_topic": f"{topic}/set", **more}
