"""What of the database is configuration, table by table. Tables of the web interface are named, never imported.

Private keys are not in a backup, whatever the passphrase: they never leave the station (A02.FR.05). So its own
certificates are not, either; a station keeps those that it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models as orm

from station.backup.container import Backup, Refused, Rows
from station.domain.certificates import CertificateUse
from station.store.confidential import WRITE_ONLY
from station.store.secrets import SecretDamaged, seal, unseal

OWN = (CertificateUse.CHARGING_STATION, CertificateUse.V2G_CHAIN)
MACHINE = frozenset({("ChargingStation", "SerialNumber")})  # belongs to the machine, not to its configuration


class Mode(Enum):
    """What becomes of rows that the backup has not."""

    REPLACE = "replace"  # they go
    MERGE = "merge"  # they stay
    ADD = "add"  # they stay, and those that are there are not changed either


@dataclass(frozen=True, slots=True)
class Part:
    """One table. ``key`` tells rows apart; ``secret`` columns, or ``all_secret`` rows, are in a sealed part only.

    ``sealed`` columns are kept sealed with this station's key, and go into the file (sealed there) as they are.
    ``without`` are columns that are not configuration.
    """

    name: str
    label: str
    key: tuple[str, ...]
    mode: Mode
    secret: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    all_secret: bool = False

    @property
    def model(self) -> type[orm.Model] | None:
        """None where this release has no such room."""
        try:
            return apps.get_model(self.label)
        except LookupError:
            return None

    def columns(self, model: type[orm.Model]) -> list[Any]:
        """The columns that count, with the key's."""
        left_out = {"id", *self.without} - set(self.key)
        return [column for column in model._meta.concrete_fields if column.name not in left_out]


PARTS = (
    Part(
        "variables",
        "store.Variable",
        (
            "component",
            "component_instance",
            "evse_id",
            "connector_id",
            "variable",
            "variable_instance",
            "attribute",
        ),
        Mode.REPLACE,
    ),
    Part("network", "store.NetworkProfile", ("slot",), Mode.REPLACE),
    Part("roots", "store.Certificate", ("certificate_id",), Mode.REPLACE, without=("key",)),
    Part(
        "people",
        "auth.User",
        ("username",),
        Mode.MERGE,
        secret=("password",),
        without=("last_login", "date_joined"),
    ),
    Part(
        "accounts",
        "accounts.Account",
        ("user",),
        Mode.MERGE,
        secret=("totp_secret", "totp_since"),
        sealed=("totp_secret",),
        without=("totp_step", "invited_until", "invited_by"),
    ),
    Part("policies", "accounts.Policy", ("role",), Mode.REPLACE),
    Part("cards", "cards.Card", ("lookup", "id_token_type"), Mode.REPLACE, all_secret=True),
    Part("tariffs", "tariff.Tariff", ("valid_from",), Mode.ADD),
    Part("settings", "owner.Settings", ("id",), Mode.MERGE, without=("serial",)),
    Part(
        "notices",
        "notices.Settings",
        ("id",),
        Mode.MERGE,
        secret=("smtp_password", "hook_url"),
        sealed=("smtp_password", "hook_url"),
    ),
    Part(
        "neighbourhood",
        "neighbourhood.Neighbourhood",
        ("id",),
        Mode.MERGE,
        secret=("password",),
        sealed=("password",),
        without=("version",),
    ),
)


def present() -> Iterable[tuple[Part, type[orm.Model]]]:
    """The parts that this release has tables for."""
    for part in PARTS:
        model = part.model
        if model is not None:
            yield part, model


def rows_of(part: Part, model: type[orm.Model]) -> orm.QuerySet[Any]:
    """The rows of the database that belong to the configuration."""
    rows = model._default_manager.all()
    if part.name == "roots":
        rows = rows.exclude(use__in=[use.value for use in OWN])
    if part.name == "variables":
        for component, variable in MACHINE:
            rows = rows.exclude(component=component, variable=variable)
    return rows.order_by(*part.key)


def collect(about: dict[str, Any], *, secrets: bool) -> Backup:
    """The present configuration. Raises django.db.Error; secrets that do not open any more are left out."""
    open_, secret = {}, {}
    for part, model in present():
        told, hidden = [], []
        for row in rows_of(part, model):
            values = {column.name: _out(column, row) for column in part.columns(model)}
            if part.all_secret or is_write_only(part, values):
                if is_write_only(part, values):
                    values["value"] = _opened(values["value"])
                hidden.append(values)
                continue
            told.append({name: value for name, value in values.items() if name not in part.secret})
            if part.secret:
                hidden.append({name: _revealed(part, name, values[name]) for name in (*part.key, *part.secret)})
        open_[part.name], secret[part.name] = told, hidden
    return Backup(about, open_, {name: rows for name, rows in secret.items() if rows} if secrets else None)


def is_write_only(part: Part, row: dict[str, Any]) -> bool:
    """Whether a row of the variables holds a password."""
    return part.name == "variables" and (row.get("component"), row.get("variable")) in WRITE_ONLY


def merged(part: Part, backup: Backup) -> list[dict[str, Any]]:
    """The rows of a part as the file has them, its secrets with them where they were opened."""
    rows = [dict(row) for row in backup.open.get(part.name, [])]
    secret: Rows = backup.secret or {}
    by_key = {key_of(part, row): row for row in rows}
    for hidden in secret.get(part.name, []):
        row = by_key.get(key_of(part, hidden))
        if row is not None:
            row.update(hidden)
        elif part.all_secret or is_write_only(part, hidden):
            rows.append(dict(hidden))
    return rows


def key_of(part: Part, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in part.key)


def instance(part: Part, model: type[orm.Model], row: dict[str, Any]) -> orm.Model:
    """A row as the database would have it, checked; raises Refused. Nothing is stored."""
    columns = {column.name: column for column in part.columns(model)}
    unknown = sorted(set(row) - set(columns))
    if unknown:
        raise Refused("bad_value", f"{part.name}: {unknown[0][:40]}")
    made = model()
    for name, value in row.items():
        try:
            sealed = name in part.sealed or (name == "value" and is_write_only(part, row))
            _in(made, columns[name], value, sealed=sealed)
        except (ValidationError, ValueError, TypeError, ArithmeticError, LookupError):
            raise Refused("bad_value", _place(part, row, name)) from None
    left_out = [column.name for column in model._meta.concrete_fields if column.name not in row]
    # What a form would ask for may be empty in the database: so it is where it came from.
    left_out += [name for name, value in row.items() if value in (None, "") and name not in part.key]
    unchecked = [column.name for column in columns.values() if column.is_relation]
    try:
        made.clean_fields(exclude=[*left_out, *unchecked])
    except ValidationError as error:
        raise Refused("bad_value", _place(part, row, next(iter(error.message_dict)))) from None
    return made


def _place(part: Part, row: dict[str, Any], name: str) -> str:
    return f"{part.name}: {' '.join(text[:40] for text in key_of(part, row) if text)[:120]} ({name})"


def _out(column: Any, row: orm.Model) -> Any:
    if column.is_relation:
        return str(getattr(row, column.name).get_username())
    value = getattr(row, column.attname)
    return value if isinstance(value, str | int | float | bool | list | dict | None) else column.value_to_string(row)


def _in(row: orm.Model, column: Any, value: Any, *, sealed: bool) -> None:
    if column.is_relation:
        if not isinstance(value, str):
            raise ValueError("no name")
        row._backup_user = value  # type: ignore[attr-defined]
        return
    if sealed and value:
        if not isinstance(value, str):
            raise ValueError("no text")
        value = seal(value)
    if value is None and not column.null:
        raise ValueError("empty")
    if isinstance(column, orm.CharField | orm.TextField) and not isinstance(value, str):
        raise ValueError("no text")
    setattr(row, column.attname, value if column.get_internal_type() == "JSONField" else column.to_python(value))


def _revealed(part: Part, name: str, value: Any) -> Any:
    return _opened(value) if name in part.sealed and value else value


def _opened(value: str) -> str:
    try:
        return unseal(value)
    except SecretDamaged:
        return ""
