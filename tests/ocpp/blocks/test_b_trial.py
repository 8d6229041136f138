"""What an installer does to the connection: tried at once, kept when the CSMS answers, else taken back by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from station.domain.effects import FinishCommand, SaveCertificate
from station.domain.events import ConnectionFailed
from station.domain.network import FailureCause, NetworkProfile
from tests.support.memory_rig import CSMS_URL, MemoryRig
from tests.uplink.authority import Authority

OTHER = "ws://other.example:8080/ocpp"
SECURE = "wss://other.example/ocpp"
PASSWORD = "correct horse battery"
FORMER = "former horse battery"
NEW = {"slot": 1, "csms_url": OTHER, "security_profile": 1, "message_timeout": 20, "interface": "Wired0"}


def started(*profiles: NetworkProfile, usable: tuple[int, ...] = (1,), **variables: str) -> MemoryRig:
    rig = MemoryRig(**{"SecurityCtrlr.Identity": "CP-1", "SecurityCtrlr.BasicAuthPassword": FORMER, **variables})
    for profile in profiles:
        rig.disk.network_profiles[profile.slot] = profile
    authority = Authority()
    installed = {2: authority.installed, 3: authority.own}
    rig.disk.commit([SaveCertificate(installed[number]()) for number in usable if number > 1])
    rig.boot()
    rig.let(1)
    return rig


def ask(rig: MemoryRig, action: str, **arguments: Any) -> FinishCommand:
    number = len(rig.disk.finished) + 1
    finished = rig.operator(action, number, **arguments)
    assert finished is not None
    return finished


def status(rig: MemoryRig, action: str, **arguments: Any) -> str:
    return ask(rig, action, **arguments).status


def try_other(rig: MemoryRig, **changes: Any) -> None:
    """A new URL for slot 1 is tried, and the former link is gone."""
    finished = ask(rig, "set_network_profile", **{**NEW, **changes})
    assert finished.status == "Accepted"
    assert "120 seconds" in finished.message
    assert len(rig.reconnects) == 1
    if rig.online:
        rig.disconnect()


def noted(rig: MemoryRig, kind: str) -> list[dict[str, Any]]:
    return [dict(entry.data) for entry in rig.disk.journal if entry.kind == kind]


def url(rig: MemoryRig, slot: int = 1) -> str:
    """Of the slot, as it is in force and as it is stored."""
    in_force = {profile.slot: profile for profile in rig.station.network.in_force}
    assert in_force[slot] == rig.disk.network_profiles[slot]
    return in_force[slot].csms_url


def text(rig: MemoryRig, name: str) -> str:
    """A variable as it is stored."""
    return next((kept.value for kept in rig.disk.variables.values() if kept.variable == name), "")


# ------------------------------------------------------------------ kept


@pytest.mark.parametrize("answer", ["Accepted", "Pending"])
def test_kept_when_the_csms_answers(answer: str) -> None:
    rig = started()
    try_other(rig)
    rig.answers["BootNotification"] = {"status": answer, "interval": 60, "currentTime": "2026-03-01T12:00:00Z"}
    rig.let(30)
    rig.connect()
    rig.let(1)
    assert not rig.station.trial.running
    assert noted(rig, "trial_kept") == [{"what": "network_profile", "slot": 1, "status": answer}]
    rig.let(200)
    assert url(rig) == OTHER
    assert not noted(rig, "trial_taken_back")
    assert rig.disk.remembered["connection_trial"] is None
    rig.power_cut()
    rig.boot()
    assert url(rig) == OTHER


def test_who_answers_there_is_asked_to_register_the_station_even_by_the_same_slot() -> None:
    rig = started()
    try_other(rig)
    rig.connect()
    rig.let(1)
    assert [boot["reason"] for boot in rig.sent("BootNotification")] == ["PowerUp", "Unknown"]


def test_a_better_profile_that_works_removes_what_is_below_it_only_then() -> None:
    """A05.FR.06, and the way back is there until the CSMS has answered."""
    rig = started(NetworkProfile(2, OTHER, 1), usable=(1, 2))
    try_other(rig, csms_url=SECURE, security_profile=2)
    rig.answers["BootNotification"] = None
    rig.connect()
    rig.let(1)
    assert sorted(rig.disk.network_profiles) == [1, 2]
    rig.release()
    rig.let(1)
    assert sorted(rig.disk.network_profiles) == [1]
    assert text(rig, "SecurityProfile") == "2"


# ------------------------------------------------------------------ taken back


def test_taken_back_when_no_connection_comes_up() -> None:
    rig = started()
    try_other(rig)
    assert [profile.csms_url for profile in rig.station.network.in_force] == [OTHER]
    rig.let(40)
    rig.step(ConnectionFailed(1, 1, FailureCause.CREDENTIALS, "HTTP 401"))
    rig.let(79.5)
    assert rig.station.trial.running
    rig.let(1)
    assert url(rig) == CSMS_URL
    assert noted(rig, "trial_taken_back") == [
        {"what": "network_profile", "slot": 1, "why": "credentials", "detail": "HTTP 401"}
    ]
    assert len(rig.reconnects) == 2
    assert rig.disk.remembered["connection_trial"] is None
    rig.connect()
    rig.let(1)
    assert rig.station.outbox.registered


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (None, "no_answer"),
        ({"status": "Rejected", "interval": 30, "currentTime": "2026-03-01T12:00:00Z"}, "rejected"),
        ({"error": "InternalError"}, "no_answer"),
    ],
)
def test_taken_back_when_the_csms_does_not_take_the_station(reply: dict[str, Any] | None, why: str) -> None:
    rig = started()
    try_other(rig)
    rig.answers["BootNotification"] = reply
    rig.connect()
    rig.let(121)
    assert [one["why"] for one in noted(rig, "trial_taken_back")] == [why]
    assert url(rig) == CSMS_URL


def test_taken_back_when_the_connection_does_not_last() -> None:
    rig = started()
    try_other(rig)
    rig.answers["BootNotification"] = None
    rig.connect()
    rig.let(1)
    rig.disconnect()
    rig.let(120)
    assert [(one["why"], one["detail"]) for one in noted(rig, "trial_taken_back")] == [("connection_lost", "test")]


def test_the_former_link_proves_nothing() -> None:
    """An answer that is still on its way there when the trial begins, or a link that was opened just then."""
    rig = started()
    rig.power_cut()
    rig.boot(connect=False)
    rig.answers["BootNotification"] = None
    rig.connect()
    assert status(rig, "set_network_profile", **NEW) == "Accepted"
    rig.release()
    assert rig.station.outbox.registered
    assert rig.station.trial.running
    rig.answers.clear()
    rig.connect()
    assert rig.station.outbox.registered
    assert rig.station.trial.running
    rig.disconnect()
    rig.connect()
    assert not rig.station.trial.running


def test_nothing_more_is_said_to_the_former_csms() -> None:
    rig = started()
    rig.plug()
    rig.card()
    rig.let(3)
    before = len(rig.events())
    assert status(rig, "set_network_profile", **NEW) == "Accepted"
    rig.unplug()
    rig.let(5)
    assert rig.online
    assert len(rig.events()) == before
    assert rig.disk.queue


def test_taken_back_by_hand() -> None:
    rig = started()
    assert status(rig, "take_back") == "Rejected"
    try_other(rig)
    rig.let(10)
    assert status(rig, "take_back") == "Accepted"
    assert noted(rig, "trial_taken_back") == [
        {"what": "network_profile", "slot": 1, "why": "by_hand", "detail": "owner"}
    ]
    assert url(rig) == CSMS_URL


def test_what_the_csms_had_set_for_the_next_reboot_still_waits_for_it() -> None:
    rig = started()
    data = {
        "messageTimeout": 30,
        "ocppCsmsUrl": "ws://later.example/",
        "ocppInterface": "Wired0",
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "securityProfile": 1,
    }
    rig.call("SetNetworkProfile", {"configurationSlot": 1, "connectionData": data})
    try_other(rig)
    rig.let(121)
    assert [profile.csms_url for profile in rig.station.network.in_force] == [CSMS_URL]
    assert rig.disk.network_profiles[1].csms_url == "ws://later.example/"


def test_identity_and_password_come_back_together_with_the_url() -> None:
    rig = started()
    try_other(rig, identity="CP-2", password=PASSWORD)
    assert (text(rig, "Identity"), text(rig, "BasicAuthPassword")) == ("CP-2", PASSWORD)
    rig.let(121)
    assert (text(rig, "Identity"), text(rig, "BasicAuthPassword")) == ("CP-1", FORMER)
    assert PASSWORD not in json.dumps([dict(entry.data) for entry in rig.disk.journal])


# ------------------------------------------------------------------ nothing is lost


def test_queued_events_wait_until_somebody_accepts_the_station() -> None:
    rig = started(**{"SampledDataCtrlr.TxUpdatedInterval": "0"})
    rig.plug()
    rig.card()
    rig.let(3)
    try_other(rig)
    before = len(rig.events())
    rig.unplug()
    rig.let(10)
    rig.answers["BootNotification"] = {"status": "Rejected", "interval": 30, "currentTime": "2026-03-01T12:00:00Z"}
    rig.connect()
    rig.let(10)
    assert len(rig.events()) == before
    assert rig.disk.queue
    rig.disconnect()
    rig.let(120)
    rig.answers.clear()
    rig.connect()
    rig.let(5)
    assert rig.events()[-1]["eventType"] == "Ended"
    assert [event["seqNo"] for event in rig.events()] == list(range(len(rig.events())))
    assert not rig.disk.queue
    assert not rig.disk.given_up


# ------------------------------------------------------------------ power cuts


def test_a_power_cut_in_the_trial_gives_it_its_time_once_more() -> None:
    rig = started()
    try_other(rig, password=PASSWORD)
    rig.let(60)
    rig.power_cut()
    rig.boot(connect=False)
    assert [profile.csms_url for profile in rig.station.network.in_force] == [OTHER]
    assert rig.station.trial.left(rig.now) == 120
    rig.let(100)
    rig.connect()
    rig.let(1)
    assert noted(rig, "trial_kept")
    assert text(rig, "BasicAuthPassword") == PASSWORD


def test_a_power_cut_in_the_trial_does_not_keep_the_former_settings_from_coming_back() -> None:
    rig = started(NetworkProfile(2, "ws://fall.back.example/", 1))
    try_other(rig, password=PASSWORD)
    rig.power_cut()
    rig.boot(connect=False)
    assert [profile.slot for profile in rig.station.network.in_force] == [1]
    rig.let(121)
    assert url(rig) == CSMS_URL
    assert text(rig, "BasicAuthPassword") == FORMER
    assert [profile.slot for profile in rig.station.network.in_force] == [1, 2]


def test_a_station_that_keeps_losing_power_ends_the_trial() -> None:
    rig = started()
    try_other(rig)
    for _ in range(2):
        rig.power_cut()
        rig.boot(connect=False)
    assert not rig.station.trial.running
    assert url(rig) == CSMS_URL
    assert [one["why"] for one in noted(rig, "trial_taken_back")] == ["restarted"]


@pytest.mark.parametrize("kept", [1, "x", [], {}, {"what": "x"}, {"profiles": {"a": None}, "variables": {}}])
def test_a_remembered_trial_that_makes_no_sense_is_none(kept: Any) -> None:
    rig = MemoryRig()
    rig.disk.remembered["connection_trial"] = kept
    rig.boot()
    assert not rig.station.trial.running


# ------------------------------------------------------------------ without a trial


def test_a_slot_to_fall_back_to_is_only_stored() -> None:
    rig = started()
    finished = ask(rig, "set_network_profile", **{**NEW, "slot": 2})
    assert (finished.status, finished.message) == (
        "Accepted",
        "Kept. The slot is not used until the order names it.",
    )
    assert url(rig, 2) == OTHER
    assert not rig.reconnects
    assert status(rig, "set_network_priority", slots=[1, 2]) == "Accepted"
    assert not rig.reconnects
    assert text(rig, "NetworkConfigurationPriority") == "1,2"


def test_an_installer_may_keep_what_cannot_be_reached_yet() -> None:
    rig = started()
    assert status(rig, "set_network_profile", **NEW, keep=True) == "Accepted"
    assert len(rig.reconnects) == 1
    rig.disconnect()
    rig.let(500)
    assert url(rig) == OTHER
    rig.connect()
    assert rig.sent("BootNotification")[-1]["reason"] == "Unknown"


def test_a_station_without_a_csms_has_nothing_to_go_back_to() -> None:
    rig = MemoryRig()
    rig.disk.network_profiles.clear()
    rig.boot(connect=False)
    assert status(rig, "set_network_profile", **{**NEW, "slot": 2}, identity="CP-7", password=PASSWORD) == "Accepted"
    assert not rig.station.trial.running
    assert text(rig, "NetworkConfigurationPriority") == "2"
    assert text(rig, "Identity") == "CP-7"
    rig.let(500)
    assert url(rig, 2) == OTHER


def test_nothing_new_is_no_trial() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    now = rig.disk.network_profiles[1]
    same = {**NEW, "csms_url": CSMS_URL, "message_timeout": now.message_timeout}
    for action, arguments in (
        ("set_network_profile", same),
        ("set_credentials", {"identity": "CP-1", "password": FORMER}),
        ("set_credentials", {}),
        ("set_network_priority", {"slots": [1]}),
    ):
        finished = ask(rig, action, **arguments)
        assert (finished.status, finished.message) == ("Accepted", "Nothing has changed.")
    assert not rig.reconnects


# ------------------------------------------------------------------ order, removal, credentials


def test_another_slot_first_is_tried_alone() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    assert status(rig, "set_network_priority", slots=[2, 1]) == "Accepted"
    assert [profile.slot for profile in rig.station.network.in_force] == [2]
    rig.disconnect()
    rig.let(121)
    assert [profile.slot for profile in rig.station.network.in_force] == [1, 2]
    assert text(rig, "NetworkConfigurationPriority") == "1"


def test_the_slot_in_use_is_removed_when_the_next_one_has_worked() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    assert status(rig, "remove_network_profile", slot=1) == "Accepted"
    rig.disconnect()
    rig.connect(2)
    rig.let(1)
    assert sorted(rig.disk.network_profiles) == [2]
    assert text(rig, "NetworkConfigurationPriority") == "2"


def test_and_comes_back_when_it_has_not() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    former = rig.disk.network_profiles[1]
    assert status(rig, "remove_network_profile", slot=1) == "Accepted"
    rig.disconnect()
    rig.let(121)
    assert rig.disk.network_profiles[1] == former
    assert text(rig, "NetworkConfigurationPriority") == "1"


def test_another_slot_is_removed_at_once() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    assert status(rig, "remove_network_profile", slot=2) == "Accepted"
    assert sorted(rig.disk.network_profiles) == [1]
    assert not rig.reconnects
    assert status(rig, "remove_network_profile", slot=2) == "Rejected"
    assert status(rig, "remove_network_profile", slot=1) == "Rejected"  # the only one


def test_a_password_is_tried_and_the_former_one_kept_until_then() -> None:
    rig = started()
    assert status(rig, "set_credentials", password=PASSWORD) == "Accepted"
    assert rig.disk.remembered["connection_trial"]["variables"] == {"BasicAuthPassword": FORMER}
    rig.disconnect()
    rig.let(121)
    assert text(rig, "BasicAuthPassword") == FORMER


def test_an_identity_that_there_was_none_before_is_gone_again() -> None:
    rig = MemoryRig().boot()
    assert status(rig, "set_credentials", identity="CP-1") == "Accepted"
    rig.disconnect()
    rig.let(121)
    assert "Identity" not in {kept.variable for kept in rig.disk.variables.values()}


# ------------------------------------------------------------------ a CSMS root that shall go


def with_two_roots() -> tuple[MemoryRig, str, str]:
    """Connected by TLS; the ids of the two CSMS roots that are installed."""
    rig = started(NetworkProfile(1, SECURE, 2), usable=(1, 2))
    other = Authority("Other").installed()
    rig.disk.commit([SaveCertificate(other)])
    rig.power_cut()
    rig.boot()
    rig.let(1)
    first = next(one for one in rig.disk.certificates if one != other.certificate_id)
    return rig, first, other.certificate_id


def trusted(rig: MemoryRig) -> int:
    """How many roots the next connection believes."""
    return len(rig.station.certificates.material(rig.now.wall, 1).roots)


def test_a_root_goes_when_the_csms_has_proven_itself_without_it() -> None:
    rig, first, other = with_two_roots()
    assert status(rig, "delete_certificate", certificate_id=first) == "Accepted"
    assert trusted(rig) == 1
    assert sorted(rig.disk.certificates) == sorted([first, other])
    rig.disconnect()
    rig.connect()
    rig.let(1)
    assert sorted(rig.disk.certificates) == [other]
    assert noted(rig, "trial_kept")[0]["what"] == "root_deleted"


def test_a_root_stays_when_the_csms_cannot_do_without_it() -> None:
    rig, first, other = with_two_roots()
    assert status(rig, "delete_certificate", certificate_id=first) == "Accepted"
    rig.disconnect()
    rig.let(60)
    rig.power_cut()
    rig.boot(connect=False)
    assert trusted(rig) == 1
    rig.step(ConnectionFailed(1, 2, FailureCause.CSMS_CERTIFICATE, "unable to get local issuer certificate"))
    assert status(rig, "delete_certificate", certificate_id=other) == "Rejected"
    rig.let(121)
    assert trusted(rig) == 2
    assert sorted(rig.disk.certificates) == sorted([first, other])
    assert noted(rig, "trial_taken_back")[0]["why"] == "csms_certificate"


def test_without_tls_a_root_is_simply_deleted() -> None:
    rig = started(usable=(1, 2))
    other = Authority("Other").installed()
    rig.disk.commit([SaveCertificate(other)])
    rig.power_cut()
    rig.boot()
    assert status(rig, "delete_certificate", certificate_id=other.certificate_id) == "Accepted"
    assert other.certificate_id not in rig.disk.certificates
    assert not rig.reconnects


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    "changes",
    [
        {"slot": 0},
        {"slot": 4},
        {"csms_url": "http://other.example/"},
        {"csms_url": "ws://user:secret@other.example/"},
        {"csms_url": SECURE},
        {"csms_url": "ws://other.example/" + "x" * 512},
        {"security_profile": 0},
        {"security_profile": 4},
        {"security_profile": 2},
        {"security_profile": 2, "csms_url": SECURE},  # no CSMS root
        {"message_timeout": 0},
        {"interface": "Wired3"},
        {"identity": "with space"},
        {"identity": "x" * 49},
        {"password": "too short"},
        {"password": "x" * 41},
        {"slot": 2, "password": PASSWORD},  # the same for every slot
    ],
)
def test_what_will_not_do_is_refused_and_changes_nothing(changes: dict[str, Any]) -> None:
    rig = started()
    before = dict(rig.disk.network_profiles), dict(rig.disk.variables)
    assert status(rig, "set_network_profile", **{**NEW, **changes}) == "Rejected"
    assert (rig.disk.network_profiles, rig.disk.variables) == before
    assert not rig.reconnects


@pytest.mark.parametrize("arguments", [{}, {**NEW, "slot": None}, {**NEW, "slot": "one"}, {**NEW, "slot": [1]}])
def test_a_command_that_cannot_be_read_stops_nothing(arguments: dict[str, Any]) -> None:
    assert status(started(), "set_network_profile", **arguments) == "Rejected"


@pytest.mark.parametrize("slots", [[], [2], [1, 1], [1, 3]])
def test_an_order_that_will_not_do(slots: list[int]) -> None:
    rig = started()
    assert status(rig, "set_network_priority", slots=slots) == "Rejected"


def test_less_security_only_where_the_installer_says_so() -> None:
    """A05, remark 8: not using OCPP."""
    rig = started(NetworkProfile(1, SECURE, 2), usable=(1, 2))
    finished = ask(rig, "set_network_profile", **NEW)
    assert finished.status == "Rejected"
    assert "less security" in finished.message
    assert status(rig, "set_network_profile", **NEW, less_security=True) == "Accepted"
    rig.disconnect()
    rig.connect()
    rig.let(1)
    assert text(rig, "SecurityProfile") == "1"
    assert url(rig) == OTHER


def test_one_trial_at_a_time() -> None:
    rig = started(NetworkProfile(2, OTHER, 1))
    try_other(rig)
    for action, arguments in (
        ("set_network_profile", {**NEW, "slot": 3}),
        ("set_network_priority", {"slots": [2]}),
        ("remove_network_profile", {"slot": 2}),
        ("set_credentials", {"password": PASSWORD}),
    ):
        assert status(rig, action, **arguments) == "Rejected"
    assert rig.disk.network_profiles[2] == replace(NetworkProfile(2, OTHER, 1))
