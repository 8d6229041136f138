"""Part 6, section 2.2: A Security. The charging station's own certificate (A02, A03)."""

from __future__ import annotations

import pytest

from tests.conformance import endpoints
from tests.conformance.certificates import ORGANIZATION, certificate_renewed, request_sent, request_triggered, signed
from tests.conformance.rig import Rig
from tests.conformance.test_a_security import last_login, reconnected
from tests.conformance.test_b_network_profiles import BACK_OFF

WAIT = 4  # s: <Configured CertSigningWaitMinimum>


def started(rig: Rig, **variables: str) -> None:
    """A station in security profile 3 that finds its way by itself."""
    rig.security_profile = 3
    rig.start(**{**BACK_OFF, **ORGANIZATION, **variables})
    rig.network()
    rig.answer("SignCertificate", {"status": "Accepted"})


@pytest.mark.tc("TC_A_11")
def test_the_certificate_is_renewed(rig: Rig) -> None:
    started(rig)
    certificate_renewed(rig)
    rig.expect_none("BootNotification")


@pytest.mark.tc("TC_A_14")
def test_an_invalid_certificate(rig: Rig) -> None:
    started(rig)
    seen = len(rig.logins())
    csr = request_triggered(rig)
    assert signed(rig, endpoints.signed(csr, 1, endpoints.stranger())) == "Rejected"
    event = rig.expect("SecurityEventNotification")
    assert event["type"] == "InvalidChargingStationCertificate", event
    assert len(rig.logins()) == seen


@pytest.mark.tc("TC_A_15")
def test_a_request_that_is_rejected(rig: Rig) -> None:
    started(rig, **{"SecurityCtrlr.CertSigningWaitMinimum": "1"})
    rig.answer("SignCertificate", {"status": "Rejected"})
    request_triggered(rig)
    rig.expect_none("SignCertificate", during=4)


@pytest.mark.tc("TC_A_23")
def test_a_certificate_that_does_not_come(rig: Rig) -> None:
    started(rig)
    rig.configure("SecurityCtrlr.CertSigningWaitMinimum", str(WAIT))
    rig.configure("SecurityCtrlr.CertSigningRepeatTimes", "1")
    requests, times = [request_triggered(rig)], [rig.seconds()]
    for _ in range(2):
        requests.append(request_sent(rig))
        times.append(rig.seconds())
    first, second = times[1] - times[0], times[2] - times[1]
    assert WAIT - 0.5 <= first <= WAIT + 3, first
    assert 2 * WAIT - 0.5 <= second <= 2 * WAIT + 3, second
    statuses = []
    for csr in requests:  # errata 2025-02: one for each request
        statuses.append(signed(rig, endpoints.signed(csr, 1)))
        rig.let(2)
    assert "Accepted" in statuses
    assert set(statuses) <= {"Accepted", "Rejected"}


def test_a_renewed_certificate_that_the_csms_does_not_take(rig: Rig) -> None:
    """Beyond part 6: back to the old one without a reset (A02.FR.28), and the CSMS hears of it (A02.FR.29)."""
    started(rig)
    before = last_login(rig).client
    csr = request_triggered(rig)
    seen = len(rig.logins())
    rig.appear(1, takes_new=False)
    reconnected(rig, seen)
    seen = len(rig.logins())
    assert signed(rig, endpoints.signed(csr, 1)) == "Accepted"
    reconnected(rig, seen)
    assert last_login(rig).client == before is not None
    rig.expect("SecurityEventNotification", lambda one: one["type"] == "DiscardedRenewedClientCertificate")
