"""The station's own CA: what it makes is believed by OpenSSL for local names, and for nothing else."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.webui.https.making import DAY, NOW
from webui.https import authority
from webui.https.authority import LEAF_FILE, LEAF_LASTS, ROOT_FILE, ROOT_LASTS, Names, names_of


def ips(*texts: str) -> list[authority.Ip]:
    return [ipaddress.ip_address(text) for text in texts]


NAMES = names_of("station7", ips("192.168.1.7", "fd12::7"))[0]


def handshake(keys: Path, host: str) -> None:
    """TLS in memory, as a browser that has installed the root; raises ssl.SSLError."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys / LEAF_FILE)
    root = authority.read_pair(keys / ROOT_FILE)
    assert root is not None
    client = ssl.create_default_context(cadata=root.pem().decode())
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(here, there, server_hostname=host), server.wrap_bio(there, here, server_side=True)]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not ends


@pytest.mark.parametrize("host", ["station7", "station7.local", "localhost", "192.168.1.7", "fd12::7", "127.0.0.1"])
def test_a_browser_that_knows_the_root_believes_the_station(tmp_path: Path, host: str) -> None:
    authority.ensure(tmp_path, NAMES, "Station 7")
    handshake(tmp_path, host)
    for file in (ROOT_FILE, LEAF_FILE):
        assert (tmp_path / file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("host", ["bank.example.com", "203.0.113.7"])
def test_with_the_stolen_root_nobody_can_play_another_site(tmp_path: Path, host: str) -> None:
    authority.ensure(tmp_path, NAMES, "Station 7")
    root = authority.read_pair(tmp_path / ROOT_FILE)
    assert root is not None
    is_address = host[0].isdigit()
    forged = Names(frozenset() if is_address else frozenset({host}), frozenset(ips(host) if is_address else []))
    pair = authority.make_leaf(root, forged, datetime.datetime.now(datetime.UTC))
    (tmp_path / LEAF_FILE).write_bytes(pair.pem())
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        handshake(tmp_path, host)


def leaf(keys: Path) -> x509.Certificate:
    pair = authority.read_pair(keys / LEAF_FILE)
    assert pair is not None
    return pair.certificate


@pytest.mark.parametrize(
    ("later", "names", "renewed"),
    [
        (DAY, NAMES, False),
        (DAY, Names(NAMES.dns, frozenset()), False),  # an address that is gone for a while does no harm
        (DAY, NAMES | Names(frozenset(), frozenset(ips("192.168.1.8"))), True),
        (DAY, NAMES | Names(frozenset({"garage.local"}), frozenset()), True),
        (DAY, NAMES | Names(frozenset({"elsewhere.example"}), frozenset()), False),  # the root cannot vouch for it
        (LEAF_LASTS - 62 * DAY, NAMES, False),
        (LEAF_LASTS - 58 * DAY, NAMES, True),
        (LEAF_LASTS + 500 * DAY, NAMES, True),
        (-3 * DAY, NAMES, True),  # made by a clock that was ahead
    ],
)
def test_it_is_renewed_by_itself(tmp_path: Path, later: datetime.timedelta, names: Names, renewed: bool) -> None:
    authority.ensure(tmp_path, NAMES, "Station 7", NOW)
    first, root = leaf(tmp_path), (tmp_path / ROOT_FILE).read_bytes()
    authority.ensure(tmp_path, names, "Station 7", NOW + later)
    assert (leaf(tmp_path) != first) is renewed
    assert (tmp_path / ROOT_FILE).read_bytes() == root


def test_a_clock_that_wakes_up_in_1970_costs_nobody_the_root(tmp_path: Path) -> None:
    early = datetime.datetime(1970, 1, 1, 0, 3, tzinfo=datetime.UTC)
    authority.ensure(tmp_path, NAMES, "Station 7", early)
    first = leaf(tmp_path)
    root = (tmp_path / ROOT_FILE).read_bytes()
    for _ in range(2):
        authority.ensure(tmp_path, NAMES, "Station 7", early + DAY)
    assert leaf(tmp_path) == first
    authority.ensure(tmp_path, NAMES, "Station 7", NOW)  # the time comes
    assert leaf(tmp_path).not_valid_after_utc > NOW + 300 * DAY
    authority.ensure(tmp_path, NAMES, "Station 7", early)
    assert (tmp_path / ROOT_FILE).read_bytes() == root


def test_after_ten_years_there_is_another_root(tmp_path: Path) -> None:
    authority.ensure(tmp_path, NAMES, "Station 7", NOW)
    root = (tmp_path / ROOT_FILE).read_bytes()
    near = NOW + ROOT_LASTS - 100 * DAY
    authority.ensure(tmp_path, NAMES, "Station 7", near)
    last = leaf(tmp_path)
    authority.ensure(tmp_path, NAMES, "Station 7", near + DAY)
    assert leaf(tmp_path) == last  # not anew every minute because it ends with its root
    assert (tmp_path / ROOT_FILE).read_bytes() == root
    authority.ensure(tmp_path, NAMES, "Station 7", NOW + ROOT_LASTS)
    assert (tmp_path / ROOT_FILE).read_bytes() != root


@pytest.mark.parametrize("damage", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    for file in (ROOT_FILE, LEAF_FILE):
        authority.ensure(tmp_path, NAMES, "Station 7")
        (tmp_path / file).write_bytes(damage)
        authority.ensure(tmp_path, NAMES, "Station 7")
        handshake(tmp_path, "station7")


@pytest.mark.parametrize(
    ("host", "listening", "inside", "outside"),
    [
        ("Station7", "0.0.0.0", {"localhost", "station7", "station7.local"}, set()),  # noqa: S104
        ("station7.example.com", "::", {"localhost", "station7.local"}, {"station7.example.com"}),
        (
            "station7.fritz.box",
            "garage.lan",
            {"localhost", "station7.fritz.box", "station7.local", "garage.lan"},
            set(),
        ),
        ("böse", "x y", {"localhost"}, set()),
        ("a" * 64, "", {"localhost"}, set()),
        ("10.1.2.3", "", {"localhost"}, set()),
    ],
)
def test_names(host: str, listening: str, inside: set[str], outside: set[str]) -> None:
    known, left_out = names_of(host, [], listening)
    assert (set(known.dns), set(left_out.dns)) == (inside, outside)


def test_public_addresses_are_left_out() -> None:
    known, left_out = names_of("s", ips("203.0.113.7", "2001:db8::7", "10.1.2.3"), "192.168.9.9")
    assert {str(one) for one in left_out.addresses} == {"203.0.113.7", "2001:db8::7"}
    assert {"10.1.2.3", "192.168.9.9", "127.0.0.1", "::1"} == {str(one) for one in known.addresses}
