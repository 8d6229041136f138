"""As it came from the factory: everything that somebody has set, stored or charged here goes, but for what is listed.

What stays is the machine's own: serial number and ratings, firmware and its history, the meter's register and the
counters of its signatures, the manufacturer's root, the security log, and the keys of this data folder.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from django.apps import apps
from django.db import models as orm
from django.db import transaction

from station.backup.parts import MACHINE
from station.device_model.model import RATING
from station.domain.certificates import CertificateUse
from station.store import models

KEPT = frozenset(  # of what the station remembers
    {
        "boot_reason",
        "card_reader",
        "clock_offset",
        "door_open",
        "event_id",
        "firmware_history",
        "firmware_status",
        "ocmf_page",
        "registers",
        "uplink.evses",
    }
)
SESSIONS: tuple[type[orm.Model], ...] = (models.Transaction, models.MeterPoint)
WEB_OF_SESSIONS = frozenset({"tariff", "history"})  # apps of the web interface that are about sessions
ROOMS = ("store", "notices")  # apps of the station's own; those of the web interface are all meant
KEPT_KEYS = frozenset({"django.key", "secret.key", "meter.pem"})  # the data folder's own, and the meter's
FOLDERS = ("spool", "vpn", "work")


def carry_out(data: Path, keys: Path, *, sessions: bool) -> None:
    """Reset; ``sessions`` go, too. For a station that does not run. Raises django.db.Error and OSError."""
    with transaction.atomic():
        for model in _wiped(sessions=sessions):
            _delete(model._default_manager.all())
        variables = models.Variable.objects.exclude(attribute=RATING)
        for component, variable in MACHINE:
            variables = variables.exclude(component=component, variable=variable)
        _delete(variables)
        _delete(models.Certificate.objects.exclude(use=CertificateUse.MANUFACTURER_ROOT.value))
        _delete(models.Remembered.objects.exclude(key__in=KEPT))
    for path in keys.iterdir() if keys.exists() else ():
        if path.is_file() and path.name not in KEPT_KEYS:
            path.unlink(missing_ok=True)
    for name in FOLDERS:
        shutil.rmtree(data / name, ignore_errors=True)


def _wiped(*, sessions: bool) -> list[type[orm.Model]]:
    """The tables that are emptied. A new table of the store or of the web interface is, unless it is named here."""
    partly = {models.Variable, models.Certificate, models.Remembered, models.SecurityLogEntry}
    found: list[type[orm.Model]] = []
    for config in apps.get_app_configs():
        own = config.label in ROOMS or config.name.startswith("webui.")
        if not own and config.label not in ("auth", "sessions", "admin"):
            continue
        for model in config.get_models(include_auto_created=True):
            if config.label == "auth" and not _of_people(model):
                continue
            about_sessions = model in SESSIONS or _refers_to_sessions(model) or config.label in WEB_OF_SESSIONS
            if model not in partly and (sessions or not about_sessions):
                found.append(model)
    return found


def _of_people(model: type[orm.Model]) -> bool:
    return model._meta.model_name in ("user", "user_groups", "user_user_permissions")


def _refers_to_sessions(model: type[orm.Model]) -> bool:
    return any(column.related_model in SESSIONS for column in model._meta.concrete_fields if column.is_relation)


def _delete(rows: orm.QuerySet[orm.Model]) -> None:
    # Row by row through Python a million meter points would take an hour; every table that refers to them goes, too.
    rows._raw_delete(rows.db)  # type: ignore[attr-defined]
