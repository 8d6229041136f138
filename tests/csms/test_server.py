"""The demonstration CSMS over real connections: who may enter, what it answers, what it survives, what it keeps."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import signal
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from station.csms.process import run
from station.csms.record import Record
from tests.csms.test_ledger import session
from tests.support.csms import SILENCE, CallError, Refuse, ScriptedCsms

PASSWORD = "correct horse battery"


@pytest.fixture
def csms(tmp_path: Path) -> Iterator[ScriptedCsms]:
    with ScriptedCsms(folder=tmp_path) as running:
        yield running


def join(csms: ScriptedCsms, identity: str = "CP1", *, subprotocol: str = "ocpp2.0.1", **more: Any) -> ClientConnection:
    return connect(f"{csms.url}/{identity}", subprotocols=[subprotocol], compression=None, **more)  # type: ignore[list-item]


def ask(line: ClientConnection, action: str, payload: dict[str, Any]) -> list[Any]:
    message_id = str(uuid.uuid4())
    line.send(json.dumps([2, message_id, action, payload]))
    answer: list[Any] = json.loads(line.recv(timeout=5))
    assert answer[1] == message_id
    return answer


def read(csms: ScriptedCsms, path: str, password: str | None = None) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{csms.port}{path}")
    if password:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"x:{password}".encode()).decode())
    with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - loopback
        return json.load(response)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


BOOT = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
STATUS = {"timestamp": "2030-01-01T00:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}


# ---------------------------------------------------------------------- the door


def test_a_station_that_speaks_another_version_is_let_go_at_once(csms: ScriptedCsms) -> None:
    with join(csms, subprotocol="ocpp1.6") as line:
        assert line.subprotocol is None
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=5)


@pytest.mark.parametrize("identity", ["", "a%20b", "x" * 49])
def test_a_path_without_an_identity_is_not_found(csms: ScriptedCsms, identity: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        join(csms, identity)
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{}, basic("CP1", "wrong"), basic("CP2", PASSWORD), {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}],
)
def test_a_wrong_password_or_user_is_turned_away(csms: ScriptedCsms, headers: dict[str, str]) -> None:
    csms.password = PASSWORD
    with pytest.raises(InvalidStatus) as refused:
        join(csms, additional_headers=headers)
    assert refused.value.response.status_code == 401


def test_the_right_password_opens(csms: ScriptedCsms) -> None:
    csms.password = PASSWORD
    with join(csms, additional_headers=basic("CP1", PASSWORD)) as line:
        assert ask(line, "Heartbeat", {})[0] == 3


def test_a_station_that_comes_again_replaces_its_old_connection(csms: ScriptedCsms) -> None:
    with join(csms) as old, join(csms) as new:
        with pytest.raises(ConnectionClosed):
            old.recv(timeout=5)
        assert ask(new, "Heartbeat", {})[0] == 3
        assert csms.connected


# ---------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("BootNotification", BOOT, {"status": "Accepted", "interval": 60}),
        ("Authorize", {"idToken": {"idToken": "CAFE", "type": "ISO14443"}}, {"idTokenInfo": {"status": "Accepted"}}),
        ("StatusNotification", STATUS, {}),
        ("DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("SecurityEventNotification", {"type": "X\n\x1b[2J", "timestamp": "2030-01-01T00:00:00Z"}, {}),
        ("TransactionEvent", session()[0], {}),
        ("TransactionEvent", session()[1], {"idTokenInfo": {"status": "Accepted"}}),
    ],
)
def test_what_a_csms_answers(
    csms: ScriptedCsms, action: str, payload: dict[str, Any], expected: dict[str, Any]
) -> None:
    with join(csms) as line:
        kind, _, answer = ask(line, action, payload)
    assert kind == 3
    assert expected.items() <= answer.items()


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Nonsense", {}, "NotImplemented"),
        ("Reset", {"type": "Immediate"}, "NotSupported"),
        ("BootNotification", {}, "OccurrenceConstraintViolation"),
        ("BootNotification", {**BOOT, "reason": 7}, "TypeConstraintViolation"),
        ("BootNotification", {**BOOT, "reason": "Mood"}, "PropertyConstraintViolation"),
        ("Heartbeat", {"surprise": 1}, "FormatViolation"),
    ],
)
def test_what_it_refuses(csms: ScriptedCsms, action: str, payload: dict[str, Any], code: str) -> None:
    with join(csms) as line:
        assert ask(line, action, payload)[:3:2] == [4, code]


@pytest.mark.parametrize(
    ("frame", "message_id", "code"),
    [
        ("no JSON", "-1", "RpcFrameworkError"),
        ("[" * 50_000, "-1", "RpcFrameworkError"),
        ("{}", "-1", "RpcFrameworkError"),
        ("[]", "-1", "RpcFrameworkError"),
        ('[2,5,"Heartbeat",{}]', "-1", "RpcFrameworkError"),
        ('[2,"","Heartbeat",{}]', "-1", "RpcFrameworkError"),
        ('[2,"a","Heartbeat",NaN]', "-1", "RpcFrameworkError"),
        ('[2,"a","Heartbeat"]', "a", "RpcFrameworkError"),
        ('[2,"a","Heartbeat",[]]', "a", "RpcFrameworkError"),
        ('[2,"a","\\ud800",{}]', "-1", "RpcFrameworkError"),
        ('[2,"a","DataTransfer",{"vendorId":"\\ud800"}]', "-1", "RpcFrameworkError"),
        ('[9,"a",{}]', "a", "MessageTypeNotSupported"),
        (b"\xff\xfe", "-1", "RpcFrameworkError"),
    ],
)
def test_a_bad_frame_is_answered_and_survived(
    csms: ScriptedCsms, frame: str | bytes, message_id: str, code: str
) -> None:
    with join(csms) as line:
        line.send(frame)
        assert json.loads(line.recv(timeout=5))[:3] == [4, message_id, code]
        assert ask(line, "Heartbeat", {})[0] == 3


@pytest.mark.parametrize("frame", ['[3,"nobody",{}]', '[4,"-1","X","",{}]', '[3,"a"]', '[3,"a",[]]', '[4,"a",1,2,3]'])
def test_answers_that_nobody_waits_for_are_passed_over(csms: ScriptedCsms, frame: str) -> None:
    with join(csms) as line:
        line.send(frame)
        assert ask(line, "Heartbeat", {})[0] == 3


def test_a_message_beyond_the_limit_ends_the_connection_and_not_the_server(csms: ScriptedCsms) -> None:
    with join(csms) as line:
        line.send("x" * (1024 * 1024 + 1))
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=5)
    with join(csms) as line:
        assert ask(line, "Heartbeat", {})[0] == 3


def test_an_event_that_cannot_be_written_down_is_refused(csms: ScriptedCsms, tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").mkdir()
    with join(csms) as line:
        assert ask(line, "TransactionEvent", session()[0])[:3:2] == [4, "InternalError"]
        (tmp_path / "ledger.jsonl").rmdir()
        assert ask(line, "TransactionEvent", session()[0])[0] == 3
    assert csms.account("T1").duplicates == 0


# ---------------------------------------------------------------------- the record


def test_the_record_is_read_over_http_and_outlives_a_restart(csms: ScriptedCsms, tmp_path: Path) -> None:
    with join(csms) as line:
        for event in [*session(), session()[0]]:
            ask(line, "TransactionEvent", event)
    [summary] = read(csms, "/transactions")
    assert (summary["transactionId"], summary["energy"], summary["complete"]) == ("T1", 234.5, True)
    assert read(csms, "/transactions/T1")["eventList"] == session()
    for path in ("/transactions/T2", "/", "/transactions/T1/x"):
        with pytest.raises(urllib.error.HTTPError) as missing:
            read(csms, path)
        assert missing.value.code == 404
    again = Record(tmp_path).ledger.get("T1")
    assert again is not None
    assert again.in_order == session()
    assert again.duplicates == 0


def test_the_record_asks_for_the_password_too(csms: ScriptedCsms) -> None:
    csms.password = PASSWORD
    with pytest.raises(urllib.error.HTTPError) as refused:
        read(csms, "/transactions")
    assert refused.value.code == 401
    assert read(csms, "/transactions", PASSWORD) == []


def test_a_torn_line_costs_that_line_only(csms: ScriptedCsms, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    started, updated, *_ = session()
    with join(csms) as line:
        ask(line, "TransactionEvent", started)
        path.write_bytes(path.read_bytes() + b'\n{"station":"CP1","event":{"ev\xff')
        ask(line, "TransactionEvent", updated)
    account = Record(tmp_path).ledger.get("T1")
    assert account is not None
    assert account.in_order == [started, updated]


def test_the_record_on_disk_is_bounded(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    record = Record(tmp_path, full=4000)
    for number in range(100):
        record.take("CP1", {**session()[1], "seqNo": number}, datetime.now(UTC))
    assert {path.name for path in tmp_path.iterdir()} == {"ledger.jsonl", "ledger.1.jsonl"}
    assert all(path.stat().st_size < 4500 for path in tmp_path.iterdir())
    account = Record(tmp_path).ledger.get("T1")
    assert account is not None
    assert max(account.events) == 99


# ---------------------------------------------------------------------- the script (what tests rely on)


def test_a_scripted_csms_calls_and_overrides(csms: ScriptedCsms) -> None:
    with join(csms) as line:
        csms.on("Heartbeat", Refuse("GenericError", "no"))
        assert ask(line, "Heartbeat", {})[2:4] == ["GenericError", "no"]
        csms.on("Heartbeat", SILENCE)
        line.send('[2,"silent","Heartbeat",{}]')
        assert ask(line, "DataTransfer", {"vendorId": "x"})[0] == 3  # so the silence is over
        csms.default()
        assert ask(line, "Heartbeat", {})[0] == 3
        assert len(csms.requests("Heartbeat")) == 3
        with pytest.raises(TimeoutError):
            csms.call("ClearCache", timeout=0.1)
        assert json.loads(line.recv(timeout=5))[2] == "ClearCache"


@pytest.mark.parametrize(
    ("answer", "code"),
    [([4, "{id}", "NotSupported", "", {}], "NotSupported"), ([3, "{id}", {"bad": 1}], "InvalidAnswer")],
)
def test_an_answer_that_is_none_raises(csms: ScriptedCsms, answer: list[Any], code: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with join(csms) as line, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(csms.call, "ClearCache")
        message_id = json.loads(line.recv(timeout=5))[1]
        line.send(json.dumps(answer).replace("{id}", message_id))
        with pytest.raises(CallError) as failed:
            asked.result(5)
    assert failed.value.code == code


def test_drop_cuts_and_refuse_refuses_until_accept(csms: ScriptedCsms) -> None:
    with join(csms) as line:
        csms.drop()
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=5)
    csms.refuse()
    with pytest.raises(ConnectionRefusedError):
        join(csms)
    csms.accept()
    with join(csms) as line:
        assert ask(line, "Heartbeat", {})[0] == 3


# ---------------------------------------------------------------------- the process


def test_the_process_beats_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    beats = context.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        process = context.Process(target=run, args=(sock, tmp_path, beats.release))
        process.start()
        try:
            assert beats.acquire(timeout=10)
            assert beats.acquire(timeout=10)
            port = sock.getsockname()[1]
            with connect(f"ws://127.0.0.1:{port}/ocpp/CP1", subprotocols=["ocpp2.0.1"]) as line:  # type: ignore[list-item]
                assert ask(line, "TransactionEvent", session()[0])[0] == 3
                assert process.pid is not None
                os.kill(process.pid, signal.SIGTERM)
                with pytest.raises(ConnectionClosed):
                    line.recv(timeout=5)
            process.join(5)
            assert process.exitcode == 0
        finally:
            process.kill()
            process.join()
    assert (tmp_path / "csms" / "ledger.jsonl").stat().st_size > 0
