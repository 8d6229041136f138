"""Whose paper it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from station.store.models import Variable

MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Letterhead:
    """``name`` in large letters, ``lines`` (address, telephone, tax number …) beside it, ``footer`` on every page."""

    name: str
    lines: tuple[str, ...] = ()
    footer: str = ""


def current() -> Letterhead:
    """As the owner has set it; where nothing is set, the station's own name."""
    identity = Variable.objects.filter(component="SecurityCtrlr", variable="Identity").values_list("value", flat=True)
    name = next(iter(identity), "")
    return Letterhead(_("Charging station %(name)s") % {"name": name} if name else _("Charging station"))
