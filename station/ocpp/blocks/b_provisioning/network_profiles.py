"""B09 and B10: where the CSMS is, and moving to another one; A05: never back to less security."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.device_model.definition import Located
from station.device_model.values import BadValue
from station.domain.effects import Effect, RemoveNetworkProfile, SaveNetworkProfile
from station.domain.events import LinkUp
from station.domain.moment import Moment
from station.domain.network import SECURITY_PROFILES, NetworkProfile, flaw_of_scheme, flaw_of_url
from station.domain.signals import SecurityEvent
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

INVALID = "InvalidNetworkConf"  # B09.FR.02 (errata 2.11)
DOWNGRADE = "NoSecurityDowngrade"  # B09.FR.04
INVALID_SLOT = "InvalidConfSlot"  # B09.FR.05


class NetworkProfiles(Block):
    """Keeps the network configuration slots.

    ``in_force`` is what the uplink connects with: what was set before the last reboot (B10.FR.04). A slot that the
    CSMS sets meanwhile is stored at once and waits for the next one, also where it is the slot in use (B09, remark).
    """

    def __init__(self, context: Context, profiles: Iterable[NetworkProfile]) -> None:
        super().__init__()
        self._context = context
        self.in_force = list(profiles)
        self._stored = {profile.slot: profile for profile in self.in_force}
        self.actions = {"SetNetworkProfile": self.set_network_profile}
        context.model.add_validator(OCPPCommCtrlr.NetworkConfigurationPriority, self._check_priority)

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
        profile = NetworkProfile(
            slot, data["ocppCsmsUrl"], data["securityProfile"], data["messageTimeout"], data["ocppInterface"]
        )
        if self._stored.get(slot) != profile:
            self._stored[slot] = profile
            self._context.emit(SaveNetworkProfile(profile))
            self._context.journal(
                now, "network_profile", slot=slot, csms_url=profile.csms_url, security_profile=profile.security_profile
            )
            self._context.raise_signal(
                SecurityEvent("ReconfigurationOfSecurityParameters", f"network slot {slot} was set", critical=False)
            )
        return {"status": "Accepted"}  # B09.FR.01

    def _flaw(self, data: Payload) -> str:
        """What keeps this station from connecting so, in words; empty where nothing does."""
        model = self._context.model
        timeout = model.limits(OCPPCommCtrlr.MessageTimeout)
        interfaces = model[OCPPCommCtrlr.NetworkInterfaces]
        security_profile, url = data["securityProfile"], data["ocppCsmsUrl"]
        if data["ocppVersion"] != "OCPP20" or data["ocppTransport"] != "JSON":
            return "only OCPP20 over JSON is spoken"
        if security_profile not in SECURITY_PROFILES:
            return f"there is no security profile {security_profile}"
        if flaw := flaw_of_url(url):
            return f"ocppCsmsUrl {flaw}"
        if flaw := flaw_of_scheme(url, security_profile):
            return flaw
        if not (timeout.minimum or 0) <= data["messageTimeout"] <= (timeout.maximum or 0):
            return f"messageTimeout must be {timeout.minimum:g} to {timeout.maximum:g}"
        if data["ocppInterface"] not in interfaces:
            return f"ocppInterface must be one of {', '.join(interfaces)}"
        for part in ("apn", "vpn"):
            if part in data:
                return f"{part} is set up in the station's operating system"
        return ""

    # ------------------------------------------------------------------ B10, A05: the order

    def _check_priority(self, slots: tuple[str, ...], _: Located[Any]) -> None:
        active = self._context.model[SecurityCtrlr.SecurityProfile]
        usable = self._context.certificates.usable_profiles()
        for slot in slots:
            profile = self._stored.get(int(slot))
            if profile is None:
                raise BadValue(f"slot {slot} is not configured")  # B10.FR.02
            if profile.security_profile < active:
                raise BadValue(f"slot {slot} has less security than the profile in use", DOWNGRADE)  # A05.FR.04
            if profile.security_profile > active and profile.security_profile not in usable:
                what = "a charging station" if 2 in usable else "a CSMS root"
                raise BadValue(f"slot {slot} needs {what} certificate", INVALID)  # A05.FR.02, A05.FR.03

    # ------------------------------------------------------------------ connected

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, LinkUp):
            self._connected(event, now)

    def _connected(self, link: LinkUp, now: Moment) -> None:
        model = self._context.model
        profile = next((one for one in self.in_force if one.slot == link.slot), None)
        if profile is not None:
            # 2.1.3: the default timeout is that of the profile in use
            self._emit(model.assign(OCPPCommCtrlr.MessageTimeout, profile.message_timeout))
        self._emit(model.assign(SecurityCtrlr.SecurityProfile, link.security_profile))
        lower = [slot for slot, one in self._stored.items() if one.security_profile < link.security_profile]
        if not lower:
            return
        for slot in lower:  # A05.FR.06: with this CSMS there is no way back
            del self._stored[slot]
            self._context.emit(RemoveNetworkProfile(slot))
        self.in_force = [one for one in self.in_force if one.security_profile >= link.security_profile]
        self._context.journal(now, "network_profiles_removed", slots=lower, security_profile=link.security_profile)
        named = model.raw(OCPPCommCtrlr.NetworkConfigurationPriority).split(",")
        left = tuple(slot for slot in named if int(slot) in self._stored) or (str(link.slot),)
        self._emit(model.assign(OCPPCommCtrlr.NetworkConfigurationPriority, left))

    def _emit(self, effect: Effect | None) -> None:
        if effect is not None:
            self._context.emit(effect)


def _rejected(reason_code: str, info: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info[:512]}}
