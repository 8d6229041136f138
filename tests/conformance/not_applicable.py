"""Cases of the list that are not written, each with the condition of the list that excludes it."""

NOT_APPLICABLE: dict[str, str] = {
    # needs InstallCertificate with AdditionalRootCertificateCheck, which is part of the certificate store
    "TC_B_47": "AS-2 and C-47: AS-2 (AdditionalRootCertificateCheck) is No",
}
