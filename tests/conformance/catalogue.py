"""The list of certification cases, and which of them apply to this station.

``catalogue.csv`` has the charging station's cases of OCPP 2.0.1 part 6 with the errata of 2025-09: one row per case and
profile. ``features.csv`` has the optional features, hardware features and questions of part 5 that their conditions
speak of: what the certificate that this station is measured by answered, and what this station does (``ours``):

* ``yes`` and ``no``: so it is, and it cannot be changed;
* ``on`` and ``off``: built, and switched by the variable; the word says how the station is shipped;
* ``not yet``: to be built;
* ``shipped``: the value is what the variable is shipped with;
* anything else is the value itself.

A case applies where some setting of the switches makes its condition true.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

FOLDER = Path(__file__).parent
MANDATORY = "M"
SWITCHES = ("on", "off")
NOT_YET = "not yet"
SHIPPED = "shipped"
PROFILES = (
    "Core",
    "Advanced Security",
    "Local Authorization List Management",
    "Smart Charging",
    "Advanced Device Management",
    "Reservation",
    "Advanced User Interface",
    "ISO 15118 Support",
)
_WORD = re.compile(r"\s*(>|\(|\)|\d+(?=\s|\)|$)|[A-Z]+-[A-Z0-9.]+|and\b|or\b|not\b)")
_ID = re.compile(r"[A-Z]+-[A-Z0-9.]+")


@dataclass(frozen=True)
class Case:
    """One case in one profile. ``condition`` is empty where it is mandatory."""

    id: str
    profile: str
    name: str
    kind: str
    condition: str

    @property
    def block(self) -> str:
        """The functional block that part 6 has it in, one letter."""
        return self.id[3]


@dataclass(frozen=True)
class Feature:
    """What conditions speak of. ``variable`` is ``Component.Variable``, with ``=value`` where it means one value."""

    id: str
    feature: str
    variable: str
    certificate: str
    ours: str

    @property
    def supported(self) -> bool:
        return self.ours not in ("no", NOT_YET)

    @property
    def present(self) -> bool:
        """As shipped."""
        return self.supported and self.ours != "off"

    def truths(self, *, awaited: bool = False) -> tuple[bool, ...]:
        """What it can be in a condition; with ``awaited`` also what is still to be built counts as a switch."""
        if self.ours in SWITCHES or (awaited and self.ours == NOT_YET):
            return (True, False)
        return (self.supported,)


class ConditionError(ValueError):
    """A condition that cannot be read; the text says where."""


@cache
def cases() -> tuple[Case, ...]:
    """Every case, in the order of part 5."""
    return tuple(Case(**row) for row in _rows("catalogue.csv"))


@cache
def features() -> Mapping[str, Feature]:
    """Every feature by its id, in the order of part 5."""
    return {row["id"]: Feature(**row) for row in _rows("features.csv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def ids_in(condition: str) -> set[str]:
    """The features that ``condition`` names."""
    return set(_ID.findall(condition))


def holds(condition: str, truths: Mapping[str, bool], numbers: Mapping[str, int] | None = None) -> bool:
    """Whether ``condition`` is true; the empty one always is. ``not`` binds closest, then ``>``, ``and``, ``or``.

    Raises ConditionError, also for a feature that is in neither mapping.
    """
    return _Reading(condition, truths, numbers or {}).result() if condition else True


def applies(condition: str, *, awaited: bool = False, without: str = "") -> bool:
    """Whether this station can be set so that ``condition`` is true; ``without``: if it had not that feature."""
    known = features()
    named = sorted(ids_in(condition))
    unknown = [ident for ident in named if ident not in known]
    if unknown:
        raise ConditionError(f"{condition}: {', '.join(unknown)} is in no list")
    numbers = {ident: int(known[ident].ours) for ident in named if known[ident].ours.isdigit()}
    numbers |= {without: 0} if without in numbers else {}
    choices = product(*((False,) if ident == without else known[ident].truths(awaited=awaited) for ident in named))
    return any(holds(condition, dict(zip(named, choice, strict=True)), numbers) for choice in choices)


def needs(condition: str, feature: str) -> bool:
    """Whether ``condition`` can be true, and could not without ``feature``.

    One of several alternatives is not needed: a case for ISO14443 or ISO15693 or KeyCode is played with one of them and
    proves nothing of the others.
    """
    return feature in ids_in(condition) and applies(condition) and not applies(condition, without=feature)


def written(folder: Path = FOLDER) -> dict[str, list[str]]:
    """The cases that have tests: id to the names of the files that a ``tc`` mark is in."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("test_*.py")):
        for ident in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            files = found.setdefault(ident, [])
            if path.name not in files:
                files.append(path.name)
    return found


def _marked(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.tc":
            for argument in node.args:
                if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
                    raise TypeError(f"line {node.lineno}: a tc mark names its case by a literal")
                yield argument.value


class _Reading:
    """A condition as it is read from left to right."""

    def __init__(self, condition: str, truths: Mapping[str, bool], numbers: Mapping[str, int]) -> None:
        self._condition = condition
        self._truths = truths
        self._numbers = numbers
        self._words: list[str] = []
        place = 0
        while place < len(condition.rstrip()):
            word = _WORD.match(condition, place)
            if not word:
                raise ConditionError(f"{condition}: cannot be read from character {place + 1}")
            self._words.append(word.group(1))
            place = word.end()

    def result(self) -> bool:
        value = self._or()
        if self._words:
            raise ConditionError(f"{self._condition}: {self._words[0]} is one too many")
        return value

    def _or(self) -> bool:
        value = self._and()
        while self._took("or"):
            value = self._and() or value  # both sides are read
        return value

    def _and(self) -> bool:
        value = self._one()
        while self._took("and"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._took("not"):
            return not self._one()
        if self._took("("):
            value = self._or()
            if not self._took(")"):
                raise ConditionError(f"{self._condition}: a parenthesis is not closed")
            return value
        ident = self._next()
        if self._took(">"):
            bound = self._next()
            if ident not in self._numbers or not bound.isdigit():
                raise ConditionError(f"{self._condition}: {ident} > {bound} compares no numbers")
            return self._numbers[ident] > int(bound)
        if ident not in self._truths:
            raise ConditionError(f"{self._condition}: {ident} is not known")
        return self._truths[ident]

    def _took(self, word: str) -> bool:
        if self._words and self._words[0] == word:
            self._words.pop(0)
            return True
        return False

    def _next(self) -> str:
        if not self._words:
            raise ConditionError(f"{self._condition}: ends too early")
        return self._words.pop(0)
