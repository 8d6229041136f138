"""Words for the board: its registers and their values. The map itself is the hardware room's; a test compares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_REGISTERS: Mapping[str, Any] = {
    "map_version": gettext_lazy("Version of the register map"),
    "evse_count": gettext_lazy("EVSEs of the board"),
    "firmware": gettext_lazy("Firmware of the board"),
    "boot_count": gettext_lazy("Starts of the board, ever"),
    "reset_cause": gettext_lazy("Why it last started"),
    "uptime": gettext_lazy("Time since then"),
    "cp_state": gettext_lazy("Control pilot"),
    "duty": gettext_lazy("Duty cycle of the pilot"),
    "current_offered": gettext_lazy("Current offered to the car"),
    "cable_limit": gettext_lazy("Cable and board carry"),
    "contactor": gettext_lazy("Contactor"),
    "lock": gettext_lazy("Connector locked"),
    "faults": gettext_lazy("Faults"),
    "warnings": gettext_lazy("Warnings"),
    "fault_latches": gettext_lazy("Faults since the board's start"),
    "watchdog": gettext_lazy("Watchdog"),
    "watchdog_left": gettext_lazy("Time until the watchdog trips"),
    "setpoint_sequence": gettext_lazy("Number of the setpoint it follows"),
    "temperature": gettext_lazy("Temperature of the power path"),
    "residual_ac": gettext_lazy("Residual current, AC"),
    "residual_dc": gettext_lazy("Residual current, DC"),
    "frequency": gettext_lazy("Mains frequency"),
    "meter_status": gettext_lazy("Meter"),
    "meter_age": gettext_lazy("Age of the meter's reading"),
    "total_power": gettext_lazy("Power"),
    "energy_import": gettext_lazy("Energy register"),
    "bay": gettext_lazy("Parking bay occupied"),
    "door": gettext_lazy("Housing open"),
    "soc": gettext_lazy("State of charge"),
    "reader_count": gettext_lazy("Cards since the board's start"),
    "reader_type": gettext_lazy("Kind of the last card"),
    "reader_evse": gettext_lazy("EVSE of that reader"),
    "reader_uid_length": gettext_lazy("Length of its number"),
    "reader_uid": gettext_lazy("Its number"),
    "self_test": gettext_lazy("Last self-test"),
    "heartbeat": gettext_lazy("Heartbeat"),
    "watchdog_timeout": gettext_lazy("Time the watchdog waits"),
    "fallback_current": gettext_lazy("Current while it is tripped"),
    "watchdog_acknowledge": gettext_lazy("Trip acknowledged"),
    "self_test_start": gettext_lazy("Self-test to begin"),
    "setpoint_current": gettext_lazy("Setpoint: current"),
    "setpoint_phases": gettext_lazy("Setpoint: phases"),
    "setpoint_allow": gettext_lazy("Setpoint: power allowed"),
    "setpoint_lock": gettext_lazy("Setpoint: lock"),
    "fault_acknowledge": gettext_lazy("Faults taken note of"),
}
_OF_PHASES: Mapping[str, Any] = {
    "voltage": gettext_lazy("Voltage of L%(phase)s"),
    "current": gettext_lazy("Current of L%(phase)s"),
    "power": gettext_lazy("Power of L%(phase)s"),
    "power_factor": gettext_lazy("Power factor of L%(phase)s"),
    "energy_import": gettext_lazy("Energy register of L%(phase)s"),
}

PILOT: Mapping[str, Any] = {
    "A": gettext_lazy("nothing is plugged in"),
    "B1": gettext_lazy("a car is there, nothing is offered"),
    "B2": gettext_lazy("a car is there, current is offered, the car is not ready"),
    "C1": gettext_lazy("the car is ready, nothing is offered"),
    "C2": gettext_lazy("the car is ready, current is offered"),
    "D1": gettext_lazy("the car asks for ventilation, nothing is offered"),
    "D2": gettext_lazy("the car asks for ventilation, current is offered"),
    "E": gettext_lazy("the pilot is shorted, or the board has no supply"),
    "F": gettext_lazy("the board says that it is not available"),
}
WATCHDOG: Mapping[str, tuple[str, Any]] = {
    "Disarmed": ("wait", gettext_lazy("not armed: nobody has spoken to the board since its start")),
    "Ok": ("good", gettext_lazy("fed")),
    "Tripped": ("bad", gettext_lazy("tripped: the station was silent for too long")),
    "Restored": ("wait", gettext_lazy("the station is back; the trip is not acknowledged yet")),
}
SELF_TEST: Mapping[str, tuple[str, Any]] = {
    "NotRun": ("off", gettext_lazy("not run since the board's start")),
    "Running": ("wait", gettext_lazy("running")),
    "Passed": ("good", gettext_lazy("passed")),
    "Failed": ("bad", gettext_lazy("failed")),
    "Refused": ("bad", gettext_lazy("refused: the contactor is closed")),
    "NoAnswer": ("bad", gettext_lazy("no outcome came")),
}


def register(name: str) -> str:
    """What a register is; its name where this firmware has no words for it."""
    if name in _REGISTERS:
        return str(_REGISTERS[name])
    kind, _line, phase = name.rpartition("_l")
    if kind in _OF_PHASES and phase in ("1", "2", "3"):
        return str(_OF_PHASES[kind]) % {"phase": phase}
    return name


def value(name: str, told: str) -> str:
    """A register's value, with words beside its code where there are some."""
    if told == "":
        return _("not available")
    if name == "cp_state" and told in PILOT:
        return f"{told}: {PILOT[told]}"
    if name == "watchdog" and told in WATCHDOG:
        return str(WATCHDOG[told][1])
    if name == "self_test" and told in SELF_TEST:
        return str(SELF_TEST[told][1])
    return {"yes": _("yes"), "no": _("no")}.get(told, told)
