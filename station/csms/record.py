"""The ledger on disk: an append-only file of JSON lines, one for each new TransactionEvent, replayed at the start.

The file never grows beyond a limit: a full one becomes ``ledger.1.jsonl`` in place of the one before it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from station.csms.frames import request_flaw
from station.csms.ledger import Account, Ledger
from station.domain.moment import rfc3339

log = logging.getLogger(__name__)

FULL = 4 * 1024 * 1024  # bytes


class Record:
    """A ledger that lasts. Without a folder it lives in memory only."""

    def __init__(self, folder: Path | None = None, *, full: int = FULL) -> None:
        self.ledger = Ledger()
        self._full = full
        self._path = self._previous = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._path, self._previous = folder / "ledger.jsonl", folder / "ledger.1.jsonl"
            for path in (self._previous, self._path):
                for station, event in self._lines(path):
                    self.ledger.take(station, event)

    def take(self, station: str, event: Mapping[str, Any], at: datetime) -> tuple[Account, bool]:
        """Enter an event and write it down if it is new; returns its account and whether it was new.

        Raises OSError where it cannot be written: then it is not entered either, and the station may try again.
        """
        account = self.ledger.get(event["transactionInfo"]["transactionId"], station)
        if account is None or not account.knows(event):
            self._append({"at": rfc3339(at), "station": station, "event": event})
        new = self.ledger.take(station, event)
        account = self.ledger.get(event["transactionInfo"]["transactionId"], station)
        assert account is not None  # noqa: S101 - just taken
        return account, new

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._path is None or self._previous is None:
            return
        if self._path.exists() and self._path.stat().st_size > self._full:
            self._path.replace(self._previous)
        # One write on an unbuffered file: whole or, at a power cut, one torn line that the replay skips. The leading
        # newline keeps a torn line from swallowing the next one.
        with self._path.open("ab", buffering=0) as file:
            file.write(b"\n" + json.dumps(line, separators=(",", ":")).encode())

    @staticmethod
    def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("The record in %s cannot be read: %s", path.name, error)
            return
        for number, line in enumerate(text.splitlines(), start=1):
            if not line:
                continue
            try:
                entry = json.loads(line)
                station, event = str(entry["station"]), entry["event"]
                flawed = request_flaw("TransactionEvent", event)
            except (ValueError, TypeError, KeyError, RecursionError):
                flawed = ("", "torn")
            if flawed:
                log.warning("Line %d of %s is damaged and left out.", number, path.name)
            else:
                yield station, event
