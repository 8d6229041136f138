"""A data folder of the older form, with certificates in files: taken over once, whenever the power goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from station.domain.certificates import CertificateUse
from station.project import certificate_files
from station.store import repositories
from tests.uplink.authority import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def old(tmp_path: Path, authority: Authority) -> Path:
    """The folder of certificates as it was."""
    authority.write_root(tmp_path / "certificates" / "csms_root" / "a.pem")
    authority.write_root(tmp_path / "certificates" / "manufacturer_root" / "a.pem")
    authority.issue(tmp_path / "certificates" / "station", "CS001")
    (tmp_path / "keys").mkdir()
    return tmp_path / "certificates"


def uses() -> list[CertificateUse]:
    return sorted(record.use for record in repositories.load().certificates)


ALL = [CertificateUse.CSMS_ROOT, CertificateUse.CHARGING_STATION, CertificateUse.MANUFACTURER_ROOT]


def test_files_become_rows(old: Path, authority: Authority, tmp_path: Path) -> None:
    private = (old / "station" / "key.pem").read_bytes()
    certificate_files.take_over(old, tmp_path / "keys")
    assert uses() == sorted(ALL)
    assert repositories.roots(CertificateUse.CSMS_ROOT) == (authority.root,)
    [own] = [one for one in repositories.load().certificates if one.use is CertificateUse.CHARGING_STATION]
    assert (tmp_path / "keys" / own.key).read_bytes() == private
    assert (tmp_path / "keys" / own.key).stat().st_mode & 0o777 == 0o600
    assert not old.exists()


def test_a_power_cut_before_the_files_are_gone(old: Path, tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _cut)
        with pytest.raises(OSError, match="cut"):
            certificate_files.take_over(old, tmp_path / "keys")
    certificate_files.take_over(old, tmp_path / "keys")
    assert uses() == sorted(ALL)
    assert len(list((tmp_path / "keys").iterdir())) == 1
    assert not old.exists()


def test_what_cannot_be_read_stays_where_it_is(old: Path, tmp_path: Path, caplog: Any) -> None:
    (old / "csms_root" / "b.pem").write_text("no certificate")
    (old / "station" / "key.pem").unlink()
    certificate_files.take_over(old, tmp_path / "keys")
    assert uses() == sorted([CertificateUse.CSMS_ROOT, CertificateUse.MANUFACTURER_ROOT])
    left = sorted(str(path.relative_to(old)) for path in old.rglob("*.pem"))
    assert left == ["csms_root/b.pem", "station/chain.pem"]
    assert "b.pem" in caplog.text
    assert "chain.pem" in caplog.text


def _cut(*_: Any, **__: Any) -> None:
    raise OSError("cut")
