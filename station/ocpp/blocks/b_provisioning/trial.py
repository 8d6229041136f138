"""An installer's change of what the station connects with is tried, and taken back by itself where it does not work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.domain.certificates import CertificateUse
from station.domain.effects import Reconnect
from station.domain.events import ConnectionFailed, LinkDown, LinkUp, Started, Tick
from station.domain.moment import Moment
from station.domain.network import NetworkProfile
from station.domain.signals import ConnectionChanged, RegistrationChanged, SecurityEvent
from station.ocpp.block import Block
from station.ocpp.blocks.b_provisioning.network_profiles import NetworkProfiles
from station.ocpp.context import Context

WINDOW = 120.0  # s for the CSMS to answer; not a variable, so that nobody can lock himself out with it
LIVES = 2  # a power cut gives it the whole time once more, but a station that keeps failing ends it
REMEMBERED = "connection_trial"  # sealed in the store: it holds the former password

_TEXTS = {"Identity": SecurityCtrlr.Identity, "BasicAuthPassword": SecurityCtrlr.BasicAuthPassword}
_PRIORITY = "NetworkConfigurationPriority"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a change sets.

    ``profiles`` by slot, None empties it; ``variables`` by name, as OCPP writes their values; ``without`` is the id of
    a CSMS root certificate that is deleted when it has worked without it.
    """

    profiles: Mapping[int, NetworkProfile | None] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    without: str = ""


@dataclass(slots=True)
class _Running:
    """A trial: ``slot`` is what is connected with, ``former`` what comes back. ``what`` and ``who`` are for people."""

    what: str
    who: str
    slot: int
    former: Settings
    without: str = ""  # as in ``Settings``
    lives: int = 1
    until: float = 0.0  # monotonic
    fresh: bool = False  # the link by the former settings is gone
    linked: bool = False
    why: str = "no_connection"  # what stands in its way at present, a stable word
    detail: str = ""


class Trial(Block):
    """Connects by an installer's new settings at once, with no other slot than the one they are about.

    They are kept when the CSMS answers BootNotification with Accepted or Pending: it knows the station, and whoever
    sits there decides the rest. Where that has not happened after ``WINDOW``, the former settings come back. Both are
    on the disk from the first step on, so a power cut loses neither. What is queued waits: nothing of it is sent to a
    CSMS that has not accepted the station.
    """

    def __init__(self, context: Context, network: NetworkProfiles) -> None:
        super().__init__()
        self._context = context
        self._network = network
        self._running = _recalled(context.remembered.get(REMEMBERED))
        self._in_force: list[NetworkProfile] | None = None  # before the trial; None after a reboot: what is stored
        if self._running is not None:
            network.tried = self._running.slot
            context.certificates.without = self._running.without

    @property
    def running(self) -> bool:
        """Something is being tried now."""
        return self._running is not None

    @property
    def slot(self) -> int:
        """The slot that is being tried; 0: none."""
        return self._running.slot if self._running else 0

    def left(self, now: Moment) -> int:
        """Whole seconds until the former settings come back; 0 where nothing is tried."""
        return max(1, round(self._running.until - now.monotonic)) if self._running else 0

    def deadline(self) -> float | None:
        return self._running.until if self._running else None

    # ------------------------------------------------------------------ begin

    def set(self, settings: Settings, *, reconnect: bool) -> None:
        """Have ``settings`` for good; ``reconnect``: and connect by them."""
        self._apply(settings)
        if reconnect:
            self._network.go_by(self._network.stored.values())
            self._connect_anew("an installer changed the connection")

    def begin(self, what: str, who: str, settings: Settings, slot: int, now: Moment) -> None:
        """Try ``settings`` by connecting with ``slot``. Nothing else may be running."""
        self._running = _Running(
            what,
            who,
            slot,
            self._former(settings),
            settings.without,
            until=now.monotonic + WINDOW,
            fresh=self._network.link is None,
        )
        self._in_force = self._network.in_force
        self._apply(settings)
        self._context.certificates.without = settings.without
        self._network.go_by(self._network.stored.values())
        self._network.tried = slot
        self._keep_in_mind()
        profile = self._network.stored.get(slot)
        self._context.journal(
            now, "trial_began", what=what, who=who, slot=slot, csms_url=profile.csms_url if profile else ""
        )
        self._context.raise_signal(
            SecurityEvent("ReconfigurationOfSecurityParameters", f"{what} is tried with slot {slot}")
        )
        self._connect_anew("an installer's new settings are tried")

    def _former(self, settings: Settings) -> Settings:
        model = self._context.model
        order = model.raw(OCPPCommCtrlr.NetworkConfigurationPriority)
        return Settings(
            {slot: self._network.stored.get(slot) for slot in settings.profiles},
            {name: order if name == _PRIORITY else model.raw(_TEXTS[name]) for name in settings.variables},
        )

    def _apply(self, settings: Settings) -> None:
        model = self._context.model
        for slot, profile in settings.profiles.items():
            self._network.put(slot, profile)
        for name, text in settings.variables.items():
            if name == _PRIORITY:
                effect = model.assign(OCPPCommCtrlr.NetworkConfigurationPriority, tuple(text.split(",")))
            else:
                effect = model.assign(_TEXTS[name], text)
            if effect is not None:
                self._context.emit(effect if text else replace(effect, value=None))

    def _connect_anew(self, reason: str) -> None:
        self._context.raise_signal(ConnectionChanged())
        self._context.emit(Reconnect(reason))

    # ------------------------------------------------------------------ how it fares

    def on(self, event: object, now: Moment) -> None:
        running = self._running
        if running is None:
            return
        match event:
            case Started():
                self._resume(running, now)
            case LinkDown():
                if running.linked:
                    running.why, running.detail = "connection_lost", event.reason
                if not running.fresh:  # whatever was said there since
                    self._context.raise_signal(ConnectionChanged())
                running.fresh, running.linked = True, False
            case LinkUp() if running.fresh:
                running.linked = True
                running.why, running.detail = "no_answer", ""
            case ConnectionFailed() if running.fresh and event.slot == running.slot:
                running.why, running.detail = str(event.cause), event.detail
            case RegistrationChanged() if running.linked:
                if event.status == "Rejected":
                    running.why, running.detail = "rejected", ""
                else:
                    self._keep(running, event.status, now)
            case Tick() if now.monotonic >= running.until:
                self.take_back(now)

    def _resume(self, running: _Running, now: Moment) -> None:
        """The power was cut, or somebody restarted the station."""
        running.lives += 1
        running.until = now.monotonic + WINDOW
        running.fresh = True
        if running.lives > LIVES:
            running.why = "restarted"
            self.take_back(now)
        else:
            self._keep_in_mind()

    def _keep(self, running: _Running, status: str, now: Moment) -> None:
        self._over()
        self._network.settle(now)
        if running.without and len(self._context.certificates.of(CertificateUse.CSMS_ROOT)) > 1:
            self._context.certificates.remove(running.without)
        self._context.journal(now, "trial_kept", what=running.what, slot=running.slot, status=status)

    def take_back(self, now: Moment, *, by_hand: str = "") -> None:
        """The former settings come back and are connected with. ``by_hand``: who wanted it."""
        running = self._running
        if running is None:
            return
        self._over()
        self._apply(running.former)
        if self._in_force is not None:
            self._network.go_by(self._in_force)
        if by_hand:
            running.why, running.detail = "by_hand", by_hand
        self._context.journal(
            now, "trial_taken_back", what=running.what, slot=running.slot, why=running.why, detail=running.detail
        )
        self._context.raise_signal(
            SecurityEvent("ReconfigurationOfSecurityParameters", f"{running.what} is taken back")
        )
        self._connect_anew("the former settings come back")

    def _over(self) -> None:
        self._running = None
        self._network.tried = None
        self._context.certificates.without = ""
        self._context.remember(REMEMBERED, None)

    def _keep_in_mind(self) -> None:
        running = self._running
        if running is None:
            return
        kept = {name: getattr(running, name) for name in ("what", "who", "slot", "without", "lives")}
        profiles = {str(slot): asdict(one) if one else None for slot, one in running.former.profiles.items()}
        self._context.remember(REMEMBERED, {**kept, "profiles": profiles, "variables": dict(running.former.variables)})


def _recalled(kept: Any) -> _Running | None:
    """The trial of the last life; None where there was none, or where it cannot be made out any more."""
    if not isinstance(kept, Mapping):
        return None
    try:
        former = Settings(
            {int(slot): NetworkProfile(**one) if one else None for slot, one in kept["profiles"].items()},
            {name: kept["variables"][name] for name in (_PRIORITY, *_TEXTS) if name in kept["variables"]},
        )
        what, who, without = (str(kept[name]) for name in ("what", "who", "without"))
        return _Running(what, who, int(kept["slot"]), former, without, int(kept["lives"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
