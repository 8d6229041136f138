"""B09 and B10: where the CSMS is, and moving to another one; A05: never back to less security."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.device_model.definition import Located
from station.device_model.values import BadValue
from station.domain.effects import Effect, RemoveNetworkProfile, SaveNetworkProfile
from station.domain.events import LinkDown, LinkUp
from station.domain.moment import Moment
from station.domain.network import SECURITY_PROFILES, NetworkProfile, flaw_of_scheme, flaw_of_url
from station.domain.signals import RegistrationChanged, SecurityEvent
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

INVALID = "InvalidNetworkConf"  # B09.FR.02 (errata 2.11)
DOWNGRADE = "NoSecurityDowngrade"  # B09.FR.04
INVALID_SLOT = "InvalidConfSlot"  # B09.FR.05
ACCEPTED_BY = "accepted_by"  # remembered: the settings with which a CSMS has accepted the station


class NetworkProfiles(Block):
    """Keeps the network configuration slots.

    ``in_force`` is what the uplink connects with: what was set before the last reboot (B10.FR.04). A slot that the
    CSMS sets meanwhile is stored at once and waits for the next one, also where it is the slot in use (B09, remark).
    ``tried`` is the one slot that an installer's change is tried with (``trial``), None but for then.
    """

    def __init__(self, context: Context, profiles: Iterable[NetworkProfile]) -> None:
        super().__init__()
        self._context = context
        self._stored = {profile.slot: profile for profile in profiles}
        self._in_force = dict(self._stored)
        self.tried: int | None = None
        self.link: LinkUp | None = None
        accepted = context.remembered.get(ACCEPTED_BY)
        self._accepted = set(map(str, accepted)) if isinstance(accepted, list) else set()
        context.accepted_before = self._accepted_before
        self.actions = {"SetNetworkProfile": self.set_network_profile}
        context.model.add_validator(OCPPCommCtrlr.NetworkConfigurationPriority, self._check_priority)

    @property
    def in_force(self) -> list[NetworkProfile]:
        """What to connect with, by slot."""
        return [profile for slot, profile in sorted(self._in_force.items()) if self.tried in (None, slot)]

    @property
    def stored(self) -> Mapping[int, NetworkProfile]:
        """What is configured, by slot."""
        return self._stored

    def profile(self, slot: int) -> NetworkProfile | None:
        """What is stored in that slot, also where it waits for the next reboot; None where it is empty."""
        return self._stored.get(slot)

    # ------------------------------------------------------------------ B09

    def set_network_profile(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer SetNetworkProfileRequest."""
        slot, data = request["configurationSlot"], request["connectionData"]
        slots = OCPPCommCtrlr.NetworkConfigurationPriority.limits.values
        if str(slot) not in slots:
            return _rejected(INVALID_SLOT, f"slot {slot} is none of {', '.join(slots)}")  # B09.FR.05
        if flaw := self._flaw(data):
            return _rejected(INVALID, flaw)  # B09.FR.02
        active = self._context.model[SecurityCtrlr.SecurityProfile]
        if data["securityProfile"] < active:
            return _rejected(DOWNGRADE, f"security profile {active} is in use")  # B09.FR.04
        profile = _profile(slot, data)
        if self._stored.get(slot) != profile:
            self._save(slot, profile)
            self._context.journal(
                now, "network_profile", slot=slot, csms_url=profile.csms_url, security_profile=profile.security_profile
            )
            self._context.raise_signal(
                SecurityEvent(
                    "ReconfigurationOfSecurityParameters",
                    f"network slot {slot} was set: {profile.csms_url} with security profile {profile.security_profile}",
                )
            )
        return {"status": "Accepted"}  # B09.FR.01

    def _flaw(self, data: Payload) -> str:
        if data["ocppVersion"] != "OCPP20" or data["ocppTransport"] != "JSON":
            return "only OCPP20 over JSON is spoken"
        for part in ("apn", "vpn"):
            if part in data:
                return f"{part} is set up in the station's operating system"
        return self.flaw_of(_profile(1, data))

    def flaw_of(self, profile: NetworkProfile) -> str:
        """What keeps this station from connecting so, in words; empty where nothing does."""
        model = self._context.model
        timeout = model.limits(OCPPCommCtrlr.MessageTimeout)
        interfaces = model[OCPPCommCtrlr.NetworkInterfaces]
        if profile.security_profile not in SECURITY_PROFILES:
            return f"there is no security profile {profile.security_profile}"
        if flaw := flaw_of_url(profile.csms_url):
            return f"ocppCsmsUrl {flaw}"
        if flaw := flaw_of_scheme(profile.csms_url, profile.security_profile):
            return flaw
        if not (timeout.minimum or 0) <= profile.message_timeout <= (timeout.maximum or 0):
            return f"messageTimeout must be {timeout.minimum:g} to {timeout.maximum:g}"
        if profile.interface not in interfaces:
            return f"ocppInterface must be one of {', '.join(interfaces)}"
        return ""

    def missing_for(self, profile: NetworkProfile) -> str:
        """Which certificate its security profile still needs (A05.FR.02, A05.FR.03); empty where none."""
        usable = self._context.certificates.usable_profiles()
        if profile.security_profile in usable:
            return ""
        return "a charging station certificate" if 2 in usable else "a CSMS root certificate"

    # ------------------------------------------------------------------ an installer: at once, not after a reboot

    def put(self, slot: int, profile: NetworkProfile | None) -> None:
        """Configure a slot, or empty it (None), in force from now on."""
        self._save(slot, profile)
        if profile is None:
            self._in_force.pop(slot, None)
        else:
            self._in_force[slot] = profile

    def go_by(self, in_force: Iterable[NetworkProfile]) -> None:
        """Connect with these again; what is stored stays as it is."""
        self._in_force = {profile.slot: profile for profile in in_force}

    def _save(self, slot: int, profile: NetworkProfile | None) -> None:
        if profile == self._stored.get(slot):
            return
        if profile is None:
            del self._stored[slot]
            self._context.emit(RemoveNetworkProfile(slot))
        else:
            self._stored[slot] = profile
            self._context.emit(SaveNetworkProfile(profile))

    # ------------------------------------------------------------------ B10, A05: the order

    def _check_priority(self, slots: tuple[str, ...], _: Located[Any]) -> None:
        active = self._context.model[SecurityCtrlr.SecurityProfile]
        for slot in slots:
            profile = self._stored.get(int(slot))
            if profile is None:
                raise BadValue(f"slot {slot} is not configured")  # B10.FR.02
            if profile.security_profile < active:
                raise BadValue(f"slot {slot} has less security than the profile in use", DOWNGRADE)  # A05.FR.04
            if profile.security_profile > active and (missing := self.missing_for(profile)):
                raise BadValue(f"slot {slot} needs {missing}", INVALID)  # A05.FR.02, A05.FR.03

    # ------------------------------------------------------------------ connected

    def on(self, event: object, now: Moment) -> None:
        match event:
            case LinkUp():
                self.link = event
                self._connected(event, now)
            case LinkDown():
                self.link = None
            case RegistrationChanged(status="Accepted"):
                self._note_acceptance()

    def _note_acceptance(self) -> None:
        """Whoever accepted the station once with these settings may be waited for while offline (part 2, B 1.1)."""
        profile = next((one for one in self.in_force if self.link and one.slot == self.link.slot), None)
        if profile is None or self._settings(profile) in self._accepted:
            return
        present = {self._settings(one) for one in self.stored.values()}
        self._accepted = (self._accepted & present) | {self._settings(profile)}
        self._context.remember(ACCEPTED_BY, sorted(self._accepted))

    def _accepted_before(self) -> bool:
        return any(self._settings(profile) in self._accepted for profile in self.in_force)

    def _settings(self, profile: NetworkProfile) -> str:
        """Who the station is, and to whom."""
        return f"{self._context.model[SecurityCtrlr.Identity]} at {profile.csms_url}"

    def settle(self, now: Moment) -> None:
        """What was tried is kept."""
        self.tried = None
        if self.link is not None:
            self._connected(self.link, now)

    def _connected(self, link: LinkUp, now: Moment) -> None:
        model = self._context.model
        profile = next((one for one in self.in_force if one.slot == link.slot), None)
        if profile is not None:
            # 2.1.3: the default timeout is that of the profile in use
            self._emit(model.assign(OCPPCommCtrlr.MessageTimeout, profile.message_timeout))
        if self.tried is not None:
            return  # a connection that may be taken back must not burn the way back
        self._emit(model.assign(SecurityCtrlr.SecurityProfile, link.security_profile))
        lower = [slot for slot, one in self._stored.items() if one.security_profile < link.security_profile]
        if not lower:
            return
        for slot in lower:  # A05.FR.06: with this CSMS there is no way back
            self.put(slot, None)
        self.go_by(one for one in self.in_force if one.security_profile >= link.security_profile)
        self._context.journal(now, "network_profiles_removed", slots=lower, security_profile=link.security_profile)
        self._context.raise_signal(
            SecurityEvent(
                "ReconfigurationOfSecurityParameters",
                f"security profile {link.security_profile} is in use; network slots with less were removed: {lower}",
            )
        )
        named = model.raw(OCPPCommCtrlr.NetworkConfigurationPriority).split(",")
        left = tuple(slot for slot in named if int(slot) in self._stored) or (str(link.slot),)
        self._emit(model.assign(OCPPCommCtrlr.NetworkConfigurationPriority, left))

    def _emit(self, effect: Effect | None) -> None:
        if effect is not None:
            self._context.emit(effect)


def _profile(slot: int, data: Payload) -> NetworkProfile:
    return NetworkProfile(
        slot, data["ocppCsmsUrl"], data["securityProfile"], data["messageTimeout"], data["ocppInterface"]
    )


def _rejected(reason_code: str, info: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info[:512]}}
