"""Schemas: the codes of part 4, the leniency towards timestamps, and that no message is forgotten."""

from importlib.resources import files

import pytest

from station.ocpp import schemas
from station.ocpp.schemas import SchemaViolation

STARTED = {
    "eventType": "Started",
    "timestamp": "2024-05-01T10:00:00.000Z",
    "triggerReason": "CablePluggedIn",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "tx-1"},
}


def refused(change: dict[str, object], *, without: str = "") -> SchemaViolation:
    payload = {key: value for key, value in {**STARTED, **change}.items() if key != without}
    with pytest.raises(SchemaViolation) as caught:
        schemas.validate_request("TransactionEvent", payload)
    return caught.value


def test_every_message_of_the_distribution_is_known_and_compiles():
    shipped = {
        entry.name.removesuffix("Request.json")
        for entry in files("ocpp").joinpath("v201", "schemas").iterdir()
        if entry.name.endswith("Request.json")
    }
    assert shipped == schemas.ACTIONS_TO_STATION | schemas.ACTIONS_FROM_STATION
    assert {"DataTransfer"} == schemas.ACTIONS_TO_STATION & schemas.ACTIONS_FROM_STATION
    for action in shipped:
        for validate in (schemas.validate_request, schemas.validate_response):
            with pytest.raises(SchemaViolation):
                validate(action, {"no such field": 1})


def test_valid_payloads_pass():
    schemas.validate_request("TransactionEvent", STARTED)
    schemas.validate_request("Heartbeat", {})
    schemas.validate_request("Heartbeat", {"customData": {"vendorId": "org.example", "own": [1, {"x": None}]}})
    schemas.validate_response("Heartbeat", {"currentTime": "2024-05-01T10:00:00Z"})


def test_unknown_action_is_a_key_error():
    assert not schemas.known("Fly")
    with pytest.raises(KeyError):
        schemas.validate_request("../../etc/passwd", {})


@pytest.mark.parametrize(
    ("change", "without", "code", "place"),
    [
        ({}, "seqNo", "OccurrenceConstraintViolation", "seqNo"),
        ({"meterValue": []}, "", "OccurrenceConstraintViolation", "meterValue"),
        ({"seqNo": "0"}, "", "TypeConstraintViolation", "seqNo"),
        ({"seqNo": None}, "", "TypeConstraintViolation", "seqNo"),
        ({"transactionInfo": []}, "", "TypeConstraintViolation", "transactionInfo"),
        ({"colour": "red"}, "", "FormatViolation", "colour"),
        ({"timestamp": "tomorrow"}, "", "FormatViolation", "timestamp"),
        ({"timestamp": "2024-05-01"}, "", "FormatViolation", "timestamp"),
        ({"timestamp": "2024-13-41T10:00:00Z"}, "", "FormatViolation", "timestamp"),
        ({"eventType": "Exploded"}, "", "PropertyConstraintViolation", "eventType"),
        ({"transactionInfo": {"transactionId": "x" * 37}}, "", "PropertyConstraintViolation", "transactionId"),
    ],
)
def test_codes_and_places(change, without, code, place):
    violation = refused(change, without=without)
    assert violation.code == code
    assert place in violation.description


@pytest.mark.parametrize(
    "timestamp",
    ["2024-05-01T10:00:00", "2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00.123456789Z", "2024-05-01t10:00:00Z"],
)
def test_timestamps_as_csmss_write_them(timestamp):
    schemas.validate_request("TransactionEvent", {**STARTED, "timestamp": timestamp})


def test_description_is_short_and_keeps_values_to_itself():
    violation = refused({"transactionInfo": {"transactionId": "secret" * 1000}})
    assert len(violation.description) <= 255
    assert "secret" not in violation.description
    assert len(refused({"x" * 1000: 1}).description) <= 255
