"""Whose paper it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from station.store.models import Variable
from webui.owner import here

MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Letterhead:
    """``name`` in large letters, ``lines`` (address, telephone, tax number …) beside it, ``footer`` on every page."""

    name: str
    lines: tuple[str, ...] = ()
    footer: str = ""


def current() -> Letterhead:
    """As the owner has set it; where nothing is set, the station's own name."""
    mine = here.settings()
    name = mine.letterhead_name or mine.name or _own_name()
    lines = [line.strip() for line in mine.letterhead_address.splitlines() if line.strip()][:MOST_LINES]
    if mine.vat_id:
        lines.append(_("VAT ID %(number)s") % {"number": mine.vat_id})
    place = ", ".join(part for part in (mine.name, mine.place) if part and part != name)
    return Letterhead(name, tuple(lines), place)


def _own_name() -> str:
    identity = Variable.objects.filter(component="SecurityCtrlr", variable="Identity").values_list("value", flat=True)
    name = identity.first()
    return _("Charging station %(name)s") % {"name": name} if name else _("Charging station")
