"""The device model of one station: every variable at every place, with its value.

``model[TxCtrlr.EVConnectionTimeOut]`` is typed and is what works now. What the CSMS gets and sets goes by names and
text: ``get``, ``check``, ``set``. A change that must last is handed back as a ``SaveVariable`` effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from station.device_model.components import COMPONENTS
from station.device_model.definition import (
    Attribute,
    Component,
    Limits,
    Located,
    Mutability,
    Scope,
    Variable,
)
from station.device_model.naming import Names, UnknownName, names_of, parse
from station.device_model.values import BadValue, encode
from station.domain.effects import SaveVariable
from station.domain.memory import StoredVariable

T = TypeVar("T")
Validator = Callable[[Any, Located[Any]], None]

_ATTRIBUTES = {str(attribute): attribute for attribute in Attribute}
RATING = "MaxLimit"  # stored in place of an attribute: a rating that the factory set


class Entry:
    """One variable at its place: values, and the characteristics that hold there."""

    __slots__ = ("_source", "_values", "attributes", "limits", "location", "names", "pending", "value", "variable")

    def __init__(self, location: Located[Any]) -> None:
        self.location = location
        self.variable: Variable[Any] = location.variable
        self.names = names_of(location)
        self.limits: Limits = self.variable.limits
        self.value: Any = self.variable.default  # of Actual, as it works now; None: there is none
        self.pending = False  # Actual was set and works after the next reboot
        self.attributes: Mapping[Attribute, Mutability] = self.variable.attributes
        self._values: dict[Attribute, str] = {}
        self._source: Callable[[], Any] | None = None
        self.store(Attribute.ACTUAL, "" if self.value is None else encode(self.value))

    def text(self, attribute: Attribute = Attribute.ACTUAL) -> str:
        """The attribute's value as OCPP writes it; empty where it has none (B06.FR.13)."""
        if self._source is None or attribute is not Attribute.ACTUAL:
            return self._values.get(attribute, "")
        value = self._source()
        return "" if value is None else encode(value)

    def current(self) -> Any:
        """The Actual value as it works now, typed; None where there is none."""
        return self._source() if self._source is not None else self.value

    def store(self, attribute: Attribute, text: str) -> None:
        """Keep the text of an attribute."""
        self._values[attribute] = text

    def freeze(self) -> None:
        """Nobody may set it on this station."""
        self.attributes = dict.fromkeys(self.attributes, Mutability.READ_ONLY)

    def follow(self, source: Callable[[], Any]) -> None:
        """From now on the Actual value is what ``source`` returns."""
        self._source = source

    def keep(self) -> Callable[[], None]:
        """What it takes to have the values and limits of this moment back: call it."""
        value, pending, limits, values = self.value, self.pending, self.limits, dict(self._values)

        def put_back() -> None:
            self.value, self.pending, self.limits, self._values = value, pending, limits, values

        return put_back

    def save(self, value: str, attribute: str = Attribute.ACTUAL, *, old: str | None = None) -> SaveVariable:
        """The effect that keeps ``value``; ``old`` is what it was, for the history."""
        names = self.names
        return SaveVariable(
            names.component,
            names.variable,
            value,
            str(attribute),
            names.component_instance,
            names.variable_instance,
            names.evse_id,
            names.connector_id,
            None if self.variable.secret else old,
        )


class Got(NamedTuple):
    """The answer to one entry of GetVariables. ``value`` counts only where ``status`` is Accepted."""

    status: str
    value: str = ""
    reason_code: str = ""
    info: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The answer to one entry of SetVariables, and what it changed.

    ``entry`` is None where the names lead nowhere. ``effect`` is None where nothing has to be stored. ``old`` and
    ``new`` are None for a secret.
    """

    status: str
    reason_code: str = ""
    info: str = ""
    entry: Entry | None = None
    changed: bool = False
    old: str | None = None
    new: str | None = None
    effect: SaveVariable | None = None


class DeviceModel:
    """All components and variables of a station with ``evses`` EVSEs of ``connectors`` connectors each.

    ``stored`` is what outlived the last life. What of it this release does not know, or cannot take any more, is left
    out and listed in ``ignored``.
    """

    def __init__(
        self,
        evses: int,
        stored: Iterable[StoredVariable] = (),
        *,
        connectors: int = 1,
        components: Iterable[type[Component]] = COMPONENTS,
    ) -> None:
        self.evses = evses
        self.ignored: list[StoredVariable] = []
        self._entries: dict[Located[Any], Entry] = {}
        self._validators: dict[Variable[Any], list[Validator]] = {}
        # Component at its place -> variable and instance -> entry; all folded.
        self._index: dict[tuple[str, str, int, int], dict[tuple[str, str], Entry]] = {}
        self._spelt: dict[Names, Entry] = {}  # found so before, in this very spelling
        for component in components:
            for evse_id, connector_id in self._places(component.scope, connectors):
                for variable in component.variables():
                    self._add(Entry(variable.at(evse_id, connector_id)))
        for record in stored:
            self._load(record)

    def _places(self, scope: Scope, connectors: int) -> Iterator[tuple[int, int]]:
        if scope is Scope.STATION:
            yield 0, 0
            return
        for evse_id in range(1, self.evses + 1):
            if scope is Scope.EVSE:
                yield evse_id, 0
            else:
                yield from ((evse_id, connector_id) for connector_id in range(1, connectors + 1))

    def _add(self, entry: Entry) -> None:
        names = entry.names.folded()
        place = names.component, names.component_instance, names.evse_id, names.connector_id
        variables = self._index.setdefault(place, {})
        if (names.variable, names.variable_instance) in variables:
            raise TypeError(f"{entry.names} is defined twice")
        variables[names.variable, names.variable_instance] = entry
        self._entries[entry.location] = entry

    def _load(self, record: StoredVariable) -> None:
        names = Names(
            record.component,
            record.variable,
            record.component_instance,
            record.variable_instance,
            record.evse_id,
            record.connector_id,
        )
        try:
            entry = self.entry(names)
            if record.attribute == RATING:
                self._rate(entry, record.value)
                return
            attribute = Attribute(record.attribute)
            if attribute not in entry.variable.attributes or entry.variable.computed:
                raise BadValue("is not stored any more")
            value = entry.variable.parse(record.value, entry.limits)
        except ValueError:
            self.ignored.append(record)
            return
        entry.store(attribute, encode(value))
        if attribute is Attribute.ACTUAL:
            entry.value = value

    # ------------------------------------------------------------------ typed, for the station itself

    def __getitem__(self, variable: Variable[T] | Located[T]) -> T:
        """The value that works now. Raises LookupError where there is none (a clock that was never set)."""
        value: T | None = self._entry(variable).current()
        if value is None:
            raise LookupError(f"{self._entry(variable).names} has no value")
        return value

    def raw(self, variable: Variable[T] | Located[T], attribute: Attribute = Attribute.ACTUAL) -> str:
        """The text that the CSMS would read; with a reboot pending, what was set."""
        return self._entry(variable).text(attribute)

    def limits(self, variable: Variable[T] | Located[T]) -> Limits:
        """The limits that hold at this place."""
        return self._entry(variable).limits

    def assign(self, variable: Variable[T] | Located[T], value: T) -> SaveVariable | None:
        """The station itself sets a value: at once, and outside its limits, too (part 1, 4.3: what is measured is so).

        Returns the effect to emit, where the variable is persistent and the value is new.
        """
        entry = self._entry(variable)
        text, old = encode(value), entry.text()
        unchanged = text == old
        entry.value, entry.pending = value, False
        entry.store(Attribute.ACTUAL, text)
        return None if unchanged or not entry.variable.persistent else entry.save(text, old=old)

    def source(self, variable: Variable[T] | Located[T], source: Callable[[], T]) -> None:
        """From now on the Actual value is what ``source`` returns."""
        self._entry(variable).follow(source)

    def freeze(self, variable: Variable[Any] | Located[Any]) -> None:
        """From now on ``variable`` is ReadOnly: what it switches is not built into this station."""
        self._entry(variable).freeze()

    def rate(self, variable: Variable[float] | Located[float], maximum: float) -> None:
        """The station learnt a rating from its board: the maxLimit of this place."""
        entry = self._entry(variable)
        entry.limits = replace(entry.limits, maximum=maximum)

    def add_validator(self, variable: Variable[T], validator: Callable[[T, Located[Any]], None]) -> None:
        """Have ``validator`` look at a new value before it is set; it raises BadValue to refuse it."""
        self._validators.setdefault(variable, []).append(validator)

    def reset_pending(self) -> list[Entry]:
        """What was set and works only after a reboot."""
        return [entry for entry in self._entries.values() if entry.pending]

    def entries(self) -> Iterable[Entry]:
        """Every variable at every place, in the order of the tables."""
        return self._entries.values()

    def _entry(self, variable: Variable[Any] | Located[Any]) -> Entry:
        return self._entries[variable.at() if isinstance(variable, Variable) else variable]

    # ------------------------------------------------------------------ by names, for the outside

    def entry(self, names: Names) -> Entry:
        """The variable that ``names`` means. Raises UnknownName."""
        status, entry = self.find(names)
        if entry is not None:
            return entry
        if status == "UnknownVariable":
            raise UnknownName(f"{names}: {names.component} has no variable of this name and instance")
        folded = names.folded()
        places = [key[2:] for key in self._index if key[:2] == (folded.component, folded.component_instance)]
        if not places:
            raise UnknownName(f"{names}: there is no component of this name and instance")
        known = ", ".join(".".join(str(number) for number in place if number) for place in places)
        if not known:
            raise UnknownName(f"{names}: {names.component} belongs to the station, not to an EVSE")
        raise UnknownName(f"{names}: {names.component} exists at {known} (written after @)")

    def find(self, names: Names) -> tuple[str, Entry | None]:
        """The entry, or UnknownComponent or UnknownVariable and None."""
        known = self._spelt.get(names)
        if known is not None:
            return "Accepted", known
        folded = names.folded()
        variables = self._index.get((folded.component, folded.component_instance, folded.evse_id, folded.connector_id))
        if variables is None:
            return "UnknownComponent", None
        entry = variables.get((folded.variable, folded.variable_instance))
        if entry is None:
            return "UnknownVariable", None
        if len(self._spelt) < 2 * len(self._entries):  # names may be written in many ways
            self._spelt[names] = entry
        return "Accepted", entry

    def get(self, names: Names, attribute: str = "Actual") -> Got:
        """Answer one entry of GetVariables."""
        status, entry = self.find(names)
        if entry is None:
            return Got(status)  # B06.FR.06, B06.FR.07, B06.FR.15
        wanted = _ATTRIBUTES[attribute]
        mutability = entry.attributes.get(wanted)
        if mutability is None:
            return Got("NotSupportedAttributeType")  # B06.FR.08
        if mutability is Mutability.WRITE_ONLY:
            return Got("Rejected", reason_code="WriteOnly", info="cannot be read")  # B06.FR.09
        return Got("Accepted", entry.text(wanted))  # B06.FR.10

    def check(self, names: Names, text: str, attribute: str = "Actual") -> Change:
        """Answer one entry of SetVariables without setting anything; ``changed`` says whether it would."""
        return self._judge(names, text, Attribute(attribute))[0]

    def set(self, names: Names, text: str, attribute: str = "Actual") -> Change:
        """Set one value as the CSMS, or an installer, asks."""
        wanted = _ATTRIBUTES[attribute]
        change, value = self._judge(names, text, wanted)
        entry = change.entry
        if entry is None or not change.changed or change.effect is None:
            return change
        entry.store(wanted, change.effect.value or "")
        if wanted is Attribute.ACTUAL:
            if entry.variable.reboot_required:
                entry.pending = value != entry.value
            else:
                entry.value = value
        return change

    def _judge(self, names: Names, text: str, attribute: Attribute) -> tuple[Change, Any]:
        status, entry = self.find(names)
        if entry is None:
            return Change(status), None  # B05.FR.04, B05.FR.05
        variable = entry.variable
        mutability = entry.attributes.get(attribute)
        if mutability is None:
            return Change("NotSupportedAttributeType", entry=entry), None  # B05.FR.06
        if mutability is Mutability.READ_ONLY:
            return Change("Rejected", "ReadOnly", "cannot be set", entry), None  # B05.FR.09
        try:
            value = variable.parse(text, entry.limits)  # B05.FR.07, B05.FR.08
            _check_set_points(entry, attribute, value)
            for validator in self._validators.get(variable, ()):
                validator(value, entry.location)
        except BadValue as reason:
            return Change("Rejected", reason.reason_code, str(reason), entry), None
        old, new = entry.text(attribute), encode(value)
        changed = old != new
        needs_reboot = variable.reboot_required and attribute is Attribute.ACTUAL and value != entry.value
        return (
            Change(
                "RebootRequired" if needs_reboot else "Accepted",  # B05.FR.10
                entry=entry,
                changed=changed,
                old=None if variable.secret else old,
                new=None if variable.secret else new,
                effect=entry.save(new, attribute, old=old) if changed else None,
            ),
            value,
        )

    # ------------------------------------------------------------------ the factory

    def factory_set(self, name: str, text: str) -> SaveVariable:
        """Set ``name`` (see ``naming.parse``) as a factory would: what is read-only over OCPP, too.

        Returns what to store. Raises UnknownName or BadValue, both ValueErrors that name what is wrong.
        """
        entry = self.entry(parse(name))
        try:
            if entry.variable.rated:
                before = entry.limits.maximum
                return entry.save(self._rate(entry, text), RATING, old="" if before is None else encode(before))
            if entry.variable.computed:
                raise BadValue("is found out by the station itself and cannot be set", "ReadOnly")
            value = entry.variable.parse(text, entry.limits)
        except BadValue as reason:
            raise BadValue(f"{entry.names} {reason}", reason.reason_code) from None
        old = entry.text()
        entry.value, entry.pending = value, False
        entry.store(Attribute.ACTUAL, encode(value))
        return entry.save(encode(value), old=old)

    def _rate(self, entry: Entry, text: str) -> str:
        if not entry.variable.rated:
            raise BadValue("has no rating")
        rating = entry.variable.parse(text, replace(entry.variable.limits, maximum=None))
        if rating <= 0:
            raise BadValue("must be greater than 0", "ValueZeroNotAllowed")
        entry.limits = replace(entry.limits, maximum=rating)
        return encode(rating)


def _check_set_points(entry: Entry, attribute: Attribute, value: Any) -> None:
    """A Target lies between MinSet and MaxSet, where these are set (part 1, section 4.3)."""
    if attribute is not Attribute.TARGET or not entry.variable.data_type.is_number:
        return
    low, high = entry.text(Attribute.MIN_SET), entry.text(Attribute.MAX_SET)
    if low and value < float(low):
        raise BadValue(f"must be at least {low} (MinSet)", "ValueTooLow")
    if high and value > float(high):
        raise BadValue(f"must be at most {high} (MaxSet)", "ValueTooHigh")
