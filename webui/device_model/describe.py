"""What a variable takes and who may set it, in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.device_model.definition import Limits, Mutability, Variable
from station.device_model.values import DataType, encode

_ACCESS = {
    Mutability.READ_ONLY: gettext_lazy("read only"),
    Mutability.READ_WRITE: gettext_lazy("can be set"),
    Mutability.WRITE_ONLY: gettext_lazy("can be set, never read"),
}


def access(mutability: Mutability) -> str:
    """The mutability."""
    return str(_ACCESS[mutability])


def place(evse_id: int, connector_id: int) -> str:
    """Where a component lives; empty for the station itself."""
    if connector_id:
        return _("EVSE %(evse)d, connector %(connector)d") % {"evse": evse_id, "connector": connector_id}
    return _("EVSE %(evse)d") % {"evse": evse_id} if evse_id else ""


def allowed(variable: Variable[Any], limits: Limits) -> str:
    """Limits or values, as they hold at one place; empty where the type says all."""
    low, high = (
        None if bound is None else encode(float(bound)) for bound in (variable.min_length or None, limits.maximum)
    )
    if variable.data_type.is_number:
        low = None if limits.minimum is None else encode(float(limits.minimum))
        return f"{_span(low, high)} {variable.unit}".strip() if low or high else ""
    if limits.values:
        listed = {"values": ", ".join(limits.values)}
        if variable.data_type is DataType.OPTION_LIST:
            return _("one of %(values)s") % listed
        if variable.data_type is DataType.SEQUENCE_LIST:
            return _("some of %(values)s, the first one first") % listed
        return _("any of %(values)s") % listed
    if variable.data_type is DataType.BOOLEAN:
        return _("true or false")
    return _("%(span)s characters") % {"span": _span(low, high)} if high else ""


def _span(low: str | None, high: str | None) -> str:
    if low and high:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    return _("from %(low)s") % {"low": low} if low else _("at most %(high)s") % {"high": high}


def factory(variable: Variable[Any]) -> str:
    """What the factory had set, for a value that is another one now."""
    if variable.secret:
        return ""
    if variable.rated:
        return _("up to %(limit)s") % {"limit": encode(float(variable.limits.maximum or 0))}
    if variable.default in (None, "", ()):
        return _("empty")
    return readable(variable, encode(variable.default))


def readable(variable: Variable[Any], text: str) -> str:
    """A value's text; that of a list with room to break its line."""
    return text.replace(",", ", ") if variable.data_type.is_list else text


def refusal(reason: str) -> str:
    """Why a value will not do, as a sentence; ``reason`` is a predicate, or a sentence without its end."""
    return _("This value %(reason)s.") % {"reason": reason} if reason[:1].islower() else f"{reason}."
