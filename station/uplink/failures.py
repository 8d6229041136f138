"""Why no connection came about: the causes behind what sockets, OpenSSL and HTTP raise, in words for a person."""

from __future__ import annotations

import logging
import socket
import ssl

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI, NegotiationError

from station.domain.network import FailureCause
from station.uplink.peer import PeerUnfit
from station.uplink.tls import ClientContext, TlsUnusable

log = logging.getLogger(__name__)

# OpenSSL's reasons; those with ALERT are what the peer says of us (RFC 8446, section 6).
_VERSION = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "WRONG_SSL_VERSION",
        "VERSION_TOO_LOW",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        "INAPPROPRIATE_FALLBACK",  # RFC 8446, 4.1.3: the downgrade mark in ServerHello.random
        "TLSV13_DOWNGRADE",
    }
)
_SUITE = frozenset(
    {
        "WRONG_CIPHER_RETURNED",
        "UNKNOWN_CIPHER_RETURNED",
        "NO_CIPHERS_AVAILABLE",
        "BAD_CIPHER",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "DH_KEY_TOO_SMALL",
        "WRONG_SIGNATURE_TYPE",
        "WRONG_CURVE",
    }
)
_OUR_CERTIFICATE = frozenset(
    {
        "SSLV3_ALERT_NO_CERTIFICATE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV1_ALERT_ACCESS_DENIED",
        "TLSV1_ALERT_DECRYPT_ERROR",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})
_REFUSAL_BY_ALERT = "SSLV3_ALERT_HANDSHAKE_FAILURE"

_STATUS = {
    401: "identity or password is not accepted",
    403: "the CSMS forbids this station to connect",
    404: "the CSMS does not know this station's identity, or the path of its URL is wrong",
    429: "the CSMS asks for fewer attempts",
    503: "the CSMS is not available",
}


class LinkRefused(Exception):
    """No connection came about. The text is one line for a person; it never holds the password."""

    def __init__(self, text: str, cause: FailureCause = FailureCause.CONFIGURATION) -> None:
        super().__init__(text)
        self.cause = cause


def refusal(error: Exception, context: ClientContext | None, within: float) -> LinkRefused:
    """What is behind ``error``. ``context`` is the attempt's (None: without TLS), ``within`` its time limit in s."""
    if context is not None and context.late_error is not None:
        error = context.late_error
    match error:
        case LinkRefused():
            return error
        case TlsUnusable():
            return LinkRefused(str(error), FailureCause.CONFIGURATION)
        case PeerUnfit() | ssl.SSLCertVerificationError():
            why = str(error) if isinstance(error, PeerUnfit) else error.verify_message
            return LinkRefused(f"the CSMS's certificate is not accepted: {why}", FailureCause.CSMS_CERTIFICATE)
        case ssl.SSLError():
            return _tls(error, context)
        case InvalidStatus():
            return _status(error.response.status_code)
        case NegotiationError():
            return LinkRefused(f"the CSMS chose what was not offered: {error}", FailureCause.SUBPROTOCOL)
        case InvalidURI():
            return LinkRefused(f"the CSMS's URL cannot be used: {error}", FailureCause.CONFIGURATION)
        case InvalidMessage(__cause__=EOFError()) if context is not None and context.presents and context.judged_late:
            # The alert gets lost where the peer closes before it has read our request.
            return LinkRefused(
                "the CSMS breaks the connection off once it has seen the station's certificate",
                FailureCause.STATION_CERTIFICATE,
            )
        case InvalidMessage() | InvalidHandshake():
            return LinkRefused(f"the CSMS does not answer as a WebSocket server: {error}", FailureCause.PROTOCOL)
        case socket.gaierror():
            return LinkRefused(f"the CSMS's host name is not known: {error.strerror}", FailureCause.NAME)
        case TimeoutError():
            return LinkRefused(f"the CSMS does not answer within {within:g} s", FailureCause.UNREACHABLE)
        case ConnectionError() if not error.strerror and context is not None:
            return LinkRefused(
                "the CSMS breaks the connection off during the TLS handshake (it may not speak TLS 1.2 or above)",
                FailureCause.TLS,
            )
        case ConnectionError() if not error.strerror:
            return LinkRefused("the CSMS breaks the connection off", FailureCause.PROTOCOL)
        case OSError():
            return LinkRefused(f"the CSMS cannot be reached: {error.strerror or error}", FailureCause.UNREACHABLE)
        case EOFError():
            return LinkRefused("the CSMS closes the connection without an answer", FailureCause.PROTOCOL)
        case _:
            log.error("connecting failed in an unforeseen way", exc_info=error)
            return LinkRefused(f"connecting failed: {type(error).__name__}", FailureCause.PROTOCOL)


def _tls(error: ssl.SSLError, context: ClientContext | None) -> LinkRefused:
    reason = error.reason or str(error)
    answered = context is not None and context.peer_answered
    presents = context is not None and context.presents
    if reason in _VERSION:  # A00.FR.316, A00.FR.419
        return LinkRefused("the CSMS does not speak TLS 1.2 or above", FailureCause.TLS_VERSION)
    if reason in _SUITE or (reason == _REFUSAL_BY_ALERT and not answered):  # A00.FR.323, A00.FR.426
        return LinkRefused(f"the CSMS and the station have no cipher suite in common ({reason})", _SUITES)
    if reason in _OUR_CERTIFICATE or reason == _REFUSAL_BY_ALERT:
        what = "does not accept the station's certificate" if presents else "asks for a certificate of the station"
        return LinkRefused(f"the CSMS {what} ({reason})", FailureCause.STATION_CERTIFICATE)
    if reason in _NO_TLS:
        return LinkRefused("what listens at the CSMS's address does not speak TLS", FailureCause.TLS)
    return LinkRefused(f"TLS with the CSMS fails: {reason}", FailureCause.TLS)


_SUITES = FailureCause.TLS_CIPHER_SUITE


def _status(status: int) -> LinkRefused:
    if 300 <= status < 400:
        return LinkRefused(
            f"HTTP {status}: the CSMS points to another address, which is not followed", FailureCause.REFUSED
        )
    cause = FailureCause.CREDENTIALS if status in (401, 403) else FailureCause.REFUSED
    return LinkRefused(f"HTTP {status}: {_STATUS.get(status, 'the CSMS refuses the connection')}", cause)
