"""Whether a CSMS certificate was taken back: OCSP and CRL, answers of every kind, and silence."""

from __future__ import annotations

import asyncio
import datetime
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from station.domain.certificates import TlsMaterial
from station.domain.network import FailureCause, NetworkProfile
from station.uplink import revocation
from station.uplink.link import LinkRefused, open_link
from station.uplink.peer import PeerUnfit
from station.uplink.tls import RevocationCheck, TlsPolicy
from tests.uplink.forge import Made, crl_at, make, ocsp_at, rsa_key, server_context, today
from tests.uplink.peers import Peer, upgrade

DER = serialization.Encoding.DER
HERE = "127.0.0.1"
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """A root with an HTTP server beside it: ``answers`` by path, as (status, body) of a request's body."""

    root: Made
    url: str = ""
    answers: dict[str, Callable[[bytes], tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def chain(self, *extensions: Any) -> list[Made]:
        return [make("csms", self.root, names=[HERE], extensions=extensions), self.root]


class _Handler(http.server.BaseHTTPRequestHandler):
    authority: Authority

    def do_GET(self) -> None:
        self.authority.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, answer = self.authority.answers.get(self.path, lambda body: (404, b""))(body)
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture(params=["ec", "rsa"])
def authority(request: pytest.FixtureRequest) -> Iterator[Authority]:
    revocation.forget()
    key = {"key": rsa_key()} if request.param == "rsa" else {}
    one = Authority(make("Root", ca=True, **key))
    handler = type("Handler", (_Handler,), {"authority": one})
    server = http.server.ThreadingHTTPServer((HERE, 0), handler)
    one.url = f"http://{HERE}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield one
    server.shutdown()
    server.server_close()
    thread.join(5)


def check(chain: list[Made], *, required: bool = False) -> None:
    asyncio.run(revocation.check([one.certificate for one in chain], required=required))


def ocsp_answer(
    chain: list[Made],
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    signer: Made | None = None,
    this: datetime.timedelta = -DAY,
    next_update: datetime.timedelta | None = DAY,
    about: Made | None = None,
    shows: tuple[Made, ...] = (),
) -> Callable[[bytes], tuple[int, bytes]]:
    def answer(_: bytes) -> tuple[int, bytes]:
        own, issuer = chain[0], chain[1]
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        by = signer or issuer
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=(about or own).certificate,
            issuer=issuer.certificate,
            algorithm=hashes.SHA1(),  # noqa: S303
            cert_status=status,
            this_update=today() + this,
            next_update=None if next_update is None else today() + next_update,
            revocation_time=today() - DAY if revoked else None,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
        if shows:
            builder = builder.certificates([one.certificate for one in shows])
        return 200, builder.sign(by.key, hashes.SHA256()).public_bytes(DER)

    return answer


def crl(
    issuer: Made,
    *revoked: Made,
    signer: Made | None = None,
    this: datetime.timedelta = -DAY,
    next_update: datetime.timedelta = DAY,
    pem: bool = False,
    extension: x509.ExtensionType | None = None,
) -> Callable[[bytes], tuple[int, bytes]]:
    def answer(_: bytes) -> tuple[int, bytes]:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name((signer or issuer).certificate.subject)
            .last_update(today() + this)
            .next_update(today() + next_update)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(today() - DAY).build())
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        signed = builder.sign((signer or issuer).key, hashes.SHA256())
        return 200, signed.public_bytes(serialization.Encoding.PEM if pem else DER)

    return answer


# ------------------------------------------------------------------ what is said


def test_a_certificate_that_names_nobody_is_not_asked_after(authority: Authority) -> None:
    check(authority.chain(), required=True)
    assert authority.asked == []


def test_ocsp_says_good(authority: Authority) -> None:
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
    authority.answers["/ocsp"] = ocsp_answer(chain)
    for _ in range(3):
        check(chain, required=True)
    assert authority.asked == ["/ocsp"]  # and it is believed for a while


def test_ocsp_says_revoked(authority: Authority) -> None:
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
    authority.answers["/ocsp"] = ocsp_answer(chain, ocsp.OCSPCertStatus.REVOKED)
    for _ in range(2):
        with pytest.raises(PeerUnfit, match="'csms' is revoked: since"):
            check(chain)
    assert authority.asked == ["/ocsp"]


@pytest.mark.parametrize("pem", [False, True])
def test_a_crl_says_revoked_or_not(authority: Authority, pem: bool) -> None:
    chain = authority.chain(crl_at(f"{authority.url}/crl"))
    other = make("other", authority.root)
    authority.answers["/crl"] = crl(authority.root, other, pem=pem)
    check(chain, required=True)
    revocation.forget()
    authority.answers["/crl"] = crl(authority.root, other, chain[0], pem=pem)
    with pytest.raises(PeerUnfit, match="revoked"):
        check(chain)


def test_the_crl_where_the_ocsp_server_is_silent(authority: Authority) -> None:
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"), crl_at(f"{authority.url}/crl"))
    authority.answers["/crl"] = crl(authority.root, chain[0])
    with pytest.raises(PeerUnfit, match="revoked"):
        check(chain)
    assert authority.asked == ["/ocsp", "/crl"]


def test_an_intermediate_that_is_revoked(authority: Authority) -> None:
    middle = make("Middle", authority.root, ca=True, extensions=[crl_at(f"{authority.url}/crl")])
    authority.answers["/crl"] = crl(authority.root, middle)
    with pytest.raises(PeerUnfit, match="'Middle' is revoked"):
        check([make("csms", middle), middle, authority.root])


def test_a_responder_that_the_issuer_has_named(authority: Authority) -> None:
    signing = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)
    responder = make("Responder", authority.root, extensions=[signing])
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
    authority.answers["/ocsp"] = ocsp_answer(chain, signer=responder, shows=(responder,))
    check(chain, required=True)


# ------------------------------------------------------------------ what cannot be believed


STRANGER = make("Stranger", ca=True)


def bad_ocsp(kind: str, chain: list[Made]) -> Callable[[bytes], tuple[int, bytes]]:
    signing = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)
    other = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    revoked = ocsp.OCSPCertStatus.REVOKED
    root = chain[1]
    match kind:
        case "signed by a stranger":
            return ocsp_answer(chain, revoked, signer=STRANGER)
        case "signed by a stranger that is shown":
            return ocsp_answer(chain, revoked, signer=STRANGER, shows=(STRANGER,))
        case "signed by one that is not named for it":
            plain = make("Plain", root, extensions=[other])
            return ocsp_answer(chain, revoked, signer=plain, shows=(plain,))
        case "signed by one whose time is over":
            late = make("Late", root, ends=-1, extensions=[signing])
            return ocsp_answer(chain, revoked, signer=late, shows=(late,))
        case "about another":
            return ocsp_answer(chain, revoked, about=make("other", root))
        case "out of date":
            return ocsp_answer(chain, revoked, this=-3 * DAY, next_update=-2 * DAY)
        case "of the future":
            return ocsp_answer(chain, revoked, this=DAY, next_update=2 * DAY)
        case "unknown":
            return ocsp_answer(chain, ocsp.OCSPCertStatus.UNKNOWN)
        case "try later":
            later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
            return lambda body: (200, later.public_bytes(DER))
        case "garbage":
            return lambda body: (200, b"\x30\x03\x01\x01\xff")
        case "nothing":
            return lambda body: (200, b"")
        case "HTTP 500":
            return lambda body: (500, ocsp_answer(chain, revoked)(body)[1])
        case "a redirect":
            return lambda body: (302, b"")
    return lambda body: (200, b"\x30" * 100_000)  # endless


@pytest.mark.parametrize(
    "kind",
    [
        "signed by a stranger",
        "signed by a stranger that is shown",
        "signed by one that is not named for it",
        "signed by one whose time is over",
        "about another",
        "out of date",
        "of the future",
        "unknown",
        "try later",
        "garbage",
        "nothing",
        "HTTP 500",
        "a redirect",
        "endless",
    ],
)
def test_an_ocsp_answer_that_says_nothing(authority: Authority, kind: str) -> None:
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
    authority.answers["/ocsp"] = bad_ocsp(kind, chain)
    check(chain)
    check(chain)
    assert authority.asked == ["/ocsp"]  # who does not answer is left alone for a while
    with pytest.raises(PeerUnfit, match="nobody says"):
        check(chain, required=True)
    assert len(authority.asked) == 2  # unless an answer is needed


@pytest.mark.parametrize(
    "options",
    [
        {"signer": STRANGER},
        {"this": -3 * DAY, "next_update": -2 * DAY},
        {"this": DAY, "next_update": 2 * DAY},
        {
            "extension": x509.IssuingDistributionPoint(
                [x509.UniformResourceIdentifier("http://x/")], None, False, True, None, False, False
            )
        },
    ],
)
def test_a_crl_that_says_nothing(authority: Authority, options: dict[str, Any]) -> None:
    chain = authority.chain(crl_at(f"{authority.url}/crl"))
    authority.answers["/crl"] = crl(authority.root, chain[0], **options)
    check(chain)
    with pytest.raises(PeerUnfit, match="nobody says"):
        check(chain, required=True)


def test_a_crl_of_one_with_the_same_name(authority: Authority) -> None:
    chain = authority.chain(crl_at(f"{authority.url}/crl"))
    authority.answers["/crl"] = crl(authority.root, chain[0], signer=make("Root", ca=True))
    check(chain)


@pytest.mark.parametrize("url", ["ldap://x/y", "file:///etc/passwd", "https://x/y", "http://"])
def test_what_is_not_followed(authority: Authority, url: str) -> None:
    check(authority.chain(ocsp_at(url), crl_at(url)))


def test_nobody_listens(authority: Authority) -> None:
    chain = authority.chain(ocsp_at("http://127.0.0.1:1/ocsp"))
    check(chain)
    with pytest.raises(PeerUnfit, match="nobody says"):
        check(chain, required=True)


def test_one_that_never_answers_holds_nobody_up(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "ALL_TIMEOUT", 0.05)
    with Peer(silent=True) as silent:
        chain = authority.chain(ocsp_at(f"http://{HERE}:{silent.port}/"))
        check(chain)
        with pytest.raises(PeerUnfit, match="in time"):
            check(chain, required=True)


def test_what_is_known_is_bounded(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "REMEMBERED", 2)
    for _ in range(4):
        chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
        authority.answers["/ocsp"] = ocsp_answer(chain)
        check(chain)
    assert len(revocation._known) == 2


# ------------------------------------------------------------------ on a link


@pytest.mark.parametrize("check", list(RevocationCheck))
@pytest.mark.parametrize("revoked", [True, False, None])
def test_before_the_password_is_told(
    authority: Authority, tmp_path, check: RevocationCheck, revoked: bool | None
) -> None:
    chain = authority.chain(ocsp_at(f"{authority.url}/ocsp"))
    if revoked is not None:
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        authority.answers["/ocsp"] = ocsp_answer(chain, status)

    async def attempt(port: int) -> None:
        target = NetworkProfile(1, f"wss://{HERE}:{port}/ocpp", 2)
        material = TlsMaterial((authority.root.pem,))
        link = await open_link(target, "CS1", "x" * 20, material, tmp_path, lambda: 0.0, TlsPolicy(revocation=check))
        await link.close()

    refused = check is not RevocationCheck.OFF and (revoked or (revoked is None and check is RevocationCheck.REQUIRED))
    with Peer(server_context(chain[0]), answer=upgrade()) as peer:
        if refused:
            with pytest.raises(LinkRefused) as caught:
                asyncio.run(attempt(peer.port))
            assert caught.value.cause is FailureCause.CSMS_CERTIFICATE
            assert peer.heard == b""
        else:
            asyncio.run(attempt(peer.port))
            assert b"Authorization" in peer.heard
