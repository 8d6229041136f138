"""Quantities with their units, as a person reads them, in the language's own notation."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from webui import words
from webui.tariff.money import Money, places

register = template.Library()
MISSING = "–"


def number(value: Any, decimals: int) -> str:
    """``value`` with so many decimals, half away from zero, or a dash where it is no finite number."""
    try:
        figure = Decimal(str(value))
        if not figure.is_finite():
            return MISSING
        rounded = figure.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    except InvalidOperation:
        return MISSING
    # Rounding may leave "-0.0" of a tiny negative; nobody wants to read that.
    return number_format(rounded or abs(rounded), decimals, use_l10n=True)


def scaled(value: Any, places: int) -> Decimal | None:
    """``value`` divided by ten to the power of ``places``, without an error of rounding."""
    try:
        return Decimal(str(value)).scaleb(-places)
    except InvalidOperation:
        return None


@register.filter
def kw(watt: Any) -> str:
    """W as kW: two decimals below 10 kW, one from there on."""
    kilowatt = scaled(watt, 3)
    large = kilowatt is not None and kilowatt.is_finite() and abs(kilowatt) >= Decimal("9.995")
    return number(kilowatt, 1 if large else 2)


@register.filter
def kwh(watt_hours: Any, decimals: int = 3) -> str:
    """Wh as kWh."""
    return number(scaled(watt_hours, 3), decimals)


@register.filter
def kwh_mwh(milliwatt_hours: Any, decimals: int = 3) -> str:
    """mWh, as the store keeps energy, as kWh."""
    return number(scaled(milliwatt_hours, 6), decimals)


@register.filter
def kwh_sum(milliwatt_hours: int) -> str:
    """mWh as kWh with one decimal, in groups of three digits: the energy of many sessions."""
    kilowatt_hours = Decimal(milliwatt_hours).scaleb(-6).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return str(number_format(kilowatt_hours, 1, use_l10n=True, force_grouping=True))


@register.filter
def whole(value: Any) -> str:
    """A count, in groups of three digits."""
    return str(number_format(value, 0, use_l10n=True, force_grouping=True))


@register.filter
def decimal(value: Any, decimals: int) -> str:
    """A number with so many decimals."""
    return number(value, decimals)


@register.filter
def ampere(value: Any) -> str:
    return number(value, 1)


@register.filter
def volt(value: Any) -> str:
    return number(value, 0)


@register.filter
def percent(value: Any) -> str:
    return number(value, 0)


@register.filter
def lasting(value: Any) -> str:
    """A duration (timedelta or seconds): ``42 s``, ``12 min``, ``3 h 05 min``."""
    try:
        seconds = int(value.total_seconds() if isinstance(value, timedelta) else float(value))
    except (TypeError, ValueError, OverflowError):
        return MISSING
    if seconds < 0:
        return MISSING
    if seconds < 60:
        return _("%(seconds)d s") % {"seconds": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    return _("%(hours)d h %(minutes)02d min") % {"hours": minutes // 60, "minutes": minutes % 60}


_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}  # those that mean one currency to most people


@register.filter
def money(value: Money | None) -> str:
    """An amount with its currency; a dash where there is none."""
    if value is None:
        return MISSING
    return symbol(number_format(value.amount, places(value.currency), use_l10n=True), value.currency)


def symbol(amount: str, currency: str) -> str:
    """An amount that is text already, with its currency."""
    # Translators: an amount of money and the currency's sign or code; turn them round where that is the custom.
    text = pgettext("money", "%(amount)s %(currency)s") % {
        "amount": amount,
        "currency": _SYMBOLS.get(currency, currency),
    }
    return text.replace(" ", "\xa0")  # never at the end of a line without the other


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon from the sprite; the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("img/icons.svg"), name
    )


register.filter("masked", words.masked)
register.filter("stop_reason", words.reason)
register.filter("authorized_by", words.authorized_by)
