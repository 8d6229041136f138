"""A history as after ten years of much use, written straight into the database: a million sessions in minutes."""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
YEARS = 10
CARDS = 300
REASONS = ("EVDisconnected", "StoppedByEV", "Local", "Remote", "Timeout", "PowerLoss", "GroundFault")
OFTEN = (60.0, 25.0, 8.0, 5.0, 1.5, 0.4, 0.1)
CENTS = 30  # a kWh
# As large as the store's own, which restores the object.
STATE = json.dumps(dict.fromkeys("abcdefghijklmnopqrst") | {"extra": {"told_at": "x" * 400}})

_SESSION = (
    "INSERT INTO station_transaction (transaction_id, evse_id, connector_id, started_at, ended_at, active, id_token,"
    " id_token_type, authorized_by, meter_start, meter_stop, energy, stopped_reason, charging_state, meter_suspect,"
    " state) VALUES (?, ?, 1, ?, ?, 0, ?, 'ISO14443', 'csms', ?, ?, ?, ?, '', 0, ?)"
)
_COST = (
    "INSERT INTO tariff_cost (transaction_id, minor, currency, lines, tariff_id)"
    " SELECT transaction_id, (energy * ? + 500000) / 1000000, 'EUR', '[]', 1 FROM station_transaction"
)
_TABLES = ("station_transaction", "station_meter_point", "tariff_cost")


def card(number: int) -> str:
    """The number of a card."""
    return f"04{(number * 7919 + 1) * 104729 % 16**12:012X}"


def write(database: Path, sessions: int, points: int, *, seed: int = 1) -> None:
    """Put ``sessions`` with ``points`` meter values each into a database whose tables are there, and a tariff.

    Indices are made at the end: a million entries one by one would take ten times as long.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000;")
        indices = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (?, ?, ?)",
            _TABLES,
        ).fetchall()
        for name, _sql in indices:
            connection.execute(f'DROP INDEX "{name}"')
        with connection:
            _tariff(connection)
            connection.executemany(_SESSION, _sessions(sessions, random.Random(seed)))
            connection.execute(_COST, (CENTS,))
            connection.execute(
                "WITH RECURSIVE step(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n < ? - 1)"
                " INSERT INTO station_meter_point (transaction_id, at, power, current, energy, soc)"
                " SELECT transaction_id, datetime(started_at, '+' || (n * 270) || ' seconds'), 7300 + n, 31.9,"
                " meter_start / 1000 + n * 550, NULL FROM station_transaction, step",
                (points,),
            )
        for _name, sql in indices:
            connection.execute(sql)
        connection.execute("PRAGMA journal_mode=WAL")


def _sessions(count: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    step = timedelta(days=365.25 * YEARS) / count
    # A few cards charge every day, most now and then.
    weights = [1 / (number + 1) for number in range(CARDS)]
    often_card, often = list(accumulate(weights)), list(accumulate(OFTEN))
    cards = [card(number) for number in range(CARDS)]
    meter = [0, 0]
    for number in range(count):
        started = BEGIN + number * step
        ended = started + timedelta(minutes=chance.uniform(5, 300))
        energy, evse = int(chance.uniform(0.2, 40) * 1_000_000), number % 2
        begin, meter[evse] = meter[evse], meter[evse] + energy
        yield (
            str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            evse + 1,
            f"{started:%Y-%m-%d %H:%M:%S}",
            f"{ended:%Y-%m-%d %H:%M:%S}",
            chance.choices(cards, cum_weights=often_card)[0],
            begin,
            begin + energy,
            energy,
            chance.choices(REASONS, cum_weights=often)[0],
            STATE,
        )


def _tariff(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO tariff_tariff (id, valid_from, currency, price, session_fee, standing, standing_free, windows,"
        " made_at, who) VALUES (1, ?, 'EUR', '0.30000', '0', '0', 0, '[]', ?, '')",
        (f"{BEGIN:%Y-%m-%d %H:%M:%S}", f"{BEGIN:%Y-%m-%d %H:%M:%S}"),
    )
