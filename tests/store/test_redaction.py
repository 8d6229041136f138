"""Nothing secret stays, and what is not secret does."""

from __future__ import annotations

import base64

import pytest

from station.store.redaction import HIDDEN, Redactor, clean, masked, protect, without_tokens

SECRET = "0123456789abcdef-Süß/&"


@pytest.mark.parametrize("lead", ["", "C", "CP", "CP1", "CP-0001"])
def test_a_known_secret_in_every_spelling(lead: str) -> None:
    redactor = Redactor([SECRET])
    assert SECRET not in redactor.line(f"the password is {SECRET}.")
    assert "0123456789" not in redactor.line(f"http://x/?p={'0123456789abcdef-S%C3%BC%C3%9F%2F%26'}")
    encoded = base64.b64encode(f"{lead}:{SECRET}".encode()).decode()
    said = redactor.line(f"header {encoded} sent")
    # whatever is left must not give away more than the signs at the seams
    left = said.replace(HIDDEN, "").removeprefix("header ").removesuffix(" sent")
    assert len(left) <= len(base64.b64encode(f"{lead}:".encode())) + 4
    assert HIDDEN in said


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET https://user:s3cr3t-word@host/path", "s3cr3t-word"),
        ("ws://CP%201:p%40ss@host", "p%40ss"),
        ("https://bucket.example/x?X-Amz-Signature=abcdef&y=1", "abcdef"),
        ("Authorization: Basic Q1A6cGFzc3dvcmQ=", "Q1A6cGFzc3dvcmQ="),
        ("authorization: bearer eyJhbGciOi.abc.def", "eyJhbGciOi"),
        ("password=hunter2 rest", "hunter2"),
        ('{"BasicAuthPassword": "hunter 2", "x": 1}', "hunter 2"),
        ("SECRET_KEY: abc123", "abc123"),
        ("value sealed:1:AAAA/BBBB+cc== in the database", "AAAA/BBBB"),
        ('{"id_token": "04A2B3C4D5E6F7"}', "04A2B3C4D5E6F7"),
        ("idToken=04A2B3C4D5E6F7", "04A2B3C4D5E6F7"),
    ],
)
def test_what_looks_like_a_secret(text: str, secret: str) -> None:
    assert secret not in Redactor().line(text)


@pytest.mark.parametrize(
    "text",
    [
        "connected to wss://csms.example:443/ocpp (slot 1, profile 2)",
        "TxCtrlr.EVConnectionTimeOut = 60",
        "security_event type=StartupOfTheDevice",
        "mail to somebody@example.org",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert Redactor(["short"]).line(text) == text


def test_a_private_key_over_several_lines() -> None:
    redactor = Redactor()
    lines = ["a -----BEGIN EC PRIVATE KEY-----", "MHcCAQEE", "x==", "-----END EC PRIVATE KEY-----", "after"]
    told = [redactor.line(line) for line in lines]
    assert told[-1] == "after"
    assert not any("MHc" in line or "x==" in line for line in told)


def test_tokens() -> None:
    assert masked("04A2B3C4D5E6F7") == "…E6F7"
    assert masked("1234") == "…"
    data = {"id_token": "04A2B3C4D5E6F7", "type": "ISO14443", "list": [{"uid": "0011223344"}], "n": 1}
    assert without_tokens(data) == {"id_token": "…E6F7", "type": "ISO14443", "list": [{"uid": "…3344"}], "n": 1}


def test_a_process_keeps_its_own_secrets_out_of_its_log() -> None:
    assert "my-own-password" in clean("it is my-own-password")
    protect("my-own-password", "", "short")
    assert clean("it is my-own-password, short") == f"it is {HIDDEN}, short"
    assert clean("id_token=04A2B3C4D5E6F7") == "id_token=…E6F7"
    assert clean("one\n-----BEGIN PRIVATE KEY-----\nMIGH") == f"one\n{HIDDEN}\n{HIDDEN}"
    assert clean("and then goes on") == "and then goes on"


def test_only_the_last_few_are_kept() -> None:
    for number in range(100):
        protect(f"password-number-{number:03}")
    assert clean("password-number-000") == "password-number-000"
    assert clean("password-number-099") == HIDDEN


def test_a_key_without_an_end_hides_no_more_than_a_key_has() -> None:
    redactor = Redactor()
    redactor.line("-----BEGIN PRIVATE KEY-----")
    told = [redactor.line(f"line {number}") for number in range(300)]
    assert told[0] == HIDDEN
    assert told[-1] == "line 299"


@pytest.mark.parametrize(
    "text",
    [
        "Cookie: session_1a2b=abcdefgh; csrf=xyz",
        '{"cookie": "session=abcdefgh"}',
        "csrfmiddlewaretoken=abcdefgh",
        '{"data": "{\\"password\\": \\"abcdefgh\\"}"}',
        "wss://host/path?token=abcdefgh",
        "KeyCode: abcdefgh",
        "access_token=abcdefgh",
    ],
)
def test_more_that_looks_like_a_secret(text: str) -> None:
    assert "abcdefgh" not in clean(text)


def test_a_very_long_word_is_no_trap() -> None:
    """An expression that runs away would end by the tests' own limit."""
    assert clean("password" * 100_000).startswith("password")
    assert clean("x" * 500_000 + "=" + "-" * 500_000)
