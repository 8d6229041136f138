"""Part 6, section 2.14: N Diagnostics, the Core profile's part, with errata 2025-09 (6.2.93, 6.2.97)."""

import itertools
from collections.abc import Iterator

import pytest

from tests.conformance.rig import CARD, OTHER_CARD, LogServer, Payload, Rig
from tests.conformance.states import Session
from tests.conformance.tokens import start_with_cache

FAILURES = ("UploadFailure", "BadMessage", "PermissionDenied", "NotSupportedOperation")
RETRY_INTERVAL = 2  # <Configured retryInterval>, s: longer than an attempt takes
REQUEST_IDS = itertools.count(1)


# ------------------------------------------------------------------ N01


def get_log(rig: Rig, log_type: str, url: str, request_id: int, **more: int) -> Payload:
    """GetLogRequest; returns its response."""
    request = {"logType": log_type, "requestId": request_id, "log": {"remoteLocation": url}, **more}
    return rig.call("GetLog", request)


def log_status(rig: Rig, status: str, request_id: int) -> None:
    """The next LogStatusNotification says that, of that request."""
    told = rig.expect("LogStatusNotification")
    assert told == {"status": status, "requestId": request_id}, told


def uploaded(rig: Rig, server: LogServer, log_type: str) -> None:
    """Main of TC_N_25 and TC_N_35."""
    response = get_log(rig, log_type, server.url, 25)
    assert response["status"] == "Accepted", response
    assert response["filename"], response
    log_status(rig, "Uploading", 25)
    log_status(rig, "Uploaded", 25)
    assert server.names() == [response["filename"]]


@pytest.mark.tc("TC_N_25")
@pytest.mark.both_rigs
def test_diagnostics_log_success(rig: Rig) -> None:
    rig.start()
    uploaded(rig, rig.log_server(), "DiagnosticsLog")


@pytest.mark.tc("TC_N_35")
def test_security_log_success(rig: Rig) -> None:
    rig.start()
    uploaded(rig, rig.log_server(), "SecurityLog")


@pytest.mark.tc("TC_N_26")
def test_diagnostics_log_upload_failed(rig: Rig) -> None:
    rig.start()
    times: list[float] = []

    def note(_: Payload) -> Payload:
        times.append(rig.seconds())
        return {}

    rig.answer("LogStatusNotification", note)
    response = get_log(rig, "DiagnosticsLog", rig.log_server().missing, 26, retries=3, retryInterval=RETRY_INTERVAL)
    assert response["status"] == "Accepted", response
    log_status(rig, "Uploading", 26)
    told = ["Uploading"]
    while told.count("Uploading") * (told[-1] in FAILURES) not in (1, 4):
        one = rig.expect("LogStatusNotification", within=4 * RETRY_INTERVAL + 5)
        assert one["requestId"] == 26, one
        told.append(one["status"])
    rig.let(3 * RETRY_INTERVAL)
    rig.expect_none("LogStatusNotification", during=0.5)
    assert told.count("Uploading") in (1, 4), told
    assert sum(status in FAILURES for status in told) in (1, 4), told
    assert told[-1] in FAILURES, told
    assert times[-1] - times[0] == pytest.approx(3 * RETRY_INTERVAL, abs=1.5)


@pytest.mark.tc("TC_N_36")
@pytest.mark.parametrize("log_type", ["DiagnosticsLog", "SecurityLog"])
def test_second_request(rig: Rig, log_type: str) -> None:
    rig.start()
    server = rig.log_server()
    server.hold()
    response = get_log(rig, log_type, server.url, 1)
    assert response["status"] == "Accepted", response
    log_status(rig, "Uploading", 1)
    response = get_log(rig, log_type, server.url, 2)
    assert response["status"] == "AcceptedCanceled", response
    log_status(rig, "AcceptedCanceled", 1)
    log_status(rig, "Uploading", 2)
    server.release()
    log_status(rig, "Uploaded", 2)
    # the server may find all of a small first file in its socket, too, after the station has left
    assert response["filename"] in server.names()


# ------------------------------------------------------------------ N09, N10


def customer_information(rig: Rig, *, report: bool = False, clear: bool = False, **customer: object) -> Payload:
    """CustomerInformationRequest; returns its response."""
    return rig.call(
        "CustomerInformation", {"requestId": next(REQUEST_IDS), "report": report, "clear": clear, **customer}
    )


def told_data(rig: Rig) -> str:
    """All parts of one report, put together: seqNo from 0 without a gap, tbc true in all but the last."""

    def parts() -> Iterator[str]:
        for number in itertools.count():
            part = rig.expect("NotifyCustomerInformation")
            assert part["seqNo"] == number, part
            yield part["data"]
            if not part.get("tbc"):
                return

    return "\n".join(parts())


def id_token(uid: str = CARD) -> Payload:
    return {"idToken": uid, "type": "ISO14443"}


def a_session_is_over(rig: Rig) -> None:
    """Authorized (local), then ParkingBayUnoccupied: the customer has charged and left."""
    session = Session(rig)
    session.stop_authorized()
    session.ev_connected_post_session()
    session.ev_disconnected()


@pytest.mark.tc("TC_N_27")
def test_get_customer_information_data(rig: Rig) -> None:
    start_with_cache(rig)
    a_session_is_over(rig)
    response = customer_information(rig, report=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    data = told_data(rig)
    assert CARD in data
    assert rig.transaction_events()[0]["transactionInfo"]["transactionId"] in data


@pytest.mark.tc("TC_N_28")
def test_get_customer_information_no_data(rig: Rig) -> None:
    start_with_cache(rig)
    assert customer_information(rig, clear=True, idToken=id_token())["status"] == "Accepted"
    told_data(rig)
    response = customer_information(rig, report=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    assert told_data(rig) == ""  # one message, and nothing in it: no data is found


@pytest.mark.tc("TC_N_30")
def test_clear_and_report_data(rig: Rig) -> None:
    start_with_cache(rig)
    a_session_is_over(rig)
    response = customer_information(rig, report=True, clear=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    assert told_data(rig)
    response = customer_information(rig, report=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    assert told_data(rig) == ""


@pytest.mark.tc("TC_N_31")
def test_clear_and_report_no_data(rig: Rig) -> None:
    start_with_cache(rig)
    response = customer_information(rig, report=True, clear=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    assert told_data(rig) == ""


@pytest.mark.tc("TC_N_32")
def test_clear_and_no_report(rig: Rig) -> None:
    rig.start()
    response = customer_information(rig, clear=True, idToken=id_token())
    assert response["status"] == "Accepted", response
    assert "cleared" in told_data(rig)


@pytest.mark.tc("TC_N_62")
def test_clear_and_report_customer_identifier(rig: Rig) -> None:
    rig.start(**{"CustomerInformationCtrlr.CustomerIdentifierEnabled": "true"})
    rig.name_customer("customer-62", OTHER_CARD)
    response = customer_information(rig, report=True, clear=True, customerIdentifier="customer-62")
    assert response["status"] == "Accepted", response
    assert told_data(rig)
    response = customer_information(rig, report=True, customerIdentifier="customer-62")
    assert response["status"] == "Accepted", response
    assert told_data(rig) == ""
