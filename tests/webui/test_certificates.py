"""The certificates' page: what stands in them, what is uploaded, and what is refused before the station hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import Journal, Remember, SaveCertificate
from station.domain.pki import certificate_id
from station.store import repositories
from station.store.models import Command
from tests.uplink.authority import Authority
from tests.webui.looking import Looking, look
from tests.webui.making import NOON
from webui.certificates import reading

ROOT = Authority("Operator Root")
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"


def chain(days: int = 300) -> tuple[str, ...]:
    """A certificate of the station with the one that issued it, both below ``ROOT``."""
    issuing = Authority("Issuing CA", issuer=ROOT)
    leaf, _ = issuing.pair("CS001", names=["cs001.example"], days=days)
    return tuple(one.public_bytes(Encoding.PEM).decode() for one in (leaf, issuing.certificate))


def install(*records: StoredCertificate) -> None:
    repositories.commit([SaveCertificate(record) for record in records])


def own(pems: tuple[str, ...]) -> StoredCertificate:
    use = CertificateUse.CHARGING_STATION
    return StoredCertificate(certificate_id(use, pems[0]), use, pems, timezone.now(), "station.pem")


def page(client: Client, status: int = 200) -> Looking:
    answer = client.get("/certificates/")
    assert answer.status_code == status
    return look(answer.content)


def told(client: Client, address: str, typed: dict[str, Any]) -> str:
    """The words of the page that says what is wrong; nothing was filed."""
    answer = client.post(address, typed)
    assert answer.status_code == 422
    assert not Command.objects.exists()
    return look(answer.content).words


def filed(client: Client, address: str, typed: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    answer = client.post(address, typed or {})
    row = Command.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/certificates/?asked={row.pk}")
    return row.action, row.arguments


# ------------------------------------------------------------------ who


def test_only_an_installer_sees_and_changes_them(browser: Client) -> None:
    page(browser, 403)
    assert browser.get("/certificates/request.csr").status_code == 403
    for part in ("root", "own", "renew", "x/delete"):
        assert browser.post(f"/certificates/{part}/").status_code == 403
    assert not Command.objects.exists()


# ------------------------------------------------------------------ what is shown


def test_a_chain_up_to_its_root(installer: Client) -> None:
    install(ROOT.installed(), own(chain()))
    words = page(installer).words
    assert "CS001 299 days left" in words
    assert "Elliptic curve P-256" in words
    tree = words[words.index("Operator Root root, installed here") :]
    assert tree.index("Issuing CA") < tree.index("CS001")
    assert "cs001.example" in words


def test_an_issuer_that_is_not_installed(installer: Client) -> None:
    install(own(chain()))
    assert "Operator Root issuer, not installed here" in page(installer).words


@pytest.mark.parametrize(
    ("days", "tone", "said"),
    [(300, "good", "299 days left"), (20, "wait", "19 days left"), (3, "bad", "2 days left"), (-2, "bad", "expired")],
)
def test_days_left(installer: Client, days: int, tone: str, said: str) -> None:
    install(own(chain(days)))
    answer = installer.get("/certificates/").content.decode()
    assert f'<span class="chip {tone}">{said}' in answer


def test_part_of_the_validity_that_is_left() -> None:
    leaf = reading._link(ROOT.pair("x", days=100, since=-100)[0])
    assert 48 <= leaf.part <= 51
    assert reading._link(ROOT.pair("x", days=-5)[0]).part == 0


def test_the_last_root_stays(installer: Client) -> None:
    install(ROOT.installed())
    words = page(installer).words
    assert "This is the last root for the operator's system." in words
    assert "Delete it" not in words
    install(Authority("Another").installed())
    words = page(installer).words
    assert "last root" not in words
    assert words.count("Delete it") == 2


@pytest.mark.parametrize("pems", [(), ("no certificate",), (1,), None, "text"])
def test_what_cannot_be_read_is_named_and_harms_nothing(installer: Client, pems: Any) -> None:
    install(ROOT.installed(), own(chain()))
    from station.store.models import Certificate

    Certificate.objects.filter(use=CertificateUse.CHARGING_STATION).update(chain=pems or [])
    words = page(installer).words
    assert "This certificate cannot be read." in words
    assert "Operator Root" in words


def test_nothing_is_installed(installer: Client) -> None:
    words = page(installer).words
    assert "The station has no certificate of its own." in words
    assert "Security profiles 2 and 3 need one." in words
    assert "Ask for a certificate" in words


def test_hostile_names_are_only_text(installer: Client) -> None:
    install(Authority("<script>alert(1)</script>").installed())
    assert "<script>alert" not in installer.get("/certificates/").content.decode()


def test_history(installer: Client) -> None:
    repositories.commit([Journal(NOON, "certificate_deleted", data={"subject": "CN=Old", "who": "olga"})])
    assert "CN=Old" in page(installer).words


# ------------------------------------------------------------------ uploads


@pytest.mark.parametrize("kind", ["text", "pem file", "der file", "with comments"])
def test_a_root_is_filed_as_pem(installer: Client, kind: str) -> None:
    der = ROOT.certificate.public_bytes(Encoding.DER)
    typed: dict[str, Any] = {"root-use": "CSMSRootCertificate"}
    match kind:
        case "text":
            typed["root-text"] = ROOT.root
        case "pem file":
            typed["root-file"] = SimpleUploadedFile("root.pem", ROOT.root.encode())
        case "der file":
            typed["root-file"] = SimpleUploadedFile("root.cer", der)
        case _:
            typed["root-text"] = f"subject=CN = x\n{ROOT.root}\n"
    action, arguments = filed(installer, "/certificates/root/", typed)
    assert action == "install_certificate"
    assert arguments == {"use": "CSMSRootCertificate", "certificate": ROOT.root}


def test_a_signed_certificate_is_filed_with_its_chain(installer: Client) -> None:
    repositories.commit([Remember("certificate_request", {"csr": CSR})])
    pems = "".join(chain())
    assert filed(installer, "/certificates/own/", {"own-text": pems}) == (
        "install_certificate",
        {"use": "ChargingStationCertificate", "certificate": pems},
    )


KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty."),
        (b"hello", "This is no certificate in PEM or DER."),
        (b"\x30\x03\x02\x01\x05", "This is no certificate in PEM or DER."),
        (ROOT.root.encode()[:200], "This is no certificate in PEM or DER."),
        (KEY, "This holds a private key."),
        (ROOT.root.encode() + KEY, "This holds a private key."),
        (ROOT.root.encode() * 2, "These are several certificates."),
        (b"\n" * 65 * 1024, "This file is too large"),
    ],
)
def test_a_file_that_will_not_do(installer: Client, content: bytes, said: str) -> None:
    file = SimpleUploadedFile("root.pem", content)
    answer = told(installer, "/certificates/root/", {"root-use": "CSMSRootCertificate", "root-file": file})
    assert said in answer


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"root-use": "CSMSRootCertificate"}, "Choose a file, or paste"),
        ({"root-use": "CSMSRootCertificate", "root-text": "x"}, "This is no certificate"),
        ({"root-use": "CSMSRootCertificate", "root-text": "\u00e4" * 65_000}, "at most 65536"),
        ({"root-use": "ChargingStationCertificate", "root-text": ROOT.root}, "not one of the available choices"),
        ({"root-text": ROOT.root}, "This field is required."),
    ],
)
def test_what_is_typed_and_will_not_do(installer: Client, typed: dict[str, str], said: str) -> None:
    if "65536" in said:
        typed = {**typed, "root-text": "x" * 65_537}
    assert said in told(installer, "/certificates/root/", typed)


# ------------------------------------------------------------------ request, renewal, deletion


def test_the_request_as_a_file(installer: Client) -> None:
    assert installer.get("/certificates/request.csr").status_code == 404
    repositories.commit([Remember("certificate_request", {"csr": CSR, "key": "station-1.pem"})])
    assert "Fetch the request (CSR)" in page(installer).words
    answer = installer.get("/certificates/request.csr")
    assert answer.content.decode() == CSR
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="station_')
    assert "station-1.pem" not in page(installer).words


@pytest.mark.parametrize("kept", ["x", [], {"csr": ""}, {}])
def test_a_request_that_is_not_there_yet(installer: Client, kept: Any) -> None:
    repositories.commit([Remember("certificate_request", kept)])
    page(installer)
    assert installer.get("/certificates/request.csr").status_code == 404


def test_renewal_is_filed(installer: Client) -> None:
    assert filed(installer, "/certificates/renew/") == ("renew_certificate", {})


def test_a_deletion_is_filed(installer: Client) -> None:
    record = ROOT.installed()
    install(record)
    name = record.certificate_id
    assert filed(installer, f"/certificates/{name}/delete/") == ("delete_certificate", {"certificate_id": name})
    assert installer.post("/certificates/nothing/delete/").status_code == 404


def test_a_certificate_not_valid_yet(installer: Client) -> None:
    certificate, _ = ROOT.pair("CS001", days=900, since=30)
    install(own((certificate.public_bytes(Encoding.PEM).decode(),)))
    assert certificate.not_valid_before_utc > timezone.now() + timedelta(days=20)
    assert 'class="chip bad"' in installer.get("/certificates/").content.decode()
