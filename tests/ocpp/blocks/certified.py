"""Stations with certificates to begin a test with: one in security profile 3, and what the CSMS does there."""

from __future__ import annotations

from functools import partial
from typing import Any

from station.domain.certificates import CertificateUse
from station.domain.effects import SaveCertificate
from station.domain.events import ConnectionFailed
from station.domain.network import FailureCause, NetworkProfile
from tests.support.memory_rig import EPOCH, MemoryRig
from tests.uplink.authority import Authority, own_record, private_pem

URL = "wss://csms-1.example/ocpp"


authority = partial(Authority, now=EPOCH)  # whose certificates are good by the rig's clock


class Certified:
    """A station in security profile ``profile`` with the CSMS root ``authority`` and a certificate of its own."""

    def __init__(self, *, profile: int = 3, slots: int = 1, days: int = 300, **variables: str) -> None:
        self.authority = authority("CSO Root")
        rig = self.rig = MemoryRig(
            **{
                "SecurityCtrlr.Identity": "CS001",
                "SecurityCtrlr.OrganizationName": "Test",
                "SecurityCtrlr.SecurityProfile": str(profile),
                "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "2",
                "OCPPCommCtrlr.NetworkConfigurationPriority": ",".join(str(slot + 1) for slot in range(slots)),
                "SampledDataCtrlr.TxUpdatedInterval": "0",
                "AlignedDataCtrlr.Interval": "0",
                **variables,
            }
        )
        for slot in range(1, slots + 1):
            rig.disk.network_profiles[slot] = NetworkProfile(slot, URL, profile)
        certificate, key = self.authority.pair("CS001", days=days)
        self.first = own_record(certificate, "station-first.pem")
        (rig.signing.keys / "station-first.pem").write_bytes(private_pem(key))
        rig.disk.commit([SaveCertificate(self.authority.installed())])
        if profile >= 3:
            rig.disk.commit([SaveCertificate(self.first)])
        rig.boot()
        rig.let(1)

    # ------------------------------------------------------------------ the CSMS

    def trigger(self) -> str:
        """TriggerMessage; the response's status. The request has been sent when this returns."""
        status: str = self.rig.call("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})["status"]
        self.rig.let(1)
        return status

    @property
    def csr(self) -> str:
        """The request that the station sent last."""
        return str(self.rig.sent("SignCertificate")[-1]["csr"])

    def signed(self, chain: str = "", **more: Any) -> tuple[str, str]:
        """CertificateSigned; status and reason code."""
        chain = chain or self.authority.sign(self.csr)
        answer = self.rig.call(
            "CertificateSigned", {"certificateChain": chain, "certificateType": "ChargingStationCertificate", **more}
        )
        return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")

    def renewed(self) -> str:
        """Trigger, request and answer; returns the new certificate, which is to be tried from now on."""
        assert self.trigger() == "Accepted"
        new = self.authority.sign(self.csr)
        assert self.signed(new) == ("Accepted", "")
        return new

    def install(self, certificate: str, use: str = "CSMSRootCertificate") -> str:
        answer = self.rig.call("InstallCertificate", {"certificateType": use, "certificate": certificate})
        status: str = answer["status"]
        return status

    def security_events(self) -> list[str]:
        self.rig.let(1)
        return [event["type"] for event in self.rig.sent("SecurityEventNotification")]

    # ------------------------------------------------------------------ the link

    def shown(self, slot: int = 1) -> str:
        """The certificate that the station proves itself with."""
        return self.rig.material(slot).chain[0]

    def reconnect(self, slot: int = 1) -> None:
        if self.rig.online:
            self.rig.disconnect()
        self.rig.connect(slot)
        self.rig.let(1)

    def fail(self, cause: FailureCause = FailureCause.STATION_CERTIFICATE, slot: int = 1) -> None:
        """An attempt to connect that came to nothing."""
        if self.rig.online:
            self.rig.disconnect()
        self.rig.material(slot)
        self.rig.step(ConnectionFailed(slot, 3, cause, "test"))

    # ------------------------------------------------------------------ what is kept

    def own(self) -> list[str]:
        """The station's certificates on the disk, in PEM."""
        return [
            record.chain[0]
            for record in self.rig.disk.certificates.values()
            if record.use is CertificateUse.CHARGING_STATION
        ]

    def roots(self) -> list[str]:
        return [
            record.chain[0] for record in self.rig.disk.certificates.values() if record.use is CertificateUse.CSMS_ROOT
        ]

    def key_files(self) -> list[str]:
        return sorted(path.name for path in self.rig.signing.keys.iterdir())
