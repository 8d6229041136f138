"""Functional block M, the part for CSMS and manufacturer: which certificates are installed (M03 to M05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from station.device_model.components import SecurityCtrlr
from station.domain import pki
from station.domain.certificates import ROOTS, CertificateUse, StoredCertificate
from station.domain.effects import FinishCommand
from station.domain.events import ConnectionFailed, LinkUp, OperatorCommand
from station.domain.moment import Moment
from station.domain.network import FailureCause
from station.domain.pki import BadCertificate
from station.domain.signals import SecurityEvent
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

CHILDREN = 4  # CertificateHashDataChainType.childCertificateHashData
INFO_LENGTH = 512  # StatusInfoType.additionalInfo


class _Full(Exception):
    """There is no room for another certificate."""


class Certificates(Block):
    """Installs, lists and deletes root certificates, for the CSMS and for an operator."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._store = context.certificates
        self.actions = {
            "InstallCertificate": self.install_certificate,
            "GetInstalledCertificateIds": self.get_installed,
            "DeleteCertificate": self.delete_certificate,
        }

    def on(self, event: object, now: Moment) -> None:
        match event:
            case LinkUp(security_profile=security_profile) if security_profile >= 2:
                if self._store.csms_trusted():  # M05.FR.13
                    self._context.journal(now, "csms_root_proven")
            case ConnectionFailed(cause=FailureCause.CSMS_CERTIFICATE):
                if self._store.csms_not_trusted(event.slot):  # M05.FR.14, M05.FR.16
                    change = self._store.root_change
                    self._context.journal(now, "csms_root_swapped", side=change.use if change else "")
            case OperatorCommand(action="install_certificate") if event.arguments.get("use") in ROOTS:
                self._operator_install(event, now)
            case OperatorCommand(action="delete_certificate"):
                self._operator_delete(event, now)

    # ------------------------------------------------------------------ M05

    def install_certificate(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer InstallCertificateRequest."""
        try:
            self._install(CertificateUse(request["certificateType"]), request["certificate"], now, "csms")
        except _Full as full:
            return _refused("Rejected", "OutOfStorage", str(full))  # M05.FR.06
        except BadCertificate as flaw:
            return _refused("Rejected", "InvalidCertificate", str(flaw))  # M05.FR.07, M05.FR.11
        return {"status": "Accepted"}  # M05.FR.02; what cannot be stored ends the step, and the CSMS hears nothing

    def _install(self, use: CertificateUse, text: str, now: Moment, who: str) -> StoredCertificate:
        pems = pki.split(text)
        if len(pems) > 1:
            raise BadCertificate("a root is a single certificate, and this is a chain")
        certificate = pki.read(pems[0])
        pki.check_dates(certificate, self._context.clock.utc(now))
        pki.check_strength(certificate)
        pki.check_authority(certificate)
        checked = use is CertificateUse.CSMS_ROOT and self._context.model[SecurityCtrlr.AdditionalRootCertificateCheck]
        certificate_id = pki.certificate_id(use, pems[0])
        issuer = self._issuer(certificate, use, strictly=checked and self._store.get(certificate_id) is None)
        self._make_sure_of_room(certificate_id, replaces=checked)
        # What its issuer is, its hash data says for as long as it is here, also when the issuer itself has gone.
        chain = pems if issuer is certificate else (*pems, pki.pem(issuer))
        record = StoredCertificate(certificate_id, use, chain, self._context.clock.utc(now))
        if not checked or self._known(record):
            self._store.add(record)  # M05.FR.17
        else:
            self._store.replace_roots(record)  # M05.FR.10, M05.FR.12
        name = pki.subject(certificate)
        self._context.journal(now, "certificate_installed", use=use.value, subject=name, who=who)
        self._security_event(f"{use} installed: {name}")
        return record

    def _known(self, record: StoredCertificate) -> bool:
        return self._store.get(record.certificate_id) is not None

    def _issuer(self, certificate: Certificate, use: CertificateUse, *, strictly: bool) -> Certificate:
        """Who vouches for a root: itself, or a root for the same use that is here already (a cross-signed one).

        ``strictly``: it must be the latter, once there is one (AdditionalRootCertificateCheck).
        """
        here = self._store.readable(use)
        issuer = next((one for one in here if pki.is_issued_by(certificate, one)), None)
        if strictly and here:
            if issuer is None:
                raise BadCertificate("it is not signed by the root that it would replace")  # M05.FR.11
            return issuer
        if pki.is_self_signed(certificate):
            return certificate
        if issuer is None:
            raise BadCertificate("neither itself nor an installed root vouches for it")
        return issuer

    def _make_sure_of_room(self, certificate_id: str, *, replaces: bool) -> None:
        room = int(self._context.model.limits(SecurityCtrlr.CertificateEntries).maximum or 0)
        if len(self._store) >= room and not replaces and self._store.get(certificate_id) is None:
            raise _Full(f"{room} certificates are installed, and no more is possible")

    # ------------------------------------------------------------------ M03

    def get_installed(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer GetInstalledCertificateIdsRequest."""
        wanted = {CertificateUse(name) for name in request.get("certificateType", ())}
        listed = {*ROOTS, CertificateUse.V2G_CHAIN}  # the station's own certificate has no place in the list
        found = [
            entry
            for record in self._store.of(*(wanted or listed))
            if (entry := self._listed(record)) and record.use in listed
        ]
        if not found:
            return {"status": "NotFound"}  # M03.FR.02
        return {"status": "Accepted", "certificateHashDataChain": found}  # M03.FR.03, M03.FR.04

    def _listed(self, record: StoredCertificate) -> dict[str, Any] | None:
        first, *children = self._hash_data(record)
        if first is None:
            return None
        entry: dict[str, Any] = {"certificateType": record.use.value, "certificateHashData": first}
        below = [data for data in children if data][:CHILDREN]
        if below and record.use is CertificateUse.V2G_CHAIN:
            entry["childCertificateHashData"] = below  # M03.FR.05
        return entry

    def _hash_data(self, record: StoredCertificate, algorithm: str = "SHA256") -> list[Mapping[str, str] | None]:
        """For each certificate of the chain; None where it is damaged, or its issuer is not known."""
        found: list[Mapping[str, str] | None] = []
        try:
            chain = [pki.read(pem) for pem in record.chain]
            roots = self._store.readable(*ROOTS)
            for certificate in chain:
                issuer = next((one for one in [*chain, *roots] if pki.is_issued_by(certificate, one)), None)
                found.append(pki.hash_data(certificate, issuer, algorithm) if issuer else None)
        except BadCertificate:
            return [None]
        return found or [None]

    # ------------------------------------------------------------------ M04

    def delete_certificate(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer DeleteCertificateRequest."""
        wanted = request["certificateHashData"]
        found = [
            record
            for record in self._store.of()
            if (data := self._hash_data(record, wanted["hashAlgorithm"])[0]) and pki.same_hash_data(data, wanted)
        ]
        if not found:
            return {"status": "NotFound"}  # M04.FR.04
        needed = next((why for record in found if (why := self._needed(record))), "")
        if needed:
            return _refused("Failed", "UnsupportedRequest", needed)  # M04.FR.03, M04.FR.06
        for record in found:
            self._delete(record, now, "csms")
        return {"status": "Accepted"}  # M04.FR.02

    def _needed(self, record: StoredCertificate) -> str:
        """Why a certificate must stay; empty where it may go."""
        if record.use is CertificateUse.CHARGING_STATION:
            return "the charging station certificate is not deleted, but renewed"
        if record.use is CertificateUse.CSMS_ROOT and len(self._store.of(CertificateUse.CSMS_ROOT)) == 1:
            return "it is the last CSMS root certificate: without one, no CSMS could prove itself"
        return ""

    def _delete(self, record: StoredCertificate, now: Moment, who: str) -> None:
        self._store.remove(record.certificate_id)
        try:
            name = pki.subject(pki.read(record.chain[0]))
        except (BadCertificate, IndexError):
            name = "(unreadable)"
        self._context.journal(now, "certificate_deleted", use=record.use.value, subject=name, who=who)
        self._security_event(f"{record.use} deleted: {name}")

    # ------------------------------------------------------------------ an operator

    def _operator_install(self, command: OperatorCommand, now: Moment) -> None:
        text = command.arguments.get("certificate")
        try:
            self._install(CertificateUse(command.arguments["use"]), str(text or ""), now, command.who)
        except (BadCertificate, _Full) as flaw:
            self._finish(command, "Rejected", f"The certificate was not installed: {flaw}.")
        else:
            self._finish(command, "Accepted", "The certificate was installed.")

    def _operator_delete(self, command: OperatorCommand, now: Moment) -> None:
        record = self._store.get(str(command.arguments.get("certificate_id")))
        if record is None:
            self._finish(command, "Rejected", "There is no such certificate.")
        elif needed := self._needed(record):
            self._finish(command, "Rejected", f"The certificate stays: {needed}.")
        else:
            self._delete(record, now, command.who)
            self._finish(command, "Accepted", "The certificate was deleted.")

    def _finish(self, command: OperatorCommand, status: str, message: str) -> None:
        self._context.emit(FinishCommand(command.command_id, status, message))

    def _security_event(self, info: str) -> None:
        self._context.raise_signal(SecurityEvent("ReconfigurationOfSecurityParameters", info, critical=False))


def _refused(status: str, reason_code: str, info: str) -> dict[str, Any]:
    return {"status": status, "statusInfo": {"reasonCode": reason_code, "additionalInfo": info[:INFO_LENGTH]}}
