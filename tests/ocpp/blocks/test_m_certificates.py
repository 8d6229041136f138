"""M03 to M05: which certificates are installed, installing and deleting, by the CSMS and by an operator."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from station.domain import pki
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from station.domain.network import FailureCause
from tests.ocpp.blocks.certified import Certified, authority
from tests.uplink.authority import NOW

CSMS, MAKER = "CSMSRootCertificate", "ManufacturerRootCertificate"
V2G, MO, CHAIN = "V2GRootCertificate", "MORootCertificate", "V2GCertificateChain"


def installed(station: Certified, *types: str) -> list[dict[str, Any]] | None:
    """The entries of GetInstalledCertificateIds; None for NotFound."""
    answer = station.rig.call("GetInstalledCertificateIds", {"certificateType": list(types)} if types else {})
    assert answer["status"] == ("Accepted" if "certificateHashDataChain" in answer else "NotFound")
    chain: list[dict[str, Any]] | None = answer.get("certificateHashDataChain")
    return chain


def delete(station: Certified, data: dict[str, str]) -> str:
    status: str = station.rig.call("DeleteCertificate", {"certificateHashData": data})["status"]
    return status


def by_hand(certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256") -> dict[str, str]:
    """RFC 6960, 4.1.1, without a library's help: the key is the BIT STRING's content, behind its unused bits."""
    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = spki[-65:]
    assert spki[-66:-65] == b"\x00"
    hashed = getattr(hashlib, algorithm.lower())
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": hashed(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashed(point).hexdigest(),
        "serialNumber": hex(certificate.serial_number)[2:],
    }


# ------------------------------------------------------------------ hash data


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_hash_data_is_that_of_rfc_6960(algorithm: str) -> None:
    root = authority()
    leaf, _ = root.pair("leaf")
    assert pki.hash_data(leaf, root.certificate, algorithm) == by_hand(leaf, root.certificate, algorithm)


def test_serial_numbers_have_no_zeros_before_them() -> None:
    data = pki.hash_data(_with_serial(0x0A0B), authority().certificate)
    assert data["serialNumber"] == "a0b"
    assert pki.same_hash_data(data, {**data, "serialNumber": "00A0B"})
    assert not pki.same_hash_data(data, {**data, "serialNumber": "A0B0"})


def _with_serial(number: int) -> x509.Certificate:
    root = authority()
    builder = x509.CertificateBuilder(
        root.certificate.issuer, root.certificate.subject, root.key.public_key(), number,
        root.certificate.not_valid_before_utc, root.certificate.not_valid_after_utc,
    )  # fmt: skip
    return builder.sign(root.key, root.certificate.signature_hash_algorithm)


# ------------------------------------------------------------------ M03


def test_what_is_installed_is_listed_by_type() -> None:
    station = Certified()
    maker = authority("Maker")
    station.install(maker.root, MAKER)
    csms = by_hand(station.authority.certificate, station.authority.certificate)
    entries = [
        {"certificateType": CSMS, "certificateHashData": csms},
        {"certificateType": MAKER, "certificateHashData": by_hand(maker.certificate, maker.certificate)},
    ]
    assert installed(station) == entries  # and not the station's own
    assert installed(station, CSMS, MAKER) == entries
    assert installed(station, MAKER) == entries[1:]
    assert installed(station, MO) is None
    assert installed(station, CHAIN, V2G) is None


def test_a_v2g_chain_has_its_authorities_below_it() -> None:
    """M03.FR.05."""
    station = Certified()
    root = authority("V2G Root")
    upper = authority("Sub-CA 1", issuer=root)
    lower = authority("Sub-CA 2", issuer=upper)
    leaf, _ = lower.pair("SECC")
    chain = tuple(pki.pem(one) for one in (leaf, lower.certificate, upper.certificate))
    use = CertificateUse.V2G_CHAIN
    station.install(root.root, V2G)
    station.rig.disk.commit([SaveCertificate(StoredCertificate(pki.certificate_id(use, chain[0]), use, chain, NOW))])
    station.rig.power_cut()
    station.rig.boot()
    assert installed(station, CHAIN) == [
        {
            "certificateType": CHAIN,
            "certificateHashData": by_hand(leaf, lower.certificate),
            "childCertificateHashData": [
                by_hand(lower.certificate, upper.certificate),
                by_hand(upper.certificate, root.certificate),
            ],
        }
    ]


def test_a_damaged_one_is_passed_over() -> None:
    station = Certified()
    record = StoredCertificate("damaged", CertificateUse.MANUFACTURER_ROOT, ("no certificate",), NOW)
    station.rig.disk.commit([SaveCertificate(record)])
    station.rig.power_cut()
    station.rig.boot()
    assert installed(station, MAKER) is None
    assert len(installed(station) or ()) == 1


# ------------------------------------------------------------------ M05


@pytest.mark.parametrize("use", [CSMS, MAKER, V2G, MO])
def test_a_good_root_is_installed(use: str) -> None:
    station = Certified()
    root = authority("Another")
    assert station.install(root.root, use) == "Accepted"
    assert station.install(root.root, use) == "Accepted"  # M05.FR.17
    assert [record.use for record in station.rig.disk.certificates.values()].count(CertificateUse(use)) == (
        2 if use == CSMS else 1
    )
    station.rig.power_cut()
    station.rig.boot()
    data = [entry["certificateHashData"] for entry in installed(station, use) or ()]
    assert data[-1] == by_hand(root.certificate, root.certificate)
    if use == CSMS:
        assert root.root in station.rig.material().roots


def test_comments_and_line_ends_do_not_matter() -> None:
    station = Certified()
    text = "subject=CN = Root\r\n" + authority("Another").root.replace("\n", "\r\n") + "\r\n\r\n"
    assert station.install(text) == "Accepted"
    assert station.install(text.replace("\r\n", "\n")) == "Accepted"
    assert len(station.roots()) == 2


def test_a_root_that_an_installed_one_vouches_for() -> None:
    """Cross-signed; its hash data stays what it is when the other one goes."""
    station = Certified()
    crossed = authority("New Root", issuer=station.authority)
    assert station.install(crossed.root) == "Accepted"
    data = by_hand(crossed.certificate, station.authority.certificate)
    assert delete(station, by_hand(station.authority.certificate, station.authority.certificate)) == "Accepted"
    assert [entry["certificateHashData"] for entry in installed(station, CSMS) or ()] == [data]
    assert station.rig.material().roots == (crossed.root,)


def test_the_store_has_an_end() -> None:
    """M05.FR.06."""
    station = Certified()
    for number in range(28):
        assert station.install(authority(f"Root {number}").root, MAKER) == "Accepted"
    assert station.install(authority("One too many").root) == "Rejected"
    assert station.install(station.authority.root) == "Accepted"  # it is there: nothing is added
    entries = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "CertificateEntries"}}
    result = station.rig.call("GetVariables", {"getVariableData": [entries]})["getVariableResult"][0]
    assert result["attributeValue"] == "30"
    station.renewed()  # what is being tried has room, for the old one counts no more
    assert station.rig.call("GetVariables", {"getVariableData": [entries]})["getVariableResult"] == [result]


# ------------------------------------------------------------------ M04


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_what_is_deleted_is_gone(algorithm: str) -> None:
    station = Certified()
    root = authority("Another")
    station.install(root.root, MAKER)
    data = by_hand(root.certificate, root.certificate, algorithm)
    assert delete(station, {**data, "issuerNameHash": data["issuerNameHash"].upper()}) == "Accepted"
    assert delete(station, data) == "NotFound"
    assert installed(station, MAKER) is None


def test_the_last_csms_root_stays() -> None:
    """Nobody could connect any more (AQ-1)."""
    station = Certified()
    root = station.authority.certificate
    assert delete(station, by_hand(root, root)) == "Failed"
    assert station.install(authority("Another").root) == "Accepted"
    assert delete(station, by_hand(root, root)) == "Accepted"
    assert len(station.roots()) == 1


def test_the_stations_own_certificate_stays() -> None:
    """M04.FR.06, TC_M_23."""
    station = Certified()
    own = x509.load_pem_x509_certificate(station.shown().encode())
    assert delete(station, by_hand(own, station.authority.certificate)) == "Failed"
    assert station.own() == list(station.first.chain)


# ------------------------------------------------------------------ AdditionalRootCertificateCheck


def checking(slots: int = 1) -> Certified:
    return Certified(slots=slots, **{"SecurityCtrlr.AdditionalRootCertificateCheck": "true"})


def test_a_new_root_that_the_old_one_did_not_sign() -> None:
    """M05.FR.11."""
    station = checking()
    assert station.install(authority("Another").root) == "Rejected"
    assert station.install(authority("Another").root, MAKER) == "Accepted"  # a matter of CSMS roots only
    assert station.install(station.authority.root) == "Accepted"  # it is there already
    assert station.roots() == [station.authority.root]


def test_a_new_root_is_proven_by_a_connection() -> None:
    """M05.FR.12, M05.FR.13."""
    station = checking()
    new = authority("New Root", issuer=station.authority)
    assert station.install(new.root) == "Accepted"
    assert station.roots() == [station.authority.root, new.root]
    assert station.rig.material().roots == (new.root,)
    station.rig.power_cut()
    station.rig.boot(connect=False)
    assert station.rig.material().roots == (new.root,)
    station.rig.connect()
    assert station.roots() == [new.root]
    assert [entry["certificateHashData"] for entry in installed(station, CSMS) or ()] == [
        by_hand(new.certificate, station.authority.certificate)
    ]


def test_back_to_the_old_root_and_forth() -> None:
    """M05.FR.14."""
    station = checking()
    new = authority("New Root", issuer=station.authority)
    station.install(new.root)
    station.fail(FailureCause.UNREACHABLE)
    assert station.rig.material().roots == (new.root,)
    station.fail(FailureCause.CSMS_CERTIFICATE)
    assert station.rig.material().roots == (station.authority.root,)
    station.reconnect()
    assert station.roots() == [station.authority.root, new.root]  # the CSMS may move to the new one any day
    station.fail(FailureCause.CSMS_CERTIFICATE)
    assert station.rig.material().roots == (new.root,)
    station.reconnect()
    assert station.roots() == [new.root]


def test_another_csms_is_connected_with_the_new_root() -> None:
    """M05.FR.15, M05.FR.16."""
    station = checking(slots=2)
    new = authority("New Root", issuer=station.authority)
    station.install(new.root)
    station.fail(FailureCause.CSMS_CERTIFICATE, slot=2)
    assert station.rig.material(2).roots == (new.root,)
    assert station.rig.material(1).roots == (station.authority.root,)
    station.reconnect(1)
    assert len(station.roots()) == 2
    station.reconnect(2)
    assert station.roots() == [new.root]


def test_one_more_root_before_the_first_is_proven() -> None:
    station = checking()
    second = authority("Second", issuer=station.authority)
    third = authority("Third", issuer=second)
    assert station.install(second.root) == "Accepted"
    assert station.install(third.root) == "Accepted"
    assert station.rig.material().roots == (third.root,)
    station.reconnect()
    assert station.roots() == [third.root]


def test_a_fall_back_may_be_deleted() -> None:
    station = checking()
    new = authority("New Root", issuer=station.authority)
    station.install(new.root)
    assert delete(station, by_hand(station.authority.certificate, station.authority.certificate)) == "Accepted"
    station.fail(FailureCause.CSMS_CERTIFICATE)
    assert station.rig.material().roots == (new.root,)


def test_the_first_root_replaces_none() -> None:
    station = Certified(profile=1, **{"SecurityCtrlr.AdditionalRootCertificateCheck": "true"})
    for certificate_id in list(station.rig.disk.certificates):
        del station.rig.disk.certificates[certificate_id]
    station.rig.power_cut()
    station.rig.boot()
    assert station.install(authority("First").root) == "Accepted"
    assert len(station.roots()) == 1


# ------------------------------------------------------------------ an operator


def test_an_operator_installs_and_deletes() -> None:
    station = Certified()
    root = authority("Another")
    done = station.rig.operator("install_certificate", 1, use=MAKER, certificate=root.root)
    assert done is not None
    assert (done.status, done.message) == ("Accepted", "The certificate was installed.")
    certificate_id = pki.certificate_id(CertificateUse.MANUFACTURER_ROOT, root.root)
    assert certificate_id in station.rig.disk.certificates
    for command_id, status in ((2, "Accepted"), (3, "Rejected")):
        done = station.rig.operator("delete_certificate", command_id, certificate_id=certificate_id)
        assert done is not None
        assert done.status == status
    assert certificate_id not in station.rig.disk.certificates


@pytest.mark.parametrize(
    ("action", "arguments", "words"),
    [
        ("install_certificate", {"use": CSMS, "certificate": "x"}, "no certificate in PEM"),
        ("install_certificate", {"use": CSMS}, "no certificate in PEM"),
        ("install_certificate", {"use": MAKER, "certificate": "-----BEGIN PRIVATE KEY-----"}, "private key"),
        ("delete_certificate", {}, "no such certificate"),
        ("delete_certificate", {"certificate_id": "own"}, "not deleted, but renewed"),
        ("delete_certificate", {"certificate_id": "root"}, "the last CSMS root"),
    ],
)
def test_what_an_operator_cannot_do(action: str, arguments: dict[str, Any], words: str) -> None:
    station = Certified()
    ids = {"own": station.first.certificate_id, "root": station.authority.installed().certificate_id}
    if "certificate_id" in arguments:
        arguments = {"certificate_id": ids[arguments["certificate_id"]]}
    before = dict(station.rig.disk.certificates)
    done = station.rig.operator(action, **arguments)
    assert done is not None
    assert done.status == "Rejected"
    assert words in done.message
    assert station.rig.disk.certificates == before


def test_the_library_counts_as_the_rfc_does() -> None:
    root = authority()
    request = ocsp.OCSPRequestBuilder().add_certificate(
        root.certificate, root.certificate, root.certificate.signature_hash_algorithm
    )
    assert request.build().issuer_key_hash.hex() == by_hand(root.certificate, root.certificate)["issuerKeyHash"]
