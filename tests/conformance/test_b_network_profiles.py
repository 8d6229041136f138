"""Part 6, section 2.3: B Provisioning. Network profiles: setting, moving, falling back, reconnecting (B09, B10)."""

from collections.abc import Mapping

import pytest

from tests.conformance.rig import Rig
from tests.conformance.states import booted

WAIT = 2  # s: <Configured RetryBackOffWaitMinimum>
BACK_OFF = {
    "OCPPCommCtrlr.RetryBackOffRepeatTimes": "0",
    "OCPPCommCtrlr.RetryBackOffRandomRange": "0",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum": str(WAIT),
}
SLACK = 0.3  # s that hanging up may take to reach the station, or be noticed by the test


def active_slot(rig: Rig) -> str:
    value: str = rig.get_variable("OCPPCommCtrlr", "ActiveNetworkProfile")["attributeValue"]
    return value


def set_profile(rig: Rig, slot: int, url: str) -> str:
    """SetNetworkProfile as the OCTT sends it; returns the status."""
    profile = {
        "messageTimeout": 30,
        "ocppCsmsUrl": url,
        "ocppInterface": "Wired0",
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "securityProfile": rig.security_profile,
    }
    status: str = rig.call("SetNetworkProfile", {"configurationSlot": slot, "connectionData": profile})["status"]
    return status


def prepare_to_move(rig: Rig) -> str:
    """Steps 1 to 4 of TC_B_45 and its kin: endpoint 2 in a slot that is not in use, which comes first; returns it."""
    urls = rig.network()
    active = active_slot(rig)
    slot = "2" if active == "1" else "1"
    assert set_profile(rig, int(slot), urls[2]) == "Accepted"
    status = rig.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", f"{slot},{active}")
    assert status in ("Accepted", "RebootRequired"), status
    return slot


def reset(rig: Rig) -> None:
    """Steps 5 and 6."""
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"


def went(rig: Rig) -> list[tuple[int, bool]]:
    """The endpoints that the station tried, in order, and whether it was let in."""
    return [(attempt.endpoint, attempt.accepted) for attempt in rig.attempts()]


@pytest.mark.tc("TC_B_43")
def test_a_profile_for_a_slot_that_is_not_there(rig: Rig) -> None:
    rig.start()
    assert set_profile(rig, 999, rig.network()[1]) == "Rejected"


@pytest.mark.tc("TC_B_45")
def test_migration(rig: Rig) -> None:
    rig.start(**BACK_OFF)
    slot = prepare_to_move(rig)
    reset(rig)
    booted(rig)
    assert went(rig) == [(2, True)]
    assert active_slot(rig) == slot


@pytest.mark.tc("TC_B_46")
def test_migration_falls_back_to_the_second_slot(rig: Rig) -> None:
    rig.start(**BACK_OFF)
    before = active_slot(rig)
    rig.configure("OCPPCommCtrlr.NetworkProfileConnectionAttempts", "2")
    prepare_to_move(rig)
    rig.turn_away(2)
    reset(rig)
    booted(rig)
    assert went(rig) == [(2, False), (2, False), (1, True)]
    assert active_slot(rig) == before


@pytest.mark.tc("TC_B_49")
def test_migration_falls_back_to_the_last_good_slot(rig: Rig) -> None:
    rig.start(**BACK_OFF)
    before = active_slot(rig)
    rig.configure("OCPPCommCtrlr.NetworkProfileConnectionAttempts", "1")
    prepare_to_move(rig)
    rig.turn_away(2)
    rig.turn_away(1)
    reset(rig)
    assert rig.wait_until(lambda: (1, False) in went(rig), 60)
    rig.admit(1)
    booted(rig)
    assert went(rig) == [(2, False), (1, False), (1, True)]
    refused, accepted = rig.attempts()[-2:]
    assert accepted.at - refused.at >= WAIT
    assert active_slot(rig) == before


@pytest.mark.tc("TC_B_50")
def test_migration_to_a_csms_with_another_root(rig: Rig) -> None:
    rig.security_profile = max(rig.security_profile, 2)
    rig.roots, rig.another_root = (1, 2), True
    rig.start(**BACK_OFF)
    slot = prepare_to_move(rig)
    reset(rig)
    booted(rig)
    assert went(rig) == [(2, True)]
    assert active_slot(rig) == slot


@pytest.mark.tc("TC_B_57")
def test_reconnection_with_growing_pauses(rig: Rig) -> None:
    rig.start()
    rig.network()
    configure(
        rig,
        {
            "NetworkProfileConnectionAttempts": "3",
            "RetryBackOffRepeatTimes": "2",
            "RetryBackOffRandomRange": "0",
            "RetryBackOffWaitMinimum": str(WAIT),
        },
    )
    lost = rig.seconds()
    rig.hang_up()
    assert rig.wait_until(lambda: len(rig.attempts()) == 1, 30)
    first = rig.attempts()[0]
    assert first.accepted
    assert first.at - lost >= WAIT - SLACK
    rig.let(1)

    rig.turn_away(1)
    lost = rig.seconds()
    rig.hang_up()
    assert rig.wait_until(lambda: len(rig.attempts()) == 2, 30)
    rig.admit(1)
    assert rig.wait_until(lambda: len(rig.attempts()) == 3, 30)
    second, third = rig.attempts()[1:]
    assert (second.accepted, third.accepted) == (False, True)
    assert second.at - lost >= WAIT - SLACK
    assert third.at - second.at >= 2 * WAIT  # doubled
    rig.expect_none("BootNotification")  # part 4, 5.3: nothing that it says has changed


def configure(rig: Rig, variables: Mapping[str, str]) -> None:
    for variable, value in variables.items():
        rig.configure(f"OCPPCommCtrlr.{variable}", value)
