"""The certificate store: whom the station trusts, and how it proves itself (A00, A02, M03 to M05)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from station.device_model.components import SecurityCtrlr
from station.domain.certificates import CertificateUse, StoredCertificate, TlsMaterial
from station.domain.effects import RemoveCertificate, SaveCertificate
from station.domain.pki import validity

if TYPE_CHECKING:
    from station.ocpp.context import Context

Validity = tuple[datetime, datetime]


class CertificateStore:
    """All certificates in the order of their installation; whoever connects asks at that moment what to use.

    ``utc`` is the time of the running step. A certificate that cannot be read does not count as valid, but is kept.
    """

    def __init__(
        self, context: Context, certificates: Iterable[StoredCertificate], utc: Callable[[], datetime]
    ) -> None:
        self._context = context
        self._utc = utc
        self._kept = {record.certificate_id: record for record in certificates}
        self._validity: dict[str, Validity | None] = {}
        context.model.source(SecurityCtrlr.CertificateEntries, lambda: len(self))

    def __len__(self) -> int:
        return len(self._kept)

    # ------------------------------------------------------------------ asking

    def of(self, *uses: CertificateUse) -> list[StoredCertificate]:
        """Those for ``uses``; all where none is named."""
        return [record for record in self._kept.values() if not uses or record.use in uses]

    def roots(self, use: CertificateUse) -> tuple[str, ...]:
        """The root certificates for that use, in PEM."""
        return tuple(record.chain[0] for record in self.of(use))

    def material(self, at: datetime) -> TlsMaterial:
        """What a connection at that time needs."""
        roots = self.roots(CertificateUse.CSMS_ROOT)
        own = self.own(at)
        return TlsMaterial(roots, own.chain, own.key) if own else TlsMaterial(roots)

    def own(self, at: datetime) -> StoredCertificate | None:
        """The station's own certificate for a connection at that time.

        Of several that are valid it is the newest by the begin of its validity (A02.FR.09). Where none is, the newest
        all the same: a CSMS may let the station in to renew it (A00.FR.429), and the station's clock may be wrong.
        """
        ours = self.of(CertificateUse.CHARGING_STATION)
        if len(ours) < 2:
            return ours[0] if ours else None
        valid = [record for record in ours if self._valid(record, at)]
        return max(valid or ours, key=self._age)

    def usable_profiles(self) -> frozenset[int]:
        """The security profiles whose certificates are installed and valid (A05.FR.02, A05.FR.03); 1 needs none."""
        at = self._utc()
        usable = {1}
        if any(self._valid(record, at) for record in self.of(CertificateUse.CSMS_ROOT)):
            usable.add(2)
            if any(record.key and self._valid(record, at) for record in self.of(CertificateUse.CHARGING_STATION)):
                usable.add(3)
        return frozenset(usable)

    # ------------------------------------------------------------------ changing

    def add(self, record: StoredCertificate) -> None:
        """Keep a certificate; one with the same id is replaced (M05.FR.17)."""
        self._kept[record.certificate_id] = record
        self._context.emit(SaveCertificate(record))

    def remove(self, certificate_id: str) -> None:
        """Forget a certificate."""
        if self._kept.pop(certificate_id, None) is not None:
            self._context.emit(RemoveCertificate(certificate_id))

    # ------------------------------------------------------------------ inside

    def validity(self, record: StoredCertificate) -> Validity | None:
        """From when until when it is valid; None where it cannot be read."""
        if record.certificate_id not in self._validity:
            try:
                self._validity[record.certificate_id] = validity(record.chain[0])
            except (ValueError, IndexError):
                self._validity[record.certificate_id] = None
        return self._validity[record.certificate_id]

    def _valid(self, record: StoredCertificate, at: datetime) -> bool:
        period = self.validity(record)
        return period is not None and period[0] <= at <= period[1]

    def _age(self, record: StoredCertificate) -> tuple[bool, datetime]:
        period = self.validity(record)
        return period is not None, period[0] if period else record.installed
