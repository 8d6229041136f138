"""Where a CSMS is and how to speak to it: the network configuration slots (B09)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

URL_LENGTH = 512  # NetworkConnectionProfileType.ocppCsmsUrl
SECURITY_PROFILES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class NetworkProfile:
    """One network configuration slot. ``message_timeout`` in seconds; ``interface`` is an OCPPInterfaceEnumType.

    Identity and password are device-model variables and the same for every slot.
    """

    slot: int
    csms_url: str
    security_profile: int
    message_timeout: int = 30
    interface: str = "Wired0"


class FailureCause(StrEnum):
    """Why there is no connection, as far as the station can tell; the words are those of its journal."""

    NAME = "name"  # the host's name is not known
    UNREACHABLE = "unreachable"  # refused, no route, no answer in time
    TLS_VERSION = "tls_version"  # InvalidTLSVersion
    TLS_CIPHER_SUITE = "tls_cipher_suite"  # InvalidTLSCipherSuite
    TLS = "tls"  # any other failure of the handshake
    CSMS_CERTIFICATE = "csms_certificate"  # InvalidCsmsCertificate
    STATION_CERTIFICATE = "station_certificate"  # the CSMS does not take the station's certificate
    CREDENTIALS = "credentials"  # 401 or 403: identity or password
    REFUSED = "refused"  # another HTTP status
    SUBPROTOCOL = "subprotocol"  # ocpp2.0.1 is not spoken there
    PROTOCOL = "protocol"  # no WebSocket server
    CONFIGURATION = "configuration"  # not even tried: something is missing here


def flaw_of_url(url: str) -> str:
    """What is wrong with a CSMS's URL, to be read behind its name; empty where nothing is."""
    if len(url) > URL_LENGTH:
        return f"has {len(url)} characters, more than {URL_LENGTH}"
    if any(not 0x21 <= ord(sign) <= 0x7E for sign in url):
        return "must be ASCII without spaces"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{url[:40]!r} is no URL: {error}"
    if parts.scheme not in ("ws", "wss"):
        return f"{url[:40]!r} begins neither with ws:// nor with wss://"
    if "@" in parts.netloc:
        return "must not hold a user name or password; the station's identity and password are used"
    if not parts.hostname:
        return f"{url[:40]!r} names no host"
    if port == 0:
        return "port 0 cannot be reached"
    if "?" in url or "#" in url:
        return "must end with its path: the identity is appended to it"
    return ""


def flaw_of_scheme(url: str, security_profile: int) -> str:
    """Security profile 1 goes without TLS, 2 and 3 with it (A00); empty where the URL's scheme fits."""
    if url.lower().startswith("wss:") == (security_profile >= 2):
        return ""
    return f"security profile {security_profile} needs {'wss' if security_profile >= 2 else 'ws'}://"
