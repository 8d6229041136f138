"""Who may charge (part 2, section 2.3)."""

from __future__ import annotations

from station.device_model.definition import READ_ONLY, READ_WRITE, Component, boolean, member_list

ID_TOKEN_TYPES = (
    "Central",
    "eMAID",
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "MacAddress",
    "NoAuthorization",
)


class AuthCtrlr(Component):
    """Authorization in general."""

    Enabled = boolean(True, READ_WRITE, "Authorize before charging; false: everybody may charge")
    AuthorizeRemoteStart = boolean(
        False, READ_WRITE, "Ask the CSMS about the card that its own RequestStartTransaction names", required="2.3.4"
    )
    LocalAuthorizeOffline = boolean(
        True, READ_WRITE, "While offline, start for whom the station itself knows", required="2.3.5"
    )
    LocalPreAuthorize = boolean(
        False, READ_WRITE, "While online, start for whom the station itself knows, without asking", required="2.3.6"
    )
    OfflineTxForUnknownIdEnabled = boolean(True, READ_WRITE, "While offline, start for unknown cards, too")
    SupportedIdTokenTypes = member_list(
        ID_TOKEN_TYPES,
        ("Central", "ISO14443", "ISO15693"),
        READ_ONLY,
        "The kinds of token that are understood",
        constant=True,
    )
