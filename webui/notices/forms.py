"""How people want to be told: the form."""

from __future__ import annotations

import re
import zlib
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from station.notices import hook
from station.notices.failed import Failed
from station.notices.models import Settings
from station.store.secrets import SecretDamaged, seal, unseal
from webui.notices import words

HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.:-]{0,251}[0-9A-Za-z])?")
MOST_RECIPIENTS = 5
_SERVER = ("smtp_host", "smtp_port", "smtp_tls", "smtp_user")


class NoticesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A secret that is not typed stays as it is. ``mark`` tells whether somebody else has saved meanwhile."""

    mark = forms.CharField(widget=forms.HiddenInput, required=False)
    smtp_password = forms.CharField(
        required=False,
        max_length=200,
        strip=False,
        label=_("Password"),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    hook_url = forms.CharField(
        required=False,
        max_length=hook.MOST,
        label=_("Web address"),
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "url", "placeholder": "https://"}),
    )
    smtp_port = forms.IntegerField(min_value=1, max_value=65535, label=_("Port"))
    csms_hours = forms.IntegerField(min_value=1, max_value=168, label=_("… for so many hours"))
    language = forms.ChoiceField(label=_("Language of the notices"))

    class Meta:
        model = Settings
        fields = (
            *("station_name", "language", "mail_on", "smtp_host", "smtp_port", "smtp_tls", "smtp_user"),
            *("smtp_password", "mail_from", "mail_to", "hook_on", "hook_url"),
            *("on_fault", "on_board", "on_csms", "csms_hours", "on_tamper", "on_firmware"),
        )
        labels = {  # noqa: RUF012 - Django's way
            "station_name": _("What the station is called in notices"),
            "mail_on": _("Send e-mails"),
            "smtp_host": _("Mail server"),
            "smtp_tls": _("Encryption"),
            "smtp_user": _("User"),
            "mail_from": _("Sender's address"),
            "mail_to": _("To"),
            "hook_on": _("Call a web address"),
            "on_fault": _("A charging point has a fault"),
            "on_board": _("The station's board does not answer"),
            "on_csms": _("The operator's system cannot be reached …"),
            "on_tamper": _("The housing is opened"),
            "on_firmware": _("A firmware update comes to nothing"),
        }
        help_texts = {  # noqa: RUF012
            "station_name": _("Such as “Garage”. Empty: its identity at the operator's system."),
            "mail_to": _("Up to five addresses, each in a line."),
        }
        widgets = {"mail_to": forms.Textarea({"rows": 2})}  # noqa: RUF012

    def __init__(self, *args: Any, instance: Settings, **kwargs: Any) -> None:
        self.before = {name: getattr(instance, name) for name in (*_SERVER, "smtp_password", "hook_url")}
        self._mark = mark_of(instance)
        initial = {"mark": self._mark, "smtp_password": "", "hook_url": ""}
        super().__init__(
            *args, instance=instance, initial=initial, label_suffix="", use_required_attribute=False, **kwargs
        )
        self.fields["language"].choices = django_settings.LANGUAGES  # type: ignore[attr-defined]
        if self.before["smtp_password"]:
            self.fields["smtp_password"].help_text = _("One is set; it is never shown. Leave this empty to keep it.")
        if self.before["hook_url"]:
            self.fields["hook_url"].help_text = _("One is set: %(host)s. Leave this empty to keep it.") % {
                "host": host_of(self.before["hook_url"])
            }
        else:
            self.fields["hook_url"].help_text = _("https, or on the local network http.")

    def clean_station_name(self) -> str:
        name = str(self.cleaned_data["station_name"])
        if not name.isprintable():
            raise ValidationError(_("A name has only signs that can be read."))
        return name

    def clean_smtp_host(self) -> str:
        host = str(self.cleaned_data["smtp_host"])
        if host and not HOST.fullmatch(host):
            raise ValidationError(_("This is neither a server's name nor its address."))
        return host

    def clean_mail_from(self) -> str:
        sender = str(self.cleaned_data["mail_from"])
        if sender:
            validate_email(sender)
        return sender

    def clean_mail_to(self) -> str:
        found = [one for one in re.split(r"[\s,;]+", self.cleaned_data["mail_to"]) if one]
        for one in found:
            validate_email(one)
        if len(found) > MOST_RECIPIENTS:
            raise ValidationError(_("Five addresses at most."))
        return "\n".join(dict.fromkeys(found))

    def clean_hook_url(self) -> str:
        url = str(self.cleaned_data["hook_url"])
        if url:
            try:
                hook.check(url)
            except Failed as error:
                raise ValidationError(words.why(error.word)) from error
        return url

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("mark") != self._mark:
            self.add_error(None, _("Somebody else has saved meanwhile. Compare what is below, then save once more."))
            self.data = self.data.copy()
            self.data["mark"] = self._mark
        if data.get("mail_on"):
            for name in ("smtp_host", "mail_from", "mail_to"):
                if name in data and not data[name]:
                    self.add_error(name, _("This is needed for e-mails."))
        if data.get("smtp_user") and data.get("smtp_tls") == Settings.Tls.NONE:
            self.add_error(
                "smtp_tls", _("A password is only sent with encryption. Choose one, or leave the user empty.")
            )
        moved = any(data.get(name) != self.before[name] for name in _SERVER)
        if data.get("smtp_user") and moved and self.before["smtp_password"] and not data.get("smtp_password"):
            # or whoever may change the server could have the password sent to one of their own
            self.add_error("smtp_password", _("With another server or user the password has to be entered again."))
        if data.get("hook_on") and "hook_url" in data and not (data["hook_url"] or self.before["hook_url"]):
            self.add_error("hook_url", _("This is needed for calling a web address."))
        return data

    def save(self, commit: bool = True) -> Settings:
        """Seal what is secret, and keep it. Raises OSError."""
        row: Settings = self.instance
        for name in ("smtp_password", "hook_url"):
            typed = self.cleaned_data[name]
            setattr(row, name, seal(typed) if typed else self.before[name])
        if not row.smtp_user:
            row.smtp_password = ""
        row.pk = 1
        row.save()
        return row


def mark_of(row: Settings) -> str:
    """Tells one state of the settings from another; not for security."""
    values = [str(getattr(row, field.attname)) for field in Settings._meta.concrete_fields]
    return f"{zlib.crc32(chr(0).join(values).encode()):08x}"


def host_of(sealed: str) -> str:
    """Where a sealed address leads, without what may be secret in it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(unseal(sealed))
    except (SecretDamaged, ValueError):
        return "?"
    return f"{parts.scheme}://{parts.hostname}"
