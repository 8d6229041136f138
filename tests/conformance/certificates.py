"""What cases about certificates have in common: the reusable states of part 6, and hash data."""

from __future__ import annotations

from cryptography import x509

from station.domain import pki
from tests.conformance import endpoints
from tests.conformance.rig import Payload, Rig
from tests.uplink.forge import Made, make

CSMS, MAKER, MO = "CSMSRootCertificate", "ManufacturerRootCertificate", "MORootCertificate"
OWN = "ChargingStationCertificate"
ORGANIZATION = {"SecurityCtrlr.OrganizationName": "Test"}


def hash_data(made: Made) -> dict[str, str]:
    """By SHA-256; a root is its own issuer."""
    issuer = made.issuer or made
    return pki.hash_data(made.certificate, issuer.certificate)


def another_root(name: str = "Another root", *, ends: float = endpoints.ENDS) -> Made:
    return make(name, ca=True, begins=endpoints.BEGINS, ends=ends)


def install(rig: Rig, certificate: Made, use: str = CSMS) -> str:
    """InstallCertificate; the status."""
    status: str = rig.call("InstallCertificate", {"certificateType": use, "certificate": certificate.pem})["status"]
    return status


def certificate_installed(rig: Rig, certificate: Made, use: str = CSMS) -> None:
    """CertificateInstalled."""
    assert install(rig, certificate, use) == "Accepted"


def installed(rig: Rig, *uses: str) -> list[tuple[str, dict[str, str]]]:
    """GetInstalledCertificates: type and hash data of each."""
    answer = rig.call("GetInstalledCertificateIds", {"certificateType": list(uses)} if uses else {})
    assert answer["status"] == "Accepted", answer
    return [(entry["certificateType"], entry["certificateHashData"]) for entry in answer["certificateHashDataChain"]]


def request_triggered(rig: Rig) -> str:
    """TriggerMessage for SignChargingStationCertificate; the certificate signing request."""
    answer = rig.call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    assert answer["status"] == "Accepted", answer
    return request_sent(rig)


def request_sent(rig: Rig, within: float = 60.0) -> str:
    """The next SignCertificate: what part 6 asks of its csr."""
    sent: Payload = rig.expect("SignCertificate", within=within)
    assert sent["certificateType"] == OWN
    request = x509.load_pem_x509_csr(sent["csr"].encode())
    assert request.is_signature_valid
    key = request.public_key()
    assert key.key_size >= (2048 if key.__class__.__name__.startswith("RSA") else 224)
    csr: str = sent["csr"]
    return csr


def signed(rig: Rig, chain: str) -> str:
    """CertificateSigned; the status."""
    rig.let(0.5)  # the answer to SignCertificate goes first
    status: str = rig.call("CertificateSigned", {"certificateChain": chain, "certificateType": OWN})["status"]
    return status


def certificate_renewed(rig: Rig, issuer: Made | None = None) -> x509.Certificate:
    """RenewChargingStationCertificate (errata 2024-09, 2025-02): the station comes back with the new certificate."""
    rig.answer("SignCertificate", {"status": "Accepted"})
    seen = len(rig.logins())
    chain = endpoints.signed(request_triggered(rig), 1, issuer)
    assert signed(rig, chain) == "Accepted"
    new = x509.load_pem_x509_certificate(chain.encode())
    assert rig.wait_until(lambda: len(rig.logins()) > seen, 60), "the station does not connect anew"
    assert rig.logins()[-1].client == new
    rig.let(1)
    return new
