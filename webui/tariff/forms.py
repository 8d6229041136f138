"""A new tariff, with prices that hold at certain times."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from webui.owner import here
from webui.owner.forms import currencies
from webui.tariff.cost import DAY, Window, overlapping
from webui.tariff.models import Tariff

ROWS = 4  # windows that one tariff may have
EVERY_DAY, WEEKDAYS, WEEKEND = "0123456", "01234", "56"
DAYS = [
    ("", "–"),
    (EVERY_DAY, _("every day")),
    (WEEKDAYS, _("Monday to Friday")),
    (WEEKEND, _("Saturday and Sunday")),
    *zip(
        EVERY_DAY,
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
        strict=True,
    ),
]


def _price(label: Any, *, required: bool = False, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        required=required,
        min_value=0,
        max_digits=12,
        decimal_places=5,
        localize=True,
        label=label,
        help_text=help_text,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )


class TariffForm(forms.Form):
    """Everything but the windows. ``begins`` in ``cleaned_data`` is when it begins to hold."""

    currency = forms.ChoiceField(label=_("Currency"))
    price = _price(_("Price of a kWh"), required=True, help_text=_("in the currency's main unit, such as 0.32"))
    session_fee = _price(_("Fee for each session"), help_text=_("in which a car took energy; empty: none"))
    standing = _price(
        _("Price of a minute of standing"),
        help_text=_("for each minute begun that a car stays connected after it has charged; empty: none"),
    )
    standing_free = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=1440,
        label=_("Minutes of standing that are free"),
        widget=forms.TextInput({"inputmode": "numeric"}),
    )
    valid_from = forms.DateField(
        required=False,
        label=_("Valid from"),
        help_text=_("empty: from now on"),
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)
        self.fields["currency"].choices = currencies()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("session_fee", "standing"):
            data[name] = data.get(name) or Decimal(0)
        data["standing_free"] = data.get("standing_free") or 0
        if "valid_from" not in self.errors:
            self._begin(data)
        return data

    def _begin(self, data: dict[str, Any]) -> None:
        """What held once is not changed: a tariff begins now or later, or before all others."""
        now, zone = timezone.now(), here.zone()
        first = Tariff.objects.order_by("valid_from").values_list("valid_from", flat=True).first()
        day = data.get("valid_from")
        if day is None:
            data["begins"] = now
            return
        try:
            begins = datetime.combine(day, time.min, zone)
            begins.astimezone(timezone.get_default_timezone())
        except (ValueError, OverflowError):
            self.add_error("valid_from", _("That day is too far away."))
            return
        if first is not None and begins < now and begins >= first:
            if day != timezone.localtime(now, zone).date():
                self.add_error(
                    "valid_from",
                    _("Another tariff held then, and what held once is not changed. Choose a day that is to come."),
                )
                return
            begins = now
        if Tariff.objects.filter(valid_from=begins).exists():
            self.add_error("valid_from", _("Another tariff is planned for that day already. Remove it first."))
            return
        data["begins"] = begins


class WindowForm(forms.Form):
    """One price at certain times; a row that is left empty does not count."""

    days = forms.ChoiceField(required=False, choices=DAYS, label=_("Days"))
    price = _price(_("Price of a kWh"))
    begin = forms.TimeField(
        required=False,
        label=pgettext_lazy("time of day", "From"),
        widget=forms.TimeInput({"type": "time", "step": 900}),
    )
    end = forms.TimeField(
        required=False, label=pgettext_lazy("time of day", "To"), widget=forms.TimeInput({"type": "time", "step": 900})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="")  # the set of them says that nothing is required

    def clean_begin(self) -> time | None:
        return _quarter(self.cleaned_data["begin"])

    def clean_end(self) -> time | None:
        return _quarter(self.cleaned_data["end"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.has_changed() and any(data.get(name) not in (None, "") for name in self.fields):
            for name in self.fields:
                if data.get(name) in (None, "") and name not in self.errors:
                    self.add_error(name, _("This is missing for a price at certain times."))
        return data

    @property
    def window(self) -> Window | None:
        """None for an empty row; only where the form is valid."""
        data = self.cleaned_data
        if not data.get("days"):
            return None
        begin, end = _minutes(data["begin"]), _minutes(data["end"])
        # Midnight to midnight is the whole day; to midnight is the day's end.
        return Window(frozenset(map(int, data["days"])), begin, end or DAY, data["price"])


def _quarter(at: time | None) -> time | None:
    if at is not None and (at.minute % 15 or at.second):
        raise ValidationError(_("Prices change at full quarters of an hour only."))
    return at


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


class _Windows(forms.BaseFormSet):
    def clean(self) -> None:
        if any(self.errors):
            return
        rows = [(place, form.window) for place, form in enumerate(self.forms, start=1) if form.window]
        found = overlapping([window for _place, window in rows])
        if found:
            one, other = (rows[place][0] for place in found)
            raise ValidationError(
                _("Rows %(one)s and %(other)s hold at the same time. Let one end where the other begins."),
                params={"one": one, "other": other},
            )

    @property
    def windows(self) -> list[Window]:
        """All that were given."""
        return [form.window for form in self.forms if form.window]


WindowForms = forms.formset_factory(
    WindowForm, formset=_Windows, extra=ROWS, max_num=ROWS, validate_max=True, absolute_max=ROWS
)


def stored(windows: list[Window]) -> list[dict[str, Any]]:
    """For ``Tariff.windows``."""
    return [
        {"days": sorted(window.days), "begin": window.begin, "end": window.end, "price": f"{window.price:f}"}
        for window in windows
    ]
