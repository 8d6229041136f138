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
NAMES = sorted(path.stem for path in FOLDER.glob("0*.py"))
ADDING = (migrations.CreateModel, migrations.AddIndex, migrations.AlterModelOptions)


def hinders(operation: Any) -> bool:
    if isinstance(operation, migrations.AddField):
        field = operation.field
        return not (field.null or field.db_default is not NOT_PROVIDED)
    return not isinstance(operation, ADDING)


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_migration_only_adds(name: str) -> None:
    migration = import_module(f"station.store.migrations.{name}").Migration
    assert [type(one).__name__ for one in migration.operations if hinders(one)] == []


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
