"""Notes how each certification case fared, for the report: ``--conformance-report FILE``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conformance.rig import Message

START = "start"  # the user property: how a transaction of the test was authorized
HOW = {"Authorized": "local", "RemoteStart": "remote"}  # by TransactionEvent's triggerReason
WORST_FIRST = ("failed", "not run", "skipped", "passed")


def starts(messages: Iterable[Message]) -> list[tuple[str, object]]:
    """How transactions were authorized, say ``local ISO14443``, as properties of the test that saw them."""
    found = {
        f"{HOW[one.payload['triggerReason']]} {one.payload['idToken']['type']}"
        for one in messages
        if one.action == "TransactionEvent" and "idToken" in one.payload and one.payload["triggerReason"] in HOW
    }
    return [(START, how) for how in sorted(found)]


class Recorder:
    """A pytest plugin. A case has passed where every test that is marked with it has, set-up and trace included."""

    def __init__(self, path: Path, rig: str, security_profile: int = 1) -> None:
        self._path = path
        self._rig = rig
        self._security_profile = security_profile
        self._cases: dict[str, list[str]] = {}  # test -> the cases it is marked with
        self._outcomes: dict[str, str] = {}
        self._starts: dict[str, set[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._plan(session.items)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._plan(items)  # a case is not proven by half of its tests

    def _plan(self, items: Iterable[pytest.Item]) -> None:
        for item in items:
            ids = [str(ident) for mark in item.iter_markers("tc") for ident in mark.args]
            if ids:
                self._cases[item.nodeid] = ids

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self._cases:
            return
        # A test that is expected to fail proves nothing, nor does one that passes against that expectation.
        outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
        known = self._outcomes.get(report.nodeid, "passed")
        if report.when == "call" or outcome != "passed":
            self._outcomes[report.nodeid] = min(known, outcome, key=WORST_FIRST.index)
        self._starts[report.nodeid] = {str(how) for name, how in report.user_properties if name == START}

    def pytest_sessionfinish(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.result(), indent=1) + "\n", encoding="utf-8")

    def result(self) -> dict[str, object]:
        """Which rig, by which security profile, when (UTC), each case's outcome (its worst test's), and the cases that
        went each way to start."""
        cases: dict[str, str] = {}
        started: dict[str, set[str]] = {}
        for test, ids in self._cases.items():
            outcome = self._outcomes.get(test, "not run")
            for ident in ids:
                cases[ident] = min(cases.get(ident, "passed"), outcome, key=WORST_FIRST.index)
                for how in self._starts.get(test, ()):
                    started.setdefault(how, set()).add(ident)
        ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        return {
            "rig": self._rig,
            "security_profile": self._security_profile,
            "ended": ended,
            "cases": dict(sorted(cases.items())),
            "started": {how: sorted(started[how]) for how in sorted(started)},
        }
