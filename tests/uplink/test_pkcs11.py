"""Private keys in a token: SoftHSM, as Debian has it. The key is made there, and TLS is done with it."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from station.domain.certificates import CertificateUse, TlsMaterial
from station.domain.effects import ForgetKey, MakeSigningRequest
from station.uplink import pkcs11
from station.uplink.pkcs11 import Token, TokenUnusable, parse
from station.uplink.signing_requests import SigningRequests, signing_request
from station.uplink.tls import DEFAULT_POLICY, TlsUnusable, client_context
from tests.conformance.handshake import shake_hands
from tests.uplink.authority import Authority
from tests.uplink.forge import make, server_context

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "5678"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tokens lie; the library keeps to the first one that a process names."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    (folder / "pin").write_text(f"{PIN}\n")
    return folder


@pytest.fixture
def token(home: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Token:
    monkeypatch.setenv("SOFTHSM2_CONF", str(home / "softhsm2.conf"))
    if not any((home / "tokens").iterdir()):
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", "a station", "--so-pin", "1234", "--pin", PIN],
            check=True,
            capture_output=True,
        )
    settings.PKCS11 = f"pkcs11:token=a%20station?module-path={MODULE}&pin-source=file:{home}/pin"
    found = pkcs11.configured()
    assert found is not None
    return found


def order(key_type: str = "P-256") -> MakeSigningRequest:
    return MakeSigningRequest("1", CertificateUse.CHARGING_STATION, "CS001", "Test", key_type)


def keys(token: Token) -> int:
    """How many private keys are in the token."""
    script = (
        "import pkcs11, sys\n"
        "s = pkcs11.lib(sys.argv[1]).get_token(token_label=sys.argv[2]).open(user_pin=sys.argv[3])\n"
        "print(len(list(s.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}))))"
    )
    run = subprocess.run([sys.executable, "-c", script, MODULE, token.label, PIN], capture_output=True, check=True)
    return int(run.stdout)


@pytest.mark.parametrize(
    ("key_type", "kind", "bits"),
    [
        ("P-256", ec.EllipticCurvePublicKey, 256),
        ("P-384", ec.EllipticCurvePublicKey, 384),
        ("RSA-3072", rsa.RSAPublicKey, 3072),
    ],
)
def test_a_key_in_the_token_does_tls(token: Token, tmp_path: Path, key_type: str, kind: type, bits: int) -> None:
    made = signing_request(order(key_type), tmp_path, token)
    assert not made.failed
    assert made.key.startswith("pkcs11:token=a%20station;id=%")
    assert PIN not in made.key
    request = x509.load_pem_x509_csr(made.csr.encode())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=CS001,O=Test"
    assert isinstance(request.public_key(), kind)
    assert request.public_key().key_size == bits
    assert list(tmp_path.iterdir()) == []

    root, csms_root = Authority(), make("CSMS root", ca=True)
    material = TlsMaterial((csms_root.pem,), (root.sign(made.csr),), made.key)
    server = server_context(make("one.csms.test", csms_root, names=["one.csms.test"]))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(cadata=root.root)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        server.minimum_version = ssl.TLSVersion.TLSv1_2
        server.maximum_version = version
        context = client_context(3, material, tmp_path, "one.csms.test")
        assert context is not None
        theirs = shake_hands(context, server, "one.csms.test", DEFAULT_POLICY)
        assert theirs is not None
        assert theirs.version() == version.name.replace("_", ".")
        shown = x509.load_der_x509_certificate(theirs.getpeercert(binary_form=True) or b"")
        assert shown.public_key() == request.public_key()
    before = keys(token)
    pkcs11.destroy(token, made.key)
    assert keys(token) == before - 1
    pkcs11.destroy(token, made.key)  # gone is gone


def test_a_key_that_is_not_in_the_token(token: Token, tmp_path: Path) -> None:
    root = Authority()
    material = TlsMaterial((root.root,), root.own().chain, "pkcs11:token=a%20station;id=%00%01;type=private")
    with pytest.raises(TlsUnusable, match="not in the token"):
        client_context(3, material, tmp_path, "one.csms.test")


def test_a_certificate_of_another_key(token: Token, tmp_path: Path) -> None:
    root = Authority()
    made, other = (signing_request(order(), tmp_path, token) for _ in range(2))
    material = TlsMaterial((root.root,), (root.sign(other.csr),), made.key)
    with pytest.raises(TlsUnusable, match="cannot be used"):
        client_context(3, material, tmp_path, "one.csms.test")
    material = TlsMaterial((root.root,), (root.sign(made.csr),), made.key)
    assert client_context(3, material, tmp_path, "one.csms.test") is not None  # nothing is left of the failure


def test_what_no_certificate_names_is_swept_away(token: Token, tmp_path: Path) -> None:
    needed, _ = (signing_request(order(), tmp_path, token).key for _ in range(2))
    assert keys(token) >= 2
    pkcs11.sweep(token, [needed])
    assert keys(token) == 1
    pkcs11.sweep(token, [])
    assert keys(token) == 0


def test_the_uplink_forgets_and_sweeps_beside_the_loop(token: Token, tmp_path: Path) -> None:
    requests = SigningRequests(tmp_path, lambda event: None, token)
    first, second = (signing_request(order(), tmp_path, token).key for _ in range(2))
    requests.sweep([first, second])
    requests.forget(ForgetKey(first))
    _settle()
    assert keys(token) == 1
    requests.sweep([])
    _settle()
    assert keys(token) == 0


def _settle() -> None:
    """What goes on beside the loop is over: SoftHSM's files are not looked at while somebody else changes them."""
    for thread in threading.enumerate():
        if thread.name == "token":
            thread.join()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Token("a station", "/no/such/library.so"), "library"),
        (Token("another", MODULE), "another"),
        (Token("a station", MODULE, "/no/such/pin"), "PIN"),
    ],
)
def test_a_token_that_cannot_be_used(token: Token, tmp_path: Path, broken: Token, words: str) -> None:
    made = signing_request(order(), tmp_path, broken)
    assert words in made.failed
    assert (made.csr, made.key) == ("", "")


def test_a_wrong_pin(token: Token, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("9999")
    made = signing_request(order(), tmp_path, Token(token.label, MODULE, str(tmp_path / "pin")))
    assert "PinIncorrect" in made.failed
    assert "9999" not in made.failed


def test_a_key_of_a_kind_that_there_is_not(token: Token, tmp_path: Path) -> None:
    assert "no key of the type" in signing_request(order("P-12"), tmp_path, token).failed


def test_a_key_in_a_token_where_none_is_set_up(settings: Any, tmp_path: Path) -> None:
    settings.PKCS11 = ""
    root = Authority()
    material = TlsMaterial((root.root,), root.own().chain, "pkcs11:token=x;id=%01")
    with pytest.raises(TlsUnusable, match="STATION_PKCS11 names none"):
        client_context(3, material, tmp_path, "one.csms.test")
    SigningRequests(tmp_path, lambda event: None).forget(ForgetKey("pkcs11:token=x;id=%01"))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("token=x", "pkcs11:"),
        ("pkcs11:object=x?module-path=/x.so", "no token"),
        ("pkcs11:token=x", "no module-path"),
        ("pkcs11:token=x?module-path=/x.so&pin-value=1234", "pin-value"),
        ("pkcs11:token=%ff?module-path=/x.so", "no text"),
    ],
)
def test_a_uri_that_says_too_little_or_too_much(uri: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(uri)


def test_a_uri() -> None:
    assert parse("pkcs11:token=a%3Bb?module-path=/x.so&pin-source=file:/p") == Token("a;b", "/x.so", "/p")
    assert parse("pkcs11:token=x?module-path=/x.so").pin is None
    with pytest.raises(TokenUnusable, match="names no id"):
        pkcs11.destroy(Token("x", "/x.so"), "pkcs11:token=x")
