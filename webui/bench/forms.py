"""What may be asked of the bench, each form with the body that it makes of its fields."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

FAULTS = (
    ("GroundFailure", _("Ground failure")),
    ("OverCurrent", _("Over-current")),
    ("OverTemperature", _("Over-temperature")),
    ("ControlPilotFault", _("Control pilot fault")),
    ("ContactorWelded", _("Contactor welded")),
)
DRIVE_SECONDS = 60
SWITCH = (("on", _("on")), ("off", _("off")))


class Action(forms.Form):
    """One request to the bench."""

    def body(self) -> dict[str, Any] | None:
        """The JSON body, or None for none."""
        return None


class Switch(Action):
    """Something that is on or off; ``key`` is its name in the body."""

    key = ""
    to = forms.ChoiceField(choices=SWITCH)

    def body(self) -> dict[str, Any]:
        return {self.key: self.cleaned_data["to"] == "on"}


class Door(Switch):
    key = "open"


class Power(Switch):
    key = "on"


class Bay(Switch):
    key = "occupied"


class Ev(Action):
    """What the car wants: energy or not, and how much current; only what was given is changed."""

    to = forms.ChoiceField(choices=SWITCH, required=False)
    max_current = forms.FloatField(min_value=0, max_value=80, required=False, label=_("Maximum current"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("to") and data.get("max_current") is None:
            raise forms.ValidationError(_("Nothing was asked of the car."))
        return data

    def body(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        if self.cleaned_data["to"]:
            wanted["requests_energy"] = self.cleaned_data["to"] == "on"
        if self.cleaned_data["max_current"] is not None:
            wanted["max_current"] = self.cleaned_data["max_current"]
        return wanted


class Fault(Action):
    """A fault that appears; none clears it."""

    code = forms.ChoiceField(choices=(("", _("none")), *FAULTS), required=False)

    def body(self) -> dict[str, Any]:
        return {"code": self.cleaned_data["code"] or None}


class Card(Action):
    """A card for the reader: 4, 7, 8 or 10 bytes as readers give them, separators allowed."""

    uid = forms.CharField(max_length=40, label=_("Card number"))

    def clean_uid(self) -> str:
        uid = re.sub(r"[\s:.-]", "", self.cleaned_data["uid"]).upper()
        if not re.fullmatch(r"(?:[0-9A-F]{2}){4}(?:(?:[0-9A-F]{2}){3,4}|(?:[0-9A-F]{2}){6})?", uid):
            raise forms.ValidationError(_("A card number has 4, 7, 8 or 10 bytes in hexadecimal, like 04A2B3C4D5E6F7."))
        return uid

    def body(self) -> dict[str, Any]:
        # 8 bytes are the length of ISO 15693, the others are those of ISO 14443.
        uid = self.cleaned_data["uid"]
        return {"uid": uid, "type": "ISO15693" if len(uid) == 16 else "ISO14443"}


class Drive(Action):
    """A demonstration drive, or the end of the one that runs."""

    stop = forms.BooleanField(required=False)

    def body(self) -> dict[str, Any]:
        return {"stop": True} if self.cleaned_data["stop"] else {"seconds": DRIVE_SECONDS}


FOR_EVSE: dict[str, type[Action]] = {
    "plug": Action,
    "unplug": Action,
    "ev": Ev,
    "fault": Fault,
    "bay": Bay,
    "drive": Drive,
}
FOR_BOARD: dict[str, type[Action]] = {"rfid": Card, "door": Door, "power": Power}
