"""Keys are made here, lie in files that nobody else can read, and go when nothing needs them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from station.domain.certificates import CertificateUse
from station.domain.effects import ForgetKey, MakeSigningRequest
from station.domain.events import Event, SigningRequestMade
from station.uplink.errands import Errands
from station.uplink.signing_requests import SigningRequests, signing_request


def order(key_type: str = "P-256", organization: str = "Test", country: str = "") -> MakeSigningRequest:
    return MakeSigningRequest("1", CertificateUse.CHARGING_STATION, "CS001", organization, key_type, country)


@pytest.mark.parametrize(
    ("key_type", "bits", "hashed"), [("P-256", 256, "sha256"), ("P-384", 384, "sha384"), ("RSA-3072", 3072, "sha256")]
)
def test_a_request_and_its_key(tmp_path: Path, key_type: str, bits: int, hashed: str) -> None:
    made = signing_request(order(key_type, country="NL"), tmp_path / "keys")
    request = x509.load_pem_x509_csr(made.csr.encode())
    assert request.is_signature_valid
    assert request.signature_hash_algorithm is not None
    assert request.signature_hash_algorithm.name == hashed
    assert request.subject.rfc4514_string() == "CN=CS001,O=Test,C=NL"
    file = tmp_path / "keys" / made.key
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert key.key_size == bits
    assert key.public_key() == request.public_key()
    assert signing_request(order(), tmp_path / "keys").key != made.key


@pytest.mark.parametrize("broken", [order("P-12"), order(country="Netherlands")])
def test_what_cannot_be_asked_for(tmp_path: Path, broken: MakeSigningRequest) -> None:
    made = signing_request(broken, tmp_path)
    assert made.failed
    assert (made.csr, made.key) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where a folder should be")
    made = signing_request(order(), tmp_path / "keys")
    assert "the key cannot be written" in made.failed


def test_it_is_made_beside_the_loop_and_told_on_it(tmp_path: Path) -> None:
    told: list[Event] = []

    async def look_up(_: object) -> tuple[str, ...]:
        return ()

    async def life() -> None:
        heard = asyncio.Event()

        def tell(event: Event) -> None:
            told.append(event)
            heard.set()

        errands = Errands(look_up, tell, tmp_path, send=lambda name, arguments: None)
        errands.run(order())
        assert told == []
        async with asyncio.timeout(10):
            await heard.wait()
        [made] = told
        assert isinstance(made, SigningRequestMade)
        file = tmp_path / "keys" / made.key
        assert file.exists()
        errands.run(ForgetKey(made.key))
        assert not file.exists()
        errands.run(ForgetKey(made.key))  # gone is gone

    asyncio.run(life())


def test_what_no_certificate_names_is_swept_away(tmp_path: Path) -> None:
    requests = SigningRequests(tmp_path, lambda event: None)
    needed, orphan = (signing_request(order(), tmp_path).key for _ in range(2))
    half = tmp_path / f".{orphan}.x7k2"  # a write that the power cut short
    half.write_text("")
    for other in ("secret.key", "meter.pem", "web.pem"):
        (tmp_path / other).write_text("of somebody else")
    requests.sweep({needed})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([needed, "meter.pem", "secret.key", "web.pem"])


def test_a_key_of_somebody_else_is_out_of_reach(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (tmp_path / "database").write_text("of somebody else")
    (keys / "secret.key").write_text("likewise")
    for name in ("../database", "secret.key"):
        SigningRequests(keys, lambda event: None).forget(ForgetKey(name))
    assert (tmp_path / "database").exists()
    assert (keys / "secret.key").exists()
