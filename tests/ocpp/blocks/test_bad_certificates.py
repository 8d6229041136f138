"""Bad certificate messages: each is refused with the right status and security event, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.ocpp.blocks.certified import Certified, authority
from tests.uplink.authority import name, pem, private_pem, usage, with_sha1

INVALID, CHECKED = "InvalidChargingStationCertificate", "SecurityCtrlr.AdditionalRootCertificateCheck"
CSMS = "CSMSRootCertificate"

Made = Callable[[Certified], str]


def state(station: Certified) -> Any:
    """All that a refused message must leave as it is."""
    disk = station.rig.disk
    request = disk.load().remembered.get("certificate_request") or {}
    kept = {key: request.get(key) for key in ("csr", "key", "request_id")}
    return dict(disk.certificates), kept, station.key_files(), station.shown(), list(station.rig.reconnects)


def weak_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point


def strong_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def flipped(text: str) -> str:
    """One bit of the signature is another."""
    lines = text.strip().splitlines()
    line = lines[-2]
    lines[-2] = line[:4] + ("A" if line[4] != "A" else "B") + line[5:]
    return "\n".join(lines) + "\n"


def sha1_root() -> str:
    key = strong_key()
    return pem(with_sha1(authority("SHA-1", key=key).certificate, key))


def renamed_issuer(station: Certified) -> str:
    """Carries the root's name as its issuer, and somebody else's signature."""
    return authority("CSO Root").root


# ------------------------------------------------------------------ InstallCertificate

ROOTS: dict[str, Made] = {
    "nothing": lambda station: "",
    "text": lambda station: "a root",
    "PEM of nothing": lambda station: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "PEM without an end": lambda station: authority().root.replace("-----END CERTIFICATE-----", ""),
    "not base64": lambda station: authority().root.replace("M", "*", 1),
    "truncated DER": lambda station: "\n".join([*authority().root.splitlines()[:-3], "-----END CERTIFICATE-----"]),
    "a private key": lambda station: private_pem(authority().key).decode(),
    "a root with its private key": lambda station: authority().root + private_pem(authority().key).decode(),
    "a chain": lambda station: authority("A").root + authority("B").root,
    "expired": lambda station: authority(days=-1).root,
    "not yet valid": lambda station: authority(since=30).root,
    "a leaf": lambda station: pem(authority().pair("leaf")[0]),
    "no authority": lambda station: authority(ca=False).root,
    "no basicConstraints": lambda station: authority(ca=None).root,
    "may not sign certificates": lambda station: authority(extensions=[usage(digital_signature=True)]).root,
    "a weak key": lambda station: authority(key=weak_key()).root,
    "signed by way of SHA-1": lambda station: sha1_root(),
    "a flipped bit": lambda station: flipped(authority().root),
    "signed by nobody known": lambda station: authority("Sub", issuer=authority("Stranger")).root,
}


@pytest.mark.parametrize("what", ROOTS)
@pytest.mark.parametrize("use", [CSMS, "ManufacturerRootCertificate"])
def test_a_bad_root(what: str, use: str) -> None:
    """M05.FR.07."""
    station = Certified()
    certificate = ROOTS[what](station)
    before = state(station)
    answer = station.rig.call("InstallCertificate", {"certificateType": use, "certificate": certificate})
    assert answer["status"] == "Rejected", answer
    assert answer["statusInfo"]["reasonCode"] == "InvalidCertificate"
    assert state(station) == before
    assert INVALID not in station.security_events()


@pytest.mark.parametrize("what", ["signed by nobody known", "a stranger's", "somebody else's signature"])
def test_a_bad_root_where_the_old_one_must_vouch_for_it(what: str) -> None:
    """M05.FR.11."""
    made: dict[str, Made] = {
        **ROOTS,
        "a stranger's": lambda station: authority("Stranger").root,
        "somebody else's signature": renamed_issuer,
    }
    station = Certified(**{CHECKED: "true"})
    before = state(station)
    assert station.install(made[what](station)) == "Rejected"
    assert state(station) == before


# ------------------------------------------------------------------ CertificateSigned


def of_another_key(station: Certified) -> str:
    return pem(station.authority.certify(ec.generate_private_key(ec.SECP256R1()).public_key(), name("CS001")))


def by_way_of_sha1(station: Certified) -> str:
    key = strong_key()
    middle = authority("RSA Sub-CA", issuer=station.authority, key=key)
    leaf = x509.load_pem_x509_certificate(middle.sign(station.csr).encode())
    return pem(with_sha1(leaf, key)) + middle.root


def below(**flaws: Any) -> Made:
    """By an authority between root and station that has a flaw."""

    def made(station: Certified) -> str:
        middle = authority("Sub-CA", issuer=station.authority, **flaws)
        return middle.sign(station.csr) + middle.root

    return made


def too_deep(station: Certified) -> str:
    upper = authority("Upper", issuer=station.authority, path_length=0)
    lower = authority("Lower", issuer=upper)
    return lower.sign(station.csr) + lower.root + upper.root


def signed(**flaws: Any) -> Made:
    return lambda station: station.authority.sign(station.csr, **flaws)


CHAINS: dict[str, Made] = {
    "nothing": lambda station: "",
    "text": lambda station: "a certificate",
    "the request itself": lambda station: station.csr,
    "truncated": lambda station: station.authority.sign(station.csr)[:400],
    "with a private key": lambda station: station.authority.sign(station.csr) + private_pem(authority().key).decode(),
    "of another key": of_another_key,
    "of a stranger": lambda station: authority("Stranger").sign(station.csr),
    "of a stranger with the root's name": lambda station: authority("CSO Root").sign(station.csr),
    "a flipped bit": lambda station: flipped(station.authority.sign(station.csr)),
    "expired": signed(days=-1),
    "not yet valid": signed(since=1),
    "an authority": signed(ca=True),
    "may not sign": signed(extensions=[usage(key_cert_sign=True)]),
    "for servers only": signed(extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]),
    "another station's name": signed(subject=name("CS002")),
    "no name": signed(subject=name("")),
    "another organization": signed(subject=name("CS001", "Other")),
    "no organization": signed(subject=name("CS001", "")),
    "by way of SHA-1": by_way_of_sha1,
    "without what is between": lambda station: authority("Sub", issuer=station.authority).sign(station.csr),
    "an expired authority": below(days=-1),
    "an authority that is none": below(ca=False),
    "an authority that may not sign": below(extensions=[usage(digital_signature=True)]),
    "an authority with a weak key": below(key=weak_key()),
    "too deep": too_deep,
    "nine certificates": lambda station: station.authority.sign(station.csr) + station.authority.root * 8,
    "in the wrong order": lambda station: station.authority.root + station.authority.sign(station.csr),
}


@pytest.mark.parametrize("what", CHAINS)
def test_a_bad_certificate_for_the_station(what: str) -> None:
    """A02.FR.07."""
    station = Certified()
    station.trigger()
    chain = CHAINS[what](station)
    before = state(station)
    assert len(chain) <= 10_000
    answer = station.rig.call("CertificateSigned", {"certificateChain": chain})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidCertificate"), answer
    assert state(station) == before
    assert station.security_events().count(INVALID) == 1
    assert station.signed() == ("Accepted", "")  # the request still stands


def test_a_chain_that_is_too_long() -> None:
    """A02.FR.16."""
    station = Certified(**{"SecurityCtrlr.MaxCertificateChainSize": "1000"})
    station.trigger()
    before = state(station)
    chain = station.authority.sign(station.csr) + station.authority.root
    assert station.signed(chain) == ("Rejected", "TooLargeElement")
    assert state(station) == before
    assert station.signed() == ("Accepted", "")


def test_a_certificate_for_cars() -> None:
    station = Certified()
    station.trigger()
    before = state(station)
    assert station.signed(certificateType="V2GCertificate") == ("Rejected", "UnsupportedRequest")
    assert state(station) == before


def test_a_certificate_that_nobody_asked_for() -> None:
    station = Certified()
    before = state(station)
    stray = pem(station.authority.pair("CS001")[0])
    assert station.signed(stray) == ("Rejected", "InvalidCertificate")
    assert state(station) == before
    assert station.security_events().count(INVALID) == 1


def test_a_second_certificate_for_the_same_request() -> None:
    """As a CSMS sends it that answers every repetition (TC_A_23): refused, but no reason to worry anybody."""
    station = Certified()
    new = station.renewed()
    assert station.signed(station.authority.sign(station.csr)) == ("Rejected", "InvalidCertificate")
    assert station.shown() == new
    assert INVALID not in station.security_events()


# ------------------------------------------------------------------ DeleteCertificate


@pytest.mark.parametrize(
    "change",
    [
        {"serialNumber": "1"},
        {"serialNumber": ""},
        {"issuerNameHash": "0" * 64},
        {"issuerKeyHash": "0" * 64},
        {"issuerKeyHash": ""},
        {"hashAlgorithm": "SHA512"},
    ],
)
def test_hash_data_that_names_nothing(change: dict[str, str]) -> None:
    station = Certified()
    assert station.install(authority("Another").root) == "Accepted"
    listed = station.rig.call("GetInstalledCertificateIds")["certificateHashDataChain"]
    before = state(station)
    for entry in listed:
        data = {**entry["certificateHashData"], **change}
        assert station.rig.call("DeleteCertificate", {"certificateHashData": data}) == {"status": "NotFound"}
    assert state(station) == before
