"""The WebSocket to the CSMS over TLS (security profiles 2 and 3), against a real server on loopback."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from station.domain.certificates import TlsMaterial
from tests.uplink.authority import Authority, material
from tests.uplink.links import PASSWORD, connect, csms, first, refusal, run


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def certificates(authority: Authority) -> TlsMaterial:
    return TlsMaterial((authority.root,))


def server_tls(folder: Path, client_root: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if client_root:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_root)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_profile_2(tmp_path, certificates, authority, version):
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))
    context.minimum_version = context.maximum_version = version

    async def test() -> None:
        async with csms(ssl=context) as server:
            link = await connect(server, certificates, profile=2, password=PASSWORD)
            connection = next(iter(server.connections))
            assert "Authorization" in connection.request.headers
            suite, used, _ = connection.transport.get_extra_info("cipher")
            assert used == version.name.replace("_", ".") or suite.startswith("TLS_")
            if version is ssl.TLSVersion.TLSv1_2:
                assert suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
            link.send("over TLS")
            assert await first(link, 1) == [b"over TLS"]
            await link.close()

    run(test)


def test_common_name_alone_is_enough(tmp_path, certificates, authority):
    context = server_tls(authority.issue(tmp_path / "csms", "localhost"))  # A00.FR.309

    async def test() -> None:
        async with csms(ssl=context) as server:
            await (await connect(server, certificates, profile=2, host="localhost")).close()

    run(test)


def test_csms_that_cannot_prove_itself(tmp_path, certificates, authority):
    stranger = Authority("Stranger")
    cases = {
        "self-signed": stranger.issue(tmp_path / "a", "x", names=["127.0.0.1"]),
        "not for 127.0.0.1": authority.issue(tmp_path / "b", "x", names=["10.0.0.1", "other.example"]),
        "expired": authority.issue(tmp_path / "c", "x", names=["127.0.0.1"], days=-2),
    }

    async def test() -> None:
        for words, folder in cases.items():
            async with csms(ssl=server_tls(folder)) as server:
                text = await refusal(server, certificates, profile=2, password=PASSWORD)
                assert "certificate is not accepted" in text
                assert words in text or words == "self-signed"

    run(test)


def test_without_a_root_nothing_is_tried():
    async def test() -> None:
        async with csms() as server:
            text = await refusal(server, TlsMaterial(("not PEM",)), profile=2)
            assert "no CSMS root certificate is installed; the 1. root certificate cannot be read" in text
            assert "root certificate" in await refusal(server, TlsMaterial(()), profile=2)

    run(test)


def test_one_broken_root_does_not_spoil_the_others(tmp_path, certificates, authority):
    certificates = TlsMaterial(("not PEM", *certificates.roots))
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))

    async def test() -> None:
        async with csms(ssl=context) as server:
            await (await connect(server, certificates, profile=2)).close()

    run(test)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(tmp_path, certificates, authority):
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def test() -> None:
        async with csms(ssl=context) as server:
            assert "TLS" in await refusal(server, certificates, profile=2)

    run(test)


def test_profile_3_proves_the_station(tmp_path, certificates, authority):
    certificates = material(authority.issue(tmp_path / "keys", "CS 1"), *certificates.roots)
    root = authority.write_root(tmp_path / "root.pem")
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]), root)

    async def test() -> None:
        async with csms(ssl=context) as server:
            link = await connect(server, certificates, keys=tmp_path / "keys", profile=3, password=PASSWORD)
            connection = next(iter(server.connections))
            assert "Authorization" not in connection.request.headers
            subject = dict(entry[0] for entry in connection.transport.get_extra_info("peercert")["subject"])
            assert subject["commonName"] == "CS 1"
            await link.close()

    run(test)


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [(None, None, "none is installed"), ("x", "x", "cannot be used"), ("good", "x", "cannot be used")],
)
def test_profile_3_without_a_usable_certificate(tmp_path, certificates, authority, chain, key, words):
    if chain:
        authority.issue(tmp_path, "CS")
    if chain == "x":
        (tmp_path / "chain.pem").write_text(chain)
    if key:
        (tmp_path / "key.pem").write_text(key)
    certificates = material(tmp_path, *certificates.roots)

    async def test() -> None:
        async with csms() as server:
            assert words in await refusal(server, certificates, keys=tmp_path, profile=3)

    run(test)
