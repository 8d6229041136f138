"""Bad requests for an update: refused with the right word and security event, and what runs is not disturbed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from tests.support.manufacturer import DAY, Manufacturer, Signer, key_usage, rsa_key, sha1_certificate
from tests.support.memory_rig import EPOCH, MemoryRig

URL = "https://files.example/firmware.img"
CONTENT = b"a firmware"
MADE = Manufacturer()
CRITICAL = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")

CERTIFICATE, SIGNATURE = "InvalidFirmwareSigningCertificate", "InvalidFirmwareSignature"


def at(offset: timedelta) -> timedelta:
    """An offset from the rig's clock, as the manufacturer takes it (from the machine's)."""
    from tests.support.manufacturer import NOW

    return EPOCH - NOW + offset


def with_extension(extension: x509.ExtensionType, *, critical: bool = True) -> str:
    return MADE.signer(extensions=((extension, critical),)).pem


def through_intermediate() -> str:
    middle = MADE.signer(ca=True)
    other = Manufacturer()
    other.key, other.name = middle.key, middle.certificate.subject
    return other.signer().pem


def flipped() -> str:
    pem = MADE.signer().pem
    der = bytearray(x509.load_pem_x509_certificate(pem.encode()).public_bytes(_der()))
    der[-1] ^= 1
    return "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(der)).decode() + "-----END CERTIFICATE-----\n"


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


CERTIFICATES: dict[str, Callable[[], str]] = {
    "no PEM": lambda: "MIIB this is not",
    "PEM of nothing": lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "a private key's label": lambda: MADE.signer().pem.replace("CERTIFICATE", "PRIVATE KEY"),
    "not ASCII": lambda: "-----BEGIN CERTIFICATE-----\nö\n-----END CERTIFICATE-----\n",
    "two certificates": lambda: MADE.signer().pem + MADE.pem,
    "expired": lambda: MADE.signer(end=at(-DAY)).pem,
    "expired a second ago": lambda: MADE.signer(end=at(timedelta(seconds=-1))).pem,
    "not yet valid": lambda: MADE.signer(begin=at(DAY), end=at(2 * DAY)).pem,
    "of another manufacturer": lambda: Manufacturer("Another").signer().pem,
    "of another manufacturer of the same name": lambda: Manufacturer().signer().pem,
    "self-signed": lambda: Manufacturer("Firmware Signing").pem,
    "under an intermediate": through_intermediate,
    "RSA of 1024 bits": lambda: MADE.signer(rsa_key(1024)).pem,
    "Ed25519": lambda: MADE.signer(ed25519.Ed25519PrivateKey.generate()).pem,
    "signed with SHA-1": lambda: sha1_certificate(MADE),
    "a flipped bit": flipped,
    "key usage without signatures": lambda: with_extension(key_usage(key_encipherment=True)),
    "a key for certificates": lambda: with_extension(key_usage(key_cert_sign=True, crl_sign=True)),
    "extended key usage of a server": lambda: with_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    "an unknown critical extension": lambda: with_extension(CRITICAL),
}


def station(*roots: StoredCertificate, tmp: Path) -> MemoryRig:
    rig = MemoryRig()
    rig.with_firmware(tmp)
    rig.disk.commit([SaveCertificate(root) for root in roots])
    rig.boot()
    rig.let(1)
    return rig


def root(pem: str, use: CertificateUse = CertificateUse.MANUFACTURER_ROOT) -> StoredCertificate:
    return StoredCertificate(f"{use}:{hash(pem)}", use, (pem,), EPOCH)


@pytest.fixture
def rig(tmp_path: Path) -> MemoryRig:
    return station(root(MADE.pem), tmp=tmp_path)


def ask(rig: MemoryRig, *, request_id: int = 1, **firmware: Any) -> dict[str, Any]:
    wanted = {"location": URL, "retrieveDateTime": "2026-01-01T00:00:00Z", **firmware}
    payload = {name: value for name, value in wanted.items() if value is not None}
    return rig.call("UpdateFirmware", {"requestId": request_id, "firmware": payload})


def good(signer: Signer | None = None) -> dict[str, str]:
    signer = signer or MADE.signer()
    return {"signingCertificate": signer.pem, "signature": signer.sign(CONTENT)}


def events(rig: MemoryRig) -> list[str]:
    found = [event["type"] for event in rig.sent("SecurityEventNotification")]
    return [kind for kind in found if kind != "StartupOfTheDevice"]


def nothing_happened(rig: MemoryRig) -> None:
    rig.let(3)
    assert not rig.transfers.orders
    assert not rig.sent("FirmwareStatusNotification")
    assert "firmware_update" not in rig.disk.remembered
    assert rig.statuses(1)[-1] == "Available"


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_nobody_should_trust(rig: MemoryRig, name: str) -> None:
    answer = ask(rig, **{**good(), "signingCertificate": CERTIFICATES[name]()})
    assert answer["status"] == "InvalidCertificate"
    nothing_happened(rig)
    assert events(rig) == [CERTIFICATE]
    refused = [entry.data["why"] for entry in rig.disk.journal if entry.kind == "firmware_refused"]
    assert refused == [answer["statusInfo"]["additionalInfo"]]


def test_a_certificate_under_the_csms_root(tmp_path: Path) -> None:
    operator = Manufacturer("Operator")
    rig = station(root(MADE.pem), root(operator.pem, CertificateUse.CSMS_ROOT), tmp=tmp_path)
    assert ask(rig, **good(operator.signer()))["status"] == "InvalidCertificate"
    nothing_happened(rig)


@pytest.mark.parametrize("installed", [None, Manufacturer(end=at(-DAY)), Manufacturer(begin=at(DAY))])
def test_no_root_that_is_valid(tmp_path: Path, installed: Manufacturer | None) -> None:
    rig = station(*([root(installed.pem)] if installed else []), tmp=tmp_path)
    assert ask(rig, **good((installed or MADE).signer()))["status"] == "InvalidCertificate"
    nothing_happened(rig)
    assert events(rig) == [CERTIFICATE]


@pytest.mark.parametrize(
    "url",
    [
        *("dummy://dummy", "ftp://files.example/x", "file:///etc/passwd", "http://", "https://a b/", "http://h:99999/"),
        *("", "firmware.img", "javascript:alert(1)", "http://h/\x7f"),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_a_url_that_is_none_of_ours_is_not_acted_on(rig: MemoryRig, url: str, signed: bool) -> None:
    answer = ask(rig, location=url, **(good() if signed else {}))
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidURL")
    nothing_happened(rig)
    assert not events(rig)


@pytest.mark.parametrize(
    ("missing", "status", "event"),
    [
        (("signingCertificate", "signature"), "InvalidCertificate", CERTIFICATE),  # TC_L_18
        (("signingCertificate",), "InvalidCertificate", CERTIFICATE),
        (("signature",), "Rejected", SIGNATURE),
    ],
)
def test_certificate_or_signature_is_missing(rig: MemoryRig, missing: tuple[str, ...], status: str, event: str) -> None:
    assert ask(rig, **{**good(), **dict.fromkeys(missing)})["status"] == status
    nothing_happened(rig)
    assert events(rig) == [event]


@pytest.mark.parametrize("signature", ["", "   ", "not Base64!", "AAA", "ö" * 20])
def test_a_signature_that_cannot_be_one(rig: MemoryRig, signature: str) -> None:
    assert ask(rig, **{**good(), "signature": signature})["status"] == "Rejected"
    nothing_happened(rig)
    assert events(rig) == [SIGNATURE]


@pytest.mark.parametrize("change", [{"location": "dummy://dummy"}, {"signingCertificate": None}, {"signature": None}])
def test_a_refused_request_disturbs_no_running_update(rig: MemoryRig, change: dict[str, Any]) -> None:
    assert ask(rig, **good(), retrieveDateTime="2027-01-01T00:00:00Z")["status"] == "Accepted"
    rig.let(1)
    before = rig.disk.remembered["firmware_update"]
    assert ask(rig, request_id=2, **{**good(), **change})["status"] != "Accepted"
    rig.let(1)
    assert rig.disk.remembered["firmware_update"] == before
    assert [one["status"] for one in rig.sent("FirmwareStatusNotification")] == ["DownloadScheduled"]


@pytest.mark.parametrize("key", [None, rsa_key(), ec.generate_private_key(ec.SECP384R1())])
@pytest.mark.parametrize(
    "extensions",
    [
        (),
        ((key_usage(digital_signature=True), True),),
        ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), True),),
        ((CRITICAL, False),),
    ],
)
def test_certificates_that_may_sign(rig: MemoryRig, key: Any, extensions: Any) -> None:
    assert ask(rig, **good(MADE.signer(key, extensions=extensions)))["status"] == "Accepted"
