"""Part 6, section 2.14: M ISO 15118 certificate management. Roots of CSMS and manufacturer (M03 to M05)."""

from __future__ import annotations

import pytest

from station.domain import pki
from tests.conformance import endpoints
from tests.conformance.certificates import (
    CSMS,
    MAKER,
    MO,
    ORGANIZATION,
    another_root,
    certificate_installed,
    certificate_renewed,
    hash_data,
    install,
    installed,
)
from tests.conformance.rig import Rig
from tests.conformance.states import booted
from tests.conformance.test_a_security import by_tls, last_login, reconnected, reset
from tests.conformance.test_b_network_profiles import BACK_OFF, prepare_to_move, went

CHECKED = {"SecurityCtrlr.AdditionalRootCertificateCheck": "true"}


def started(rig: Rig, **variables: str) -> None:
    by_tls(rig)
    rig.start(**{**BACK_OFF, **ORGANIZATION, **variables})


# ------------------------------------------------------------------ M05


@pytest.mark.tc("TC_M_01")
def test_a_csms_root_is_installed(rig: Rig) -> None:
    started(rig)
    root = another_root()
    certificate_installed(rig, root)
    assert (CSMS, hash_data(root)) in installed(rig, CSMS)


@pytest.mark.tc("TC_M_02")
def test_a_manufacturer_root_is_installed(rig: Rig) -> None:
    started(rig)
    root = another_root()
    certificate_installed(rig, root, MAKER)
    assert installed(rig, MAKER) == [(MAKER, hash_data(root))]


@pytest.mark.tc("TC_M_07")
def test_an_expired_root(rig: Rig) -> None:
    started(rig)
    expired = another_root(ends=endpoints.BEGINS + 1)
    assert install(rig, expired) == "Rejected"
    assert (CSMS, hash_data(expired)) not in installed(rig, CSMS)


@pytest.mark.tc("TC_M_09")
def test_a_root_that_the_old_one_did_not_sign(rig: Rig) -> None:
    started(rig, **CHECKED)
    assert install(rig, another_root()) == "Rejected"
    assert installed(rig, CSMS) == [(CSMS, hash_data(endpoints.root(1)))]


@pytest.mark.tc("TC_M_30")
def test_a_new_root_is_connected_with(rig: Rig) -> None:
    started(rig, **CHECKED)
    rig.network()
    certificate_installed(rig, endpoints.new_root())
    if rig.security_profile >= 3:
        seen = len(rig.logins())
        rig.appear(1, certificate="new_root")
        reconnected(rig, seen)
        certificate_renewed(rig, endpoints.new_root())
    rig.forget()
    reset(rig)
    rig.appear(1, certificate="new_root")
    booted(rig)
    assert (CSMS, hash_data(endpoints.root(1))) not in installed(rig, CSMS)
    assert (CSMS, hash_data(endpoints.new_root())) in installed(rig, CSMS)


@pytest.mark.tc("TC_M_31")
def test_back_to_the_old_root(rig: Rig) -> None:
    started(rig, **CHECKED)
    rig.network()
    certificate_installed(rig, endpoints.new_root())
    rig.forget()
    reset(rig)
    booted(rig)
    assert (CSMS, hash_data(endpoints.root(1))) in installed(rig, CSMS)
    _was_tried_with_the_new_root(rig)


@pytest.mark.tc("TC_B_47")
def test_migration_falls_back_with_the_old_root(rig: Rig) -> None:
    started(rig, **CHECKED)
    rig.configure("OCPPCommCtrlr.NetworkProfileConnectionAttempts", "1")
    certificate_installed(rig, endpoints.new_root())
    prepare_to_move(rig)
    rig.forget()
    reset(rig)
    booted(rig)
    assert [endpoint for endpoint, accepted in went(rig) if accepted] == [1]
    assert (CSMS, hash_data(endpoints.root(1))) in installed(rig, CSMS)
    _was_tried_with_the_new_root(rig)


def _was_tried_with_the_new_root(rig: Rig) -> None:
    """Step 4 or 8: a handshake that the station broke off."""
    rig.expect("SecurityEventNotification", lambda event: event["type"] == "InvalidCsmsCertificate")


# ------------------------------------------------------------------ M03


@pytest.mark.tc("TC_M_12")
def test_csms_roots_are_listed(rig: Rig) -> None:
    started(rig)
    root = another_root()
    certificate_installed(rig, root)
    assert (CSMS, hash_data(root)) in installed(rig, CSMS)


@pytest.mark.tc("TC_M_13")
def test_manufacturer_roots_are_listed(rig: Rig) -> None:
    started(rig)
    root = another_root()
    certificate_installed(rig, root, MAKER)
    assert (MAKER, hash_data(root)) in installed(rig, MAKER)


@pytest.mark.tc("TC_M_17")
def test_both_are_listed(rig: Rig) -> None:
    started(rig)
    csms, maker = another_root("CSMS"), another_root("Maker")
    certificate_installed(rig, csms)
    certificate_installed(rig, maker, MAKER)
    listed = installed(rig, CSMS, MAKER)
    assert (CSMS, hash_data(csms)) in listed
    assert (MAKER, hash_data(maker)) in listed


@pytest.mark.tc("TC_M_18")
def test_all_are_listed(rig: Rig) -> None:
    started(rig)
    csms, maker = another_root("CSMS"), another_root("Maker")
    certificate_installed(rig, csms)
    certificate_installed(rig, maker, MAKER)
    listed = installed(rig)
    assert (CSMS, hash_data(csms)) in listed
    assert (MAKER, hash_data(maker)) in listed


@pytest.mark.tc("TC_M_19")
def test_none_is_found(rig: Rig) -> None:
    started(rig)
    assert rig.call("GetInstalledCertificateIds", {"certificateType": [MO]}) == {"status": "NotFound"}


# ------------------------------------------------------------------ M04


@pytest.mark.tc("TC_M_20")
def test_a_root_is_deleted(rig: Rig) -> None:
    started(rig)
    root = another_root()
    certificate_installed(rig, root)
    assert (CSMS, hash_data(root)) in installed(rig, CSMS)
    answer = rig.call("DeleteCertificate", {"certificateHashData": hash_data(root)})
    assert answer == {"status": "Accepted"}
    assert (CSMS, hash_data(root)) not in installed(rig, CSMS)


@pytest.mark.tc("TC_M_22")
def test_what_is_not_there_is_not_deleted(rig: Rig) -> None:
    started(rig)
    before = installed(rig, CSMS)
    answer = rig.call("DeleteCertificate", {"certificateHashData": hash_data(another_root())})
    assert answer == {"status": "NotFound"}
    assert installed(rig, CSMS) == before


@pytest.mark.tc("TC_M_23")
def test_the_stations_own_certificate_is_not_deleted(rig: Rig) -> None:
    rig.security_profile = 3
    started(rig)
    rig.network()
    own = certificate_renewed(rig)
    data = pki.hash_data(own, endpoints.root(1).certificate)
    assert data not in [listed for _, listed in installed(rig)]
    answer = rig.call("DeleteCertificate", {"certificateHashData": data})
    assert answer["status"] in ("NotFound", "Failed"), answer
    rig.hang_up()
    assert rig.wait_until(lambda: last_login(rig).client == own, 60)
