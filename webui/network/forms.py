"""What an installer types about the connection, with every check that can be made before the station is asked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.device_model.components import SecurityCtrlr
from station.device_model.definition import Variable
from station.device_model.values import BadValue
from station.domain.certificates import CertificateUse
from station.domain.network import URL_LENGTH, flaw_of_scheme, flaw_of_url
from webui.device_model.describe import refusal
from webui.network.reading import Connection, Slot, has_certificate

PROFILES = [
    (1, gettext_lazy("1 · password, not encrypted (ws://)")),
    (2, gettext_lazy("2 · password, encrypted with TLS (wss://)")),
    (3, gettext_lazy("3 · the station's certificate, encrypted with TLS (wss://)")),
]
_PLAIN = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class CredentialsForm(forms.Form):
    """Identity and password; the password is never shown, and empty means that it stays."""

    identity = forms.CharField(
        required=False, max_length=48, label=gettext_lazy("Identity"), widget=forms.TextInput(_PLAIN)
    )
    password = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("16 to 40 characters. Left empty, it stays as it is."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    keep = forms.BooleanField(
        required=False,
        label=gettext_lazy("Keep it even if no connection comes up (the operator's system is not ready yet)"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def clean_identity(self) -> str:
        return _checked(SecurityCtrlr.Identity, self.cleaned_data["identity"])

    def clean_password(self) -> str:
        return _checked(SecurityCtrlr.BasicAuthPassword, self.cleaned_data["password"])


class AddressForm(forms.Form):
    """Where the operator's system is, and how the two of them prove themselves."""

    csms_url = forms.CharField(
        max_length=URL_LENGTH,
        label=gettext_lazy("Address of the operator's system"),
        help_text=gettext_lazy("Without the identity, which the station adds at its end."),
        widget=forms.TextInput({**_PLAIN, "inputmode": "url", "placeholder": "wss://csms.example/ocpp"}),
    )
    security_profile = forms.TypedChoiceField(
        choices=PROFILES, coerce=int, label=gettext_lazy("Security profile"), initial=2
    )

    def clean_csms_url(self) -> str:
        url: str = self.cleaned_data["csms_url"]
        if flaw := flaw_of_url(url):
            raise forms.ValidationError(_("The address %(flaw)s.") % {"flaw": flaw})
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        profile, url = cleaned.get("security_profile"), cleaned.get("csms_url")
        if profile and url and (flaw := flaw_of_scheme(url, profile)):
            self.add_error("csms_url", refusal(flaw[:1].upper() + flaw[1:]))
        return cleaned


class SlotForm(CredentialsForm, AddressForm):
    """A whole slot. Identity and password are asked for with the slot in use only: they are the same for all."""

    interface = forms.ChoiceField(label=gettext_lazy("Network interface"))
    message_timeout = forms.IntegerField(
        label=gettext_lazy("Longest wait for an answer, in seconds"), initial=30, widget=forms.NumberInput()
    )
    less_security = forms.BooleanField(
        required=False, label=gettext_lazy("I know that this is less secure than the connection until now")
    )

    field_order = ("csms_url", "security_profile", "identity", "password", "interface", "message_timeout")

    def __init__(self, connection: Connection, slot: Slot, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection = connection
        self.used = connection.touches(slot)
        self.fields["interface"].choices = [(name, name) for name in connection.interfaces]  # type: ignore[attr-defined]
        low, high = int(connection.timeout.minimum or 1), int(connection.timeout.maximum or 3600)
        timeout = self.fields["message_timeout"]
        timeout.min_value, timeout.max_value = low, high  # type: ignore[attr-defined]
        timeout.validators = [
            forms.fields.validators.MinValueValidator(low),
            forms.fields.validators.MaxValueValidator(high),
        ]
        if not self.used:
            for name in ("identity", "password", "keep"):
                del self.fields[name]
        if self.used and slot.profile is None and not connection.configured:
            del self.fields["keep"]  # there is nothing to go back to, so nothing is tried
        if connection.security_profile == 1:
            del self.fields["less_security"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        profile = cleaned.get("security_profile")
        if profile is None:
            return cleaned
        if self.used and profile >= 2 and not has_certificate(CertificateUse.CSMS_ROOT):
            self.add_error(
                "security_profile", _("Install the root certificate of the operator's system first (Certificates).")
            )
        if self.used and profile >= 3 and not has_certificate(CertificateUse.CHARGING_STATION):
            self.add_error("security_profile", _("The station needs a certificate of its own first (Certificates)."))
        if profile < self._connection.security_profile and not cleaned.get("less_security"):
            self.add_error(
                "less_security",
                _("Security profile %(active)s is in use. An older system may need a lower one; confirm it then.")
                % {"active": self._connection.security_profile},
            )
        return cleaned


class OrderForm(forms.Form):
    """Up to as many places as there are slots that are set up; the first one has to be filled."""

    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        ready = [slot.number for slot in connection.slots if slot.profile is not None]
        choices = [("", "–"), *((str(slot), _("Slot %(slot)d") % {"slot": slot}) for slot in sorted(ready))]
        for place in range(1, len(ready) + 1):
            self.fields[f"place_{place}"] = forms.ChoiceField(
                required=place == 1,
                choices=choices,
                label=_("First") if place == 1 else _("Then"),
                initial=str(connection.order[place - 1]) if place <= len(connection.order) else "",
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        slots = [int(value) for value in cleaned.values() if value]
        if len(set(slots)) != len(slots):
            raise forms.ValidationError(_("Each slot can be named once."))
        return {"slots": slots}


def _checked(variable: Variable[str], text: str) -> str:
    """``text`` as the device model takes it, or empty."""
    if not text:
        return ""
    try:
        return variable.parse(text, variable.limits)
    except BadValue as flaw:
        raise forms.ValidationError(refusal(str(flaw))) from None
