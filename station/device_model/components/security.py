"""Who the station is to the CSMS, and how it proves it (part 2, section 2.2)."""

from __future__ import annotations

from station.device_model import values
from station.device_model.definition import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    Component,
    boolean,
    integer,
    option_list,
    string,
)

IDENTITY_LENGTH = 48  # part 2, section 2.2.2
PASSWORD_LENGTH = (16, 40)  # A00.FR.205
KEY_TYPES = ("P-256", "P-384", "RSA-3072")


class SecurityCtrlr(Component):
    """Identity, password, certificates."""

    BasicAuthPassword = string(
        "",
        WRITE_ONLY,
        "The password for HTTP Basic authentication",
        min_length=PASSWORD_LENGTH[0],
        maximum=PASSWORD_LENGTH[1],
        secret=True,
        required="2.2.1",
    )
    Identity = string(
        "",
        READ_ONLY,
        "The station's name at the CSMS: the last segment of the URL, and the user name",
        maximum=IDENTITY_LENGTH,
        format=values.identity,
        empty_allowed=False,
        persistent=True,
    )
    OrganizationName = string(
        "",
        READ_WRITE,
        "The organization in the station's certificate requests",
        maximum=64,  # X.520: upper bound of organizationName
        required="2.2.3",
    )
    AllowCSMSTLSWildcards = boolean(
        False, READ_WRITE, "A CSMS certificate may name its host by a wildcard such as *.example.com"
    )
    AllowRSACipherSuites = boolean(
        False,
        READ_WRITE,
        "TLS 1.2 also with the cipher suites of an RSA certificate, for an older CSMS",
        vendor=True,
    )
    RevocationCheck = option_list(
        ("Off", "IfReachable", "Required"),
        "IfReachable",
        READ_WRITE,
        "Whether the OCSP server or CRL that a CSMS certificate names is asked, and must answer",
        vendor=True,
    )
    CertificateEntries = integer(
        0, READ_ONLY, "Certificates installed now", minimum=0, maximum=30, computed=True, required="2.2.4"
    )
    SecurityLogEntries = integer(
        5000,
        READ_WRITE,
        "Entries of the security log that are kept, the newest ones",
        minimum=500,
        maximum=20_000,
        vendor=True,
    )
    AdditionalRootCertificateCheck = boolean(
        False,
        READ_ONLY,
        "Only one CSMS root at a time, and a new one must be signed by the one that it replaces",
        persistent=True,
    )
    MaxCertificateChainSize = integer(
        10_000,
        READ_ONLY,
        "Longest certificate chain that CertificateSigned may bring, in characters",
        minimum=1_000,
        maximum=10_000,
        persistent=True,
    )
    CertSigningWaitMinimum = integer(
        0,
        READ_WRITE,
        "How long a signed certificate is waited for before it is asked for again, doubled every time; 0: not again",
        unit="s",
        minimum=0,
        maximum=86_400,
    )
    CertSigningRepeatTimes = integer(
        3, READ_WRITE, "How often that wait is doubled before the station gives up", minimum=0, maximum=10
    )
    CertificateKeyType = option_list(
        KEY_TYPES,
        KEY_TYPES[0],
        READ_WRITE,
        "The key pair of the station's next certificate request",
        vendor=True,
    )
    SecurityProfile = integer(
        1,
        READ_ONLY,
        "The security profile in use",
        minimum=1,
        maximum=3,
        persistent=True,
        required="2.2.5",
    )
