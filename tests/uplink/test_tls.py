"""What TLS is given of the certificates: the station's own, its key, the roots."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from station.domain.certificates import TlsMaterial
from station.uplink.tls import TlsUnusable, client_context
from tests.uplink.authority import Authority, material


def test_profile_1_needs_nothing(tmp_path: Path) -> None:
    assert client_context(1, TlsMaterial(()), tmp_path) is None


def test_a_chain_leaves_nothing_behind(tmp_path: Path) -> None:
    authority = Authority()
    own = material(authority.issue(tmp_path, "CS001"), authority.root)
    files, handles = sorted(tmp_path.iterdir()), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert client_context(3, own, tmp_path) is not None
    assert sorted(tmp_path.iterdir()) == files
    assert len(os.listdir("/proc/self/fd")) == handles  # noqa: PTH208


def test_a_key_that_is_not_the_certificates(tmp_path: Path) -> None:
    authority = Authority()
    own = material(authority.issue(tmp_path, "CS001"), authority.root)
    authority.issue(tmp_path / "other", "CS002")
    with pytest.raises(TlsUnusable, match="cannot be used"):
        client_context(3, own, tmp_path / "other")
