"""A certificate from outside, with its key: looked at before it is used, on trial, and the way back."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from station.store.secrets import sync_folder, write_private
from webui.https.authority import names_in

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

OWN_FILE, BEFORE_FILE = "web-own.pem", "web-own-before.pem"  # in the folder of keys, mode 0600
RSA_BITS = (2048, 8192)
LONGEST_CHAIN = 8


class Unfit(Exception):
    """Why this cannot be the web server's certificate, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class Own:
    """A certificate that fits: its key, and the chain from it upwards without the root."""

    key: Key
    chain: tuple[x509.Certificate, ...]

    def pem(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private + b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)


def read(content: bytes, password: str = "", now: datetime.datetime | None = None) -> Own:
    """The key and the certificates in ``content`` (PEM, in any order); raises Unfit."""
    now = now or timezone.now()
    key = _key(content, password)
    certificates = _certificates(content)
    own = [one for one in certificates if one.public_key() == key.public_key()]
    if not own:
        raise Unfit(_("The key does not belong to any of these certificates."))
    chain = _chain(own[0], [one for one in certificates if one not in own])
    for certificate in chain:
        _look_at(certificate, now)
    _look_at_leaf(chain[0])
    return Own(key, tuple(chain))


def _key(content: bytes, password: str) -> Key:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    begin = content.find(b"-----BEGIN ")
    while begin >= 0 and b"PRIVATE KEY-----" not in content[begin : content.find(b"\n", begin) + 1]:
        begin = content.find(b"-----BEGIN ", begin + 1)
    if begin < 0:
        raise Unfit(_("There is no private key in it. It begins with -----BEGIN PRIVATE KEY----- or alike."))
    end = content.find(b"-----END ", begin)
    block = content[begin : content.find(b"-----", end + 9) + 5] if end >= 0 else b""
    if block.count(b"PRIVATE KEY") and content.count(b"PRIVATE KEY-----", end + 40) > 0:
        raise Unfit(_("There are several private keys in it; leave only the one of the web server."))
    try:
        key = load_pem_private_key(block + b"\n", password.encode() or None)
    except TypeError:
        words = _("The private key is protected by a password; enter it.")
        raise Unfit(words if not password else _("The private key has no password; leave that field empty.")) from None
    except (ValueError, UnsupportedAlgorithm):
        if password:
            raise Unfit(_("The private key cannot be opened; is the password right?")) from None
        raise Unfit(_("The private key cannot be read; it may be cut off.")) from None
    if isinstance(key, rsa.RSAPrivateKey):
        if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            raise Unfit(_("The RSA key has %(bits)d bits; browsers want 2048 at least.") % {"bits": key.key_size})
    elif not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in ("secp256r1", "secp384r1"):
        raise Unfit(_("Browsers do not take this kind of key. It has to be an elliptic curve P-256 or P-384, or RSA."))
    return key


def _certificates(content: bytes) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise Unfit(_("There is no certificate in it that can be read (PEM).")) from None
    if len(found) > LONGEST_CHAIN:
        raise Unfit(_("These are too many certificates for one chain."))
    return found


def _chain(leaf: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """From the leaf upwards. A root at its end is left out: whoever believes it has it."""
    chain = [leaf]
    while others:
        above = next((one for one in others if _issued(chain[-1], one)), None)
        if above is None:
            raise Unfit(
                _("The chain has a gap: %(name)s was issued by none of the others.") % {"name": called(chain[-1])}
            )
        others.remove(above)
        if above.subject == above.issuer:
            break
        chain.append(above)
    if others:
        raise Unfit(_("%(name)s does not belong to the chain.") % {"name": called(others[0])})
    return chain


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except Exception:  # a name that differs, a signature that is wrong, a kind of key that is none
        return False
    return True


def _look_at(certificate: x509.Certificate, now: datetime.datetime) -> None:
    from cryptography.hazmat.primitives import hashes

    words = {
        "name": called(certificate),
        "begins": date_format(certificate.not_valid_before_utc, "DATE_FORMAT"),
        "ends": date_format(certificate.not_valid_after_utc, "DATE_FORMAT"),
    }
    if now >= certificate.not_valid_after_utc:
        raise Unfit(_("%(name)s has expired on %(ends)s.") % words)
    if now < certificate.not_valid_before_utc:
        raise Unfit(_("%(name)s is valid from %(begins)s on only. Is the station's clock right?") % words)
    if isinstance(certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1):
        raise Unfit(_("%(name)s is signed with SHA-1 or MD5, which no browser takes any more.") % words)


def _look_at_leaf(leaf: x509.Certificate) -> None:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        extensions = leaf.extensions
    except ValueError:
        raise Unfit(_("The certificate's extensions cannot be read.")) from None
    kinds = {type(one.value): one.value for one in extensions}
    usages = kinds.get(x509.ExtendedKeyUsage)
    if usages is not None and ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        raise Unfit(_("This certificate is not meant for servers (extended key usage serverAuth)."))
    constraints = kinds.get(x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise Unfit(_("This is the certificate of an authority, not of a server."))
    names = names_in(leaf)
    if not names.dns and not names.addresses:
        raise Unfit(_("The certificate names no host (subjectAltName), so no browser takes it."))


def called(certificate: x509.Certificate) -> str:
    """The commonName, or the whole name where there is none."""
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string() or "–"


# ---------------------------------------------------------------------- in use, and the way back


def path() -> Path:
    return Path(settings.KEYS_DIR) / OWN_FILE


def exists() -> bool:
    return path().exists()


def put(who: str, wanted: Own | None) -> None:
    """Use ``wanted``, or the local CA's (None), on trial; raises OSError."""
    from webui.access import trials
    from webui.https import serving

    before = path().with_name(BEFORE_FILE)
    if trials.get(trials.CERTIFICATE) is None:
        if exists():
            write_private(before, path().read_bytes())
        else:
            _remove(before)
        trials.begin(trials.CERTIFICATE, who, {"own": exists()})
    else:
        trials.begin(trials.CERTIFICATE, who, None)  # what comes back is what was before the first
    if wanted is None:
        _remove(path())
    else:
        write_private(path(), wanted.pem())
    serving.reload()


def restore(before: Any) -> None:
    """What was used before the trial; raises OSError. Done twice, it ends the same."""
    from webui.https import serving

    kept = path().with_name(BEFORE_FILE)
    if isinstance(before, dict) and before.get("own"):
        if kept.exists():
            kept.replace(path())
            sync_folder(path().parent)
    else:
        _remove(path())
    serving.reload()


def keep() -> None:
    """The trial is over well: the key of before is of no use any more."""
    _remove(path().with_name(BEFORE_FILE))


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
    sync_folder(file.parent)
