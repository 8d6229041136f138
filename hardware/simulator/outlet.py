"""What is physical at one EVSE: cable, EV, bay, wiring and the meter's register. It outlives every restart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hardware.simulator.electronics import Electronics
from hardware.simulator.ev import Ev
from station.domain.board import Fault

NOMINAL_VOLTAGE = 230.0
LOOP_RESISTANCE = 0.12  # Ω of mains and cable: 32 A let the voltage sag by 4 V
AMBIENT = 24.0  # °C
HEATING = 22.0  # K above ambient at 32 A, when settled
HEATING_TIME = 600.0  # s
OVERHEATED = 95.0  # °C
LEAKAGE, LEAKING = 0.001, 0.045  # A, residual current in health and with a ground failure

Phases = tuple[float, float, float]


@dataclass(slots=True)
class Outlet:
    """One EVSE's place. ``flown`` is what has flowed in each phase, in mWh; ``shown`` is what the meter shows of it.

    The meter shows only what is kept safe (see ``store``), so that its register never goes back, whatever happens.
    ``cause`` is a fault that is there, whether or not the electronics has seen it.
    """

    ev: Ev | None = None
    cable: bool = False  # a driver's, in the socket; a fixed one is no matter of an outlet's
    jammed: bool = False  # the socket's lock
    locked: bool = False  # its bolt is out
    cause: Fault | None = None
    bay_occupied: bool = False
    flown: Phases = (0.0, 0.0, 0.0)
    shown: tuple[int, int, int] = (0, 0, 0)
    voltage: Phases = (NOMINAL_VOLTAGE, 0.0, 0.0)
    current: Phases = (0.0, 0.0, 0.0)
    power_factor: Phases = (1.0, 1.0, 1.0)
    temperature: float = AMBIENT

    @property
    def letter(self) -> str:
        """What is on the pilot: A with nothing plugged in, else the EV's own."""
        return self.ev.letter if self.ev else "A"

    @property
    def power(self) -> Phases:
        """W in each phase."""
        l1, l2, l3 = (
            volts * amperes * factor
            for volts, amperes, factor in zip(self.voltage, self.current, self.power_factor, strict=True)
        )
        return l1, l2, l3

    @property
    def energy(self) -> float:
        """What has flowed in all phases, in mWh."""
        return sum(self.flown)

    @property
    def register(self) -> int:
        """The meter's register of all phases."""
        return sum(self.shown)

    @property
    def lags(self) -> bool:
        """The meter could show more than it does."""
        return any(flown - shown >= 1.0 for flown, shown in zip(self.flown, self.shown, strict=True))

    @property
    def residual(self) -> float:
        """A, AC residual current."""
        return LEAKING if self.cause is Fault.GROUND_FAILURE else LEAKAGE

    def step(self, dt: float, uptime: float, supply: bool, electronics: Electronics) -> None:
        """Let ``dt`` seconds pass behind the electronics as it stands."""
        if self.ev:
            self.ev.step(dt, electronics.offered, electronics.closed and supply)
        self._measure(uptime, supply, electronics.phases)
        l1, l2, l3 = (before + watts * dt / 3.6 for before, watts in zip(self.flown, self.power, strict=True))
        self.flown = l1, l2, l3
        energy = sum(self.power) * dt / 3600.0
        if self.ev and energy:
            self.ev.charge(energy)
        self._warm(dt)

    def _measure(self, uptime: float, supply: bool, connected: int) -> None:
        drawn = self.ev.current if self.ev else 0.0
        drawing = min(self.ev.phases, connected) if self.ev else 0
        self.current = _on(drawing, drawn)
        wave = 0.8 * math.sin(uptime / 37.0) + 0.4 * math.sin(uptime / 11.0)
        volts = [NOMINAL_VOLTAGE + wave - LOOP_RESISTANCE * amperes for amperes in self.current]
        wired = connected if supply else 0
        l1, l2, l3 = (value if phase < wired else 0.0 for phase, value in enumerate(volts))
        self.voltage = l1, l2, l3
        # Chargers correct their power factor well at load and badly near nothing.
        factor = 0.995 - 0.3 * math.exp(-drawn / 2.0)
        self.power_factor = _on(drawing, factor, 1.0) if drawn else (1.0, 1.0, 1.0)

    def _warm(self, dt: float) -> None:
        if self.cause is Fault.OVER_TEMPERATURE:
            self.temperature = OVERHEATED
            return
        settled = AMBIENT + HEATING * (max(self.current) / 32.0) ** 2
        self.temperature += (settled - self.temperature) * -math.expm1(-dt / HEATING_TIME)


def _on(phases: int, value: float, otherwise: float = 0.0) -> Phases:
    l1, l2, l3 = (value if phase < phases else otherwise for phase in range(3))
    return l1, l2, l3


def pack(outlet: Outlet) -> dict[str, Any]:
    """What of an outlet lasts, as JSON; the energy of each phase in whole mWh."""
    ev = outlet.ev
    return {
        "energy": [int(energy) for energy in outlet.flown],
        "bay_occupied": outlet.bay_occupied,
        "cable": outlet.cable,
        "jammed": outlet.jammed,
        "locked": outlet.locked,
        "cause": outlet.cause,
        "ev": ev
        and {
            "max_current": ev.max_current,
            "phases": ev.phases,
            "requests_energy": ev.requests_energy,
            "soc": ev.soc,
            "tells_soc": ev.tells_soc,
            "ventilation": ev.ventilation,
        },
    }


def unpack(data: dict[str, Any]) -> Outlet:
    """The outlet behind ``pack``; raises KeyError, TypeError or ValueError where it is none."""
    energy = data["energy"]
    if isinstance(energy, int):
        energy = [energy, 0, 0]  # kept before the phases were counted
    l1, l2, l3 = (_register(one) for one in energy)
    return Outlet(
        ev=Ev(**data["ev"]) if data["ev"] else None,
        cause=Fault(data["cause"]) if data["cause"] else None,
        bay_occupied=bool(data["bay_occupied"]),
        cable=bool(data.get("cable")),
        jammed=bool(data.get("jammed")),
        locked=bool(data.get("locked")),
        flown=(float(l1), float(l2), float(l3)),
        shown=(l1, l2, l3),
    )


def _register(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"energy {value!r} is no register")
    return value
