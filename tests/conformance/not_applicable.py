"""Cases of the list that are not written, each with the condition of the list that excludes it."""

NOT_APPLICABLE: dict[str, str] = {
    # the last of either stays, for without it nobody could prove himself; their steps are in test_a_security.py
    # all the same, on a station that never had one
    "TC_A_20": "AQ-1: AQ-1 (last CSMS root certificate removable) is No",
    "TC_A_21": "AQ-3: AQ-3 (last charging station certificate removable) is No",
    # needs InstallCertificate with AdditionalRootCertificateCheck, which is part of the certificate store
    "TC_B_47": "AS-2 and C-47: AS-2 (AdditionalRootCertificateCheck) is No",
    # a cable that is locked until somebody is authorized; the reference board's hangs free
    "TC_C_05": "(C-30 or C-31 or C-32) and AQ-2 and (C-51 or C-09.2): AQ-2 is No",
    # an EV that charges with high-level communication only; the board is AC, mode 3
    "TC_E_54": "(HFS-4 or P-ISO) and not PST-MODE12: HFS-4 (DC) is No, P-ISO is not tested",
}
