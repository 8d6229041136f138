"""An installer changes the CSMS on the web page: kept where the new one answers, and gone again where it does not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.appliance import PASSWORD, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tests.support.web import WebSession
from tests.uplink.authority import Authority

ADMIN = "a long enough word"
OTHER = "another-password-for-it"


@pytest.fixture
def old() -> Iterator[ScriptedCsms]:
    with ScriptedCsms(password=PASSWORD) as running:
        yield running


@pytest.fixture
def new() -> Iterator[ScriptedCsms]:
    with ScriptedCsms(password=OTHER) as running:
        yield running


@pytest.fixture
def appliance(tmp_path: Path, old: ScriptedCsms) -> Iterator[Appliance]:
    with Appliance(tmp_path) as running:
        running.provision_csms(old.url, options=("--admin-password", ADMIN))
        running.start()
        running.wait_registered()
        yield running


def typed(url: str, **changes: str) -> list[tuple[str, str]]:
    form = {"csms_url": url, "security_profile": "1", "interface": "Wired0", "message_timeout": "30", **changes}
    return list(form.items())


def noted(appliance: Appliance, kind: str) -> list[str]:
    with appliance.database() as database:
        rows = database.execute("SELECT data FROM station_journal WHERE kind = ? ORDER BY id", (kind,))
        return [str(row["data"]) for row in rows]


def stored_url(appliance: Appliance) -> Any:
    with appliance.database() as database:
        return database.execute("SELECT csms_url FROM station_network_profile WHERE slot = 1").fetchone()[0]


def test_another_csms_is_tried_and_one_that_is_not_there_is_left_again(
    appliance: Appliance, old: ScriptedCsms, new: ScriptedCsms
) -> None:
    page = WebSession(appliance.web, password=ADMIN)
    page.post("/network/1/", typed(new.url, password=OTHER))
    wait_until(lambda: noted(appliance, "trial_kept"), "the new CSMS answered", 20)
    assert new.requests("BootNotification")[0]["reason"] == "Unknown"
    appliance.wait_registered()
    assert not old.connected

    # A session runs on while a CSMS is tried that is not there; the power goes in the middle of it.
    appliance.plug()
    appliance.card()
    appliance.wait_evse(1, "charges", power=lambda power: power > 1000)
    page.post("/network/1/", typed(f"ws://127.0.0.1:{free_port()}/", password=PASSWORD))
    wait_until(lambda: len(noted(appliance, "trial_began")) == 2, "the trial began")
    wait_until(lambda: not appliance.uplink()["connected"], "the connection is gone")
    appliance.kill9()
    appliance.start()
    appliance.wait_evse(1, "charges on", power=lambda power: power > 1000)
    assert stored_url(appliance) != new.url
    appliance.unplug()
    WebSession(appliance.web, password=ADMIN).post("/network/take-back/")
    wait_until(lambda: noted(appliance, "trial_taken_back"), "the former settings are back")
    appliance.wait_registered()
    assert stored_url(appliance) == new.url
    wait_until(lambda: not appliance.queue(), "everything was told")
    [session] = appliance.sessions()
    told = [
        event
        for event in new.requests("TransactionEvent")
        if event["transactionInfo"]["transactionId"] == session["transaction_id"]
    ]
    assert sorted({event["seqNo"] for event in told}) == list(range(max(event["seqNo"] for event in told) + 1))
    assert told[-1]["eventType"] == "Ended"
    for file in [appliance.log_path, *(path for path in appliance.data.rglob("*") if path.is_file())]:
        for secret in (PASSWORD, OTHER):
            assert secret.encode() not in file.read_bytes(), file
    appliance.stop()


def certificates(appliance: Appliance) -> set[str]:
    with appliance.database() as database:
        return {row["certificate_id"] for row in database.execute("SELECT certificate_id FROM station_certificate")}


def install(appliance: Appliance, page: WebSession, root: Authority) -> str:
    """The id of the root certificate, once it is installed."""
    page.post("/certificates/root/", [("root-use", "CSMSRootCertificate"), ("root-text", root.root)])
    name = root.installed().certificate_id
    wait_until(lambda: name in certificates(appliance), "the root is installed")
    return name


def test_to_tls_by_hand_and_no_root_is_deleted_that_is_needed(
    appliance: Appliance, old: ScriptedCsms, tmp_path: Path
) -> None:
    root = Authority()
    server = root.issue(tmp_path / "server", "127.0.0.1", names=["127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server / "chain.pem", server / "key.pem")
    page = WebSession(appliance.web, password=ADMIN)
    with ScriptedCsms(password=PASSWORD, tls=context) as secure:
        needed = install(appliance, page, root)
        page.post("/network/1/", typed(secure.url, security_profile="2"))
        wait_until(lambda: noted(appliance, "trial_kept"), "the CSMS answered over TLS", 20)
        wait_until(lambda: appliance.uplink()["security_profile"] == 2, "security profile 2 is in use")
        appliance.wait_registered()

        page.post("/network/1/check/")
        wait_until(lambda: "The connection works." in page.get("/network/"), "the doctor looked at it")
        page.post("/network/check/", typed(f"ws://127.0.0.1:{free_port()}/"))
        wait_until(lambda: "Check the URL" in page.get("/network/"), "the doctor looked at what is not saved", 20)

        spare = install(appliance, page, Authority("Another Root"))
        page.post(f"/certificates/{needed}/delete/")
        wait_until(lambda: not appliance.uplink()["connected"], "it is tried without the root")
        page.post("/network/take-back/")
        wait_until(lambda: noted(appliance, "trial_taken_back"), "the root is believed again")
        appliance.wait_registered()
        assert certificates(appliance) == {needed, spare}
        page.post(f"/certificates/{spare}/delete/")
        wait_until(lambda: certificates(appliance) == {needed}, "the other one goes, for it is not needed", 20)
        appliance.wait_registered()
        appliance.stop()
