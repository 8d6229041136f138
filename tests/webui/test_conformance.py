"""The conformance page: the report as a person reads it, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from tests.conformance.document import page
from tests.conformance.report import PROJECT
from tests.webui.looking import look
from webui.conformance import views


def test_the_report_in_words(browser: Client) -> None:
    shown = look(browser.get("/conformance/").content)
    assert "B · Provisioning" in shown.words
    assert "Authorization cache" in shown.words
    assert "off as shipped" in shown.words
    assert "not a certificate" in shown.words
    assert set(shown.referred) <= set(shown.ids)
    assert not shown.refused


def test_a_profile_that_failed_is_said_to_have(
    browser: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = json.loads(views.REPORT.read_text())
    report["profiles"][0] |= {"result": "Fail", "passed": {"memory": 12, "appliance": 7}}
    monkeypatch.setattr(views, "REPORT", tmp_path / "report.json")
    views.REPORT.write_text(json.dumps(report))
    words = look(browser.get("/conformance/").content).words
    assert "Failed" in words
    assert "12 passed in memory, 7 on the running station" in words


@pytest.mark.parametrize("text", [None, "", "[]"])
def test_without_a_report_the_page_says_so(
    browser: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    monkeypatch.setattr(views, "REPORT", tmp_path / "report.json")
    if text is not None:
        views.REPORT.write_text(text)
    assert "came without a report" in look(browser.get("/conformance/").content).words


def test_json(browser: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = browser.get("/conformance/report.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(b"".join(answer.streaming_content)) == json.loads(views.REPORT.read_text())
    monkeypatch.setattr(views, "REPORT", tmp_path / "report.json")
    assert browser.get("/conformance/report.json").status_code == 404


def test_the_logs_page_leads_there(browser: Client) -> None:
    assert "/conformance/" in look(browser.get("/logs/").content).links


def test_page_and_json_are_of_one_run() -> None:
    told = json.loads(views.REPORT.read_text(encoding="utf-8"))
    assert (PROJECT / "docs" / "conformance.md").read_text(encoding="utf-8") == page(told), "make conformance"
