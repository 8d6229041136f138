"""Certificates of a data folder that an older station left: files once, rows of the database now.

Begun anew after a power cut, it ends the same: the files go only when the rows are there.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from station.domain.pki import certificate_id, key_name
from station.store import repositories
from station.store.secrets import write_private

log = logging.getLogger(__name__)

ROOTS = {"csms_root": CertificateUse.CSMS_ROOT, "manufacturer_root": CertificateUse.MANUFACTURER_ROOT}


def take_over(certificates: Path, keys: Path) -> None:
    """Move what lies in the folder ``certificates`` into the database; raises OSError and django.db.Error.

    A file that cannot be read is told of in the log, and left where it is.
    """
    effects: list[SaveCertificate] = []
    taken: list[Path] = []
    for folder, use, path in _files(certificates):
        try:
            if folder == "station":
                effects.append(_own(path, keys))
            else:
                effects += [_record(use, [root]) for root in x509.load_pem_x509_certificates(path.read_bytes())]
        except (ValueError, TypeError, UnsupportedAlgorithm, FileNotFoundError) as error:
            log.error("%s is not taken over: %s", path, error)
        else:
            taken += [path, path.with_name("key.pem")] if folder == "station" else [path]
    repositories.commit(effects)
    for path in taken:
        path.unlink()
    for place in (*(path.parent for path in taken), *certificates.glob("*/"), certificates):
        with suppress(OSError):  # something else lies there
            place.rmdir()


def _files(certificates: Path) -> Iterator[tuple[str, CertificateUse, Path]]:
    for folder, use in ROOTS.items():
        for path in sorted((certificates / folder).glob("*.pem")):
            yield folder, use, path
    chain = certificates / "station" / "chain.pem"
    if chain.exists():
        yield "station", CertificateUse.CHARGING_STATION, chain


def _own(path: Path, keys: Path) -> SaveCertificate:
    private = path.with_name("key.pem").read_bytes()
    key = serialization.load_pem_private_key(private, password=None)
    name = key_name(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    write_private(keys / name, private)
    return _record(CertificateUse.CHARGING_STATION, x509.load_pem_x509_certificates(path.read_bytes()), name)


def _record(use: CertificateUse, chain: list[x509.Certificate], key: str = "") -> SaveCertificate:
    pems = tuple(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in chain)
    now = datetime.datetime.now(datetime.UTC)
    return SaveCertificate(StoredCertificate(certificate_id(use, pems[0]), use, pems, now, key))
