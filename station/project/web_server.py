"""The web process: Daphne on sockets that the supervisor opened, so that a restart turns no browser away."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from station.project import health
from station.project.environment import Address
from station.store.secrets import write_private

BEAT = 1.0  # s


def run(plain: socket.socket, tls: socket.socket | None, certificate: Path | None) -> int:
    """Serve until SIGTERM. ``plain`` and ``tls`` listen already; ``certificate`` is a PEM file with key and chain."""
    _do_without(tls=tls is not None)
    # Twisted comes with the reactor, so it is loaded here and never before a fork.
    from daphne.server import Server
    from twisted.internet import reactor as installed_reactor

    from station.project.asgi import application

    reactor: Any = installed_reactor

    def adopt(listening: socket.socket, factory: Any) -> None:
        listening.setblocking(False)
        reactor.adoptStreamPort(listening.fileno(), listening.family, factory)

    def beat() -> None:
        health.beat(health.WEB)
        reactor.callLater(BEAT, beat)

    def ready() -> None:
        adopt(plain, server.http_factory)
        if tls is not None and certificate is not None:
            from twisted.internet import ssl
            from twisted.protocols.tls import TLSMemoryBIOFactory

            pair = ssl.PrivateCertificate.loadPEM(certificate.read_bytes())
            adopt(tls, TLSMemoryBIOFactory(pair.options(), False, server.http_factory))
        beat()

    server = Server(
        application,
        endpoints=["adopted in ready()"],
        ready_callable=ready,
        server_name="station",
        http_timeout=120,
        websocket_timeout=-1,
        application_close_timeout=3,
    )
    server.endpoints = []
    server.run()
    return 0


def _do_without(*, tls: bool) -> None:
    """Spare this process what Twisted and autobahn load wherever they find it, and do as well without: 5 MB."""
    # Native code to check UTF-8: cffi and a parser of C, for messages of a browser that are a few bytes long.
    os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
    missing = ["cbor2"]  # an encoding of WAMP, which nobody speaks here
    if not tls:
        missing.append("OpenSSL")
    for package in missing:
        sys.modules.setdefault(package, None)  # type: ignore[arg-type] - "import" then raises ImportError


def certificate_file(keys: Path, address: Address) -> Path:
    """The PEM file with key and certificate for TLS, self-signed and made at first use; raises OSError."""
    path = keys / "web.pem"
    if not path.exists() or path.stat().st_size == 0:
        write_private(path, _self_signed(address))
    return path


def _self_signed(address: Address) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname() or "station"
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    if host.isascii() and host != "localhost":
        names.append(x509.DNSName(host))
    try:
        listening = ipaddress.ip_address(address.host)
        if not (listening.is_unspecified or listening.is_loopback):
            names.append(x509.IPAddress(listening))
    except ValueError:
        names.append(x509.DNSName(address.host))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Fixed dates: a station's clock may be years off when it makes this, before it meets a time source.
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2049, 12, 31, tzinfo=datetime.UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
