"""Which security profiles the installed certificates allow (A05.FR.02, A05.FR.03)."""

from __future__ import annotations

from pathlib import Path

from station.uplink.tls import usable_profiles
from tests.uplink.authority import Authority


def test_certificates_decide_which_security_profiles_can_be_used(tmp_path: Path) -> None:
    assert usable_profiles(tmp_path) == {1}
    authority = Authority()
    authority.issue(tmp_path / "station", "CS001")
    assert usable_profiles(tmp_path) == {1}
    root = authority.write_root(tmp_path / "csms_root" / "root.pem")
    assert usable_profiles(tmp_path) == {1, 2, 3}
    (tmp_path / "station" / "key.pem").unlink()
    assert usable_profiles(tmp_path) == {1, 2}
    root.write_text("no certificate")
    assert usable_profiles(tmp_path) == {1}
