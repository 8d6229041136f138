"""The board at this moment, as pieces of the hardware page. Rendered only while somebody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from station.live.payloads import StationLive
from webui import words
from webui.hardware_page import names
from webui.pieces import marked

HEAD, SILENT = "hardware-head", "hardware-silent"
PHASES = ("L1", "L2", "L3")


def board(told: Mapping[str, Any]) -> dict[str, str]:
    """Every piece that a publication of the hardware worker makes, by id. Raises KeyError, TypeError, ValueError."""
    snapshot = told["snapshot"]
    found = {HEAD: _head(told)}
    for evse in snapshot["evses"]:
        evse_id = int(evse["evse_id"])
        found[f"hardware-evse-{evse_id}"] = _evse(evse_id, evse)
        registers = told["registers"].get(str(evse_id))
        if registers is not None:
            found[f"hardware-registers-{evse_id}"] = _registers(evse_id, registers)
    return found


def _head(told: Mapping[str, Any]) -> str:
    context = {"board": told["snapshot"], "bus": told["snapshot"]["bus"], "polling": told["polling"]}
    return marked(HEAD, render_to_string("hardware_page/_head.html", context))


def _evse(evse_id: int, evse: Mapping[str, Any]) -> str:
    meter = evse["meter"]
    rows = zip(PHASES, meter["voltage"], meter["current"], meter["power"], meter["power_factor"], strict=False)
    largest = max([1.0, *(abs(float(one)) for one in meter["current"]), float(evse["current_offered"])])
    phases = [
        {
            "name": name,
            "voltage": voltage,
            "current": current,
            "power": power,
            "factor": factor,
            "share": round(min(100.0, 100 * abs(current) / largest), 1),
        }
        for name, voltage, current, power, factor in rows
        if voltage > 20 or abs(current) > 0.05
    ]
    tone, watchdog = names.WATCHDOG.get(evse["watchdog"], ("off", evse["watchdog"]))
    test_tone, test = names.SELF_TEST.get(evse["self_test"], ("off", evse["self_test"]))
    context = {
        "evse_id": evse_id,
        "evse": evse,
        "meter": meter,
        "phases": phases,
        "offered": round(min(100.0, 100 * float(evse["current_offered"]) / largest), 1),
        "pilot": names.PILOT.get(evse["cp_state"], ""),
        "watchdog": watchdog,
        "watchdog_tone": tone,
        "test": test,
        "test_tone": test_tone,
        "faults": [words.fault(one) for one in evse["faults"]],
        "residual_ac": 1000 * float(evse["residual_ac"]),
        "residual_dc": 1000 * float(evse["residual_dc"]),
        "energy": evse["meter"]["energy"],
    }
    return marked(f"hardware-evse-{evse_id}", render_to_string("hardware_page/_evse.html", context))


def _registers(evse_id: int, told: Mapping[str, Any]) -> str:
    tables = [
        (
            kind,
            [
                (address, name, raw, names.register(name), names.value(name, value), unit)
                for address, name, raw, value, unit in told[kind]
            ],
        )
        for kind in ("input", "holding")
    ]
    context = {"evse_id": evse_id, "tables": tables}
    return marked(f"hardware-registers-{evse_id}", render_to_string("hardware_page/_registers.html", context))


def silent(*, is_silent: bool) -> str:
    """Says that the hardware worker sends nothing; empty while it does."""
    return marked(SILENT, render_to_string("hardware_page/_silent.html", {"silent": is_silent}))


def maintenance(station: StationLive) -> dict[str, str]:
    """The pieces of maintenance, by id: the mode itself, and beside it the time that is left."""
    found = {}
    for evse in station.evses:
        told = station.engineering.get(str(evse.evse_id), {})
        mode = told.get("maintenance")
        context = {
            "evse_id": evse.evse_id,
            "who": mode["who"] if mode else "",
            "left": mode["left"] if mode else 0,
            "minutes": divmod(mode["left"], 60)[0] if mode else 0,
            "seconds": f"{mode['left'] % 60:02d}" if mode else "00",
            "current": mode["current"] if mode else 0,
            "busy": evse.transaction_id is not None,
            "testing": told.get("self_test") == "Running",
        }
        for piece in ("maintenance", "left"):
            name = f"hardware-{piece}-{evse.evse_id}"
            found[name] = marked(name, render_to_string(f"hardware_page/_{piece}.html", context))
    return found
