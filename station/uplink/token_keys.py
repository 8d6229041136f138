"""Keys in a token, made and destroyed: a process of its own, which ends when that is done.

It reads one order as JSON (``pkcs11.py`` gives it) and prints one answer. ``python-pkcs11`` and the token's library are
loaded here only: OpenSSL's engine, in the uplink, is logged in to the same token, and two in one process are in each
other's way.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from station.uplink.pkcs11 import SCHEME, Token, TokenUnusable

LABEL = "station"  # of every key that the station makes
CURVES = {"P-256": "secp256r1", "P-384": "secp384r1"}
RSA_BITS = {"RSA-3072": 3072}


def main() -> int:
    """Carry out the order on standard input."""
    order = json.load(sys.stdin)
    token = Token(**order["token"])
    try:
        match order["action"]:
            case "make":
                csr, key = make(token, order["key_type"], bytes.fromhex(order["subject"]))
                answer = {"csr": csr, "key": key}
            case "destroy":
                destroy(token, order["key"])
                answer = {}
            case "sweep":
                sweep(token, frozenset(order["needed"]))
                answer = {}
            case other:
                answer = {"failed": f"what is {other}?"}
    except (TokenUnusable, ValueError) as error:
        answer = {"failed": str(error)}
    json.dump(answer, sys.stdout)
    return 0


@dataclass(frozen=True, slots=True)
class Made:
    """A new key: its public half (SubjectPublicKeyInfo in DER), its URI, and how it signs."""

    public_key: bytes
    uri: str
    sign: Callable[[bytes], bytes]


@contextmanager
def _session(token: Token) -> Iterator[Any]:
    import pkcs11

    try:
        library = pkcs11.lib(token.module)
        with library.get_token(token_label=token.label).open(rw=True, user_pin=token.pin) as session:
            yield session
    except pkcs11.PKCS11Error as error:
        raise TokenUnusable(f"the token {token.label} says {type(error).__name__} {error}".strip()) from error
    except RuntimeError as error:  # the library cannot be loaded
        raise TokenUnusable(str(error)) from error


def make(token: Token, key_type: str, subject: bytes) -> tuple[str, str]:
    """A new key in the token and a request that it signed (PKCS#10): the request in PEM, and the key's URI.

    ``subject`` is a Name in DER. Raises TokenUnusable, or ValueError for an unknown ``key_type``.
    """
    from asn1crypto import algos, core, csr, keys, pem, x509

    with _session(token) as session:
        made = _make(session, token, key_type)
        algorithm = "sha384_ecdsa" if key_type == "P-384" else "sha256_ecdsa" if key_type in CURVES else "sha256_rsa"
        information = csr.CertificationRequestInfo(
            {
                "version": "v1",
                "subject": x509.Name.load(subject),
                "subject_pk_info": keys.PublicKeyInfo.load(made.public_key),
                "attributes": csr.CRIAttributes([]),
            }
        )
        request = csr.CertificationRequest(
            {
                "certification_request_info": information,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": algorithm}),
                "signature": core.OctetBitString(made.sign(information.dump())).native,
            }
        )
        return pem.armor("CERTIFICATE REQUEST", request.dump()).decode(), made.uri


def _make(session: Any, token: Token, key_type: str) -> Made:
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_ec_public_key, encode_ecdsa_signature, encode_named_curve_parameters
    from pkcs11.util.rsa import encode_rsa_public_key

    identity = os.urandom(16)
    options = {"store": True, "label": LABEL, "id": identity}
    private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True}
    if key_type in CURVES:
        parameters = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVES[key_type])}, local=True
        )
        public, key = parameters.generate_keypair(private_template=private, **options)
        digest = hashlib.sha384 if key_type == "P-384" else hashlib.sha256

        def sign(data: bytes) -> bytes:
            return encode_ecdsa_signature(key.sign(digest(data).digest(), mechanism=Mechanism.ECDSA))

        return Made(encode_ec_public_key(public), _uri(token, identity), sign)
    if key_type in RSA_BITS:
        public, key = session.generate_keypair(KeyType.RSA, RSA_BITS[key_type], private_template=private, **options)
        return Made(
            _spki(encode_rsa_public_key(public)),
            _uri(token, identity),
            lambda data: key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS),
        )
    raise ValueError(f"there is no key of the type {key_type}")


def _spki(rsa_public_key: bytes) -> bytes:
    from asn1crypto import keys

    key = keys.RSAPublicKey.load(rsa_public_key)
    return keys.PublicKeyInfo.wrap(key, "rsa").dump()


def _uri(token: Token, identity: bytes) -> str:
    return f"{SCHEME}token={quote(token.label, safe='')};id={''.join(f'%{byte:02X}' for byte in identity)};type=private"


# ------------------------------------------------------------------ destroying


def destroy(token: Token, uri: str) -> None:
    """Destroy a key and its public half; one that is gone is as good. Raises TokenUnusable."""
    identity = _identity(uri)
    with _session(token) as session:
        _destroy(session, lambda one: one == identity)


def sweep(token: Token, needed: Container[str]) -> None:
    """Destroy the station's keys that are not ``needed`` (URIs). Raises TokenUnusable."""
    with _session(token) as session:
        _destroy(session, lambda identity: _uri(token, identity) not in needed)


def _destroy(session: Any, doomed: Callable[[bytes], bool]) -> None:
    from pkcs11 import Attribute, ObjectClass

    for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
        found = list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: LABEL}))
        for key in found:
            if doomed(key.id):
                key.destroy()


def _identity(uri: str) -> bytes:
    for pair in uri.removeprefix(SCHEME).split(";"):
        name, _, value = pair.partition("=")
        if name == "id":
            return unquote_to_bytes(value)
    raise TokenUnusable("the key's URI names no id")


if __name__ == "__main__":
    sys.exit(main())
