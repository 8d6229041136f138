"""What an administrator types about the neighbours."""

from __future__ import annotations

import ipaddress
import re
import ssl
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.store.secrets import seal
from webui.neighbourhood.models import CONTROL, READ, Neighbourhood

_PLAIN = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
_HOST = re.compile(r"\A[A-Za-z0-9._-]{1,253}\Z")
_TOPIC = re.compile(r"\A[^\s/+#$\x00-\x1f][^\s+#\x00-\x1f]*(?<!/)\Z")
_LARGEST_CA = 20_000  # characters of PEM
SCOPES = [
    (READ, gettext_lazy("Read")),
    (CONTROL, gettext_lazy("Read and control")),
]


class NeighbourhoodForm(forms.ModelForm):
    """All of it; an empty password stays as it is. ``version`` is that of the page, for two who edit at once."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    new_password = forms.CharField(
        required=False,
        strip=False,
        max_length=200,
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}, render_value=True),
    )
    scope = forms.ChoiceField(
        choices=SCOPES,
        label=gettext_lazy("What the broker's users may"),
        help_text=gettext_lazy("With control, whoever may write to the broker starts, stops, unlocks and limits."),
    )

    class Meta:
        model = Neighbourhood
        fields = (
            *("mdns", "mdns_name", "mqtt", "host", "port", "tls", "ca", "user", "new_password", "topic", "scope"),
            *("discovery", "discovery_topic", "metrics_networks"),
        )
        labels = {  # noqa: RUF012 - Django's own way to say it
            "mdns": gettext_lazy("Announce the web interface in the local network"),
            "mdns_name": gettext_lazy("Name"),
            "mqtt": gettext_lazy("Connect to an MQTT broker"),
            "host": gettext_lazy("Broker"),
            "port": gettext_lazy("Port"),
            "tls": gettext_lazy("Encrypted (TLS)"),
            "ca": gettext_lazy("Certificate of the broker's authority"),
            "user": gettext_lazy("User name"),
            "topic": gettext_lazy("Topic"),
            "discovery": gettext_lazy("Home Assistant finds the station by itself"),
            "discovery_topic": gettext_lazy("Topic of Home Assistant's discovery"),
            "metrics_networks": gettext_lazy("Networks that may read the metrics without a token"),
        }
        help_texts = {  # noqa: RUF012
            "mdns": gettext_lazy("Browsers, phones and installers' tools then find it by its name."),
            "mqtt": "",
            "tls": "",
            "discovery": gettext_lazy("It appears there by itself, with its sensors and, if allowed, its controls."),
            "mdns_name": gettext_lazy("Left empty, it is the station's identity at the operator's system."),
            "ca": gettext_lazy("PEM. Left empty, the authorities count that the operating system trusts."),
            "topic": gettext_lazy("All topics of the station begin with it. Each station needs one of its own."),
            "metrics_networks": gettext_lazy("Such as 192.168.1.0/24, with a blank between. Empty: none."),
        }
        widgets = {  # noqa: RUF012
            "host": forms.TextInput({**_PLAIN, "placeholder": "homeassistant.local"}),
            "ca": forms.Textarea({**_PLAIN, "rows": 4, "placeholder": "-----BEGIN CERTIFICATE-----"}),
            "user": forms.TextInput({**_PLAIN}),
            "topic": forms.TextInput({**_PLAIN}),
            "discovery_topic": forms.TextInput({**_PLAIN}),
            "metrics_networks": forms.TextInput({**_PLAIN}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        self.initial["version"] = self.instance.version
        self.fields["new_password"].help_text = (
            _("One is set. Left empty, it stays.") if self.instance.password else _("None is set.")
        )
        self.fields["port"].min_value, self.fields["port"].max_value = 1, 65535  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ each field

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"]
        if host and not (_HOST.match(host) or _is_address(host)):
            raise forms.ValidationError(_("A name or an address only, without “mqtt://” and without the port."))
        return host

    def clean_port(self) -> int:
        port: int = self.cleaned_data["port"]
        if not 1 <= port <= 65535:
            raise forms.ValidationError(_("A port is a number from 1 to 65535."))
        return port

    def clean_ca(self) -> str:
        pem: str = self.cleaned_data["ca"].strip()
        if not pem:
            return ""
        if len(pem) > _LARGEST_CA:
            raise forms.ValidationError(_("This is too large to be a certificate."))
        if "PRIVATE KEY" in pem:
            raise forms.ValidationError(_("This holds a private key. Enter the authority's certificate only."))
        try:
            ssl.create_default_context(cadata=pem)
        except (ssl.SSLError, ValueError):
            raise forms.ValidationError(_("This is no certificate in PEM.")) from None
        return pem

    def clean_topic(self) -> str:
        return _topic(self.cleaned_data["topic"])

    def clean_discovery_topic(self) -> str:
        return _topic(self.cleaned_data["discovery_topic"])

    def clean_metrics_networks(self) -> str:
        names = self.cleaned_data["metrics_networks"].replace(",", " ").split()
        for name in names:
            try:
                network = ipaddress.ip_network(name, strict=False)
            except ValueError:
                raise forms.ValidationError(
                    _("“%(name)s” is no network such as 192.168.1.0/24.") % {"name": name[:60]}
                ) from None
            if network.prefixlen == 0:
                raise forms.ValidationError(_("“%(name)s” is the whole world.") % {"name": name[:60]})
        return " ".join(names)

    def clean_user(self) -> str:
        return _without_controls(self.cleaned_data["user"])

    def clean_new_password(self) -> str:
        return _without_controls(self.cleaned_data["new_password"])

    # ------------------------------------------------------------------ all together

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("mqtt") and not cleaned.get("host") and "host" not in self.errors:
            self.add_error("host", _("Where is the broker?"))
        if self.instance.version != cleaned.get("version"):
            raise forms.ValidationError(
                _(
                    "Somebody else has changed this page meanwhile. Look at it in another tab; "
                    "if you save again, what you have typed here counts."
                )
            )
        return cleaned

    @property
    def password(self) -> str:
        """What was typed, or what is set; raises SecretDamaged."""
        return self.cleaned_data["new_password"] or self.instance.open_password()

    def save(self, commit: bool = True) -> Neighbourhood:
        row: Neighbourhood = super().save(commit=False)
        if self.cleaned_data["new_password"]:
            row.password = seal(self.cleaned_data["new_password"])
        elif not row.user:
            row.password = ""  # without a user name there is none
        row.version += 1
        if commit:
            row.save()
        return row


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _topic(text: str) -> str:
    if not _TOPIC.match(text):
        raise forms.ValidationError(
            _("A topic has letters, digits and slashes, no blanks, no + and #, and begins and ends with no slash.")
        )
    return text


def _without_controls(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise forms.ValidationError(_("There is a sign in it that nobody can type."))
    return text
