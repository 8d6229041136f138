"""What a restore would change, worked out and checked without writing anything; and the writing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import identify_hasher
from django.db import models as orm
from django.db import transaction

from station.backup import parts
from station.backup.container import Backup, Refused
from station.backup.parts import Mode, Part
from station.device_model.model import DeviceModel
from station.domain.certificates import CertificateUse
from station.domain.memory import StoredVariable
from station.domain.network import flaw_of_scheme, flaw_of_url

BOARD = ("vendor", "model", "evses")  # of ``about``: what must be the same

ROOTS = frozenset(use.value for use in CertificateUse if use not in parts.OWN)
SHOWN = 200  # characters of a value


@dataclass(frozen=True, slots=True)
class Change:
    """One row that would be different. ``old`` and ``new`` are texts for people; None: not there, or not shown."""

    kind: str  # added, changed, removed
    name: str
    old: str | None = None
    new: str | None = None


@dataclass(slots=True)
class Plan:
    """``changes`` by part; ``notes`` are stable words: ``no_secrets``, ``other_station``, ``no_passwords``."""

    about: Mapping[str, Any]
    changes: dict[str, list[Change]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    work: list[Callable[[], None]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not any(self.changes.values())


def make(backup: Backup, here: Mapping[str, Any]) -> Plan:
    """What ``backup`` would change on the station that ``here`` is about; raises Refused. Writes nothing."""
    for name in BOARD:
        if backup.about.get(name) != here.get(name):
            raise Refused("other_board", f"{backup.about.get(name)!s:.40} / {here.get(name)!s:.40}")
    plan = Plan(backup.about)
    if backup.secret is None:
        plan.notes.append("no_secrets")
    if backup.about.get("serial") and here.get("serial") and backup.about["serial"] != here["serial"]:
        plan.notes.append("other_station")
    for part, model in parts.present():
        if part.name not in backup.open and part.name not in (backup.secret or {}):
            continue
        if part.all_secret and backup.secret is None:
            continue
        rows = parts.merged(part, backup)
        _check(part, rows, int(here["evses"]))
        _compare(plan, part, model, rows, secrets=backup.secret is not None)
    if plan.empty:
        raise Refused("nothing")
    return plan


def apply(plan: Plan) -> None:
    """Write all of it in one transaction, or, raising django.db.Error, nothing. For a station that does not run."""
    with transaction.atomic():
        for step in plan.work:
            step()


# ---------------------------------------------------------------------- checks that need more than one row


def _check(part: Part, rows: list[dict[str, Any]], evses: int) -> None:
    keys = [parts.key_of(part, row) for row in rows]
    if len(set(keys)) != len(keys):
        raise Refused("bad_value", part.name)
    if part.name == "variables":
        _check_variables(rows, evses)
    if part.name == "network":
        for row in rows:
            url, profile = str(row.get("csms_url")), row.get("security_profile")
            if flaw_of_url(url) or not isinstance(profile, int) or flaw_of_scheme(url, profile):
                raise Refused("bad_value", f"network: {row.get('slot')!s:.10}")
    if part.name == "roots":
        for row in rows:
            _check_root(row)
    if part.name == "people":
        for row in rows:
            if password := row.get("password"):
                try:
                    identify_hasher(password) if not str(password).startswith("!") else None
                except (ValueError, TypeError, AttributeError):
                    raise Refused("bad_value", f"people: {row.get('username')!s:.40}") from None


def _check_root(row: dict[str, Any]) -> None:
    from cryptography import x509

    name = f"roots: {str(row.get('certificate_id'))[-16:]}"
    chain = row.get("chain")
    if row.get("use") not in ROOTS or not isinstance(chain, list) or not chain:
        raise Refused("bad_value", name)
    for text in chain:
        try:
            x509.load_pem_x509_certificate(text.encode())
        except (ValueError, TypeError, AttributeError):
            raise Refused("bad_value", name) from None


def _check_variables(rows: list[dict[str, Any]], evses: int) -> None:
    """By the device model itself: whatever it would ignore at its next start is refused now."""
    try:
        stored = [StoredVariable(**row) for row in rows]
        ignored = DeviceModel(evses, stored).ignored
    except (TypeError, ValueError, AttributeError):
        raise Refused("bad_value", "variables") from None
    if ignored:
        raise Refused("bad_value", f"variables: {ignored[0].component!s:.50}.{ignored[0].variable!s:.50}")


# ---------------------------------------------------------------------- comparing


def _compare(plan: Plan, part: Part, model: type[orm.Model], rows: list[dict[str, Any]], *, secrets: bool) -> None:
    changes = plan.changes.setdefault(part.name, [])
    columns = part.columns(model)
    there = {_key(part, row): row for row in parts.rows_of(part, model)}
    wanted = set()
    for row in rows:
        made = parts.instance(part, model, row)
        key = _key(part, made)
        wanted.add(key)
        found = there.get(key)
        if found is None:
            changes.append(Change("added", _name(part, row), None, _shown(part, row)))
            plan.work.append(lambda made=made, part=part: _insert(part, made))  # type: ignore[misc]
            if part.name == "people" and not row.get("password"):
                _note(plan, "no_passwords")
            continue
        different = [
            column
            for column in columns
            if column.name in row and column.name not in part.key and not _same(part, column, found, made, row)
        ]
        if different and part.mode is not Mode.ADD:
            before = {column.name: parts._out(column, found) for column in columns}
            changes.append(Change("changed", _name(part, row), _shown(part, before), _shown(part, row)))
            plan.work.append(lambda f=found, m=made, d=different: _update(f, m, d))  # type: ignore[misc]
    if part.mode is Mode.REPLACE:
        for key, found in there.items():
            if key in wanted or (not secrets and _is_kept(part, found)):
                continue
            before = {column.name: parts._out(column, found) for column in columns}
            changes.append(Change("removed", _name(part, before), _shown(part, before), None))
            plan.work.append(found.delete)


def _note(plan: Plan, word: str) -> None:
    if word not in plan.notes:
        plan.notes.append(word)


def _is_kept(part: Part, row: Any) -> bool:
    """A password that the file does not have, for it has no secrets, stays as it is."""
    return part.name == "variables" and parts.is_write_only(
        part, {"component": row.component, "variable": row.variable}
    )


def _key(part: Part, row: Any) -> tuple[Any, ...]:
    return tuple(
        getattr(row, "_backup_user", None) or row.user.get_username() if name == "user" else getattr(row, name)
        for name in part.key
    )


def _same(part: Part, column: Any, found: Any, made: Any, row: dict[str, Any]) -> bool:
    if column.is_relation:
        return True
    if column.name in part.sealed or (column.name == "value" and parts.is_write_only(part, row)):
        kept = getattr(found, column.attname)
        return bool((parts._opened(kept) if kept else "") == row[column.name])
    return bool(getattr(found, column.attname) == getattr(made, column.attname))


def _insert(part: Part, made: Any) -> None:
    name = getattr(made, "_backup_user", None)
    if name is not None:
        made.user = type(made)._meta.get_field("user").related_model.objects.get(username=name)
        if type(made).objects.filter(user=made.user).exists():
            return
    if part.name == "people" and not made.password:
        made.set_unusable_password()
    if part.name == "roots" and not made.installed:
        raise Refused("bad_value", "roots")
    made.save(force_insert=True)


def _update(found: Any, made: Any, columns: list[Any]) -> None:
    for column in columns:
        setattr(found, column.attname, getattr(made, column.attname))
    found.save(update_fields=[column.name for column in columns])


# ---------------------------------------------------------------------- for people


def _name(part: Part, row: Mapping[str, Any]) -> str:
    if part.name == "variables":
        places = (("@", "evse_id"), (".", "connector_id"))
        place = "".join(f"{sign}{row[name]}" for sign, name in places if row.get(name))
        instance = f"[{row['variable_instance']}]" if row.get("variable_instance") else ""
        attribute = f" ({row['attribute']})" if row.get("attribute", "Actual") != "Actual" else ""
        return f"{row.get('component')}{place}.{row.get('variable')}{instance}{attribute}"[:SHOWN]
    if part.name == "cards":
        return str(row.get("name", ""))[:SHOWN]
    if part.name == "roots":
        return str(row.get("certificate_id", ""))[-16:]
    return " ".join(str(row.get(name, "")) for name in part.key)[:SHOWN]


def _shown(part: Part, row: Mapping[str, Any]) -> str | None:
    """The value where one says it all and it is no secret."""
    if part.name == "variables" and not parts.is_write_only(part, dict(row)):
        return str(row.get("value", ""))[:SHOWN]
    if part.name == "network":
        return str(row.get("csms_url", ""))[:SHOWN]
    return None
