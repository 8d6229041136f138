"""Who may charge (part 2, section 2.3)."""

from __future__ import annotations

from station.device_model.definition import (
    READ_ONLY,
    READ_WRITE,
    Component,
    boolean,
    integer,
    member_list,
    option_list,
    string,
)

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
    OfflineTxForEveryIdEnabled = boolean(
        False,
        READ_WRITE,
        "While offline, start for every card, even one that the authorization cache says is not accepted",
        vendor=True,
    )
    DisableRemoteAuthorization = boolean(
        False, READ_WRITE, "Never ask the CSMS about a card; only what the station itself knows counts"
    )
    MasterPassGroupId = string(
        "", READ_WRITE, "Cards of this group end running transactions, and never start one", maximum=36
    )
    MasterPassSelection = boolean(
        False,
        READ_WRITE,
        "A card of the master pass group lets a person choose on the web page what ends; false: everything ends",
        vendor=True,
    )
    SupportedIdTokenTypes = member_list(
        ID_TOKEN_TYPES,
        ("Central", "ISO14443", "Local"),
        READ_ONLY,
        "The kinds of token that are understood",
        constant=True,
    )


class AuthCacheCtrlr(Component):
    """What the CSMS has said of tokens, kept for the next time (part 2, section 2.4)."""

    Available = boolean(True, READ_ONLY, "There is an authorization cache, enabled or not", constant=True)
    Enabled = boolean(False, READ_WRITE, "The authorization cache is filled and asked")
    LifeTime = integer(
        2_592_000,
        READ_WRITE,
        "How long an entry is good after the CSMS last spoke of its token, unless the CSMS gives it a date",
        unit="s",
        minimum=1,
        maximum=315_360_000,
    )
    Policy = option_list(
        ("LRU", "LFU", "FIFO", "CUSTOM"),
        "CUSTOM",
        READ_WRITE,
        "Which entry makes room for a new one; CUSTOM: first what is not accepted, then the least recently used",
    )
    Storage = integer(
        0,
        READ_ONLY,
        "How much of the authorization cache's room is used; its limit is the room there is",
        unit="B",
        minimum=0,
        maximum=262_144,
        computed=True,
        rated=True,
    )
    DisablePostAuthorize = boolean(
        False, READ_WRITE, "Do not ask the CSMS again about a card that the cache says is not accepted"
    )
