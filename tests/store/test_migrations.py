"""A firmware may be taken back: what it did to the database must not hinder the version before it.

So a migration only adds: tables, columns that are nullable or have a default in the database itself, indices. Nothing
is renamed, retyped or removed, and no data is moved.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import migrations, models
from django.db.models.fields import NOT_PROVIDED

FOLDER = Path(__file__).resolve().parents[2] / "station" / "store" / "migrations"
# The first version that can be updated, and so taken back to, has these: it never sees a database without them.
FIRST = "0004"
NAMES = sorted(path.stem for path in FOLDER.glob("0*.py") if path.stem[:4] > FIRST)
ADDING = (migrations.CreateModel, migrations.AddIndex, migrations.AlterModelOptions)


def hinders(operation: Any) -> bool:
    if isinstance(operation, migrations.AddField):
        field = operation.field
        return not (field.null or field.db_default is not NOT_PROVIDED)
    return not isinstance(operation, ADDING)


def test_a_migration_only_adds() -> None:
    for name in NAMES:
        migration = import_module(f"station.store.migrations.{name}").Migration
        assert [type(one).__name__ for one in migration.operations if hinders(one)] == [], name


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (migrations.AddField("x", "y", models.IntegerField(default=1)), True),
        (migrations.AddField("x", "y", models.IntegerField(db_default=1)), False),
        (migrations.AddField("x", "y", models.IntegerField(null=True)), False),
        (migrations.RemoveField("x", "y"), True),
        (migrations.RenameField("x", "y", "z"), True),
        (migrations.DeleteModel("x"), True),
        (migrations.RunSQL("SELECT 1"), True),
    ],
)
def test_what_hinders(operation: Any, expected: bool) -> None:
    assert hinders(operation) is expected
