"""The security events: part 2's list (appendix 1, with its criticality) and what here raises each; and our own.

A critical one is told to the CSMS (A04.FR.01), every one is written to the security log (A04.FR.04).
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 3600.0  # s


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of security event.

    ``raised_by`` says what in this station raises it; empty where nothing here can see it. ``quiet`` is how long, in
    seconds, the same thing told again is only counted: what can be provoked from outside must neither fill the log nor
    wear out the flash.
    """

    name: str
    critical: bool
    raised_by: str
    quiet: float = 0.0
    own: bool = False  # not in the appendix's list, and so never sent


_KINDS = (
    Kind("FirmwareUpdated", True, "a firmware that was installed and has booted"),
    Kind(
        "FailedToAuthenticateAtCsms",
        False,
        "the CSMS answering HTTP 401 or 403, or refusing the station's certificate",
        HOUR,
    ),
    Kind("CsmsFailedToAuthenticate", False, "the same as InvalidCsmsCertificate", HOUR),
    Kind("SettingSystemTime", True, "a time of the CSMS, or a jump of the machine's clock where that is followed"),
    Kind("StartupOfTheDevice", True, "the start of the station's processes after the supply was switched on"),
    Kind("ResetOrReboot", True, "the start of the station's processes for any other reason"),
    Kind("SecurityLogWasCleared", True, "an installer clearing the log on the page Logs"),
    Kind(
        "ReconfigurationOfSecurityParameters",
        False,
        "a change of SecurityCtrlr, the network profiles or their order, certificates, the administrator's password; "
        "of the web interface's access rules, certificate or VPN",
    ),
    Kind("MemoryExhaustion", True, "the disk or the memory of the machine getting full", HOUR),
    Kind("InvalidMessages", False, "a frame of the CSMS that is not OCPP, or is against its schema", HOUR),
    Kind("AttemptedReplayAttacks", False, "a call that was answered already coming again, to the byte", HOUR),
    Kind("TamperDetectionActivated", True, "the door contact of the board"),
    Kind("InvalidFirmwareSignature", True, "the check of a downloaded firmware"),
    Kind("InvalidFirmwareSigningCertificate", True, "the check of an UpdateFirmware request"),
    Kind("InvalidCsmsCertificate", True, "the TLS handshake with the CSMS", HOUR),
    Kind("InvalidChargingStationCertificate", True, "the check of a CertificateSigned request"),
    # A02.FR.29 of the errata of 2025-09
    Kind("DiscardedRenewedClientCertificate", True, "a renewed certificate of the station's that led to no connection"),
    Kind("InvalidTLSVersion", True, "the TLS handshake with the CSMS", HOUR),
    Kind("InvalidTLSCipherSuite", True, "the TLS handshake with the CSMS", HOUR),
    Kind("MaintenanceLoginAccepted", True, "a login to the web interface"),
    Kind("MaintenanceLoginFailed", True, "a failed login to the web interface, and a lockout after several", 60.0),
    Kind("ConfigurationChanged", False, "any other variable set by the CSMS or an installer", own=True),
)

KINDS = {kind.name: kind for kind in _KINDS}


def kind_of(name: str) -> Kind:
    """The kind of that name; one that is in no table counts as critical, for somebody meant it to be heard."""
    return KINDS.get(name) or Kind(name, True, "")
