"""Bad TLS peers and certificates: refused, for the right reason, and told nothing (A00.FR.308 to .323, .411 to .426).

Each is a real server on loopback with a real certificate. A refusal goes through a station as well, to see what
security event comes of it, and that nothing else does.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from station.domain.certificates import TlsMaterial
from station.domain.events import ConnectionFailed
from station.domain.network import FailureCause, NetworkProfile
from station.uplink import link as link_module
from station.uplink.link import LinkRefused, open_link
from station.uplink.tls import TlsPolicy
from tests.support.memory_rig import MemoryRig
from tests.uplink.forge import Made, ec_key, make, outdated, rsa_key, server_context, usage
from tests.uplink.names import HOST, every_name_is_here
from tests.uplink.peers import Peer, status, upgrade

PASSWORD = "a-password-of-20-let"
HERE = "127.0.0.1"

ROOT = make("Root", ca=True)
RSA_ROOT = make("RSA Root", ca=True, key=rsa_key())
STRANGER = make("Stranger", ca=True)
OLD_ROOT = make("Old Root", ca=True, ends=-1)
WEAK_ROOT = make("Weak Root", ca=True, key=rsa_key(1024))
ROOTS = (ROOT, RSA_ROOT, OLD_ROOT, WEAK_ROOT)
MIDDLE = make("Middle", ROOT, ca=True, path_length=0, extensions=[usage(key_cert_sign=True, crl_sign=True)])
STATION = make("CS 1", ROOT)

V10, V11, V12, V13 = (ssl.TLSVersion[name] for name in ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"))
SHA1, MD5 = hashes.SHA1(), hashes.MD5()  # noqa: S303 - what is to be refused
NO_RULES = "DEFAULT:@SECLEVEL=0"

EVENTS = {
    FailureCause.CSMS_CERTIFICATE: "InvalidCsmsCertificate",
    FailureCause.TLS_VERSION: "InvalidTLSVersion",
    FailureCause.TLS_CIPHER_SUITE: "InvalidTLSCipherSuite",
    FailureCause.CREDENTIALS: "FailedToAuthenticateAtCsms",
    FailureCause.STATION_CERTIFICATE: "FailedToAuthenticateAtCsms",
}
CRITICAL = {"InvalidCsmsCertificate", "InvalidTLSVersion", "InvalidTLSCipherSuite"}


@dataclass
class Case:
    """A peer, and how the station comes to it. ``hears``: it may hear the password, for it has proved itself."""

    peer: Callable[[], Peer]
    cause: FailureCause | None = None
    words: str = ""
    profile: int = 2
    host: str = HERE
    policy: TlsPolicy = field(default_factory=TlsPolicy)
    own: Made | None = None
    hears: bool = False


def shows(made: Made | None, answer: Any = None, **options: Any) -> Callable[[], Peer]:
    """A peer that shows a certificate and is a good CSMS otherwise."""
    return lambda: Peer(server_context(made, **options), answer=answer or upgrade())


def blurts(content: bytes) -> Callable[[], Peer]:
    return lambda: Peer(blurts=content)


def alert(number: int) -> bytes:
    return bytes((0x15, 3, 1, 0, 2, 2, number))


def server_hello(version: int, suite: int, *, random: bytes = b"\x01" * 32) -> bytes:
    """A ServerHello of TLS 1.2 or below, and nothing after it."""
    body = bytes((3, version)) + random + b"\x00" + suite.to_bytes(2, "big") + b"\x00"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def good(**options: Any) -> Made:
    return make("csms", ROOT, names=[HERE], **options)


def named(*names: str, cn: str | None = "csms", wildcards: bool = False, host: str = HOST) -> Case:
    """A certificate that is not for ``host``."""
    made = make(cn, ROOT, names=names)
    return Case(shows(made), BAD, host=host, policy=TlsPolicy(wildcards=wildcards))


BAD = FailureCause.CSMS_CERTIFICATE
SUITE = FailureCause.TLS_CIPHER_SUITE
OURS = FailureCause.STATION_CERTIFICATE

VERSIONS = {
    "TLS 1.0": Case(shows(good(), ciphers=NO_RULES, oldest=V10, newest=V10), FailureCause.TLS_VERSION),
    "TLS 1.1": Case(shows(good(), ciphers=NO_RULES, oldest=V11, newest=V11), FailureCause.TLS_VERSION),
    "TLS 1.0 whatever is offered": Case(blurts(server_hello(1, 0x002F)), FailureCause.TLS_VERSION),
    "TLS 1.1 whatever is offered": Case(blurts(server_hello(2, 0x002F)), FailureCause.TLS_VERSION),
    "SSL 3 whatever is offered": Case(blurts(server_hello(0, 0x002F)), FailureCause.TLS_VERSION),
    "alert protocol_version": Case(blurts(alert(70)), FailureCause.TLS_VERSION),
    "downgrade to TLS 1.2": Case(
        blurts(server_hello(3, 0xC02B, random=b"\x01" * 24 + b"DOWNGRD\x01")), FailureCause.TLS_VERSION
    ),
    "downgrade to TLS 1.1": Case(
        blurts(server_hello(2, 0xC009, random=b"\x01" * 24 + b"DOWNGRD\x00")), FailureCause.TLS_VERSION
    ),
}

RSA_CSMS = make("csms", RSA_ROOT, names=[HERE], key=rsa_key())

SUITES = {
    "static RSA": Case(shows(RSA_CSMS, ciphers="AES128-GCM-SHA256", newest=V12), SUITE),
    "ECDHE with RSA": Case(shows(RSA_CSMS, ciphers="ECDHE-RSA-AES256-GCM-SHA384", newest=V12), SUITE),
    "RSA with CBC, where RSA is allowed": Case(
        shows(RSA_CSMS, ciphers="AES128-SHA256", newest=V12), SUITE, policy=TlsPolicy(rsa_suites=True)
    ),
    "CBC": Case(shows(good(), ciphers="ECDHE-ECDSA-AES128-SHA256", newest=V12), SUITE),
    "ChaCha20": Case(shows(good(), ciphers="ECDHE-ECDSA-CHACHA20-POLY1305", newest=V12), SUITE),
    "CCM": Case(shows(good(), ciphers="ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0", newest=V12), SUITE),
    "no encryption": Case(shows(good(), ciphers="ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", newest=V12), SUITE),
    "anonymous": Case(shows(None, ciphers="AECDH-AES128-SHA:@SECLEVEL=0", newest=V12), SUITE),
    "a suite that was not offered": Case(blurts(server_hello(3, 0x002F)), SUITE),
    "alert insufficient_security": Case(blurts(alert(71)), SUITE),
    "alert handshake_failure": Case(blurts(alert(40)), SUITE),
}

NAMES = {
    "another host": named("two.csms.test"),
    "nobody": named(cn=None),
    "another host in commonName": named(cn="two.csms.test"),
    "commonName behind subjectAltName": named("two.csms.test", cn=HOST),
    "a parent domain": named("csms.test"),
    "a child domain": named("www.one.csms.test"),
    "a longer name": named("one.csms.test.evil.test"),
    "a wildcard, not allowed": named("*.csms.test"),
    "a wildcard in commonName, not allowed": named(cn="*.csms.test"),
    "a wildcard for the level above": named("*.test", wildcards=True),
    "a wildcard for everything": named("*", wildcards=True),
    "two wildcards": named("*.*.test", wildcards=True),
    "a wildcard with a beginning": named("o*.csms.test", wildcards=True),
    "a wildcard with an end": named("*ne.csms.test", wildcards=True),
    "a wildcard in the middle": named("one.*.test", wildcards=True),
    "a wildcard for the level below": named("*.one.csms.test", wildcards=True),
    "a double wildcard": named("**.csms.test", wildcards=True),
    "a wildcard that has no label to stand for": named("*.csms.test", wildcards=True, host="csms.test"),
    "a wildcard of a top-level domain": named("*.test", wildcards=True, host="csms.test"),
    "a wildcard behind subjectAltName": named("two.csms.test", cn="*.csms.test", wildcards=True),
    "another address": named("127.0.0.2", host=HERE),
    "an address as a DNS name": named(cn="csms", host=HERE),
    "an address behind subjectAltName": named("two.csms.test", cn=HERE, host=HERE),
    "a wildcard for an address": named("*.0.0.1", wildcards=True, host=HERE),
    "a name where it is an address": named("localhost", host=HERE),
}
NAMES["an address as a DNS name"].peer = shows(make("csms", ROOT, names=[x509.DNSName(HERE)]))

WEAK = make("Weak", RSA_ROOT, ca=True, key=rsa_key(1024))
SHA1_MIDDLE = outdated(make("SHA-1", RSA_ROOT, ca=True), SHA1)
NO_CA = make("No CA", ROOT, ca=False)
NOT_SAID = make("Not said", ROOT, ca=None, extensions=[usage(key_cert_sign=True)])
NOT_FOR_SIGNING = make("Not for signing", ROOT, ca=True, extensions=[usage(digital_signature=True)])
BELOW = make("Below", MIDDLE, ca=True)
OLD_MIDDLE = make("Old", ROOT, ca=True, ends=-1)
CONSTRAINED = make(
    "Constrained", ROOT, ca=True, extensions=[(x509.NameConstraints([x509.DNSName("elsewhere.test")], None), True)]
)
CLIENTS_ONLY = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True)


def under(issuer: Made, **options: Any) -> Callable[[], Peer]:
    return shows(make("csms", issuer, names=[HERE]), **options)


CERTIFICATES = {
    "expired": Case(shows(good(ends=-1)), BAD, "expired"),
    "not yet valid": Case(shows(good(begins=1)), BAD, "not yet valid"),
    "of another authority": Case(under(STRANGER), BAD),
    "self-signed": Case(shows(make("csms", names=[HERE])), BAD, "self-signed"),
    "self-signed authority": Case(shows(make("csms", names=[HERE], ca=True)), BAD),
    "of one that calls itself the root": Case(under(make("Root", ca=True)), BAD),
    "root is expired": Case(under(OLD_ROOT), BAD, "expired"),
    "RSA 1024": Case(shows(make("csms", RSA_ROOT, names=[HERE], key=rsa_key(1024)), ciphers=NO_RULES), BAD, "weak"),
    "issuer with RSA 1024": Case(under(WEAK, ciphers=NO_RULES), BAD, "weak"),
    "root with RSA 1024": Case(under(WEAK_ROOT, ciphers=NO_RULES), BAD, "weak"),
    "signed with SHA-1": Case(
        shows(outdated(make("csms", RSA_ROOT, names=[HERE]), SHA1), ciphers=NO_RULES), BAD, "weak"
    ),
    "signed with MD5": Case(shows(outdated(make("csms", RSA_ROOT, names=[HERE]), MD5), ciphers=NO_RULES), BAD, "weak"),
    "issuer signed with SHA-1": Case(under(SHA1_MIDDLE, ciphers=NO_RULES), BAD, "weak"),
    "signature of another key": Case(shows(make("csms", ROOT, names=[HERE], signed_by=ec_key())), BAD, "signature"),
    "missing intermediate": Case(shows(one := make("csms", MIDDLE, names=[HERE]), chain=[one]), BAD, "issuer"),
    "intermediate is no authority": Case(under(NO_CA), BAD),
    "intermediate does not say what it is": Case(under(NOT_SAID), BAD),
    "intermediate's key is not for signing": Case(under(NOT_FOR_SIGNING), BAD),
    "path too long": Case(under(BELOW), BAD, "path length"),
    "intermediate is expired": Case(under(OLD_MIDDLE), BAD, "expired"),
    "outside of the name constraints": Case(shows(make("csms", CONSTRAINED, names=[HOST])), BAD, "subtree", host=HOST),
    "for clients only": Case(shows(good(extensions=[CLIENTS_ONLY])), BAD, "purpose"),
    "a critical extension that nobody knows": Case(shows(good(extensions=[UNKNOWN])), BAD, "critical"),
    "a certificate of a station": Case(shows(STATION), BAD, "not for"),
}

ASKS: dict[str, Any] = {"asks_for": [ROOT]}
CLIENT = {
    "wants a certificate in profile 2, TLS 1.2": Case(shows(good(), newest=V12, **ASKS), OURS, "asks for"),
    "wants a certificate in profile 2, TLS 1.3": Case(shows(good(), oldest=V13, **ASKS), OURS, "asks for"),
    "wants another's certificate, TLS 1.2": Case(
        shows(good(), newest=V12, **ASKS), OURS, "does not accept", 3, own=make("CS 1", STRANGER)
    ),
    "wants another's certificate, TLS 1.3": Case(
        shows(good(), oldest=V13, **ASKS), OURS, "does not accept", 3, own=make("CS 1", STRANGER)
    ),
    "wants another's certificate and resets": Case(
        lambda: Peer(server_context(good(), oldest=V13), aborts=True), OURS, "breaks", 3, own=STATION
    ),
    "takes no expired certificate": Case(  # A00.FR.430: the station tries all the same
        shows(good(), **ASKS), OURS, "CERTIFICATE_EXPIRED", 3, own=make("CS 1", ROOT, ends=-1)
    ),
    "takes no certificate of tomorrow": Case(
        shows(good(), **ASKS), OURS, "does not accept", 3, own=make("CS 1", ROOT, begins=1)
    ),
    "takes no certificate for servers": Case(
        shows(good(), **ASKS),
        OURS,
        "does not accept",
        3,
        own=make("CS 1", ROOT, extensions=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]),
    ),
}

WIRE = {
    "no TLS": Case(lambda: Peer(blurts=status(400)), FailureCause.TLS, "does not speak TLS"),
    "garbage": Case(blurts(b"\x00" * 500), FailureCause.TLS),
    "another protocol": Case(blurts(b"SSH-2.0-OpenSSH_9.2\r\n"), FailureCause.TLS),
    "closes at once": Case(blurts(b""), FailureCause.TLS),
    "half a record": Case(blurts(b"\x16\x03\x03\x40\x00" + b"\x02" * 100), FailureCause.TLS),
    "alert internal_error": Case(blurts(alert(80)), FailureCause.TLS),
    "alert unrecognized_name": Case(blurts(alert(112)), FailureCause.TLS),
    "says nothing": Case(lambda: Peer(silent=True), FailureCause.UNREACHABLE),
}

HTTP = {
    "401": Case(shows(good(), status(401)), FailureCause.CREDENTIALS, "password", hears=True),
    "403": Case(shows(good(), status(403)), FailureCause.CREDENTIALS, "forbids", hears=True),
    "404": Case(shows(good(), status(404)), FailureCause.REFUSED, "identity", hears=True),
    "500": Case(shows(good(), status(500)), FailureCause.REFUSED, "500", hears=True),
    "503": Case(shows(good(), status(503)), FailureCause.REFUSED, "not available", hears=True),
    "a redirect": Case(
        shows(good(), status(302, "Location: ws://evil.test/")), FailureCause.REFUSED, "not followed", hears=True
    ),
    "no WebSocket": Case(shows(good(), status(200)), FailureCause.REFUSED, "200", hears=True),
    "no HTTP": Case(shows(good(), b"OK\r\n\r\n"), FailureCause.PROTOCOL, hears=True),
    "a header without end": Case(
        shows(good(), b"HTTP/1.1 101 Yes\r\nX: " + b"x" * 20000), FailureCause.PROTOCOL, hears=True
    ),
    "closes after the request": Case(shows(good(), b" "), FailureCause.PROTOCOL, hears=True),
    "an answer that never comes": Case(
        lambda: Peer(server_context(good()), stalls=True), FailureCause.UNREACHABLE, "within", hears=True
    ),
    "a wrong key": Case(
        shows(good(), lambda request: upgrade()(b"Sec-WebSocket-Key: x\r\n")), FailureCause.PROTOCOL, hears=True
    ),
    "no subprotocol": Case(shows(good(), upgrade(None)), FailureCause.SUBPROTOCOL, hears=True),
    "another subprotocol": Case(shows(good(), upgrade("ocpp1.6")), FailureCause.SUBPROTOCOL, hears=True),
}

MATRIX = {
    f"{kind}: {name}": case
    for kind, cases in {
        "version": VERSIONS,
        "suite": SUITES,
        "name": NAMES,
        "certificate": CERTIFICATES,
        "client": CLIENT,
        "wire": WIRE,
        "http": HTTP,
    }.items()
    for name, case in cases.items()
}

GOOD = {
    "TLS 1.2, AES 128": Case(shows(good(), ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", newest=V12)),
    "TLS 1.2, AES 256": Case(shows(good(), ciphers="ECDHE-ECDSA-AES256-GCM-SHA384", newest=V12)),
    "TLS 1.3": Case(shows(good(), oldest=V13)),
    "TLS 1.0 to 1.3": Case(shows(good(), ciphers=NO_RULES, oldest=V10)),
    "RSA, TLS 1.3": Case(shows(RSA_CSMS, oldest=V13)),
    "RSA, TLS 1.2, allowed": Case(
        shows(RSA_CSMS, ciphers="ECDHE-RSA-AES128-GCM-SHA256", newest=V12), policy=TlsPolicy(rsa_suites=True)
    ),
    "static RSA, allowed": Case(
        shows(RSA_CSMS, ciphers="AES256-GCM-SHA384", newest=V12), policy=TlsPolicy(rsa_suites=True)
    ),
    "P-384 and SHA-384": Case(shows(good(key=ec_key(ec.SECP384R1()), digest=hashes.SHA384()))),
    "an intermediate": Case(under(MIDDLE)),
    "three intermediates": Case(under(make("3", make("2", make("1", ROOT, ca=True), ca=True), ca=True))),
    "several names": Case(shows(make("csms", ROOT, names=["two.csms.test", HOST])), host=HOST),
    "commonName alone": Case(shows(make(HOST, ROOT)), host=HOST),
    "an address in commonName alone": Case(shows(make(HERE, ROOT))),
    "upper case": Case(shows(make("csms", ROOT, names=["ONE.csms.TEST"])), host="One.CSMS.test"),
    "a wildcard, allowed": Case(
        shows(make("csms", ROOT, names=["*.csms.test"])), host=HOST, policy=TlsPolicy(wildcards=True)
    ),
    "a wildcard in commonName, allowed": Case(
        shows(make("*.csms.test", ROOT)), host=HOST, policy=TlsPolicy(wildcards=True)
    ),
    "a wildcard beside the name": Case(shows(make("csms", ROOT, names=["*.csms.test", HOST])), host=HOST),
    "the root in the chain": Case(shows(one := good(), chain=[one, ROOT])),
    "profile 3, TLS 1.2": Case(shows(good(), newest=V12, **ASKS), profile=3, own=STATION),
    "profile 3, TLS 1.3": Case(shows(good(), oldest=V13, **ASKS), profile=3, own=STATION),
    "profile 3 at a CSMS that asks for no certificate": Case(shows(good()), profile=3, own=STATION),
}


async def attempt(case: Case, peer: Peer, keys: Path) -> None:
    """Connect, and leave again; raises LinkRefused."""
    (keys / "key.pem").write_bytes((case.own or STATION).key_pem)
    chain = tuple(one.pem for one in case.own.chain()) if case.own else ()
    material = TlsMaterial(tuple(root.pem for root in ROOTS), chain, "key.pem" if chain else "")
    target = NetworkProfile(1, f"wss://{case.host}:{peer.port}/ocpp", case.profile)
    link = await open_link(target, "CS1", PASSWORD, material, keys, lambda: 0.0, case.policy)
    await link.close()


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = MATRIX[name]
    every_name_is_here(monkeypatch)
    if case.cause is FailureCause.UNREACHABLE:
        monkeypatch.setattr(link_module, "OPEN_TIMEOUT", 1.5 if case.hears else 0.2)
    with case.peer() as peer, pytest.raises(LinkRefused) as caught:
        asyncio.run(attempt(case, peer, tmp_path))
    refusal = caught.value
    assert refusal.cause is case.cause, refusal
    assert case.words in str(refusal)
    assert "\n" not in str(refusal)
    assert PASSWORD not in str(refusal)
    assert peer.connections == 1
    if case.hears:
        assert b"Authorization: Basic" in peer.heard
    else:
        assert peer.heard == b""
    told(refusal)


def told(refusal: LinkRefused) -> None:
    """What a station makes of it: the event that it should be, and nothing else changed."""
    rig = MemoryRig(evses=1).boot()
    rig.let(1)
    rig.disconnect()
    before = {name: dict(getattr(rig.disk, name)) for name in ("variables", "network_profiles", "certificates")}
    queued, logged = set(rig.disk.queue), len(rig.disk.security_log)
    rig.step(ConnectionFailed(1, 2, refusal.cause, str(refusal)))
    event = EVENTS.get(refusal.cause)
    kinds = [one.type for one in rig.disk.security_log[logged:]]
    assert kinds == ([event] if event else []) + ["CsmsFailedToAuthenticate"] * (event == "InvalidCsmsCertificate")
    sent = [call.payload["type"] for number, call in rig.disk.queue.items() if number not in queued]
    assert sent == ([event] if event in CRITICAL else [])
    assert before == {name: getattr(rig.disk, name) for name in before}
    assert rig.reconnects == rig.reboots == []


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_accepted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = GOOD[name]
    every_name_is_here(monkeypatch)
    with case.peer() as peer:
        asyncio.run(attempt(case, peer, tmp_path))
    assert (b"Authorization: Basic" in peer.heard) is (case.profile == 2)


def test_an_installed_intermediate_is_trusted_by_itself(tmp_path: Path) -> None:
    keys = tmp_path
    with under(MIDDLE)() as peer:
        target = NetworkProfile(1, f"wss://{HERE}:{peer.port}/ocpp", 2)
        link = open_link(target, "CS1", PASSWORD, TlsMaterial((MIDDLE.pem,)), keys, lambda: 0.0)
        asyncio.run(_close(link))


def test_an_address_of_ipv6(tmp_path: Path) -> None:
    made = make("csms", ROOT, names=["::1"])
    with Peer(server_context(made), answer=upgrade(), ipv6=True) as peer:
        target = NetworkProfile(1, f"wss://[::1]:{peer.port}/ocpp", 2)
        asyncio.run(_close(open_link(target, "CS1", PASSWORD, TlsMaterial((ROOT.pem,)), tmp_path, lambda: 0.0)))


async def _close(opening: Any) -> None:
    await (await opening).close()


def test_the_matrix_is_as_large_as_it_should_be() -> None:
    assert len(MATRIX) >= 40
