"""The certificate store: whom the station trusts."""

from __future__ import annotations

from collections.abc import Iterable

from station.domain.certificates import CertificateUse, StoredCertificate


class CertificateStore:
    def __init__(self, certificates: Iterable[StoredCertificate]) -> None:
        self._kept = list(certificates)

    def roots(self, use: CertificateUse) -> tuple[str, ...]:
        """The root certificates for that use, in PEM."""
        return tuple(record.chain[0] for record in self._kept if record.use is use)
