"""The key that signs meter values is made once, kept private, and is one of the right curve."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from station.uplink.meter_key import KEY_FILE, MeterKey


def test_it_is_made_once_and_verifies(tmp_path: Path) -> None:
    first, second = MeterKey(tmp_path), MeterKey(tmp_path)
    assert first.public_key == second.public_key
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0
    public = serialization.load_der_public_key(first.public_key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(second.sign(b"a reading"), b"a reading", ec.ECDSA(hashes.SHA256()))


def test_another_curve_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / KEY_FILE).write_bytes(pem)
    with pytest.raises(ValueError, match="secp256r1"):
        MeterKey(tmp_path)
