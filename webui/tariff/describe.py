"""A tariff in words."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webui.tariff.cost import DAY, Terms, Window
from webui.tariff.forms import DAYS
from webui.tariff.money import places
from webui.templatetags.quantities import symbol

_NAMES = dict(DAYS)


class Described(NamedTuple):
    """``price`` is what most is charged by; ``more`` a sentence for each further part."""

    price: str
    more: list[str]


def described(terms: Terms) -> Described:
    """In the active language."""
    more = [
        _("%(days)s from %(begin)s to %(end)s: %(price)s per kWh")
        % {
            "days": days(window),
            "begin": _clock(window.begin),
            "end": _clock(window.end),
            "price": priced(window.price, terms.currency),
        }
        for window in terms.windows
    ]
    if terms.session_fee:
        more.append(_("%(price)s for each session") % {"price": priced(terms.session_fee, terms.currency)})
    if terms.standing:
        price = priced(terms.standing, terms.currency)
        if terms.standing_free:
            more.append(
                ngettext(
                    "%(price)s for each minute of standing after the first minute",
                    "%(price)s for each minute of standing after the first %(free)s minutes",
                    terms.standing_free,
                )
                % {"price": price, "free": terms.standing_free}
            )
        else:
            more.append(_("%(price)s for each minute of standing") % {"price": price})
    return Described(_("%(price)s per kWh") % {"price": priced(terms.price, terms.currency)}, more)


def priced(price: Decimal, currency: str) -> str:
    """A price with as many decimals as it needs, and no fewer than the currency has."""
    exponent = price.normalize().as_tuple().exponent
    needed = -exponent if isinstance(exponent, int) else 0
    amount = number_format(price, max(places(currency), needed), use_l10n=True)
    return symbol(amount, currency)


def days(window: Window) -> str:
    """``Monday to Friday``, or each day by its name."""
    key = "".join(map(str, sorted(window.days)))
    if key in _NAMES:
        return str(_NAMES[key])
    return ", ".join(str(_NAMES[str(day)]) for day in sorted(window.days) if str(day) in _NAMES)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}" if minutes < DAY else "24:00"
