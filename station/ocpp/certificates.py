"""The certificate store: whom the station trusts, and how it proves itself (A00, A02, M03 to M05)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.domain import pki
from station.domain.certificates import CertificateUse, StoredCertificate, TlsMaterial
from station.domain.effects import ForgetKey, RemoveCertificate, SaveCertificate

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from station.ocpp.context import Context

T = TypeVar("T")
Validity = tuple[datetime, datetime]

# Remembered
ROOT_CHANGE = "csms_root_change"
TRIAL = "station_certificate_trial"
REQUEST = "certificate_request"  # see blocks.a_station_certificate; its key must be kept
NEW, OLD = "new", "old"


@dataclass(slots=True)
class RootChange:
    """AdditionalRootCertificateCheck: a new CSMS root that no connection was made with yet (M05.FR.12).

    ``old`` are the ids of what it replaces, and ``use`` says which side connections by ``slot`` verify with, the one
    that was in use; other slots always have the new one (M05.FR.15).
    """

    new: str
    old: list[str]
    slot: int
    use: str = NEW


@dataclass(slots=True)
class Trial:
    """A renewed certificate of the station's own that no connection was made with yet (A02.FR.10, A02.FR.28)."""

    new: str
    old: str
    use: str = NEW


@dataclass(frozen=True, slots=True)
class _Given:
    """What the last connection was given: which side of a root change and of a trial, where there are any."""

    roots: str = NEW
    own: str = NEW


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
        self.without = ""  # the id of a CSMS root that connections are tried without
        self._given = _Given()
        self.root_change = _recalled(RootChange, context.remembered.get(ROOT_CHANGE))
        self.trial = _recalled(Trial, context.remembered.get(TRIAL))
        context.model.source(SecurityCtrlr.CertificateEntries, lambda: len(self))

    def __len__(self) -> int:
        """How many there are. What is kept as a fall-back is not counted: it goes by itself."""
        return len(self._kept) - len(self.fallbacks)

    @property
    def fallbacks(self) -> list[str]:
        """The ids of what is kept only until its successor has proven itself."""
        ids = [*(self.root_change.old if self.root_change else ()), *([self.trial.old] if self.trial else ())]
        return [certificate_id for certificate_id in ids if certificate_id in self._kept]

    # ------------------------------------------------------------------ asking

    def of(self, *uses: CertificateUse) -> list[StoredCertificate]:
        """Those for ``uses``; all where none is named."""
        return [record for record in self._kept.values() if not uses or record.use in uses]

    def get(self, certificate_id: str) -> StoredCertificate | None:
        """That certificate, or None."""
        return self._kept.get(certificate_id)

    def roots(self, use: CertificateUse) -> tuple[str, ...]:
        """The root certificates for that use, in PEM."""
        return tuple(record.chain[0] for record in self.of(use))

    def readable(self, *uses: CertificateUse) -> list[Certificate]:
        """The certificates for those uses, the first one of each chain; what is damaged is passed over."""
        found = []
        for record in self.of(*uses):
            with suppress(ValueError, IndexError):
                found.append(pki.read(record.chain[0]))
        return found

    def material(self, at: datetime, slot: int) -> TlsMaterial:
        """What a connection by a network slot needs at that time; the next LinkUp or ConnectionFailed is about it."""
        self._given = _Given(self._side(slot), self.trial.use if self.trial else NEW)
        return self.look(at, slot)

    def look(self, at: datetime, slot: int) -> TlsMaterial:
        """As ``material``, for somebody who only wants to look: nothing follows from it."""
        side = self._side(slot)
        installed = self.of(CertificateUse.CSMS_ROOT)
        roots = [record for record in installed if self._serves(record, side)] or installed
        roots = [record for record in roots if record.certificate_id != self.without] or roots
        own = self.own(at)
        trusted = tuple(record.chain[0] for record in roots)
        return TlsMaterial(trusted, own.chain, own.key) if own else TlsMaterial(trusted)

    def _serves(self, record: StoredCertificate, side: str) -> bool:
        change = self.root_change
        return change is None or (record.certificate_id in change.old) == (side == OLD)

    def _side(self, slot: int) -> str:
        change = self.root_change
        return change.use if change and slot == change.slot else NEW

    def own(self, at: datetime) -> StoredCertificate | None:
        """The station's own certificate for a connection at that time.

        Of several that are valid it is the newest by the begin of its validity. Where none is, the newest all the
        same: the CSMS decides whether it lets the station in to renew it (A00.FR.430), and the clock may be wrong.
        """
        if self.trial:
            chosen = self._kept.get(self.trial.new if self.trial.use == NEW else self.trial.old)
            if chosen:
                return chosen
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

    def validity(self, record: StoredCertificate) -> Validity | None:
        """From when until when it is valid; None where it cannot be read."""
        if record.certificate_id not in self._validity:
            try:
                self._validity[record.certificate_id] = pki.validity(record.chain[0])
            except (ValueError, IndexError):
                self._validity[record.certificate_id] = None
        return self._validity[record.certificate_id]

    def keys(self) -> frozenset[str]:
        """The private keys that are needed, that of a pending request among them."""
        request = self._context.remembered.get(REQUEST)
        pending = str(request.get("key") or "") if isinstance(request, Mapping) else ""
        return frozenset(key for key in [pending, *(record.key for record in self._kept.values())] if key)

    # ------------------------------------------------------------------ changing

    def add(self, record: StoredCertificate) -> None:
        """Keep a certificate; one with the same id is replaced (M05.FR.17)."""
        self._kept[record.certificate_id] = record
        self._context.emit(SaveCertificate(record))

    def remove(self, certificate_id: str) -> None:
        """Forget a certificate, and its key where nothing else needs it."""
        record = self._kept.pop(certificate_id, None)
        if record is None:
            return
        self._context.emit(RemoveCertificate(certificate_id))
        change, trial = self.root_change, self.trial
        if change and (certificate_id == change.new or set(change.old) <= {certificate_id}):
            self._change_roots(None)
        elif change and certificate_id in change.old:
            change.old.remove(certificate_id)
            self._change_roots(change)
        if trial and certificate_id in (trial.new, trial.old):
            self._try(None)
        self.forget_key(record.key)

    def forget_key(self, key: str) -> None:
        """Have a private key destroyed, unless it is needed."""
        if key and key not in self.keys():
            self._context.emit(ForgetKey(key))

    # ------------------------------------------------------------------ a new root is tried

    def replace_roots(self, record: StoredCertificate) -> None:
        """Keep a new CSMS root, and those before it until a connection was made with it (M05.FR.12)."""
        old = [one.certificate_id for one in self.of(CertificateUse.CSMS_ROOT)]
        old = [certificate_id for certificate_id in old if certificate_id != record.certificate_id]
        self.add(record)
        if old:
            slot = self._context.model[OCPPCommCtrlr.ActiveNetworkProfile]
            self._change_roots(RootChange(record.certificate_id, old, slot))

    def csms_not_trusted(self, slot: int) -> bool:
        """The CSMS's certificate did not verify; True where another root will be tried next."""
        change = self.root_change
        if change is None:
            return False
        # M05.FR.16: from another slot, it goes back with the old one. An attempt from before the last swap is no news.
        if (NEW if slot != change.slot else self._given.roots) != change.use:
            return False
        self._change_roots(RootChange(change.new, change.old, change.slot, _other(change.use)))  # M05.FR.14
        return True

    def csms_trusted(self) -> bool:
        """A connection was made; True where the new root has proven itself with it, and the old ones are gone."""
        change = self.root_change
        if change is None or self._given.roots == OLD:
            return False
        self._change_roots(None)
        for certificate_id in change.old:  # M05.FR.13
            self.remove(certificate_id)
        return True

    def _change_roots(self, change: RootChange | None) -> None:
        self.root_change = change
        self._context.remember(ROOT_CHANGE, asdict(change) if change else None)

    # ------------------------------------------------------------------ a renewed certificate is tried

    def renew(self, record: StoredCertificate, at: datetime, *, in_use: bool) -> None:
        """Keep a new certificate of the station's own.

        ``in_use``: connections prove themselves with the one before, which stays until the new one has worked.
        Otherwise it takes that one's place at once.
        """
        before = self.own(at)
        spare = [one for one in self.of(CertificateUse.CHARGING_STATION) if one.certificate_id != record.certificate_id]
        self._try(None)
        self.add(record)
        for one in spare:
            if not in_use or one is not before:
                self.remove(one.certificate_id)
        if in_use and before in spare:
            assert before is not None  # noqa: S101 - for the type checker
            self._try(Trial(record.certificate_id, before.certificate_id))

    @property
    def tried(self) -> bool:
        """Whether the last connection was given what is to be tried now; else it began before the last swap."""
        return self.trial is not None and self._given.own == self.trial.use

    def swap(self) -> None:
        """The next connections prove themselves with the other certificate of the trial (A02.FR.28)."""
        if self.trial:
            self._try(Trial(self.trial.new, self.trial.old, _other(self.trial.use)))

    def settle(self) -> str:
        """A connection was made: what it was not made with goes (A02.FR.10). Which one stays: new, old, or empty."""
        trial, side = self.trial, self._given.own
        if trial is None:
            return ""
        self._try(None)
        self.remove(trial.old if side == NEW else trial.new)
        return side

    def _try(self, trial: Trial | None) -> None:
        self.trial = trial
        self._context.remember(TRIAL, asdict(trial) if trial else None)

    # ------------------------------------------------------------------ inside

    def _valid(self, record: StoredCertificate, at: datetime) -> bool:
        period = self.validity(record)
        return period is not None and period[0] <= at <= period[1]

    def _age(self, record: StoredCertificate) -> tuple[bool, datetime]:
        period = self.validity(record)
        return period is not None, period[0] if period else record.installed


def _other(side: str) -> str:
    return OLD if side == NEW else NEW


def _recalled(kind: type[T], kept: object) -> T | None:
    """What was remembered as a dictionary; None where there is nothing, or it is damaged."""
    try:
        return kind(**kept) if isinstance(kept, dict) else None
    except TypeError:
        return None
