"""How station and CSMS talk, and how much fits into a message (part 2, section 2.1; part 4, chapter 8)."""

from __future__ import annotations

from station.device_model.definition import (
    READ_ONLY,
    READ_WRITE,
    Component,
    Variable,
    boolean,
    integer,
    member_list,
    option_list,
    sequence_list,
)

DAY = 86_400
NETWORK_SLOTS = ("1", "2", "3")
INTERFACES = tuple(f"{kind}{number}" for kind in ("Wired", "Wireless") for number in range(4))


class OCPPCommCtrlr(Component):
    """The link to the CSMS."""

    ActiveNetworkProfile = integer(
        1, READ_ONLY, "The network configuration slot in use", minimum=1, computed=True, required="2.1.1, errata 2.57"
    )
    FileTransferProtocols = member_list(
        ("HTTP", "HTTPS"),
        ("HTTP", "HTTPS"),
        READ_ONLY,
        "What logs and firmware are moved with",
        constant=True,
        required="2.1.4",
    )
    HeartbeatInterval = integer(300, READ_WRITE, "Silence after which a Heartbeat is sent", unit="s", minimum=1)
    MessageTimeout = integer(
        30,
        READ_ONLY,
        "How long an answer of the CSMS is waited for; the network profile in use may say otherwise",
        instance="Default",
        unit="s",
        minimum=1,
        maximum=3600,
        persistent=True,
        required="2.1.3",
    )
    MaxMessageSize = integer(
        1_048_576,
        READ_ONLY,
        "Longest message of the CSMS that is read, in bytes; a longer one is answered with an error",
        minimum=1000,
        maximum=16_777_216,
        persistent=True,
        vendor=True,
    )
    MessageAttempts = integer(
        3,
        READ_WRITE,
        "How often a TransactionEvent that the CSMS fails to process is sent",
        instance="TransactionEvent",
        minimum=1,
        maximum=100,
        required="2.1.10",
    )
    MessageAttemptInterval = integer(
        60,
        READ_WRITE,
        "Pause before it is sent again, times the number of attempts so far",
        instance="TransactionEvent",
        unit="s",
        minimum=0,
        maximum=3600,
        required="2.1.11",
    )
    NetworkConfigurationPriority = sequence_list(
        NETWORK_SLOTS,
        ("1",),
        READ_WRITE,
        "The network configuration slots to connect with, the first one first",
        empty_allowed=False,
        reboot_required=True,
        required="2.1.6",
    )
    NetworkInterfaces = member_list(
        INTERFACES,
        ("Wired0", "Wireless0"),
        READ_ONLY,
        "What a network profile may name as its interface; the operating system sees to the route",
        empty_allowed=False,
        persistent=True,
        vendor=True,
    )
    NetworkProfileConnectionAttempts = integer(
        3, READ_WRITE, "Attempts with one slot before the next is tried", minimum=1, maximum=100, required="2.1.7"
    )
    OfflineThreshold = integer(
        60,
        READ_WRITE,
        "After being offline for longer, every connector's status is sent again",
        unit="s",
        minimum=0,
        maximum=DAY,
        required="2.1.8",
    )
    PublicKeyWithSignedMeterValue = option_list(
        ("Never", "OncePerTransaction", "EveryMeterValue"),
        "OncePerTransaction",
        READ_WRITE,
        "When the public key goes along with signed meter values",
    )
    QueueAllMessages = boolean(
        False, READ_WRITE, "Queue every message until the CSMS has it, not only TransactionEvents and security events"
    )
    ResetRetries = integer(
        1, READ_WRITE, "How often an unsuccessful reset is tried again", minimum=0, maximum=10, required="2.1.14"
    )
    RetryBackOffRepeatTimes = integer(
        5,
        READ_WRITE,
        "How often the pause before the next connection attempt doubles",
        minimum=0,
        maximum=20,
        required="part 4, 8.1",
    )
    RetryBackOffRandomRange = integer(
        10,
        READ_WRITE,
        "The most that chance adds to that pause",
        unit="s",
        minimum=0,
        maximum=3600,
        required="part 4, 8.2",
    )
    RetryBackOffWaitMinimum = integer(
        10, READ_WRITE, "The first such pause", unit="s", minimum=0, maximum=3600, required="part 4, 8.3"
    )
    UnlockOnEVSideDisconnect = boolean(
        False,
        READ_WRITE,
        "Unlock the cable at the station when it is pulled from the EV; with fixed cables only, it is ReadOnly",
        required="2.1.12",
    )
    WebSocketPingInterval = integer(
        120,
        READ_WRITE,
        "Time between WebSocket pings; 0: none",
        unit="s",
        minimum=0,
        maximum=DAY,
        required="part 4, 8.4",
    )


def _items(action: str, doc: str, required: str) -> Variable[int]:
    return integer(
        1000,
        READ_ONLY,
        doc,
        name="ItemsPerMessage",
        instance=action,
        minimum=1,
        maximum=1000,
        constant=True,
        required=required,
    )


def _bytes(action: str, default: int, doc: str, required: str) -> Variable[int]:
    return integer(
        default,
        READ_ONLY,
        doc,
        name="BytesPerMessage",
        instance=action,
        minimum=1000,
        maximum=1_000_000,
        constant=True,
        required=required,
    )


class DeviceDataCtrlr(Component):
    """How much of the device model fits into one message."""

    ItemsPerMessageGetReport = _items("GetReport", "Most entries in a GetReport or NotifyReport", "2.1.16")
    ItemsPerMessageGetVariables = _items("GetVariables", "Most entries in a GetVariables", "2.1.17")
    ItemsPerMessageSetVariables = _items("SetVariables", "Most entries in a SetVariables", "2.1.22")
    BytesPerMessageGetReport = _bytes("GetReport", 1000, "Longest GetReport or NotifyReport", "2.1.18")
    BytesPerMessageGetVariables = _bytes("GetVariables", 1_000_000, "Longest GetVariables", "2.1.19")
    BytesPerMessageSetVariables = _bytes("SetVariables", 1_000_000, "Longest SetVariables", "2.1.23")
    ConfigurationValueSize = integer(
        1000, READ_ONLY, "Longest value that can be set", minimum=1, maximum=1000, constant=True
    )
    SummaryInventoryEnabled = boolean(
        True, READ_WRITE, "GetBaseReport knows SummaryInventory, which is optional", vendor=True
    )
    ReportingValueSize = integer(
        2500, READ_ONLY, "Longest value that is reported", minimum=1, maximum=2500, constant=True
    )
