"""B09, B10 and A05: network configuration slots."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.effects import SaveCertificate
from station.domain.events import LinkUp
from station.domain.network import NetworkProfile
from tests.support.memory_rig import CSMS_URL, EPOCH, MemoryRig
from tests.uplink.authority import Authority

OTHER = "ws://other.example:8080/ocpp"
SECURE = "wss://other.example/ocpp"


def started(*profiles: NetworkProfile, usable: tuple[int, ...] = (1,), **variables: str) -> MemoryRig:
    rig = MemoryRig(**variables)
    for profile in profiles:
        rig.disk.network_profiles[profile.slot] = profile
    authority = Authority(now=EPOCH)
    installed = {2: authority.installed, 3: authority.own}
    rig.disk.commit([SaveCertificate(installed[number]()) for number in usable if number > 1])
    rig.boot()
    rig.let(1)
    return rig


def set_profile(rig: MemoryRig, slot: int = 2, **changes: Any) -> tuple[str, str]:
    """The status and the reason code, empty for none."""
    data = {
        "messageTimeout": 20,
        "ocppCsmsUrl": OTHER,
        "ocppInterface": "Wired0",
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "securityProfile": 1,
        **changes,
    }
    answer = rig.call("SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode", "")


def priority(rig: MemoryRig, value: str) -> str:
    return rig.set_variable("OCPPCommCtrlr.NetworkConfigurationPriority", value)


def slots_in_force(rig: MemoryRig) -> list[int]:
    return [profile.slot for profile in rig.station.network.in_force]


def value(rig: MemoryRig, variable: str, component: str = "OCPPCommCtrlr", **instance: str) -> str:
    item = {"component": {"name": component}, "variable": {"name": variable, **instance}}
    result: str = rig.call("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]["attributeValue"]
    return result


# ------------------------------------------------------------------ B09


def test_a_slot_is_stored_at_once_and_connected_with_after_a_reboot() -> None:
    rig = started()
    assert set_profile(rig) == ("Accepted", "")
    assert rig.disk.network_profiles[2] == NetworkProfile(2, OTHER, 1, 20, "Wired0")
    assert slots_in_force(rig) == [1]  # B09, remark
    rig.power_cut()
    rig.boot()
    assert slots_in_force(rig) == [1, 2]


def test_the_slot_in_use_keeps_its_connection_data_until_a_reboot() -> None:
    rig = started()
    assert set_profile(rig, 1) == ("Accepted", "")
    assert rig.station.network.in_force[0].csms_url == CSMS_URL


def test_the_same_profile_again_is_not_written_again() -> None:
    rig = started()
    set_profile(rig)
    journal = len(rig.disk.journal)
    assert set_profile(rig) == ("Accepted", "")
    assert len(rig.disk.journal) == journal  # flash wear


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"slot": 0}, "InvalidConfSlot"),
        ({"slot": 4}, "InvalidConfSlot"),
        ({"slot": -1}, "InvalidConfSlot"),
        ({"ocppVersion": "OCPP16"}, "InvalidNetworkConf"),
        ({"ocppTransport": "SOAP"}, "InvalidNetworkConf"),
        ({"securityProfile": 0}, "InvalidNetworkConf"),
        ({"securityProfile": 4}, "InvalidNetworkConf"),
        ({"securityProfile": 2}, "InvalidNetworkConf"),  # over ws://
        ({"ocppCsmsUrl": SECURE}, "InvalidNetworkConf"),  # with security profile 1
        ({"ocppCsmsUrl": ""}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "http://other.example/"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "ws://user:secret@other.example/"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "ws://other.example/\n"}, "InvalidNetworkConf"),
        ({"ocppCsmsUrl": "ws://other.example:99999/"}, "InvalidNetworkConf"),
        ({"messageTimeout": 0}, "InvalidNetworkConf"),
        ({"messageTimeout": -5}, "InvalidNetworkConf"),
        ({"messageTimeout": 3601}, "InvalidNetworkConf"),
        ({"ocppInterface": "Wired3"}, "InvalidNetworkConf"),
        ({"apn": {"apn": "x", "apnAuthentication": "NONE"}}, "InvalidNetworkConf"),
        (
            {"vpn": {"server": "x", "user": "x", "password": "x", "key": "x", "type": "IPSec"}},
            "InvalidNetworkConf",
        ),
    ],
)
def test_what_this_station_cannot_connect_with_is_refused_and_changes_nothing(
    changes: dict[str, Any], reason: str
) -> None:
    """B09.FR.02, B09.FR.05, errata 2.11."""
    rig = started()
    before = dict(rig.disk.network_profiles)
    assert set_profile(rig, **changes) == ("Rejected", reason)
    assert rig.disk.network_profiles == before


def test_less_security_than_in_use_is_refused() -> None:
    """B09.FR.04."""
    rig = started(NetworkProfile(1, SECURE, 2), usable=(1, 2))
    assert set_profile(rig) == ("Rejected", "NoSecurityDowngrade")
    assert set_profile(rig, ocppCsmsUrl=SECURE, securityProfile=2) == ("Accepted", "")


# ------------------------------------------------------------------ B10, A05: the order


def test_the_order_takes_slots_that_are_configured_and_works_after_a_reboot() -> None:
    """B10.FR.01, B10.FR.02, B10.FR.04."""
    rig = started()
    assert priority(rig, "2,1") == "Rejected"
    set_profile(rig)
    assert priority(rig, "2,3") == "Rejected"
    assert priority(rig, "2,1") == "RebootRequired"
    assert priority(rig, "2,2") == "Rejected"


@pytest.mark.parametrize(
    ("security_profile", "usable", "status"),
    [
        (2, (1,), "Rejected"),  # A05.FR.02
        (3, (1,), "Rejected"),
        (2, (1, 2), "RebootRequired"),  # A05.FR.04
        (2, (1, 3), "Rejected"),
        (3, (1, 3), "Rejected"),
        (3, (1, 2), "Rejected"),  # A05.FR.03
        (3, (1, 2, 3), "RebootRequired"),
    ],
)
def test_more_security_needs_its_certificates(security_profile: int, usable: tuple[int, ...], status: str) -> None:
    rig = started(usable=usable)
    assert set_profile(rig, ocppCsmsUrl=SECURE, securityProfile=security_profile) == ("Accepted", "")
    assert priority(rig, "2,1") == status
    assert value(rig, "SecurityProfile", "SecurityCtrlr") == "1"


@pytest.mark.parametrize("days", [-1, 1])
def test_a_certificate_that_is_not_valid_is_as_good_as_none(days: int) -> None:
    rig = started(usable=(1, 2))
    rig.disk.commit([SaveCertificate(Authority(now=EPOCH).own(days=days))])
    rig.power_cut()
    rig.boot()
    assert set_profile(rig, ocppCsmsUrl=SECURE, securityProfile=3) == ("Accepted", "")
    assert priority(rig, "2,1") == ("Rejected" if days < 0 else "RebootRequired")


def test_once_connected_with_more_security_there_is_no_way_back() -> None:
    """A05.FR.06."""
    rig = started(usable=(1, 2))
    set_profile(rig, ocppCsmsUrl=SECURE, securityProfile=2)
    priority(rig, "2,1")
    rig.power_cut()
    rig.boot(connect=False)
    rig.connect(2)
    rig.let(1)
    assert value(rig, "SecurityProfile", "SecurityCtrlr") == "2"
    assert value(rig, "NetworkConfigurationPriority") == "2"
    assert value(rig, "ActiveNetworkProfile") == "2"
    assert sorted(rig.disk.network_profiles) == [2]
    assert slots_in_force(rig) == [2]
    assert priority(rig, "2,1") == "Rejected"
    rig.power_cut()
    rig.boot(connect=False)
    assert slots_in_force(rig) == [2]


def test_a_failed_upgrade_leaves_the_old_slot() -> None:
    """A05.FR.06 waits for the connection."""
    rig = started(usable=(1, 2))
    set_profile(rig, ocppCsmsUrl=SECURE, securityProfile=2)
    priority(rig, "2,1")
    rig.power_cut()
    rig.boot(connect=False)
    rig.connect(1)
    assert value(rig, "SecurityProfile", "SecurityCtrlr") == "1"
    assert sorted(rig.disk.network_profiles) == [1, 2]


def test_the_message_timeout_is_the_profile_s() -> None:
    """Part 2, 2.1.3 of the referenced components and variables."""
    rig = started(NetworkProfile(2, OTHER, 1, 7))
    assert value(rig, "MessageTimeout", instance="Default") == "30"
    rig.disconnect()
    rig.connect(2)
    assert value(rig, "MessageTimeout", instance="Default") == "7"


# ------------------------------------------------------------------ B10.FR.10


def test_another_slot_without_a_boot_registers_anew() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    rig.disconnect()
    rig.let(1)
    rig.answers["BootNotification"] = {"status": "Pending", "interval": 60, "currentTime": "2026-03-01T12:00:00Z"}
    rig.connect(2)
    rig.let(1)
    assert [boot["reason"] for boot in rig.sent("BootNotification")] == ["PowerUp", "Unknown"]
    rig.plug()
    assert rig.statuses()[-1] == "Available"  # the new CSMS has not accepted the station
    rig.answers.clear()
    rig.let(61)
    assert rig.statuses()[-1] == "Occupied"


def test_the_same_slot_again_does_not() -> None:
    rig = started()
    rig.disconnect()
    rig.step(LinkUp(1, 1))
    assert len(rig.sent("BootNotification")) == 1


def test_moving_before_the_first_acceptance_keeps_the_boot_reason() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    rig.power_cut()
    rig.boot(connect=False)
    rig.answers["BootNotification"] = None
    rig.connect(1)
    rig.disconnect()
    rig.answers.clear()
    rig.connect(2)
    rig.let(1)
    assert [boot["reason"] for boot in rig.sent("BootNotification")][-1] == "PowerUp"
