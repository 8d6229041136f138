"""Part 6, section 2.2: A Security. Connecting by security profiles 1 to 3, passwords, and moving up (A00, A01, A05)."""

from __future__ import annotations

import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.conformance import endpoints
from tests.conformance.endpoints import SERIAL_NUMBER, Login
from tests.conformance.rig import PASSWORD, Payload, Rig
from tests.conformance.states import booted
from tests.conformance.test_b_network_profiles import BACK_OFF, SLACK, WAIT, active_slot

NEW_PASSWORD = "another-password_of:*26|@+"
SUITES = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}  # A00.FR.319
INVALID = ("expired", "future", "stranger", "other_host", "wildcard")  # TC_A_05, errata 2025-02


def reset(rig: Rig) -> None:
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"


def last_login(rig: Rig) -> Login:
    return rig.logins()[-1]


def reconnected(rig: Rig, after: int) -> float:
    """Wait for the station to come back after ``after`` logins; returns how long it took."""
    begun = rig.seconds()
    assert rig.wait_until(lambda: len(rig.logins()) > after, 60), "the station does not come back"
    return rig.seconds() - begun


def set_profile(rig: Rig, slot: int, url: str, security_profile: int) -> str:
    profile = {
        "messageTimeout": 30,
        "ocppCsmsUrl": url,
        "ocppInterface": "Wired0",
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "securityProfile": security_profile,
    }
    status: str = rig.call("SetNetworkProfile", {"configurationSlot": slot, "connectionData": profile})["status"]
    return status


def by_password(rig: Rig) -> None:
    """The case is about security profiles 1 and 2."""
    rig.security_profile = min(rig.security_profile, 2)


def by_tls(rig: Rig) -> None:
    """The case is about security profiles 2 and 3."""
    rig.security_profile = max(rig.security_profile, 2)


def proves_itself(rig: Rig, login: Login) -> None:
    """As the CSMS of that security profile wants it."""
    assert login.path.rpartition("/")[2] == "CP-TEST"
    if rig.security_profile >= 3:
        assert login.credentials is None
        assert login.client is not None
    else:
        assert login.credentials == ("CP-TEST", PASSWORD)
        assert login.client is None


# ------------------------------------------------------------------ A00


@pytest.mark.tc("TC_A_01")
def test_identity_and_password(rig: Rig) -> None:
    by_password(rig)
    rig.start(**BACK_OFF)
    rig.network()
    reset(rig)
    booted(rig)
    login = last_login(rig)
    assert login.credentials == (login.path.rpartition("/")[2], PASSWORD)
    assert 16 <= len(login.credentials[1]) <= 40


@pytest.mark.tc("TC_A_04")
def test_a_valid_certificate_of_the_csms(rig: Rig) -> None:
    by_tls(rig)
    rig.start(**BACK_OFF)
    rig.network()
    reset(rig)
    booted(rig)
    login = last_login(rig)
    assert login.version in ("TLSv1.2", "TLSv1.3")
    assert login.suites >= SUITES
    proves_itself(rig, login)


@pytest.mark.tc("TC_A_05")
def test_invalid_certificates_of_the_csms(rig: Rig) -> None:
    by_tls(rig)
    rig.start(**BACK_OFF, **{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": "3"})
    rig.network()
    for kind in INVALID:
        seen = len(rig.logins())
        rig.hang_up()
        takes = reconnected(rig, seen)
        rig.let(1)
        rig.appear(1, certificate=kind)
        rig.let(2 * takes + SLACK)
        assert len(rig.logins()) == seen + 1, f"a certificate that is {kind} is accepted"
        rig.appear(1, certificate="good")
        event = rig.expect("SecurityEventNotification", within=60)
        assert event["type"] == "InvalidCsmsCertificate", event
        rig.let(1)


@pytest.mark.tc("TC_A_06")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_tls_version_that_is_too_low(rig: Rig) -> None:
    by_tls(rig)
    rig.start(**BACK_OFF, **{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": "1"})
    rig.network()
    seen = len(rig.logins())
    rig.appear(1, newest=ssl.TLSVersion.TLSv1_1)
    rig.let(WAIT + 1)
    assert len(rig.logins()) == seen
    rig.appear(1, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED)
    reconnected(rig, seen)
    proves_itself(rig, last_login(rig))
    event = rig.expect("SecurityEventNotification", within=60)
    assert event["type"] in ("InvalidTLSVersion", "ResetOrReboot"), event


@pytest.mark.tc("TC_A_07")
def test_a_valid_certificate_of_the_station(rig: Rig) -> None:
    rig.security_profile = 3
    rig.start(**BACK_OFF, **{"ChargingStation.SerialNumber": SERIAL_NUMBER})
    rig.network()
    reset(rig)
    boot = booted(rig)
    login = last_login(rig)
    assert login.version in ("TLSv1.2", "TLSv1.3")
    assert login.suites >= SUITES
    proves_itself(rig, login)
    assert login.client is not None
    key = login.client.public_key()
    strong = {rsa.RSAPublicKey: 2048, ec.EllipticCurvePublicKey: 224}
    assert any(isinstance(key, kind) and key.key_size >= least for kind, least in strong.items())
    assert login.client.serial_number > 0
    (name,) = (one.value for one in login.client.subject if one.oid.dotted_string == "2.5.4.3")
    assert name == boot["chargingStation"]["serialNumber"]


# ------------------------------------------------------------------ A01


@pytest.mark.tc("TC_A_09")
def test_a_new_password(rig: Rig) -> None:
    by_password(rig)
    rig.start(**BACK_OFF)
    rig.network()
    seen = len(rig.logins())
    rig.accept_password(NEW_PASSWORD)
    status = rig.set_variable("SecurityCtrlr", "BasicAuthPassword", NEW_PASSWORD)
    assert status in ("Accepted", "RebootRequired")
    reconnected(rig, seen)
    assert last_login(rig).credentials == ("CP-TEST", NEW_PASSWORD)
    if status == "RebootRequired":
        booted(rig)
    else:
        rig.expect_none("BootNotification")
    assert rig.get_variable("SecurityCtrlr", "BasicAuthPassword")["attributeStatus"] == "Rejected"  # write-only


def test_a_new_password_that_the_csms_does_not_take(rig: Rig) -> None:
    """Beyond part 6: the station is back with the old one, whatever happened to the CSMS's answer."""
    by_password(rig)
    rig.start(**BACK_OFF)
    rig.network()
    seen = len(rig.logins())
    assert rig.set_variable("SecurityCtrlr", "BasicAuthPassword", NEW_PASSWORD) == "Accepted"
    assert rig.wait_until(lambda: len(rig.logins()) >= seen + 2, 60)
    new, old = rig.logins()[seen : seen + 2]
    assert (new.credentials, old.credentials) == (("CP-TEST", NEW_PASSWORD), ("CP-TEST", PASSWORD))
    rig.let(1)
    assert rig.get_variable("SecurityCtrlr", "SecurityProfile")["attributeStatus"] == "Accepted"


@pytest.mark.tc("TC_A_10")
def test_a_password_that_is_too_short(rig: Rig) -> None:
    by_password(rig)
    rig.start(**BACK_OFF)
    rig.network()
    assert rig.set_variable("SecurityCtrlr", "BasicAuthPassword", "fifteen-letters") == "Rejected"
    reset(rig)
    booted(rig)
    assert last_login(rig).credentials == ("CP-TEST", PASSWORD)


# ------------------------------------------------------------------ A05


def certificate_installed(rig: Rig, root: int) -> None:
    """CertificateInstalled, for a CSMSRootCertificate."""
    request = {"certificateType": "CSMSRootCertificate", "certificate": endpoints.root(root).pem}
    assert rig.call("InstallCertificate", request)["status"] == "Accepted"


def certificate_renewed(rig: Rig) -> None:
    """RenewChargingStationCertificate, as far as a station in security profile 2 can show it."""
    rig.answer("SignCertificate", {"status": "Accepted"})
    answer = rig.call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    assert answer["status"] == "Accepted", answer
    request: Payload = rig.expect("SignCertificate")
    rig.let(0.5)  # the answer goes first
    chain = endpoints.signed(request["csr"], 1)
    signed = {"certificateChain": chain, "certificateType": "ChargingStationCertificate"}
    answer = rig.call("CertificateSigned", signed)
    assert answer["status"] == "Accepted", answer


@pytest.mark.tc("TC_A_19")
@pytest.mark.parametrize("before", [1, 2])
def test_moving_up(rig: Rig, before: int) -> None:
    after = before + 1
    rig.security_profile, rig.second_profile, rig.another_root = before, after, True
    rig.start(**BACK_OFF, **{"SecurityCtrlr.OrganizationName": "Test"})
    urls = rig.network()
    active = active_slot(rig)
    certificate_installed(rig, 2)
    if before == 2:
        certificate_renewed(rig)
        rig.let(2)
    slot = "2" if active == "1" else "1"
    assert set_profile(rig, int(slot), urls[2], after) == "Accepted"
    status = rig.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", f"{slot},{active}")
    assert status in ("Accepted", "RebootRequired"), status
    rig.forget()
    reset(rig)
    booted(rig)
    assert last_login(rig).endpoint == 2
    assert rig.get_variable("SecurityCtrlr", "SecurityProfile")["attributeValue"] == str(after)
    left = rig.get_variable("OCPPCommCtrlr", "NetworkConfigurationPriority")["attributeValue"]
    assert active not in left.split(",")
    assert active_slot(rig) == slot
    if (before, after) == (1, 2):  # errata 2025-06: it does not go back
        seen = len(rig.logins())
        rig.appear(2, security_profile=1)
        rig.let(2 * WAIT + 2)
        assert len(rig.logins()) == seen
        rig.appear(2, security_profile=2)
        reconnected(rig, seen)
        assert (last_login(rig).endpoint, last_login(rig).version is None) == (2, False)


def test_moving_up_to_a_csms_that_does_not_work(rig: Rig) -> None:
    """Beyond part 6: the old slot is there until the new one has worked, and the station comes back by it."""
    rig.security_profile, rig.second_profile, rig.roots = 1, 2, (1,)
    rig.start(**BACK_OFF, **{"OCPPCommCtrlr.NetworkProfileConnectionAttempts": "1"})
    urls = rig.network()
    rig.appear(2, certificate="expired")
    assert set_profile(rig, 2, urls[2], 2) == "Accepted"
    assert rig.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") in ("Accepted", "RebootRequired")
    rig.forget()
    reset(rig)
    rig.expect("BootNotification", within=60)
    assert last_login(rig).endpoint == 1
    rig.expect("SecurityEventNotification", lambda event: event["type"] == "InvalidCsmsCertificate", within=30)
    assert rig.get_variable("SecurityCtrlr", "SecurityProfile")["attributeValue"] == "1"
    assert active_slot(rig) == "1"


def test_moving_up_without_a_csms_root_certificate(rig: Rig) -> None:
    """TC_A_20, step by step; not asked of a station whose last root cannot be removed (AQ-1)."""
    rig.security_profile, rig.second_profile = 1, 2
    rig.start()
    urls = rig.network()
    assert set_profile(rig, 2, urls[2], 2) in ("Accepted", "Rejected")
    assert rig.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == "Rejected"
    assert rig.get_variable("OCPPCommCtrlr", "NetworkConfigurationPriority")["attributeValue"] == "1"


def test_moving_up_without_a_certificate_of_the_station(rig: Rig) -> None:
    """TC_A_21, step by step; not asked of a station whose last certificate cannot be removed (AQ-3)."""
    rig.security_profile, rig.second_profile, rig.roots = min(rig.security_profile, 2), 3, (1,)
    rig.start()
    urls = rig.network()
    assert set_profile(rig, 2, urls[2], 3) == "Accepted"
    assert rig.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == "Rejected"


@pytest.mark.tc("TC_A_22")
def test_moving_down(rig: Rig) -> None:
    by_tls(rig)
    rig.second_profile = 1
    rig.start()
    urls = rig.network()
    assert set_profile(rig, 2, urls[2], 1) == "Rejected"
    assert rig.get_variable("SecurityCtrlr", "SecurityProfile")["attributeValue"] == str(rig.security_profile)
