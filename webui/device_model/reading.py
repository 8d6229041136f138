"""The device model as the web interface can know it: the tables, what is stored, and what the live view tells.

The uplink alone has the whole of it. What it measures or works out is in no table; of that the live view tells some,
and the rest is shown as what it is: known to the running station only.
"""

from __future__ import annotations

from dataclasses import dataclass

from station.device_model.components import EVSE, ClockCtrlr
from station.device_model.definition import Mutability
from station.device_model.model import DeviceModel, Entry
from station.device_model.naming import parse
from station.device_model.values import encode
from station.live.payloads import StationLive
from station.store import repositories
from webui.dashboard import latest
from webui.device_model import describe
from webui.keypad import offer


@dataclass(frozen=True, slots=True)
class Shown:
    """A variable at its place, ready for a page.

    ``value`` is None for a write-only variable, and where only the running station knows it; ``given`` says of a
    write-only one whether it has a value. ``default`` is empty where the value is the factory's.
    """

    name: str
    component: str
    label: str
    place: str
    doc: str
    value: str | None
    unit: str
    allowed: str
    access: str
    writable: bool
    secret: bool
    live: bool
    given: bool
    reboot: bool
    changed: bool
    default: str


class Reading:
    """One look at the store; good for one page."""

    def __init__(self) -> None:
        self.model = DeviceModel(len(offer.evse_ids()), repositories.readable_variables())
        self._given = repositories.secrets_set()
        self._live = latest.recent()

    def entry(self, name: str) -> Entry:
        """The variable of this name (see ``station.device_model.naming``). Raises UnknownName."""
        return self.model.entry(parse(name))

    def all(self) -> list[Shown]:
        """Every variable at every place, in the order of the tables."""
        return [self.shown(entry) for entry in self.model.entries()]

    def shown(self, entry: Entry) -> Shown:
        """One of them, ready for a page."""
        variable, names = entry.variable, entry.names
        secret = variable.secret or variable.mutability is Mutability.WRITE_ONLY
        given = (names.component, names.variable) in self._given
        default = "" if variable.default is None else encode(variable.default)
        if secret:
            value, changed = None, given
        elif variable.computed:
            value, changed = _told(entry, self._live), variable.rated and entry.limits != variable.limits
        else:
            value, changed = describe.readable(variable, entry.text()), entry.text() != default
        return Shown(
            name=str(names),
            component=names.component,
            label=variable.name + (f"[{variable.instance}]" if variable.instance else ""),
            place=describe.place(names.evse_id, names.connector_id),
            doc=variable.doc,
            value=value,
            unit=variable.unit,
            allowed=describe.allowed(variable, entry.limits),
            access=describe.access(variable.mutability),
            writable=variable.mutability is not Mutability.READ_ONLY,
            secret=secret,
            live=variable.computed,
            given=given,
            reboot=variable.reboot_required,
            changed=changed,
            default=describe.factory(variable) if changed else "",
        )


def _told(entry: Entry, live: StationLive | None) -> str | None:
    """What is known here of a value that the running station measures or works out; None: nothing."""
    if live is None:
        return None
    if entry.variable is ClockCtrlr.DateTime:
        return live.at
    if entry.variable is EVSE.Power and not live.board_online:
        return None  # what was measured before the board went silent says nothing of now
    return live.variables.get(str(entry.names))
