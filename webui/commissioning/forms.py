"""What an installer types in commissioning, judged by the same table as ``manage.py provision``."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.device_model.components import EVSE, ChargingStation, ClockCtrlr, ElectricalFeed
from station.device_model.definition import Variable
from station.device_model.installation import CONDUCTORS, Flaw, Unfit, current_of, set_up
from station.device_model.model import DeviceModel
from station.device_model.values import BadValue, encode
from webui.device_model.describe import refusal

REASON = 200  # characters
_ROTATIONS = [rotation for rotation in EVSE.PhaseRotation.limits.values if rotation]


class Form(forms.Form):
    """Errors in words beside the fields; ``revision`` is the one of the step that the person saw."""

    revision = forms.IntegerField(min_value=0, max_value=1_000_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)


class PlaceForm(Form):
    """Where the station stands, and in which language its papers are."""

    language = forms.ChoiceField(label=gettext_lazy("Language of the protocol"))
    site = forms.CharField(max_length=80, label=gettext_lazy("Name of the place"))
    address = forms.CharField(
        max_length=300,
        label=gettext_lazy("Address"),
        required=False,
        help_text=gettext_lazy("Street, town, parking space, meter point: whatever helps to find it again."),
        widget=forms.Textarea({"rows": 3}),
    )
    time_zone = forms.CharField(
        max_length=64,
        label=gettext_lazy("Time zone"),
        widget=forms.TextInput({"list": "time-zones", "spellcheck": "false", "autocapitalize": "off"}),
    )
    serial_number = forms.CharField(
        required=False,
        max_length=int(ChargingStation.SerialNumber.limits.maximum or 25),
        label=gettext_lazy("Serial number of the station"),
        help_text=gettext_lazy("As on the rating plate."),
        widget=forms.TextInput({"spellcheck": "false", "autocapitalize": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]

    def clean_time_zone(self) -> str:
        text: str = self.cleaned_data["time_zone"]
        try:
            return ClockCtrlr.TimeZone.parse(text)
        except BadValue:
            raise forms.ValidationError(_("There is no such time zone. Choose one such as Europe/Oslo.")) from None

    def clean_serial_number(self) -> str:
        return _as_variable(ChargingStation.SerialNumber, self.cleaned_data["serial_number"])

    def wishes(self) -> dict[str, str]:
        """Variables and texts for the station."""
        found = {"ClockCtrlr.TimeZone": self.cleaned_data["time_zone"]}
        if self.cleaned_data["serial_number"]:
            found["ChargingStation.SerialNumber"] = self.cleaned_data["serial_number"]
        return found


class ElectricalForm(Form):
    """The supply, and what each EVSE may draw from it.

    ``model`` is the station's as it is stored; ``board`` what cable and board carry, in A by EVSE id, where known.
    """

    voltage = forms.DecimalField(max_digits=6, decimal_places=2, label=gettext_lazy("Voltage to neutral, in V"))
    fuse = forms.DecimalField(
        max_digits=6,
        decimal_places=2,
        min_value=6,
        max_value=int(ElectricalFeed.FuseRating.limits.maximum or 1000),
        label=gettext_lazy("Fuse of each phase, in A"),
        help_text=gettext_lazy("Before the station. It shares no load, so all EVSEs together stay within it."),
    )
    phases = forms.TypedChoiceField(
        coerce=int,
        label=gettext_lazy("Phases of the supply"),
        choices=[(1, gettext_lazy("one phase")), (3, gettext_lazy("three phases"))],
    )

    def __init__(self, model: DeviceModel, board: Mapping[int, float], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._model, self._board = model, board
        for name in ("voltage", "fuse"):
            self.fields[name].widget.attrs.update(inputmode="decimal")
        for evse_id in range(1, model.evses + 1):
            carried = board.get(evse_id)
            self.fields[f"current_{evse_id}"] = forms.DecimalField(
                max_digits=5,
                decimal_places=1,
                min_value=6,
                max_value=1000,
                label=_("Largest current, in A"),
                help_text=_("Cable and board carry %(limit)s A.") % {"limit": f"{carried:g}"} if carried else "",
                widget=forms.NumberInput({"inputmode": "decimal", "step": "0.1"}),
            )
            self.fields[f"phases_{evse_id}"] = forms.TypedChoiceField(
                coerce=int, label=_("Phases connected"), choices=[(1, _("one phase")), (3, _("three phases"))]
            )
            self.fields[f"rotation_{evse_id}"] = forms.ChoiceField(
                label=_("Conductors of the supply"), choices=[(one, conductors(one)) for one in _ROTATIONS]
            )

    def evses(self) -> list[tuple[int, list[Any]]]:
        """For the page: each EVSE's fields."""
        numbers = range(1, self._model.evses + 1)
        return [(one, [self[f"{name}_{one}"] for name in ("current", "phases", "rotation")]) for one in numbers]

    def supply(self) -> list[Any]:
        """For the page: the fields of the supply."""
        return [self[name] for name in ("voltage", "fuse", "phases")]

    def wishes(self) -> dict[str, str]:
        """Variables and texts for the station."""
        typed = self.cleaned_data
        voltage = float(typed["voltage"])
        found = {
            "ElectricalFeed.ACVoltage": encode(voltage),
            "ElectricalFeed.FuseRating": encode(float(typed["fuse"])),
            "ChargingStation.SupplyPhases": str(typed["phases"]),
        }
        for evse_id in range(1, self._model.evses + 1):
            phases = typed[f"phases_{evse_id}"]
            found[f"EVSE@{evse_id}.SupplyPhases"] = str(phases)
            found[f"Connector@{evse_id}.1.SupplyPhases"] = str(phases)
            found[f"EVSE@{evse_id}.PhaseRotation"] = typed[f"rotation_{evse_id}"]
            found[f"EVSE@{evse_id}.Power"] = encode(round(float(typed[f"current_{evse_id}"]) * voltage * phases, 3))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            set_up(self._model, self.wishes().items(), self._board)
        except Unfit as unfit:
            said = sentence(unfit.flaw) if unfit.flaw else refusal(str(unfit).partition(" ")[2])
            self.add_error(self._field_of(unfit.name), said)
        return cleaned

    def _field_of(self, name: str) -> str | None:
        component, _dot, variable = name.partition(".")
        place = component.partition("@")[2].partition(".")[0]
        evse = {"SupplyPhases": "phases", "PhaseRotation": "rotation", "Power": "current"}
        station = {"ACVoltage": "voltage", "FuseRating": "fuse", "SupplyPhases": "phases"}
        if "@" in name:
            variable = name.rpartition(".")[2]
            return f"{evse[variable]}_{place}" if variable in evse else None
        return station.get(variable)


def electrical_now(model: DeviceModel) -> dict[str, Any]:
    """What the form shows before anybody has typed: as the station is set."""
    fuse = model[ElectricalFeed.FuseRating]
    found: dict[str, Any] = {
        "voltage": encode(model[ElectricalFeed.ACVoltage]),
        "fuse": encode(fuse) if fuse else "",
        "phases": 3 if model[ChargingStation.SupplyPhases] == 3 else 1,
    }
    for evse_id in range(1, model.evses + 1):
        phases = 3 if model[EVSE.SupplyPhases.at(evse_id)] == 3 else 1
        found[f"current_{evse_id}"] = encode(round(current_of(model, evse_id), 1))
        found[f"phases_{evse_id}"] = phases
        said = model[EVSE.PhaseRotation.at(evse_id)]
        found[f"rotation_{evse_id}"] = said or ("RST" if phases == 3 else "Rxx")
    return found


def conductors(rotation: str) -> str:
    """``STR`` as ``L2, L3, L1``."""
    return ", ".join(CONDUCTORS[letter] for letter in rotation if letter in CONDUCTORS)


def sentence(flaw: Flaw) -> str:
    """Why the values do not fit together, in the person's language."""
    facts = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in flaw.facts.items()}
    said = {
        "phases": _("One phase or three: the board connects one conductor or all."),
        "rotation": _("This does not fit the phases that are connected (%(phases)s)."),
        "conductors": _("This needs %(needed)s, and the supply has only %(supplied)s."),
        "least": _("%(current)s A are too little; less than %(least)s A cannot be offered to a car."),
        "board": _("%(current)s A are too much; cable and board carry %(board)s A."),
        "fuse": _("A fuse of %(fuse)s A is too small: all EVSEs together may draw %(current)s A from %(conductor)s."),
    }[flaw.kind]
    return said % facts


class SkipForm(Form):
    """Why a step is left out; the reason stands in the protocol."""

    reason = forms.CharField(max_length=REASON, label=gettext_lazy("Why it is left out"))


class SignForm(Form):
    """The signature, and what stands on the label."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Installer's name"))
    company = forms.CharField(max_length=80, required=False, label=gettext_lazy("Company"))
    remarks = forms.CharField(
        max_length=2000, required=False, label=gettext_lazy("Remarks"), widget=forms.Textarea({"rows": 4})
    )
    address = forms.CharField(
        max_length=200,
        label=gettext_lazy("Address of these pages, for the label"),
        help_text=gettext_lazy("As a phone on site reaches it; it becomes the QR code."),
        widget=forms.TextInput({"inputmode": "url", "spellcheck": "false", "autocapitalize": "off"}),
    )
    responsible = forms.BooleanField(
        label=gettext_lazy("I have set this station up and checked it as the protocol says."),
        error_messages={"required": gettext_lazy("The protocol needs this to be said.")},
    )

    def clean_address(self) -> str:
        text: str = self.cleaned_data["address"].strip()
        try:
            parts = urlsplit(text)
            fit = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fit = False
        if (
            not fit
            or "@" in parts.netloc
            or not text.isascii()
            or any(sign.isspace() or sign in '<>"' for sign in text)
        ):
            raise forms.ValidationError(_("This is no address of a web page, such as https://192.168.1.20:8443/."))
        return text


def time_zones() -> list[str]:
    """Those of the database, without the odd ones."""
    return sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )


def _as_variable(variable: Variable[str], text: str) -> str:
    try:
        return variable.parse(text) if text else ""
    except BadValue as flaw:
        raise forms.ValidationError(refusal(str(flaw))) from None
