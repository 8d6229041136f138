"""Notes how each certification case fared, for the report: ``--conformance-report FILE``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


PLAN = "conformance"  # what a worker of pytest-xdist hands over: its ``Recorder._cases``


class Recorder:
    """A pytest plugin. A case has passed where every test that is marked with it has, set-up and trace included.

    ``workeroutput`` is that of a worker of pytest-xdist, which knows the marks and hands them to the one that writes.
    """

    def __init__(
        self, path: Path, rig: str, security_profile: int = 1, workeroutput: dict[str, object] | None = None
    ) -> None:
        self._path = path
        self._workeroutput = workeroutput
        self._rig = rig
        self._security_profile = security_profile
        self._cases: dict[str, list[str]] = {}  # test -> the cases it is marked with
        self._reports: list[pytest.TestReport] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._plan(session.items)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._plan(items)  # a case is not proven by half of its tests

    def _plan(self, items: Iterable[pytest.Item]) -> None:
        for item in items:
            ids = [str(ident) for mark in item.iter_markers("tc") for ident in mark.args]
            if ids:
                self._cases[item.nodeid] = ids

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist has ended; one that broke down hands nothing over, but each knows the whole plan."""
        self._cases |= getattr(node, "workeroutput", {}).get(PLAN, {})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.append(report)

    def pytest_sessionfinish(self) -> None:
        if self._workeroutput is not None:
            self._workeroutput[PLAN] = self._cases
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.result(), indent=1) + "\n", encoding="utf-8")

    def result(self) -> dict[str, object]:
        """Which rig, by which security profile, when (UTC), each case's outcome (its worst test's), and the cases that
        went each way to start."""
        outcomes, starts = self._fared()
        cases: dict[str, str] = {}
        started: dict[str, set[str]] = {}
        for test, ids in self._cases.items():
            outcome = outcomes.get(test, "not run")
            for ident in ids:
                cases[ident] = min(cases.get(ident, "passed"), outcome, key=WORST_FIRST.index)
                for how in starts.get(test, ()):
                    started.setdefault(how, set()).add(ident)
        ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        return {
            "rig": self._rig,
            "security_profile": self._security_profile,
            "ended": ended,
            "cases": dict(sorted(cases.items())),
            "started": {how: sorted(started[how]) for how in sorted(started)},
        }

    def _fared(self) -> tuple[dict[str, str], dict[str, set[str]]]:
        """Each test's outcome, and how transactions were authorized in it."""
        outcomes: dict[str, str] = {}
        starts: dict[str, set[str]] = {}
        for report in self._reports:
            # A test that is expected to fail proves nothing, nor does one that passes against that expectation.
            outcome = "failed" if hasattr(report, "wasxfail") else report.outcome
            known = outcomes.get(report.nodeid, "passed")
            if report.when == "call" or outcome != "passed":
                outcomes[report.nodeid] = min(known, outcome, key=WORST_FIRST.index)
            starts[report.nodeid] = {str(how) for name, how in report.user_properties if name == START}
        return outcomes, starts
