"""Secrets go in by every entrance there is, and none comes out: not in a log, a file, an upload or on the terminal."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from tests.support.appliance import QUICK, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.log_server import Manner, UploadServer
from tests.support.web import WebSession
from tests.uplink.authority import Authority

FIRST = "canary-first-basic-0001"  # provision --password
SECOND = "canary-second-basic-0002"  # SetVariables
THIRD = "canary-third-basic-0003"  # the page of the device model
REFUSED = "canary short 4"  # SetVariables, too short
CROOKED = "canary-crooked-0005"  # in a frame that is no JSON
STRAY = "canary-stray-000006"  # in a call that is against its schema
ADMIN = "canary admin word 7"
WRONG = "canary wrong word 8"  # at the login
MISPLACED = "canary-name-field-9"  # a password typed where the user name belongs
UPLOAD = "canary:upl@ad/10"  # of the file server
SIGNATURE = "canarysignature0011"  # a presigned URL
NOWHERE = "canarynowhere000012"  # of a server that is not there
CODE = "CANARYCODE013#"  # at the key pad
CARD = "04CA0A0B0C0D0E"

ANYWHERE = (FIRST, SECOND, THIRD, REFUSED, CROOKED, STRAY, ADMIN, WRONG, MISPLACED, UPLOAD, SIGNATURE, NOWHERE)
SETTINGS = (*QUICK, "AuthCtrlr.SupportedIdTokenTypes=ISO14443,KeyCode")
WITHIN = 60.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def key_text(place: Path) -> str:
    """A line of the station's private key, as PEM has it."""
    return (place / "station" / "key.pem").read_text().splitlines()[1]


@pytest.fixture(scope="module")
def uploads(place: Path) -> Iterator[list[str]]:
    """What was uploaded, after all of it; the appliance has stopped by then."""
    Authority().issue(place / "station", "CP-TEST")
    user = f"cp:{UPLOAD}"
    manners = {"/upload": Manner(password=user), "/broken": Manner(put=500, post=500)}
    with (
        ScriptedCsms(password=FIRST) as csms,
        Appliance(place) as appliance,
        UploadServer(manners=manners) as server,
    ):
        certificate = ("--station-certificate", str(place / "station" / "chain.pem"))
        options = ("--admin-password", ADMIN, *certificate, "--station-key", str(place / "station" / "key.pem"))
        appliance.provision_csms(csms.url, password=FIRST, variables=SETTINGS, options=options)
        appliance.start()
        appliance.wait_registered()
        _people(appliance)
        _csms(appliance, csms, server)
        appliance.kill9()
        appliance.start()
        appliance.wait_registered()
        _get_logs(csms, server, since=csms.mark())
        appliance.stop()
        yield [gzip.decompress(one.content).decode() for one in server.uploads]


def _people(appliance: Appliance) -> None:
    for name, password in (("admin", WRONG), (MISPLACED, WRONG)):
        with suppress(AssertionError):
            WebSession(appliance.web, password=password, name=name)
    page = WebSession(appliance.web, password=ADMIN)
    page.post("/keypad/enter/", [("evse", "1"), ("code", CODE)])
    with suppress(HTTPError):
        page.post("/device-model/SecurityCtrlr.BasicAuthPassword/set/", [("value", REFUSED)])
    appliance.card(CARD)


def _csms(appliance: Appliance, csms: ScriptedCsms, server: UploadServer) -> None:
    csms.send(f'[2,"1","SetVariables",{{"setVariableData":[{{"attributeValue":"{CROOKED}",')
    stray = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "more": STRAY}
    csms.send([2, "2", "SetVariables", {"setVariableData": [{**stray, "attributeValue": STRAY * 100}]}])
    assert _set_password(csms, REFUSED) == "Rejected"
    csms.password = None  # whatever it is
    for secret in (SECOND, THIRD):
        before = csms.session
        if secret == SECOND:
            assert _set_password(csms, secret) == "Accepted"
        else:
            page = WebSession(appliance.web, password=ADMIN)
            page.post("/device-model/SecurityCtrlr.BasicAuthPassword/set/", [("value", secret)])
        csms.wait_connected_anew(before)
    host = server.url.removeprefix("http://")
    bad = [f"http://cp:{NOWHERE}@127.0.0.1:1/x", f"http://{NOWHERE}@{host}/broken?X-Signature={SIGNATURE}&{NOWHERE}"]
    for number, url in enumerate(bad, 1):
        request = {"logType": "DiagnosticsLog", "requestId": number, "log": {"remoteLocation": url}, "retries": 0}
        csms.call("GetLog", request)
        csms.wait_for("LogStatusNotification", lambda told, n=number: _ended(told, n), WITHIN)
    # a task of the transfer worker that fails on its arguments
    csms.call(
        "GetLog", {"logType": "DiagnosticsLog", "requestId": 9, "log": {"remoteLocation": f"http://{NOWHERE}:x@["}}
    )


def _ended(told: dict[str, object], number: int) -> bool:
    return told.get("requestId") == number and told["status"] != "Uploading"


def _set_password(csms: ScriptedCsms, password: str) -> str:
    names = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    answer = csms.call("SetVariables", {"setVariableData": [{**names, "attributeValue": password}]})
    return str(answer["setVariableResult"][0]["attributeStatus"])


def _get_logs(csms: ScriptedCsms, server: UploadServer, since: int) -> None:
    host = server.url.removeprefix("http://")
    url = f"http://cp:{quote(UPLOAD, safe='')}@{host}/upload?X-Amz-Signature={SIGNATURE}"
    for number, log_type in enumerate(("DiagnosticsLog", "SecurityLog"), 20):
        csms.call("GetLog", {"logType": log_type, "requestId": number, "log": {"remoteLocation": url}})
        wanted = {"status": "Uploaded", "requestId": number}
        csms.wait_for("LogStatusNotification", lambda told, wanted=wanted: told == wanted, WITHIN, since)


def _spellings(secret: str) -> set[str]:
    """Plain, as in a URL, in JSON, and as HTTP Basic has it (where all but its seams is the same)."""
    core = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], core[: len(secret) // 3 * 4]}


def _found(text: str | bytes, secrets: tuple[str, ...]) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    return [secret for secret in secrets if any(spelling.encode() in raw for spelling in _spellings(secret))]


def test_what_was_uploaded_says_what_happened_and_no_secret(uploads: list[str], key_text: str) -> None:
    diagnostics, security = uploads
    for text in uploads:
        assert _found(text, (*ANYWHERE, CODE, CARD, key_text)) == []
    for kind in (
        "StartupOfTheDevice",
        "ReconfigurationOfSecurityParameters by manage.py provision",
        "ReconfigurationOfSecurityParameters by the CSMS: SecurityCtrlr.BasicAuthPassword",
        "ReconfigurationOfSecurityParameters by admin: SecurityCtrlr.BasicAuthPassword",
        "MaintenanceLoginAccepted {'user': 'admin', 'origin': '127.0.0.1'}",
        "MaintenanceLoginFailed {'user': '', 'origin': '127.0.0.1'}",
        "InvalidMessages",
    ):
        assert kind in security, kind
        assert kind in diagnostics, kind
    assert " uplink " in diagnostics


def test_no_file_holds_a_secret(uploads: list[str], place: Path, key_text: str) -> None:
    data = place / "data"
    sealed = {data / "certificates" / "station" / "key.pem"}
    looked_at = 0
    for path in (one for one in data.rglob("*") if one.is_file() and one not in sealed):
        if path.is_relative_to(data / "keys"):
            continue
        content = path.read_bytes()
        if path.suffix == ".gz":
            content += gzip.decompress(content)
        # who charged is in the history, and nowhere else
        history = path.name.startswith("station.sqlite3") or path.is_relative_to(data / "simulator")
        assert _found(content, (*ANYWHERE, key_text, *(() if history else (CODE, CARD)))) == [], path
        looked_at += 1
    assert looked_at >= 2


def test_no_process_and_no_command_shows_a_secret(uploads: list[str], place: Path, key_text: str) -> None:
    shown = (place / "appliance.log").read_text()
    assert _found(shown, (*ANYWHERE, CODE, CARD, key_text)) == []
    assert "refused a message of the CSMS" in shown


def test_the_log_on_the_disk_is_records(uploads: list[str], place: Path) -> None:
    lines = (place / "data" / "logs" / "station.log").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert {"uplink", "transfers", "station"} <= {record["process"] for record in records}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["at"]) for record in records)
    warned = [record for record in records if record["message"].startswith("refused a message")]
    assert {(record["level"], record["logger"]) for record in warned} == {("WARNING", "station.ocpp.rpc")}
