"""An installer sets variables on the web page: the running station takes them, or says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.appliance import PASSWORD, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.waiting import wait_until
from tests.support.web import WebSession

ADMIN = "a long enough word"


@pytest.fixture(scope="module")
def shared_appliance(tmp_path_factory: pytest.TempPathFactory, shared_csms: ScriptedCsms) -> Iterator[Appliance]:
    """As everywhere in this folder, with an installer whose password is known."""
    with Appliance(tmp_path_factory.mktemp("appliance")) as appliance:
        appliance.provision_csms(shared_csms.url, options=("--admin-password", ADMIN))
        appliance.start()
        appliance.wait_registered()
        yield appliance
        appliance.stop()


@pytest.fixture
def page(appliance: Appliance) -> WebSession:
    return WebSession(appliance.web, password=ADMIN)


def set_variable(appliance: Appliance, page: WebSession, name: str, value: str) -> dict[str, Any]:
    """The command's row when it is decided."""

    def newest() -> dict[str, Any]:
        with appliance.database() as database:
            row = database.execute("SELECT * FROM station_command ORDER BY id DESC LIMIT 1").fetchone()
        return {} if row is None or row["status"] == "Filed" else dict(row)

    before = newest().get("id")
    page.post(f"/device-model/{name}/set/", [("value", value)])
    return wait_until(lambda: (row := newest()) and row["id"] != before and row, f"{name} is decided")


def test_set_by_an_installer_and_read_by_the_csms(appliance: Appliance, csms: ScriptedCsms, page: WebSession) -> None:
    asked = {"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}}
    for value in ("77", "60"):
        assert set_variable(appliance, page, "TxCtrlr.EVConnectionTimeOut", value)["status"] == "Accepted"
        [result] = csms.call("GetVariables", {"getVariableData": [asked]})["getVariableResult"]
        assert result["attributeValue"] == value


def test_what_only_the_station_can_judge(appliance: Appliance, page: WebSession) -> None:
    done = set_variable(appliance, page, "OCPPCommCtrlr.NetworkConfigurationPriority", "3")
    assert done["status"] == "Rejected"
    assert "NetworkConfigurationPriority" in done["message"]


def test_a_password_leaves_no_trace(appliance: Appliance, page: WebSession) -> None:
    """The same as before, so that the link stays up."""
    done = set_variable(appliance, page, "SecurityCtrlr.BasicAuthPassword", PASSWORD)
    assert done["status"] == "Accepted"
    assert json.loads(done["arguments"])["value"] == "****"
    for file in [appliance.log_path, *(path for path in appliance.data.rglob("*") if path.is_file())]:
        assert PASSWORD.encode() not in file.read_bytes(), file
