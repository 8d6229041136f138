"""What migrations do to an old station's database takes no longer because it is full."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from station.project.supervisor.startup import _without_checking_every_key


@pytest.mark.django_db(transaction=True)
def test_no_migration_looks_at_every_key() -> None:
    with CaptureQueriesContext(connection) as queries, _without_checking_every_key(connection):
        with connection.schema_editor(atomic=True):
            pass
        connection.check_constraints(["station_remembered"])  # what somebody asks for by name is looked at
    checks = [query["sql"] for query in queries.captured_queries if "foreign_key_check" in query["sql"]]
    assert len(checks) == 1
    with CaptureQueriesContext(connection) as queries:
        connection.check_constraints()
    assert any("foreign_key_check" in query["sql"] for query in queries.captured_queries)
