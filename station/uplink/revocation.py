"""Has the CSMS's certificate been taken back? OCSP (RFC 6960) or a CRL (RFC 5280) where the certificate names one.

OCPP itself means CSMS certificates to be so short-lived that nobody need ask (A00.FR.701, note 1). Where an authority
offers an answer all the same, the station hears it: what is revoked is refused, always. Where nobody answers,
SecurityCtrlr.RevocationCheck decides. Answers are kept for as long as they say, silence for a while, so that a
reconnection is quick.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from station.uplink.peer import PeerUnfit, named

log = logging.getLogger(__name__)

T = TypeVar("T")

FETCH_TIMEOUT = 3.0  # s for one server
ALL_TIMEOUT = 6.0  # s for a whole chain; the handshake has other things to do
SILENCE_HELD = 600.0  # s that nobody is asked again who did not answer
LONGEST_HELD = 24 * 3600.0  # s that an answer is believed, whatever it says
CLOCKS_APART = timedelta(minutes=5)
LARGEST_OCSP = 64 * 1024  # bytes
LARGEST_CRL = 4 * 1024 * 1024
SERVERS = 2  # tried for one certificate
REMEMBERED = 16  # certificates
WEAK_HASHES = frozenset({"md5", "sha1"})  # A00.FR.504


class Unanswered(Exception):
    """Nobody said anything that can be believed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``revoked`` None: nobody answered, and ``why`` says so. ``until`` in monotonic seconds."""

    revoked: bool | None
    until: float
    why: str = ""


_known: dict[tuple[bytes, int], Verdict] = {}


async def check(chain: Sequence[x509.Certificate], *, required: bool) -> None:
    """Raise PeerUnfit where a certificate of ``chain`` (own first, trust anchor last) is revoked.

    Also, with ``required``, where it names somebody to ask and there is no answer.
    """
    try:
        async with asyncio.timeout(ALL_TIMEOUT):
            for certificate, issuer in pairwise(chain):
                verdict = await _verdict(certificate, issuer, ask_again=required)
                if verdict.revoked:
                    raise PeerUnfit(f"{named(certificate)} is revoked{verdict.why and f': {verdict.why}'}")
                if verdict.revoked is None and required:
                    raise PeerUnfit(f"nobody says whether {named(certificate)} is revoked: {verdict.why}")
    except TimeoutError:
        if required:
            raise PeerUnfit("nobody says in time whether it is revoked") from None
        log.info("whether the CSMS's certificate is revoked could not be learnt in time")


def forget() -> None:
    """Ask anew from now on."""
    _known.clear()


async def _verdict(certificate: x509.Certificate, issuer: x509.Certificate, *, ask_again: bool) -> Verdict:
    sources = _sources(certificate)
    if not sources:
        return Verdict(revoked=False, until=0.0)
    key = issuer.fingerprint(hashes.SHA256()), certificate.serial_number
    known = _known.get(key)
    if known and known.until > time.monotonic() and not (known.revoked is None and ask_again):
        return known
    verdict = await _in_thread(lambda: _ask(sources, certificate, issuer))
    if verdict.revoked is None:
        log.info("whether %s is revoked could not be learnt: %s", named(certificate), verdict.why)
    while len(_known) >= REMEMBERED:
        _known.pop(next(iter(_known)))
    _known[key] = verdict
    return verdict


def _sources(certificate: x509.Certificate) -> list[tuple[str, str]]:
    """Whom to ask: ``ocsp`` or ``crl``, and the URL; OCSP servers first, at most ``SERVERS`` of each."""
    found: list[tuple[str, str]] = []
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        found += [
            ("ocsp", one.access_location.value)
            for one in access
            if one.access_method == AuthorityInformationAccessOID.OCSP and _is_http(one.access_location)
        ][:SERVERS]
    except x509.ExtensionNotFound:
        pass
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        found += [("crl", name.value) for point in points for name in point.full_name or () if _is_http(name)][:SERVERS]
    except x509.ExtensionNotFound:
        pass
    return found


def _is_http(name: x509.GeneralName) -> bool:
    # An answer is signed, so it needs no TLS (RFC 6960, appendix A.1); ldap:// and file:// are not followed.
    return isinstance(name, x509.UniformResourceIdentifier) and name.value.lower().startswith("http://")


def _ask(sources: Sequence[tuple[str, str]], certificate: x509.Certificate, issuer: x509.Certificate) -> Verdict:
    silence = []
    for kind, url in sources:
        try:
            return (_ask_ocsp if kind == "ocsp" else _ask_crl)(url, certificate, issuer)
        except (OSError, ValueError, Unanswered, UnsupportedAlgorithm) as error:
            silence.append(f"{url[:100]}: {str(error) or type(error).__name__}")
    return Verdict(None, time.monotonic() + SILENCE_HELD, "; ".join(silence))


# ------------------------------------------------------------------ OCSP


def _ask_ocsp(url: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Verdict:
    # SHA-1 names the issuer here, it protects nothing: what all responders understand (RFC 5019, 2.1.1).
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303
    body = request.public_bytes(serialization.Encoding.DER)
    answer = ocsp.load_der_ocsp_response(_fetch(url, LARGEST_OCSP, body, "application/ocsp-request"))
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Unanswered(f"the OCSP server says {answer.response_status.name}")
    _believe(answer, issuer)
    for one in answer.responses:
        if one.serial_number != certificate.serial_number or not _about(one, request):
            continue
        held = _held(one.this_update_utc, one.next_update_utc)
        if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            return Verdict(revoked=True, until=held, why=_since(one.revocation_time_utc))
        if one.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return Verdict(revoked=False, until=held)
        raise Unanswered("the OCSP server does not know the certificate")
    raise Unanswered("the OCSP server speaks of another certificate")


def _about(one: ocsp.OCSPSingleResponse, request: ocsp.OCSPRequest) -> bool:
    if not isinstance(one.hash_algorithm, hashes.SHA1):
        return True  # named in another way; the signature says whose word it is
    return one.issuer_key_hash == request.issuer_key_hash and one.issuer_name_hash == request.issuer_name_hash


def _believe(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> None:
    """RFC 6960, 4.2.2.2: signed by the issuer, or by whom the issuer has named for it. Raises Unanswered."""
    signers = [issuer]
    for one in answer.certificates:
        try:
            one.verify_directly_issued_by(issuer)
            usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            continue
        now = datetime.now(UTC)
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            signers.append(one)
    algorithm = answer.signature_hash_algorithm
    if algorithm is None or algorithm.name in WEAK_HASHES:
        raise Unanswered("the OCSP server's signature is too weak")
    for signer in signers:
        key = signer.public_key()
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
            else:
                continue
        except InvalidSignature:
            continue
        return
    raise Unanswered("the OCSP answer is not signed by whom it should be")


# ------------------------------------------------------------------ CRL


def _ask_crl(url: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Verdict:
    content = _fetch(url, LARGEST_CRL)
    crl = (x509.load_pem_x509_crl if content.startswith(b"-----") else x509.load_der_x509_crl)(content)
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Unanswered("the CRL is another authority's")
    algorithm = crl.signature_hash_algorithm
    if algorithm is None or algorithm.name in WEAK_HASHES or not crl.is_signature_valid(key):
        raise Unanswered("the CRL's signature is not valid")
    if any(one.critical for one in crl.extensions):
        raise Unanswered("the CRL is of a kind that is not understood")  # RFC 5280, 5.2
    held = _held(crl.last_update_utc, crl.next_update_utc)
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is None:
        return Verdict(revoked=False, until=held)
    return Verdict(revoked=True, until=held, why=_since(entry.revocation_date_utc))


# ------------------------------------------------------------------ both


def _since(when: datetime | None) -> str:
    return f"since {when:%Y-%m-%d}" if when else ""


def _held(this_update: datetime, next_update: datetime | None) -> float:
    """Until when an answer holds, in monotonic seconds; raises Unanswered where it is not of today."""
    now = datetime.now(UTC)
    if this_update > now + CLOCKS_APART:
        raise Unanswered("the answer is of the future")
    if next_update is None:
        return time.monotonic()  # newer word may be there at any time (RFC 6960, 4.2.2.1)
    if next_update < now - CLOCKS_APART:
        raise Unanswered("the answer is out of date")
    return time.monotonic() + min(LONGEST_HELD, max(0.0, (next_update - now).total_seconds()))


def _fetch(url: str, at_most: int, body: bytes | None = None, content_type: str = "") -> bytes:
    """The body of an HTTP answer with status 200; follows nothing. Raises OSError, ValueError or Unanswered."""
    import http.client

    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    end = time.monotonic() + FETCH_TIMEOUT
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=FETCH_TIMEOUT)
    try:
        headers = {"Content-Type": content_type} if body is not None else {}
        connection.request("GET" if body is None else "POST", path, body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        if response.status != 200:
            raise Unanswered(f"HTTP {response.status}")
        content = b""
        while part := response.read1(65536):
            content += part
            if len(content) > at_most:
                raise Unanswered(f"the answer is longer than {at_most} bytes")
            if time.monotonic() > end:
                raise Unanswered("the answer takes too long")
        return content
    except http.client.HTTPException as error:
        raise Unanswered(f"no HTTP: {type(error).__name__}") from error
    finally:
        connection.close()


async def _in_thread(task: Callable[[], T]) -> T:
    """``task`` on a thread of its own that nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = task()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=run, name="revocation", daemon=True).start()
    return await outcome
