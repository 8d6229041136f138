"""What an installer does to the connection: slots, their order, identity and password. All of it tried first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.device_model.values import BadValue
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.network import NetworkProfile
from station.domain.signals import SecurityEvent, TryWithoutRoot
from station.ocpp.block import Block
from station.ocpp.blocks.b_provisioning.network_profiles import NetworkProfiles
from station.ocpp.blocks.b_provisioning.trial import WINDOW, Settings, Trial
from station.ocpp.context import Context

TRIED = (
    "The station connects by the new settings now. Unless the operator's system answers within "
    f"{WINDOW:.0f} seconds, the former ones come back by themselves."
)
_CREDENTIALS = {"identity": SecurityCtrlr.Identity, "password": SecurityCtrlr.BasicAuthPassword}


class Refused(Exception):
    """The text is for the person who asked."""


class Installer(Block):
    """Carries out ``set_network_profile``, ``remove_network_profile``, ``set_network_priority``, ``set_credentials``.

    What touches the connection in use, or the one that comes first, is tried (``Trial``); what concerns a slot to fall
    back to is only stored. There is no trial where there is nothing to go back to, and where the installer says
    ``keep``, because the CSMS is not there yet.

    Less security than in use: over OCPP there is no way down (A05, remark 8), which protects the station against its
    CSMS. A person who is logged in at the station as an installer may go down nevertheless, for that is how a station
    moves to an older CSMS, but has to say so (``less_security``), and it stands in the security log.
    """

    def __init__(self, context: Context, network: NetworkProfiles, trial: Trial) -> None:
        super().__init__()
        self._context = context
        self._network = network
        self._trial = trial
        self._commands = {
            "set_network_profile": self._set_profile,
            "remove_network_profile": self._remove_profile,
            "set_network_priority": self._set_priority,
            "set_credentials": self._set_credentials,
            "take_back": self._take_back,
        }

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, OperatorCommand) and event.action in self._commands:
            self._finish(event.command_id, lambda: self._obey(event, now))
        elif isinstance(event, TryWithoutRoot):
            self._finish(event.command_id, lambda: self._try_without(event, now))

    def _finish(self, command_id: int, act: Callable[[], str]) -> None:
        try:
            said = act()
        except Refused as refused:
            self._context.emit(FinishCommand(command_id, "Rejected", str(refused)))
        except (KeyError, TypeError, ValueError):
            self._context.emit(FinishCommand(command_id, "Rejected", "This cannot be read."))
        else:
            self._context.emit(FinishCommand(command_id, "Accepted", said))

    def _obey(self, command: OperatorCommand, now: Moment) -> str:
        if command.action != "take_back":
            self._one_at_a_time()
        return self._commands[command.action](command, now)

    def _one_at_a_time(self) -> None:
        if self._trial.running:
            raise Refused("Other settings are being tried. Wait for the outcome, or take them back.")

    # ------------------------------------------------------------------ the commands

    def _set_profile(self, command: OperatorCommand, now: Moment) -> str:
        asked = command.arguments
        profile = NetworkProfile(
            int(asked["slot"]),
            str(asked["csms_url"]),
            int(asked["security_profile"]),
            int(asked["message_timeout"]),
            str(asked["interface"]),
        )
        slots = OCPPCommCtrlr.NetworkConfigurationPriority.limits.values
        if str(profile.slot) not in slots:
            raise Refused(f"There is no slot {profile.slot}, only {', '.join(slots)}.")
        if flaw := self._network.flaw_of(profile):
            raise Refused(_sentence(flaw))
        credentials = self._credentials(asked)
        used = not self._network.stored or profile.slot in (self._current(), self._order()[0])
        if credentials and not used:
            raise Refused("Identity and password are the same for every slot. Change them with the slot in use.")
        if used:
            self._check_security([profile], asked)
        if self._network.stored.get(profile.slot) == profile and not credentials:
            return "Nothing has changed."
        variables = dict(credentials)
        if not self._network.stored:
            variables["NetworkConfigurationPriority"] = str(profile.slot)
        settings = Settings({profile.slot: profile}, variables)
        return self._carry_out("network_profile", command, settings, profile.slot if used else None, now)

    def _remove_profile(self, command: OperatorCommand, now: Moment) -> str:
        slot = int(command.arguments["slot"])
        left = sorted(one for one in self._network.stored if one != slot)
        if slot not in self._network.stored:
            raise Refused(f"Slot {slot} is empty already.")
        if not left:
            raise Refused("This is the only slot. Change it instead.")
        order = [one for one in self._order() if one != slot] or left[:1]
        used = order[0] if slot == self._current() else None
        if used is not None:
            self._check_security([self._network.stored[used]], command.arguments)
        variables = {"NetworkConfigurationPriority": ",".join(str(one) for one in order)}
        return self._carry_out("network_profile_removed", command, Settings({slot: None}, variables), used, now)

    def _set_priority(self, command: OperatorCommand, now: Moment) -> str:
        order = [int(slot) for slot in command.arguments["slots"]]
        if not order or len(set(order)) != len(order):
            raise Refused("The order names each slot once, and at least one.")
        if missing := [str(slot) for slot in order if slot not in self._network.stored]:
            raise Refused(f"Slot {', '.join(missing)} is not configured.")
        if order == self._order():
            return "Nothing has changed."
        self._check_security([self._network.stored[slot] for slot in order], command.arguments)
        used = order[0] if order[0] != self._current() else None
        variables = {"NetworkConfigurationPriority": ",".join(str(slot) for slot in order)}
        return self._carry_out("network_priority", command, Settings({}, variables), used, now)

    def _set_credentials(self, command: OperatorCommand, now: Moment) -> str:
        credentials = self._credentials(command.arguments)
        if not credentials:
            return "Nothing has changed."
        return self._carry_out("credentials", command, Settings({}, credentials), self._current() or 0, now)

    def _take_back(self, command: OperatorCommand, now: Moment) -> str:
        if not self._trial.running:
            raise Refused("Nothing is being tried.")
        self._trial.take_back(now, by_hand=command.who)
        return "The former settings are back."

    def _try_without(self, wish: TryWithoutRoot, now: Moment) -> str:
        self._one_at_a_time()
        slot = self._current()
        if slot is None:
            raise Refused("No operator's system is configured by which this could be tried.")
        self._trial.begin("root_deleted", wish.who, Settings(without=wish.certificate_id), slot, now)
        return TRIED

    # ------------------------------------------------------------------ parts

    def _carry_out(self, what: str, command: OperatorCommand, settings: Settings, used: int | None, now: Moment) -> str:
        """``used``: the slot to connect with for it, None where the connection in use is not touched."""
        keep = bool(command.arguments.get("keep")) or not self._network.stored
        if used is not None and not keep:
            self._trial.begin(what, command.who, settings, used, now)
            return TRIED
        self._trial.set(settings, reconnect=used is not None)
        self._context.journal(now, "connection_set", what=what, who=command.who, slot=used or _slot_of(settings))
        self._context.raise_signal(SecurityEvent("ReconfigurationOfSecurityParameters", f"{what} was set"))
        if used is not None:
            return "Kept. The station connects by it now."
        unused = [slot for slot in settings.profiles if slot not in self._order() and slot in self._network.stored]
        return "Kept. The slot is not used until the order names it." if unused else "Kept."

    def _credentials(self, asked: Mapping[str, Any]) -> dict[str, str]:
        """What of identity and password is new, by variable. Raises Refused."""
        new = {}
        for name, variable in _CREDENTIALS.items():
            text = str(asked.get(name) or "")
            if not text or text == self._context.model.raw(variable):
                continue
            try:
                variable.parse(text, self._context.model.limits(variable))
            except BadValue as flaw:
                raise Refused(f"The {name} {flaw}.") from None
            new[variable.name] = text
        return new

    def _check_security(self, profiles: Iterable[NetworkProfile], asked: Mapping[str, Any]) -> None:
        active = self._context.model[SecurityCtrlr.SecurityProfile]
        for profile in profiles:
            if missing := self._network.missing_for(profile):
                raise Refused(f"Security profile {profile.security_profile} needs {missing}. Install it first.")
            if profile.security_profile < active and not asked.get("less_security"):
                raise Refused(
                    f"Slot {profile.slot} has less security than security profile {active}, which is in use. "
                    "Confirm that this is meant."
                )

    def _order(self) -> Sequence[int]:
        """The slots that are connected with, the first one first."""
        named = self._context.model.raw(OCPPCommCtrlr.NetworkConfigurationPriority).split(",")
        known = [int(slot) for slot in named if int(slot) in self._network.stored]
        return known or sorted(self._network.stored)

    def _current(self) -> int | None:
        """The slot that is connected with, or that will be tried first; None where none is configured."""
        if self._network.link is not None and self._network.link.slot in self._network.stored:
            return self._network.link.slot
        return next(iter(self._order()), None)


def _slot_of(settings: Settings) -> int | None:
    return next(iter(settings.profiles), None)


def _sentence(flaw: str) -> str:
    return f"{flaw[:1].upper()}{flaw[1:]}."
