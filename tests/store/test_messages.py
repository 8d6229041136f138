"""Messages of OCPP as the trace may keep them: every secret is looked for in what comes out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from station.store import redaction
from station.store.messages import PAYLOAD_LIMIT, Discretion, head

SECRET = "CANARY-4f9a1c"
CARD = "04A2B3C4D5E6F7"


def shown(action: str, payload: dict[str, Any]) -> str:
    told, _ = Discretion().payload(action, payload)
    return json.dumps(told, ensure_ascii=False)


def variable(component: str, name: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}, **more}


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("SetVariables", {"setVariableData": [variable("SecurityCtrlr", "BasicAuthPassword", attributeValue=SECRET)]}),
        ("SetVariables", {"setVariableData": [variable("securityctrlr", "BASICAUTHPASSWORD", attributeValue=SECRET)]}),
        ("SetVariables", {"setVariableData": [variable("Vendor", "ModemSimPin", attributeValue=SECRET)]}),
        (
            "GetVariables",
            {"getVariableResult": [variable("SecurityCtrlr", "BasicAuthPassword", attributeValue=SECRET)]},
        ),
        (
            "NotifyReport",
            {"reportData": [variable("X", "ApiKey", variableAttribute=[{"type": "Actual", "value": SECRET}])]},
        ),
        (
            "SetNetworkProfile",
            {
                "connectionData": {
                    "ocppCsmsUrl": f"wss://user:{SECRET}@csms.example/x",
                    "apn": {"apn": "net", "apnPassword": SECRET, "simPin": SECRET},
                    "vpn": {"password": SECRET, "key": SECRET, "user": "u"},
                }
            },
        ),
        ("SetNetworkProfile", {"connectionData": {"apn": {"simPin": 48151623}}}),
        ("GetLog", {"log": {"remoteLocation": f"ftp://user:{SECRET}@host/log"}}),
        ("UpdateFirmware", {"firmware": {"location": f"https://host/fw?signature={SECRET}"}}),
        ("DataTransfer", {"vendorId": "v", "data": {"login": {"password": SECRET}}}),
        ("DataTransfer", {"vendorId": "v", "data": {"credentials": [SECRET, {"x": SECRET}]}}),
        ("DataTransfer", {"vendorId": "v", "data": f'{{"api_key": "{SECRET}"}}'}),
        ("DataTransfer", {"vendorId": "v", "data": f"Authorization: Basic {SECRET}"}),
        ("Get15118EVCertificate", {"exiRequest": SECRET}),
        ("NotifyCustomerInformation", {"data": SECRET}),
        ("SecurityEventNotification", {"techInfo": f"password={SECRET}"}),
    ],
)
def test_secrets_do_not_get_through(action: str, payload: dict[str, Any]) -> None:
    told = shown(action, payload)
    assert SECRET not in told
    assert "48151623" not in told


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Authorize", {"idToken": {"idToken": CARD, "type": "ISO14443"}}),
        (
            "Authorize",
            {"idToken": {"idToken": "x", "type": "Central", "additionalInfo": [{"additionalIdToken": CARD}]}},
        ),
        ("Authorize", {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": CARD, "type": "Central"}}}),
        ("SendLocalList", {"localAuthorizationList": [{"idToken": {"idToken": CARD, "type": "ISO14443"}}]}),
        ("NotifyEvent", {"eventData": [variable("TokenReader", "Token", actualValue=CARD)]}),
        ("SetVariables", {"setVariableData": [variable("AuthCtrlr", "MasterPassGroupId", attributeValue=CARD)]}),
        ("CustomerInformation", {"customerIdentifier": CARD}),
    ],
)
def test_cards_keep_their_last_four_characters_only(action: str, payload: dict[str, Any]) -> None:
    told = shown(action, payload)
    assert CARD not in told
    assert CARD[:8] not in told
    assert "…E6F7" in told


def test_key_code_is_not_shown_at_all() -> None:
    assert "789" not in shown("Authorize", {"idToken": {"idToken": "123456789", "type": "KeyCode"}})


def test_card_is_recognised_in_what_the_other_side_writes_of_it() -> None:
    discretion = Discretion()
    discretion.payload("Authorize", {"idToken": {"idToken": CARD, "type": "ISO14443"}})
    told, _ = discretion.payload("Authorize", {"description": f"card {CARD.lower()} is not known"})
    assert CARD.lower() not in told["description"]
    assert told["description"].startswith("card …")


def test_known_secret_is_recognised_wherever_it_stands() -> None:
    redaction.protect("hunter2-and-more")
    assert "hunter2" not in shown("DataTransfer", {"data": "it was hunter2-and-more"})


def test_what_is_no_secret_stays() -> None:
    payload = {
        "evse": {"id": 1, "connectorId": 1},
        "timestamp": "2024-05-01T12:00:00.000Z",
        "seqNo": 3,
        "offline": False,
        "setVariableData": [variable("TxCtrlr", "TxStartPoint", attributeValue="PowerPathClosed")],
        "csr": "-----BEGIN CERTIFICATE REQUEST-----",
        "note": None,
    }
    told, cut = Discretion().payload("SetVariables", payload)
    assert told == payload
    assert not cut


def test_long_payload_is_shortened_and_says_how_much_is_missing() -> None:
    payload = {"getVariableData": [variable("C" * 40, "V" * 40) for _ in range(400)], "text": "x" * 9_000}
    told, cut = Discretion().payload("GetVariables", payload)
    assert cut
    assert len(json.dumps(told, ensure_ascii=False)) <= PAYLOAD_LIMIT
    kept = told["getVariableData"]
    assert int(kept[-1].removeprefix("… ")) + len(kept) - 1 == 400
    assert told["text"].endswith("… (9000)")


def test_known_secret_is_recognised_in_a_plain_word_too() -> None:
    redaction.protect("swordfish.22")
    told = shown("GetVariables", {"getVariableData": [variable("Swordfish", "swordfish.22")] * 3})
    assert "swordfish.22" not in told


def test_long_list_is_not_walked_to_its_end() -> None:
    told, cut = Discretion().payload("X", {"list": [1] * 5_000})
    assert (len(told["list"]), told["list"][-1], cut) == (41, "… 4960", True)


def test_depth_and_odd_values_do_no_harm() -> None:
    deep: Any = "end"
    for _ in range(60):
        deep = {"a": [deep]}
    told = shown("DataTransfer", {"data": deep, "number": 1e308, "": "", "idToken": 5, "password": None})
    assert "end" not in told


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'[2,"abc","GetVariables",{"broken', (2, "abc", "GetVariables")),
        (b'[3,"abc",{"broken', (3, "abc", "")),
        (b'[2,"a secret with spaces","X",{}', (0, "", "")),
        (b"hello", (0, "", "")),
        (b"", (0, "", "")),
    ],
)
def test_head_of_what_cannot_be_read(frame: bytes, expected: tuple[int, str, str]) -> None:
    assert head(frame) == expected
