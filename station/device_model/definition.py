"""How a variable of the device model is defined: once, as an attribute of the component that it belongs to.

``class TxCtrlr(Component): EVConnectionTimeOut = integer(60, …)`` defines ``TxCtrlr.EVConnectionTimeOut``; code then
reads ``model[TxCtrlr.EVConnectionTimeOut]`` and gets an int. The tables are in ``device_model.components``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from station.device_model.values import BadValue, DataType, check_text, decode, encode, quoted

T = TypeVar("T")


class Mutability(StrEnum):
    """MutabilityEnumType."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


class Attribute(StrEnum):
    """AttributeEnumType."""

    ACTUAL = "Actual"
    TARGET = "Target"
    MIN_SET = "MinSet"
    MAX_SET = "MaxSet"


class Scope(StrEnum):
    """On which tier a component lives, and so how often it exists."""

    STATION = "station"
    EVSE = "each EVSE"
    CONNECTOR = "each connector"


READ_ONLY = Mutability.READ_ONLY
READ_WRITE = Mutability.READ_WRITE
WRITE_ONLY = Mutability.WRITE_ONLY


@dataclass(frozen=True, slots=True)
class Limits:
    """The characteristics that may differ from EVSE to EVSE. For texts and lists ``maximum`` is the text's length."""

    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


@dataclass(eq=False)
class Variable(Generic[T]):
    """One variable of a component: its characteristics, and how it behaves.

    ``computed``: the value lives elsewhere (measured, or derived) and is never stored.
    ``rated``: the factory sets the characteristic maxLimit and not the value (EVSE.Power, part 2, section 2.13.7).
    ``reboot_required``: a new value is shown at once and works after the next reboot (SetVariables: RebootRequired).
    ``required``: the section of part 2 (or 4) that demands the variable; empty where it is optional.
    ``vendor``: not in the appendix's list; our own.
    """

    data_type: DataType
    default: T | None
    mutability: Mutability
    doc: str
    unit: str = ""
    limits: Limits = Limits()
    min_length: int = 0
    empty_allowed: bool = True  # lists and texts
    format: Callable[[str], None] | None = None
    name: str = ""
    instance: str = ""
    persistent: bool = False
    constant: bool = False
    supports_monitoring: bool = False
    reboot_required: bool = False
    computed: bool = False
    rated: bool = False
    secret: bool = False
    vendor: bool = False
    required: str = ""
    other_attributes: Mapping[Attribute, Mutability] | None = None

    # Filled in by the component.
    component: str = ""
    component_instance: str = ""
    scope: Scope = Scope.STATION

    def __post_init__(self) -> None:
        self.attributes: dict[Attribute, Mutability] = {Attribute.ACTUAL: self.mutability}
        self.attributes.update(self.other_attributes or {})
        self._places: dict[tuple[int, int], Located[T]] = {}

    def bind(self, component: type[Component], attribute_name: str) -> None:
        """The component takes the variable in; its name is the attribute's unless another was given."""
        if self.component:
            raise TypeError(f"{self.component}.{self.name} is defined twice")
        self.name = self.name or attribute_name
        self.component, self.component_instance = component.name, component.instance
        self.scope = component.scope

    def at(self, evse_id: int = 0, connector_id: int = 0) -> Located[T]:
        """The variable of one EVSE or connector. Raises ValueError where its component does not live on that tier."""
        place = self._places.get((evse_id, connector_id))
        if place is None:
            tier = (Scope.CONNECTOR if connector_id else Scope.EVSE) if evse_id else Scope.STATION
            if tier is not self.scope:
                raise ValueError(f"{self.component}.{self.name} exists once for {self.scope.value}")
            place = self._places[evse_id, connector_id] = Located(self, evse_id, connector_id)
        return place

    def parse(self, text: str, limits: Limits | None = None) -> T:
        """The value behind ``text``, wholly checked: type, limits, members, length, format. Raises BadValue."""
        limits = limits or self.limits
        check_text(text)
        value: T = decode(self.data_type, text)
        if self.data_type.is_number:
            _check_range(value, limits)
            return value
        if isinstance(value, tuple):
            _check_members(value, limits)
            text = encode(value)
        elif self.data_type is DataType.OPTION_LIST and text not in limits.values:
            raise BadValue(f"must be one of {', '.join(limits.values)}")
        if not text and not self.empty_allowed:
            raise BadValue("must not be empty")
        if len(text) < self.min_length:
            raise BadValue(f"must have at least {self.min_length} characters", "ValueOutOfRange")
        if limits.maximum is not None and len(text) > limits.maximum:
            raise BadValue(f"must have at most {limits.maximum:g} characters", "ValueOutOfRange")
        if self.format:
            self.format(text)
        return value

    def __repr__(self) -> str:
        return f"<{self.component}.{self.name}{f'[{self.instance}]' if self.instance else ''}>"


def _check_range(value: Any, limits: Limits) -> None:
    if limits.minimum is not None and value < limits.minimum:
        raise BadValue(f"must be at least {limits.minimum:g}", "ValueTooLow")
    if limits.maximum is not None and value > limits.maximum:
        raise BadValue(f"must be at most {limits.maximum:g}", "ValueTooHigh")


def _check_members(members: tuple[str, ...], limits: Limits) -> None:
    for member in members:
        if member not in limits.values:
            raise BadValue(f"{quoted(member)} is not one of {', '.join(limits.values)}")
    if len(set(members)) < len(members):
        raise BadValue("must not name anything twice")


@dataclass(frozen=True, slots=True, eq=False)
class Located(Generic[T]):
    """A variable at its place; the same object for the same place (see ``Variable.at``). 0 means: not on that tier."""

    variable: Variable[T]
    evse_id: int = 0
    connector_id: int = 0


class Component:
    """Base of the components.

    The class's name, or ``name``, is the component's; its ``Variable`` attributes are its variables.
    """

    name: ClassVar[str] = ""
    instance: ClassVar[str] = ""
    scope: ClassVar[Scope] = Scope.STATION

    def __init_subclass__(cls, scope: Scope = Scope.STATION, instance: str = "", name: str = "") -> None:
        cls.name, cls.scope, cls.instance = name or cls.__name__, scope, instance
        for attribute_name, variable in vars(cls).items():
            if isinstance(variable, Variable):
                variable.bind(cls, attribute_name)

    @classmethod
    def variables(cls) -> Iterator[Variable[Any]]:
        """The component's variables in the order of their definition."""
        return (variable for variable in vars(cls).values() if isinstance(variable, Variable))


# ------------------------------------------------------------------ how the tables write a variable


def _define(data_type: DataType, default: Any, mutability: Mutability, doc: str, **options: Any) -> Variable[Any]:
    # Part 2, "Referenced Components and Variables": what is writable is persistent.
    options.setdefault("persistent", mutability is not READ_ONLY or options.get("constant", False))
    return Variable(data_type, default, mutability, doc, **options)


def integer(
    default: int | None,
    mutability: Mutability,
    doc: str,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    **options: Any,
) -> Variable[int]:
    """A whole number of 32 bits."""
    return _define(DataType.INTEGER, default, mutability, doc, limits=Limits(minimum, maximum), **options)


def decimal(
    default: float | None,
    mutability: Mutability,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    **options: Any,
) -> Variable[float]:
    """A number with at most six decimal places."""
    return _define(DataType.DECIMAL, default, mutability, doc, limits=Limits(minimum, maximum), **options)


def boolean(default: bool, mutability: Mutability, doc: str, **options: Any) -> Variable[bool]:
    """True or false."""
    return _define(DataType.BOOLEAN, default, mutability, doc, **options)


def string(default: str, mutability: Mutability, doc: str, *, maximum: int, **options: Any) -> Variable[str]:
    """Text of at most ``maximum`` characters."""
    return _define(DataType.STRING, default, mutability, doc, limits=Limits(maximum=maximum), **options)


def date_time(default: datetime | None, mutability: Mutability, doc: str, **options: Any) -> Variable[datetime]:
    """A date and time, always aware."""
    return _define(DataType.DATE_TIME, default, mutability, doc, **options)


def option_list(values: Iterable[str], default: str, mutability: Mutability, doc: str, **options: Any) -> Variable[str]:
    """One of ``values``."""
    return _define(DataType.OPTION_LIST, default, mutability, doc, limits=Limits(values=tuple(values)), **options)


def member_list(
    values: Iterable[str], default: Iterable[str], mutability: Mutability, doc: str, **options: Any
) -> Variable[tuple[str, ...]]:
    """Some of ``values``, in any order."""
    return _list(DataType.MEMBER_LIST, values, default, mutability, doc, options)


def sequence_list(
    values: Iterable[str], default: Iterable[str], mutability: Mutability, doc: str, **options: Any
) -> Variable[tuple[str, ...]]:
    """Some of ``values``, the order says which comes first."""
    return _list(DataType.SEQUENCE_LIST, values, default, mutability, doc, options)


def _list(
    data_type: DataType,
    values: Iterable[str],
    default: Iterable[str],
    mutability: Mutability,
    doc: str,
    options: dict[str, Any],
) -> Variable[tuple[str, ...]]:
    values = tuple(values)
    limits = Limits(maximum=len(",".join(values)), values=values)
    return _define(data_type, tuple(default), mutability, doc, limits=limits, **options)
