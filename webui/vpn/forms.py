"""The VPN's settings, typed or from a file of wg-quick."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webui.vpn import service, wireguard, words
from webui.vpn.wireguard import Configuration, Unfit


class _Form(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def look_at(self, wanted: Configuration) -> None:
        """What is well-formed and would still cut the station off; raises ValidationError."""
        if network := service.conflict(wanted):
            words_ = _(
                "%(network)s is, or overlaps, a network that the station is in itself; it would be cut off there."
            )
            raise forms.ValidationError(words_ % {"network": network})
        if service.loops(wanted):
            raise forms.ValidationError(_("The other side's address lies within its own networks: it has no way out."))


class VpnForm(_Form):
    """``cleaned_data["wanted"]`` is a ``Configuration`` without the private key."""

    addresses = forms.CharField(
        max_length=300,
        label=gettext_lazy("The station's address in the VPN"),
        help_text=gettext_lazy("As the other side has assigned it: 10.8.0.7, several with commas."),
        widget=forms.TextInput({"placeholder": "10.8.0.7", "spellcheck": "false", "autocapitalize": "none"}),
    )
    peer = forms.CharField(
        max_length=60,
        label=gettext_lazy("The other side's public key"),
        widget=forms.TextInput({"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}),
    )
    endpoint = forms.CharField(
        max_length=300,
        label=gettext_lazy("Where it is reached"),
        help_text=gettext_lazy("Name or address, and port."),
        widget=forms.TextInput(
            {"placeholder": "vpn.example.com:51820", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )
    allowed = forms.CharField(
        max_length=1500,
        label=gettext_lazy("Networks behind it"),
        help_text=gettext_lazy("Those that administrators come from (AllowedIPs), with commas."),
        widget=forms.TextInput({"placeholder": "10.8.0.0/24", "spellcheck": "false", "autocapitalize": "none"}),
    )
    keepalive = forms.IntegerField(
        min_value=0,
        max_value=65535,
        initial=25,
        label=gettext_lazy("A sign of life every … seconds"),
        help_text=gettext_lazy("It keeps the way open through the site's router; 0: none."),
    )
    preshared = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("Preshared key, if there is one"),
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )
    drop_preshared = forms.BooleanField(required=False, label=gettext_lazy("Forget the preshared key"))

    def __init__(self, *args: Any, kept: service.Vpn, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = kept
        if kept.preshared:
            self.fields["preshared"].help_text = _("One is set; it is never shown. Empty: it stays.")
        else:
            del self.fields["drop_preshared"]

    @classmethod
    def of(cls, kept: service.Vpn) -> VpnForm:
        """As it shows what is kept."""
        found = kept.configuration
        if found is None:
            return cls(kept=kept)
        initial = {
            "addresses": ", ".join(str(one.ip) for one in found.addresses),
            "peer": found.peer,
            "endpoint": found.endpoint_text,
            "allowed": ", ".join(map(str, found.allowed)),
            "keepalive": found.keepalive,
        }
        return cls(initial=initial, kept=kept)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        readers = {"peer": wireguard.key_of, "endpoint": wireguard.endpoint_of, "preshared": wireguard.key_of}
        found: dict[str, Any] = {}
        for name in ("addresses", "peer", "endpoint", "allowed", "preshared"):
            if not cleaned.get(name):
                continue
            try:
                if name == "addresses":
                    found[name] = _several(cleaned[name], wireguard.address_of)
                elif name == "allowed":
                    found[name] = _several(cleaned[name], wireguard.network_of)
                else:
                    found[name] = readers[name](cleaned[name].strip())
            except Unfit as error:
                self.add_error(name, words.unfit(error))
        if self.errors:
            return cleaned
        preshared = "" if cleaned.get("drop_preshared") else found.get("preshared", self._kept.preshared)
        wanted = Configuration(
            "", found["addresses"], found["peer"], found["endpoint"], found["allowed"], cleaned["keepalive"], preshared
        )
        self.look_at(wanted)
        return {**cleaned, "wanted": wanted}


def _several(text: str, read: Any) -> Any:
    parts = [part for part in text.replace(",", " ").split() if part]
    if len(parts) > wireguard.MOST:
        raise Unfit("too_many")
    return tuple(dict.fromkeys(map(read, parts)))


class ImportForm(_Form):
    """A file of wg-quick; ``cleaned_data["wanted"]`` has the private key where the file had one."""

    file = forms.FileField(required=False, label=gettext_lazy("File (.conf)"))
    text = forms.CharField(
        required=False,
        max_length=wireguard.LONGEST,
        label=gettext_lazy("Or pasted as text"),
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "placeholder": "[Interface]"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file is not None and file.size > wireguard.LONGEST:
            raise forms.ValidationError(words.unfit(Unfit("too_long")))
        content = file.read() if file is not None else cleaned.get("text", "").encode()
        if not content.strip():
            raise forms.ValidationError(_("Choose a file, or paste its text."))
        try:
            wanted = wireguard.read(content.decode(), with_key=False)
        except UnicodeDecodeError:
            raise forms.ValidationError(_("This is no text; a configuration of WireGuard is.")) from None
        except Unfit as error:
            raise forms.ValidationError(words.unfit(error)) from None
        self.look_at(wanted)
        return {**cleaned, "wanted": wanted}
