"""The certificate store by itself: what is kept, and what a connection is given of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from station.device_model.components import SecurityCtrlr
from station.domain.certificates import CertificateUse, StoredCertificate, TlsMaterial
from station.domain.effects import RemoveCertificate, SaveCertificate
from station.ocpp.certificates import CertificateStore
from tests.ocpp.blocks.rig import Rig
from tests.uplink.authority import NOW, Authority

BROKEN = StoredCertificate("broken", CertificateUse.CHARGING_STATION, ("no certificate",), NOW, "key")


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def authority() -> Authority:
    return Authority()


def store(rig: Rig, *records: StoredCertificate) -> CertificateStore:
    return CertificateStore(rig.context, records, lambda: NOW)


def test_an_empty_one(rig: Rig) -> None:
    empty = store(rig)
    assert empty.material(NOW, 1) == TlsMaterial(())
    assert empty.usable_profiles() == {1}
    assert rig.model[SecurityCtrlr.CertificateEntries] == 0


def test_what_a_connection_is_given(rig: Rig, authority: Authority) -> None:
    other, own = Authority("Other"), authority.own()
    kept = store(rig, authority.installed(), other.installed(CertificateUse.MANUFACTURER_ROOT), own)
    assert kept.material(NOW, 1) == TlsMaterial((authority.root,), own.chain, own.key)
    assert kept.usable_profiles() == {1, 2, 3}
    assert rig.model[SecurityCtrlr.CertificateEntries] == 3


def test_adding_and_removing_is_stored(rig: Rig, authority: Authority) -> None:
    kept, root = store(rig), authority.installed()
    kept.add(root)
    kept.add(root)  # M05.FR.17
    assert kept.of() == [root]
    kept.remove(root.certificate_id)
    kept.remove(root.certificate_id)
    assert kept.of() == []
    assert rig.context.effects == [SaveCertificate(root), SaveCertificate(root), RemoveCertificate(root.certificate_id)]


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_valid_certificate_is_used(rig: Rig, authority: Authority, order: int) -> None:
    """A02.FR.09, whichever was installed first."""
    older, newer = authority.own(since=-20), authority.own(since=-10)
    expired, future = authority.own(since=-15, days=-1), authority.own(since=5, days=20)
    kept = store(rig, *[older, newer, expired, future, BROKEN][::order])
    assert kept.own(NOW) == newer
    assert kept.own(NOW + timedelta(days=6)) == future
    assert kept.own(NOW - timedelta(days=12)) == expired  # as long as it was valid


def test_an_expired_certificate_is_shown_all_the_same(rig: Rig, authority: Authority) -> None:
    """A00.FR.429."""
    older, newer = authority.own(since=-20, days=-1), authority.own(since=-10, days=-1)
    assert store(rig, older, newer, BROKEN).own(NOW) == newer
    assert store(rig, older).own(NOW) == older
    assert store(rig, BROKEN).own(NOW) == BROKEN


@pytest.mark.parametrize(
    ("root", "own", "usable"),
    [
        ({}, {}, {1, 2, 3}),
        ({}, {"days": -1}, {1, 2}),
        ({}, {"since": 1}, {1, 2}),
        ({"days": -1}, {}, {1}),
    ],
)
def test_what_is_not_valid_allows_nothing(rig: Rig, root: Any, own: Any, usable: set[int]) -> None:
    authority = Authority(**root)
    assert store(rig, authority.installed(), authority.own(**own)).usable_profiles() == usable
    assert store(rig, authority.installed(), BROKEN).usable_profiles() <= {1, 2}
