"""What the owner may set; what is wrong is said by the field's name, and nothing typed is lost."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from webui.accounts.language import LANGUAGES
from webui.owner.models import Settings
from webui.tariff.money import CURRENCIES

COMMON = ("EUR", "CHF", "GBP", "USD")  # first in a list of 150
MOST_LINES, LINE = 6, 60  # of an address, and characters of each


def currencies() -> list[tuple[str, str]]:
    """ISO 4217, the common ones first."""
    rest = [code for code in CURRENCIES if code not in COMMON]
    return [(code, code) for code in (*COMMON, *rest)]


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The places of the time zone database, by continent."""
    places: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, slash, place = name.partition("/")
        if slash and region not in _ALIASES:
            places.setdefault(region, []).append((name, place.replace("_", " ").replace("/", " – ")))
    return [("", [("", "UTC")]), *sorted(places.items())]


_ALIASES = {"Etc", "US", "Canada", "Brazil", "Mexico", "Chile", "SystemV", "posix", "right"}


def plain(text: str) -> str:
    """``text``, where nothing in it is invisible or steers a terminal or printer. Raises ValidationError."""
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for sign in text if sign != "\n"):
        raise ValidationError(_("There is a character in it that cannot be printed."))
    return text


class _Form(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)


class StationForm(_Form):
    """How people call the station, and what they read."""

    name = forms.CharField(
        required=False, max_length=60, label=_("Name"), help_text=_("as in “Garage”; it stands on pages and receipts")
    )
    place = forms.CharField(required=False, max_length=100, label=_("Place"))
    language = forms.ChoiceField(
        choices=list(LANGUAGES.items()),
        label=_("Language"),
        help_text=_("of receipts, and of pages for whoever has chosen no other"),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), help_text=_("of the next tariff; what was charged stays as it was")
    )

    class Meta:
        model = Settings
        fields = ("name", "place", "language", "currency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = currencies()

    def clean_name(self) -> str:
        return plain(self.cleaned_data["name"])

    def clean_place(self) -> str:
        return plain(self.cleaned_data["place"])


class LetterheadForm(_Form):
    """Who gives the receipts."""

    letterhead_name = forms.CharField(required=False, max_length=100, label=_("Name or company"))
    letterhead_address = forms.CharField(
        required=False, max_length=400, label=_("Address"), widget=forms.Textarea({"rows": 4}), strip=True
    )
    vat_id = forms.CharField(required=False, max_length=30, label=_("VAT number"))
    vat_rate = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        localize=True,
        label=_("VAT rate in per cent"),
        help_text=_("It is taken to be contained in the tariff's prices. Leave it empty where no VAT is shown."),
        widget=forms.TextInput({"inputmode": "decimal"}),
    )

    class Meta:
        model = Settings
        fields = ("letterhead_name", "letterhead_address", "vat_id", "vat_rate")

    def clean_letterhead_name(self) -> str:
        return plain(self.cleaned_data["letterhead_name"])

    def clean_letterhead_address(self) -> str:
        text = plain(self.cleaned_data["letterhead_address"].replace("\r\n", "\n").replace("\r", "\n"))
        lines = [line.strip() for line in text.split("\n")]
        if len(lines) > MOST_LINES:
            raise ValidationError(_("An address has %(most)s lines at most."), params={"most": MOST_LINES})
        if any(len(line) > LINE for line in lines):
            raise ValidationError(_("A line of it is longer than %(most)s characters."), params={"most": LINE})
        return "\n".join(lines)

    def clean_vat_id(self) -> str:
        text = self.cleaned_data["vat_id"]
        if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ./-]{1,29}", text):
            raise ValidationError(_("A VAT number consists of letters and digits, such as DE123456789."))
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("vat_rate") is not None and not data.get("vat_id") and "vat_id" not in self.errors:
            self.add_error("vat_id", _("Where VAT is shown, a receipt needs the VAT number."))
        return data


class TimeZoneForm(forms.Form):
    """The station's own: ClockCtrlr.TimeZone."""

    time_zone = forms.ChoiceField(required=False, label=_("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        choices = time_zones()
        now = (self.initial or {}).get("time_zone") or ""
        if now and not any(now == name for _region, places in choices for name, _place in places):
            choices = [*choices, ("", [(now, now)])]  # set by the operator, and none of the list
        self.fields["time_zone"].choices = choices
