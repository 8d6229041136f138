"""The papers: the protocol, and the label with the code. Made by the process for long work (webui.work), never here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from webui import words
from webui.commissioning import codes, steps
from webui.commissioning.forms import conductors
from webui.commissioning.models import Commissioning
from webui.paper import fonts, letterhead
from webui.paper.paper import ACCENT, INK, LINE, SMALL, SOFT, Column, Paper
from webui.work.doing import Refused, Work

LABEL = (100 * mm, 60 * mm)  # width, height
PARTS = 5

Told = Mapping[str, Any]


def protocol(work: Work) -> None:
    """The protocol of one commissioning (``commissioning``: its id) as it was signed."""
    told = _told(work)
    head = letterhead.current()
    with Paper(work.path, _("Commissioning protocol"), head, subject=str(told["station"]["identity"])) as paper:
        _station(paper, told)
        work.tell(1, PARTS)
        _electrical(paper, told["electrical"])
        work.tell(2, PARTS)
        for step in told["steps"]:
            _step(paper, step)
        work.tell(3, PARTS)
        _settings(paper, told["settings"])
        work.tell(4, PARTS)
        _signature(paper, told)
    work.tell(PARTS, PARTS)
    work.deliver(f"{_file(told)}-{_('protocol')}.pdf", "application/pdf")


def label(work: Work) -> None:
    """A label of 100 by 60 mm: which station it is, and its address as a QR code."""
    told = _told(work)
    station, address = told["station"], str(told["signature"]["address"])
    try:
        matrix = codes.matrix(address)
    except ValueError:
        raise Refused(_("The address is too long for a QR code.")) from None
    fonts.load()
    canvas = Canvas(str(work.path), pagesize=LABEL, pageCompression=1, initialFontName=fonts.REGULAR)
    canvas.setTitle(fonts.printable(_("Label of the station")))
    canvas.setCatalogEntry("Lang", translation.get_language() or "en")
    width, height = LABEL
    side = 42 * mm
    draw_code(canvas, matrix, width - side - 4 * mm, height - side - 6 * mm, side)
    canvas.setFillColor(ACCENT)
    canvas.rect(0, height - 2.5 * mm, width, 2.5 * mm, stroke=0, fill=1)
    room = width - side - 14 * mm
    y = height - 11 * mm
    name = station["identity"] or _("Charging station")
    y = _lines(canvas, str(name), 6 * mm, y, 13, room, bold=True)
    y = _lines(canvas, str(_place(told).get("site", "")), 6 * mm, y - 1 * mm, 9, room)
    facts = (f"{station['vendor']} {station['model']}", station["serial_number"])
    for fact in facts:
        y = _lines(canvas, str(fact), 6 * mm, y - 0.5 * mm, SMALL, room, color=SOFT)
    _lines(canvas, address, 6 * mm, 9 * mm, 8, width - 12 * mm, bold=True)
    canvas.setStrokeColor(LINE)
    canvas.rect(0.3, 0.3, width - 0.6, height - 0.6, stroke=1, fill=0)
    canvas.save()
    work.deliver(f"{_file(told)}-{_('label')}.pdf", "application/pdf")


def draw_code(canvas: Any, matrix: Sequence[Sequence[bool]], x: float, y: float, side: float) -> None:
    """A QR code with its white border, as rectangles; a row's dark neighbours are one."""
    size = len(matrix) + 2 * codes.BORDER
    module = side / size
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(x, y, side, side, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    for number, row in enumerate(matrix):
        bottom = y + side - (number + codes.BORDER + 1) * module
        begun = None
        for place, dark in enumerate([*row, False]):
            if dark and begun is None:
                begun = place
            elif not dark and begun is not None:
                left = x + (begun + codes.BORDER) * module
                canvas.rect(left, bottom, (place - begun) * module, module, stroke=0, fill=1)
                begun = None


# ------------------------------------------------------------------ the protocol's parts


def _station(paper: Paper, told: Told) -> None:
    station, place = told["station"], _place(told)
    paper.heading(_("Station"))
    paper.pairs(
        [
            (_("Place"), str(place.get("site", "–"))),
            (_("Address"), " · ".join(str(place.get("address", "")).split("\n")) or "–"),
            (_("Manufacturer and model"), f"{station['vendor']} {station['model']}"),
            (_("Serial number"), station["serial_number"] or "–"),
            (_("Identity"), station["identity"] or "–"),
            (_("Firmware"), station["firmware"]),
            (_("Time zone"), station["time_zone"] or "–"),
            (_("Begun"), _moment(told["begun"])),
            (_("Signed"), _moment(told["signed"])),
        ]
    )


def _electrical(paper: Paper, told: Told) -> None:
    paper.heading(_("Electrical data"))
    fuse = f"{_number(told['fuse'])} A" if told["fuse"] else "–"
    supply = _("%(phases)s × %(voltage)s V, fuse %(fuse)s") % {
        "phases": told["phases"],
        "voltage": _number(told["voltage"]),
        "fuse": fuse,
    }
    paper.pairs([(_("Supply"), supply)])
    table = paper.table(
        [
            Column(_("EVSE"), 1),
            Column(_("Current"), 2, right=True),
            Column(_("Power"), 2, right=True),
            Column(_("Conductors of the supply"), 3),
            Column(_("Connector"), 2),
        ]
    )
    for evse in told["evses"]:
        rotation = conductors(evse["rotation"]) or "–"
        power = f"{_number(evse['power'] / 1000, 2)} kW"
        current = f"{evse['phases']} × {_number(evse['current'])} A"
        table.row([str(evse["evse_id"]), current, power, rotation, str(evse["connector"])])
    table.end()


def _step(paper: Paper, step: Told) -> None:
    name, values = step["name"], step["values"]
    if name in (steps.PLACE, steps.ELECTRICAL):
        return  # they have parts of their own
    paper.heading(str(steps.TITLES.get(name, name)))
    told = [(_("Result"), str(steps.WORDS.get(step["status"], step["status"])))]
    if step["said"]:
        told.append((_("Remark"), step["said"]))
    if step["by"]:
        told.append((_("Done by"), f"{step['by']}, {_moment(step['at'])}"))
    paper.pairs(told)
    if step["status"] == steps.DONE and name in _DETAILS:
        _DETAILS[name](paper, values)


def _board(paper: Paper, values: Told) -> None:
    board = values.get("board") or {}
    paper.pairs([(_("Firmware of the board"), str(board.get("firmware", "–")))])
    table = paper.table([Column(_("EVSE"), 1), Column(_("Test"), 4), Column(_("Result"), 4), Column("", 1, right=True)])
    for evse in values.get("evses", []):
        for name, value, tone in evse["checks"]:
            table.row([str(evse["evse_id"]), name, value, {"good": _("ok"), "bad": _("bad")}.get(tone, "")])
    table.end()


def _network(paper: Paper, values: Told) -> None:
    found = [(one["name"], f"{', '.join(one['addresses'])} {one['mac']}") for one in values.get("interfaces", [])]
    paper.pairs([(_("Name of the machine"), str(values.get("host", "–"))), *found])


def _csms(paper: Paper, values: Told) -> None:
    paper.pairs(
        [
            (_("Address"), str(values.get("csms_url", "–"))),
            (_("Identity"), str(values.get("identity", "–"))),
            (_("Security profile"), str(values.get("security_profile", "–"))),
            (_("Connection doctor"), str(values.get("doctor") or "–")),
        ]
    )


def _cards(paper: Paper, values: Told) -> None:
    paper.pairs([(_("Cards with a name"), str(values.get("count", 0)))])


def _charge(paper: Paper, values: Told) -> None:
    table = paper.table(
        [
            Column(_("EVSE"), 1),
            Column(_("Begun"), 3),
            Column(_("Seconds"), 2, right=True),
            Column(_("Energy"), 2, right=True),
            Column(_("Largest power"), 2, right=True),
            Column(_("How it ended"), 4),
        ]
    )
    for evse_id, one in sorted((values.get("evses") or {}).items()):
        energy, power = f"{_number(one['energy'])} Wh", f"{_number(one['power'] / 1000, 2)} kW"
        reason = words.reason(one["reason"])
        table.row([str(evse_id), _moment(one["started"]), str(one["seconds"]), energy, power, reason])
    table.end()


_DETAILS = {
    steps.BOARD: _board,
    steps.NETWORK: _network,
    steps.CSMS: _csms,
    steps.CARDS: _cards,
    steps.CHARGE: _charge,
}


def _settings(paper: Paper, settings: Sequence[Sequence[str]]) -> None:
    paper.heading(_("Settings that differ from how the station was delivered"))
    if not settings:
        paper.text(_("None."))
        return
    table = paper.table([Column(_("Variable"), 5), Column(_("Value"), 4), Column(_("Unit"), 1)])
    for name, value, unit in settings:
        table.row([name, value, unit])
    table.end()


def _signature(paper: Paper, told: Told) -> None:
    signature = told["signature"]
    paper.heading(_("Sign-off"))
    company = f", {signature['company']}" if signature["company"] else ""
    paper.pairs([(_("Installer"), f"{signature['name']}{company}"), (_("Date"), _moment(told["signed"]))])
    if signature["remarks"]:
        paper.text(_("Remarks"), bold=True)
        paper.text(signature["remarks"])
    paper.text(_("The installer has set this station up and checked it as this protocol says."))
    side = 30 * mm
    paper.room(side + 4 * mm)
    paper.y -= side
    draw_code(paper.canvas, codes.matrix(signature["address"]), paper.left, paper.y, side)
    paper.canvas.setFillColor(INK)
    paper.canvas.setFont(fonts.REGULAR, SMALL)
    x = paper.left + side + 4 * mm
    paper.canvas.drawString(x, paper.y + side - 6 * mm, fonts.printable(signature["address"])[:90])
    paper.canvas.setFillColor(SOFT)
    paper.canvas.drawString(x, paper.y + side - 11 * mm, fonts.printable(_("Checksum of the record (SHA-256)")))
    paper.canvas.drawString(x, paper.y + side - 15 * mm, told["digest"])
    paper.signature(_("Place and date"), _("Signature"))


# ------------------------------------------------------------------ small things


def _told(work: Work) -> Told:
    found = Commissioning.objects.filter(pk=work.arguments.get("commissioning"), signed_at__isnull=False).first()
    if found is None or not isinstance(found.protocol, dict):
        raise Refused(_("There is no such protocol any more."))
    return found.protocol


def _place(told: Told) -> Told:
    for step in told["steps"]:
        if step["name"] == steps.PLACE:
            return dict(step["values"])
    return {}


def _file(told: Told) -> str:
    """The beginning of a file's name; of what anybody typed only harmless letters stay."""
    name = str(told["station"]["identity"] or told["station"]["serial_number"] or "station")
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in name)
    return f"{kept}-{str(told['signed'])[:10]}"


def _moment(text: str) -> str:
    at = parse_datetime(text)
    if not isinstance(at, datetime):
        return "–"
    return str(date_format(timezone.localtime(at), "j F Y, H:i"))


def _number(value: float, places: int = 1) -> str:
    return str(number_format(value, 0 if float(value).is_integer() and places == 1 else places))


def _lines(
    canvas: Any, text: str, x: float, y: float, size: float, room: float, *, bold: bool = False, color: Any = INK
) -> float:
    """At most three lines from ``y`` downwards; where the next begins."""
    canvas.setFont(fonts.BOLD if bold else fonts.REGULAR, size)
    canvas.setFillColor(color)
    for line in [one for one in fonts.lines(fonts.printable(text), size, room, bold=bold) if one][:3]:
        canvas.drawString(x, y, line)
        y -= size * 1.3
    return y
