"""A02 and A03 with the errata of 2025-09: the station's own certificate, asked for, tried, kept or taken back."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from station.domain.events import ConnectionFailed
from station.domain.network import FailureCause
from tests.ocpp.blocks.certified import Certified, authority
from tests.uplink.authority import pem

DAY = 86_400.0


def common_names(name: x509.Name) -> list[str]:
    return [str(one.value) for one in name.get_attributes_for_oid(NameOID.COMMON_NAME)]


# ------------------------------------------------------------------ the request


def test_a_trigger_brings_a_request_with_a_new_key() -> None:
    """A02.FR.02, A02.FR.03, F06.FR.04."""
    station = Certified()
    assert station.trigger() == "Accepted"
    [sent] = station.rig.sent("SignCertificate")
    assert sent["certificateType"] == "ChargingStationCertificate"  # A02.FR.13
    request = x509.load_pem_x509_csr(sent["csr"].encode())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=CS001,O=Test"
    assert isinstance(request.public_key().curve, ec.SECP256R1)
    assert len(station.key_files()) == 2


def test_the_serial_number_is_what_is_unique_where_there_is_one() -> None:
    """A00.FR.511."""
    station = Certified(**{"ChargingStation.SerialNumber": "SN-4711"})
    station.trigger()
    assert common_names(x509.load_pem_x509_csr(station.csr.encode()).subject) == ["SN-4711"]
    assert station.signed() == ("Accepted", "")


def test_without_a_name_there_is_nothing_to_ask_for() -> None:
    station = Certified(**{"SecurityCtrlr.OrganizationName": ""})
    assert station.trigger() == "Accepted"
    assert x509.load_pem_x509_csr(station.csr.encode()).subject.rfc4514_string() == "CN=CS001"
    from tests.ocpp.blocks.stations import station as nameless

    answer = nameless().call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    assert answer["status"] == "Rejected"


@pytest.mark.parametrize("message", ["SignV2GCertificate", "SignCombinedCertificate"])
def test_certificates_for_cars_are_not_asked_for(message: str) -> None:
    station = Certified()
    assert station.rig.call("TriggerMessage", {"requestedMessage": message}) == {"status": "NotImplemented"}
    station.rig.let(2)
    assert station.rig.sent("SignCertificate") == []


@pytest.mark.parametrize(
    ("key_type", "kind", "bits"),
    [("P-384", ec.EllipticCurvePublicKey, 384), ("RSA-3072", rsa.RSAPublicKey, 3072)],
)
def test_other_keys(key_type: str, kind: type, bits: int) -> None:
    station = Certified(**{"SecurityCtrlr.CertificateKeyType": key_type})
    station.trigger()
    key = x509.load_pem_x509_csr(station.csr.encode()).public_key()
    assert isinstance(key, kind)
    assert key.key_size == bits
    assert station.signed() == ("Accepted", "")


def test_the_request_goes_out_while_the_csms_keeps_the_station_pending() -> None:
    """A00.FR.429: renewing the certificate may be what it waits for."""
    station = Certified()
    station.rig.answers["BootNotification"] = {
        "status": "Pending",
        "interval": 300,
        "currentTime": "2026-03-01T12:00:00Z",
    }
    station.rig.power_cut()
    station.rig.boot()
    station.rig.let(1)
    assert station.trigger() == "Accepted"
    assert station.signed() == ("Accepted", "")


def test_a_refused_request_is_over() -> None:
    """TC_A_15: nothing more is sent, and the key is gone."""
    station = Certified()
    station.rig.answers["SignCertificate"] = {"status": "Rejected"}
    station.trigger()
    station.rig.let(3600)
    assert len(station.rig.sent("SignCertificate")) == 1
    assert station.key_files() == ["station-first.pem"]
    assert station.rig.disk.load().remembered.get("certificate_request") is None
    assert station.signed(station.authority.sign(station.csr)) == ("Rejected", "InvalidCertificate")


@pytest.mark.parametrize(("code", "tries"), [("NotImplemented", 1), ("NotSupported", 1), ("InternalError", 2)])
def test_a_csms_that_answers_with_an_error(code: str, tries: int) -> None:
    station = Certified(**{"SecurityCtrlr.CertSigningWaitMinimum": "60", "SecurityCtrlr.CertSigningRepeatTimes": "0"})
    station.rig.answers["SignCertificate"] = {"error": code}
    station.trigger()
    station.rig.let(300)
    assert len(station.rig.sent("SignCertificate")) == tries


def test_a_key_that_cannot_be_made() -> None:
    station = Certified()
    station.rig.signing.failing = "no space left on device"
    station.trigger()
    assert station.rig.sent("SignCertificate") == []
    assert [entry.data for entry in station.rig.disk.journal if entry.kind == "certificate_request_failed"] == [
        {"detail": "no space left on device"}
    ]
    station.rig.signing.failing = ""
    station.trigger()
    assert len(station.rig.sent("SignCertificate")) == 1


def test_two_triggers_at_once_are_one_and_a_later_one_is_another() -> None:
    station = Certified()
    for _ in range(2):
        station.rig.call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    station.rig.let(1)
    first = station.csr
    assert len(station.rig.sent("SignCertificate")) == 1
    station.trigger()
    assert station.csr != first
    assert len(station.key_files()) == 2  # the key of the first request is gone
    assert station.signed(station.authority.sign(first)) == ("Rejected", "InvalidCertificate")
    assert station.signed() == ("Accepted", "")


def test_a_request_waits_for_the_link() -> None:
    station = Certified()
    station.rig.answers["SignCertificate"] = None  # silence
    station.trigger()
    station.rig.disconnect()
    station.rig.let(30)
    del station.rig.answers["SignCertificate"]
    station.reconnect()
    assert [sent["csr"] for sent in station.rig.sent("SignCertificate")] == [station.csr] * 2


# ------------------------------------------------------------------ again (A02.FR.17 to .19)


def test_the_same_request_is_sent_again_with_doubled_waits() -> None:
    station = Certified(**{"SecurityCtrlr.CertSigningWaitMinimum": "100", "SecurityCtrlr.CertSigningRepeatTimes": "2"})
    rig = station.rig
    begun, times = rig.now.monotonic, []
    rig.on_frame = lambda frame: times.append(rig.now.monotonic - begun) if frame[2:3] == ["SignCertificate"] else None
    station.trigger()
    rig.let(1500)
    assert [round(at, -2) for at in times] == [0, 100, 300, 700]  # 100, doubled twice: 200, 400
    assert len({sent["csr"] for sent in rig.sent("SignCertificate")}) == 1
    assert station.signed() == ("Accepted", "")  # late is better than never


def test_as_shipped_a_request_is_not_sent_again() -> None:
    """AS-3 is off: CertSigningWaitMinimum is 0. A certificate that comes late is welcome, across a restart too."""
    station = Certified()
    station.trigger()
    station.rig.skip(DAY + 3700)
    station.rig.power_cut()
    station.rig.boot()
    station.rig.let(100)
    assert len(station.rig.sent("SignCertificate")) == 1
    assert station.signed() == ("Accepted", "")


def test_the_wait_survives_a_power_cut() -> None:
    station = Certified(**{"SecurityCtrlr.CertSigningWaitMinimum": "100", "SecurityCtrlr.CertSigningRepeatTimes": "1"})
    station.trigger()
    csr = station.csr
    station.rig.power_cut()
    station.rig.boot()
    station.rig.let(50)
    assert len(station.rig.sent("SignCertificate")) == 1
    station.rig.let(60)
    assert len(station.rig.sent("SignCertificate")) == 2
    assert station.csr == csr
    assert station.signed() == ("Accepted", "")


def test_no_certificate_no_repetition_after_a_bad_one() -> None:
    """A02.FR.07, A02.FR.20; a good one for the same request is still welcome."""
    station = Certified(**{"SecurityCtrlr.CertSigningWaitMinimum": "60"})
    station.trigger()
    assert station.signed(authority("Stranger").sign(station.csr)) == ("Rejected", "InvalidCertificate")
    station.rig.let(1000)
    assert len(station.rig.sent("SignCertificate")) == 1
    assert "InvalidChargingStationCertificate" in station.security_events()
    assert station.signed() == ("Accepted", "")


# ------------------------------------------------------------------ what comes of it


def test_a_good_certificate_is_tried_at_once() -> None:
    """A02.FR.08: no reset."""
    station = Certified()
    new = station.renewed()
    assert station.rig.reconnects == ["a new charging station certificate"]
    assert station.rig.reboots == []
    assert station.shown() == new
    assert station.own() == [*station.first.chain, new]  # the old one stays until this one has worked
    assert len(station.key_files()) == 2
    station.reconnect()
    assert station.own() == [new]  # A02.FR.10
    assert station.shown() == new
    assert "station-first.pem" not in station.key_files()
    assert station.security_events().count("DiscardedRenewedClientCertificate") == 0


def test_what_is_between_it_and_the_root_is_kept() -> None:
    station = Certified()
    middle = authority("CSO Sub-CA", issuer=station.authority)
    station.trigger()
    leaf = middle.sign(station.csr)
    assert station.signed(leaf) == ("Rejected", "InvalidCertificate")
    assert station.signed(leaf + middle.root + station.authority.root) == ("Accepted", "")
    assert station.rig.material().chain == (leaf, middle.root)


@pytest.mark.parametrize("cause", [FailureCause.STATION_CERTIFICATE, FailureCause.CONFIGURATION])
def test_a_certificate_that_the_csms_refuses_is_taken_back(cause: FailureCause) -> None:
    """A02.FR.28, A02.FR.29."""
    station = Certified()
    station.renewed()
    station.fail(cause)
    assert station.shown() == station.first.chain[0]
    station.reconnect()
    assert station.own() == list(station.first.chain)
    assert station.key_files() == ["station-first.pem"]
    assert "DiscardedRenewedClientCertificate" in station.security_events()


def test_any_failure_counts_once_every_slot_had_its_attempts() -> None:
    """A02.FR.28: two slots, two attempts each; then they take turns."""
    station = Certified(slots=2)
    new, old = station.renewed(), station.first.chain[0]
    shown = []
    for attempt in range(12):
        shown.append(station.shown())
        station.fail(FailureCause.UNREACHABLE, slot=1 + attempt // 2 % 2)
    assert shown == [new] * 4 + [old] * 4 + [new] * 4


def test_a_name_that_is_not_known_says_nothing_of_a_certificate() -> None:
    station = Certified()
    new = station.renewed()
    for _ in range(20):
        station.fail(FailureCause.NAME)
    assert station.shown() == new


def test_an_attempt_that_began_before_the_last_swap_is_no_news() -> None:
    station = Certified()
    station.renewed()
    station.rig.disconnect()
    station.rig.material()
    failure = ConnectionFailed(1, 3, FailureCause.STATION_CERTIFICATE, "test")
    station.rig.step(failure)
    station.rig.step(failure)  # of an attempt that was made before the station had heard of the first
    assert station.shown() == station.first.chain[0]


def test_the_trial_survives_a_power_cut() -> None:
    station = Certified()
    new = station.renewed()
    station.rig.power_cut()
    station.rig.boot(connect=False)
    assert station.shown() == new
    station.fail()
    station.rig.power_cut()
    station.rig.boot(connect=False)
    assert station.shown() == station.first.chain[0]
    station.rig.connect()
    assert station.own() == list(station.first.chain)


def test_a_renewal_during_a_trial() -> None:
    station = Certified()
    first = station.renewed()
    second = station.renewed()
    assert station.own() == [first, second]
    station.reconnect()
    assert station.own() == [second]


def test_a_profile_that_does_not_use_it_needs_no_trial() -> None:
    station = Certified(profile=2)
    new = station.renewed()
    assert station.own() == [new]
    assert station.rig.reconnects == []
    newer = station.renewed()
    assert station.own() == [newer]
    assert len(station.key_files()) == 1


def test_charging_goes_on_meanwhile() -> None:
    station = Certified()
    station.rig.plug()
    station.rig.card()
    station.rig.let(5)
    station.renewed()
    station.reconnect()
    assert [event["eventType"] for event in station.rig.events()].count("Ended") == 0


# ------------------------------------------------------------------ before it expires (A03)


def test_a_certificate_that_expires_within_a_month_is_renewed() -> None:
    """A03.FR.02."""
    station = Certified(days=60)
    _go_to(station, days=31)
    station.rig.skip(0.9 * DAY)
    assert station.rig.sent("SignCertificate") == []
    station.rig.skip(0.2 * DAY)
    station.rig.let(1)
    assert station.signed() == ("Accepted", "")
    station.reconnect()
    asked = len(station.rig.sent("SignCertificate"))
    assert asked >= 1
    station.rig.skip(3 * DAY)
    assert len(station.rig.sent("SignCertificate")) == asked


def test_nothing_is_renewed_too_early() -> None:
    station = Certified()
    station.rig.skip(3 * DAY)
    assert station.rig.sent("SignCertificate") == []


def test_a_csms_that_refuses_is_asked_again_a_day_later() -> None:
    station = Certified(days=60)
    _go_to(station, days=10)
    station.rig.answers["SignCertificate"] = {"status": "Rejected"}
    station.rig.skip(2 * 3600)
    assert len(station.rig.sent("SignCertificate")) == 1
    station.rig.skip(26 * 3600)
    assert len(station.rig.sent("SignCertificate")) == 2


def test_a_renewal_that_nobody_answers_is_begun_anew_a_day_later() -> None:
    """The station makes up for what A02.FR.17 would do, which is off as shipped: its certificate must not expire."""
    station = Certified(days=60)
    _go_to(station, days=10)
    station.rig.skip(20 * 3600)
    assert len(station.rig.sent("SignCertificate")) == 1
    station.rig.skip(6 * 3600)
    assert len({sent["csr"] for sent in station.rig.sent("SignCertificate")}) == 2
    assert station.signed() == ("Accepted", "")


def test_after_a_renewal_that_was_taken_back_there_is_a_day_of_rest() -> None:
    station = Certified(days=60)
    _go_to(station, days=10)
    station.rig.let(2)
    assert station.signed(station.authority.sign(station.csr)) == ("Accepted", "")
    station.fail()
    station.reconnect()
    station.rig.skip(20 * 3600)
    assert len(station.rig.sent("SignCertificate")) == 1
    station.rig.skip(6 * 3600)
    assert len(station.rig.sent("SignCertificate")) > 1


def _go_to(station: Certified, days: float) -> None:
    """Boot that many days before the certificate expires."""
    rig = station.rig
    until = x509.load_pem_x509_certificate(station.first.chain[0].encode()).not_valid_after_utc
    rig.power_cut()
    rig.now = rig.now.plus((until - rig.now.wall).total_seconds() - days * DAY)
    rig.boot()


# ------------------------------------------------------------------ an operator


def test_an_operator_renews() -> None:
    station = Certified()
    assert station.rig.operator("renew_certificate") is None
    station.rig.let(1)
    done = station.rig.disk.finished[1]
    assert (done.status, done.message) == ("Accepted", "The certificate request was made.")
    assert len(station.rig.sent("SignCertificate")) == 1
    assert station.signed() == ("Accepted", "")


def test_an_operator_carries_the_request_to_the_authority() -> None:
    station = Certified()
    station.rig.operator("renew_certificate", send=False)
    station.rig.let(1)
    assert station.rig.sent("SignCertificate") == []
    request = station.rig.disk.load().remembered["certificate_request"]
    new = station.authority.sign(request["csr"])
    done = station.rig.operator("install_certificate", 2, use="ChargingStationCertificate", certificate=new)
    assert done is not None
    assert (done.status, done.message) == ("Accepted", "The certificate is being tried.")
    assert station.shown() == new
    station.reconnect()
    assert station.own() == [new]


def test_what_an_operator_brought_has_two_minutes() -> None:
    station = Certified(**{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": "100"})
    station.rig.operator("renew_certificate", send=False)
    station.rig.let(1)
    new = station.authority.sign(station.rig.disk.load().remembered["certificate_request"]["csr"])
    station.rig.operator("install_certificate", 2, use="ChargingStationCertificate", certificate=new)
    station.rig.disconnect()
    station.rig.let(110)
    assert station.shown() == new
    station.rig.let(15)
    assert station.shown() == station.first.chain[0]
    assert station.rig.reconnects[-1] == "the new certificate led to no connection"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"certificate": "x"}, "no certificate in PEM"),
        ({}, "no certificate in PEM"),
        ({"certificate": "foreign"}, "not that of a request"),
    ],
)
def test_what_an_operator_does_wrong(arguments: dict[str, Any], words: str) -> None:
    station = Certified()
    if arguments.get("certificate") == "foreign":
        arguments = {"certificate": pem(station.authority.pair("CS001")[0])}
    done = station.rig.operator("install_certificate", use="ChargingStationCertificate", **arguments)
    assert done is not None
    assert done.status == "Rejected"
    assert words in done.message
    assert station.own() == list(station.first.chain)
    assert station.rig.reconnects == []


def test_an_operator_without_an_identity_or_in_a_hurry() -> None:
    from tests.ocpp.blocks.stations import station as nameless

    done = nameless().operator("renew_certificate")
    assert done is not None
    assert (done.status, done.message) == ("Rejected", "The station has no identity yet.")
    station = Certified()
    station.rig.operator("renew_certificate", 1)
    done = station.rig.operator("renew_certificate", 2)
    assert done is not None
    assert (done.status, done.message) == ("Rejected", "A request is being made already.")
