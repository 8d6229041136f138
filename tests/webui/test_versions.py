"""Two people edit the same thing: the later one is told, with both values, and decides."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from station.store.models import Command, NetworkProfile, Variable, VariableChange
from tests.webui.looking import look
from webui import versions

INTERVAL = "/device-model/OCPPCommCtrlr.HeartbeatInterval/"
HTMX = {"HX-Request": "true"}


def version_in(html: bytes) -> str:
    found = re.search(rb'name="version" id="form-version" value="(\w+)"', html)
    assert found is not None
    return found[1].decode()


def test_the_version_differs_where_a_value_does() -> None:
    first = versions.version_of({"a": 1, "b": "\udcff"})
    assert first == versions.version_of({"b": "\udcff", "a": "1"})
    assert first != versions.version_of({"a": 2, "b": "\udcff"})


def test_only_what_differs_is_a_conflict() -> None:
    now, typed = {"a": 1, "b": 2}, {"a": "1", "b": 3, "c": 4}
    labels = {"b": "Bee"}
    assert versions.conflict({}, now, typed, labels) is None
    assert versions.conflict({"version": versions.version_of(now)}, now, typed, labels) is None
    found = versions.conflict({"version": "x"}, now, typed, labels)
    assert found == (versions.version_of(now), [("Bee", "2", "3")])
    assert versions.conflict({"version": "x"}, now, {"a": 1, "b": 2}, labels) is None  # both want the same
    assert versions.conflict({"version": "x"}, now, {}, labels, secret=True) == (versions.version_of(now), [])


def set_elsewhere(value: str) -> None:
    Variable.objects.update_or_create(
        component="OCPPCommCtrlr", variable="HeartbeatInterval", defaults={"value": value}
    )


@pytest.mark.parametrize("htmx", [False, True])
def test_a_variable(installer: Client, htmx: bool) -> None:
    version = version_in(installer.get(INTERVAL).content)
    set_elsewhere("111")
    headers = HTMX if htmx else {}
    answer = installer.post(f"{INTERVAL}set/", {"value": "222", "version": version}, headers=headers)
    assert answer.status_code == 409
    said = look(answer.content).words
    assert "Somebody else has changed this meanwhile" in said
    assert "now: 111" in said
    assert "yours: 222" in said
    assert not Command.objects.exists()
    # Sending it once more, with the version that the answer brought, is a decision.
    again = version_in(answer.content)
    answer = installer.post(f"{INTERVAL}set/", {"value": "222", "version": again}, headers=headers)
    assert answer.status_code == (200 if htmx else 302)
    assert Command.objects.get().arguments["value"] == "222"


def test_a_mistake_beside_it_does_not_hide_the_conflict(installer: Client) -> None:
    version = version_in(installer.get(INTERVAL).content)
    answer = installer.post(f"{INTERVAL}set/", {"value": "no number", "version": version})
    assert answer.status_code == 422
    assert version_in(answer.content) == version
    set_elsewhere("111")
    answer = installer.post(f"{INTERVAL}set/", {"value": "-5", "version": version})
    assert answer.status_code == 409


def test_a_password_that_somebody_else_has_set(installer: Client) -> None:
    address = "/device-model/SecurityCtrlr.BasicAuthPassword/"
    typed = {"value": "a-password-of-mine-0"}
    version = version_in(installer.get(address).content)
    VariableChange.objects.create(
        at=timezone.now(), by="CSMS", component="SecurityCtrlr", variable="BasicAuthPassword", old=None, new=None
    )
    answer = installer.post(f"{address}set/", {**typed, "version": version})
    assert answer.status_code == 409
    assert b"a-password-of-mine" not in answer.content
    assert not Command.objects.exists()
    answer = installer.post(f"{address}set/", {**typed, "version": version_in(answer.content)})
    assert answer.status_code == 302


def slot(**changes: Any) -> dict[str, Any]:
    return {
        "csms_url": "ws://one.example/ocpp",
        "security_profile": 1,
        "message_timeout": 30,
        "interface": "Wired0",
        **changes,
    }


def test_a_network_slot(installer: Client) -> None:
    for number in (1, 2):
        NetworkProfile.objects.create(slot=number, **slot())
    version = version_in(installer.get("/network/2/").content)
    NetworkProfile.objects.filter(slot=2).update(csms_url="ws://other.example/ocpp")
    typed = slot(csms_url="ws://mine.example/ocpp", message_timeout=77, version=version)
    answer = installer.post("/network/2/", {**typed, "csms_url": "nonsense"})
    assert (answer.status_code, version_in(answer.content)) == (422, version)
    answer = installer.post("/network/2/", typed)
    assert answer.status_code == 409
    said = look(answer.content).words
    assert "now: ws://other.example/ocpp" in said
    assert "yours: ws://mine.example/ocpp" in said
    assert "yours: 77" in said
    assert b'value="ws://mine.example/ocpp"' in answer.content  # what was typed is still in the form
    assert not Command.objects.exists()
    answer = installer.post("/network/2/", {**typed, "version": version_in(answer.content)})
    assert answer.status_code == 302
    assert Command.objects.get().arguments["csms_url"] == "ws://mine.example/ocpp"


def test_a_slot_that_somebody_else_has_filled(installer: Client) -> None:
    NetworkProfile.objects.create(slot=1, **slot())
    version = version_in(installer.get("/network/3/").content)
    NetworkProfile.objects.create(slot=3, **slot())
    answer = installer.post("/network/3/", slot(csms_url="ws://mine.example/", version=version))
    assert answer.status_code == 409
