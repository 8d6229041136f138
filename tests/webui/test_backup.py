"""Backup and restore: what is in the file, what is refused by name, and that it is all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from station.backup import container, here, parts, plan, reset, waiting
from station.backup.container import Backup, Refused
from station.backup.waiting import RESET, RESTORE, Order
from station.domain.certificates import CertificateUse
from station.ocpp import signing
from station.ocpp.blocks.l_firmware_management import record
from station.project import restoring
from station.store.models import (
    Certificate,
    Command,
    NetworkProfile,
    Remembered,
    SecurityLogEntry,
    Transaction,
    Variable,
)
from station.store.secrets import seal, unseal
from station.uplink import meter_key
from tests.uplink.authority import Authority
from webui.dashboard import latest

PASSWORD = "CANARY-password-81"
PASSPHRASE = "correct horse battery"
BASIC = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """A data folder of its own, cheap scrypt, and a station that is set up."""
    settings.DATA_DIR = tmp_path
    settings.ENVIRONMENT = settings.ENVIRONMENT.__class__(
        **{
            **{name: getattr(settings.ENVIRONMENT, name) for name in settings.ENVIRONMENT.__dataclass_fields__},
            "data": tmp_path,
            "simulated": True,
            "evses": 2,
        }
    )
    latest.forget()
    return tmp_path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "SCRYPT", {"n": 2**4, "r": 8, "p": 1})


@pytest.fixture
def set_up(person: User) -> None:
    Variable.objects.create(**BASIC, value=seal(PASSWORD))
    Variable.objects.create(component="SecurityCtrlr", variable="Identity", value="CS-1")
    Variable.objects.create(component="OCPPCommCtrlr", variable="HeartbeatInterval", value="300")
    NetworkProfile.objects.create(slot=1, csms_url="wss://csms.example/ocpp", security_profile=2)
    root = Authority().installed()
    Certificate.objects.create(
        certificate_id=root.certificate_id, use=root.use.value, chain=list(root.chain), installed=root.installed
    )


def made(passphrase: str = "") -> bytes:
    return container.pack(parts.collect(here.about(), secrets=bool(passphrase)), passphrase)


def changes(content: bytes, passphrase: str = "") -> dict[str, list[tuple[str, str]]]:
    planned = plan.make(container.unpack(content, passphrase, secrets=bool(passphrase)), here.about())
    return {part: [(one.kind, one.name) for one in found] for part, found in planned.changes.items() if found}


# ---------------------------------------------------------------------- the file


def test_without_a_passphrase_no_secret_is_in_the_file(set_up: None, person: User) -> None:
    content = made()
    assert PASSWORD.encode() not in content
    assert person.password.encode() not in content
    assert b"sealed:" not in content
    assert b"wss://csms.example/ocpp" in content


def test_with_one_they_are_there_and_only_it_opens_them(set_up: None, person: User) -> None:
    content = made(PASSPHRASE)
    assert PASSWORD.encode() not in content
    assert person.password.encode() not in content
    secret = json.dumps(container.unpack(content, PASSPHRASE).secret)
    assert PASSWORD in secret
    assert person.password in secret
    with pytest.raises(Refused, match="wrong_passphrase"):
        container.unpack(content, PASSPHRASE + "!")
    with pytest.raises(Refused, match="needs_passphrase"):
        container.unpack(content)


def test_private_keys_never_leave(set_up: None, data: Path) -> None:
    """A02.FR.05."""
    Certificate.objects.create(
        certificate_id="own", use=CertificateUse.CHARGING_STATION.value, chain=["x"], installed="2024-05-01T00:00:00Z"
    )
    found = container.unpack(made(PASSPHRASE), PASSPHRASE)
    assert "own" not in json.dumps([found.open, found.secret])


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda told: b"", "no_backup"),
        (lambda told: b"-----BEGIN CERTIFICATE-----", "no_backup"),
        (lambda told: b"[" * 100_000, "no_backup"),
        (lambda told: b"\xff" * 50, "no_backup"),
        (lambda told: b"{" + b" " * container.LARGEST, "too_large"),
        (lambda told: json.dumps({**told, "version": 2}).encode(), "too_new: 2"),
        (lambda told: json.dumps({**told, "version": True}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "open": {**told["open"], "network": []}}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "open": []}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "about": {**told["about"], "evses": 1}}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "sealed": {**told["sealed"], "n": 2**30}}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "sealed": {**told["sealed"], "n": 3}}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "sealed": {**told["sealed"], "kdf": "none"}}).encode(), "damaged"),
        (lambda told: json.dumps({**told, "sealed": {**told["sealed"], "data": "AAAA"}}).encode(), "wrong_passphrase"),
    ],
)
def test_file_that_is_none_is_refused_by_name(set_up: None, spoil: Any, code: str) -> None:
    told = json.loads(made(PASSPHRASE))
    with pytest.raises(Refused, match=code):
        container.unpack(spoil(told), PASSPHRASE)


# ---------------------------------------------------------------------- what it would change


def test_restore_brings_all_of_it_back(set_up: None, person: User) -> None:
    content, password = made(PASSPHRASE), person.password
    Variable.objects.filter(variable="HeartbeatInterval").update(value="60")
    Variable.objects.filter(**BASIC).delete()
    Variable.objects.create(component="TxCtrlr", variable="EVConnectionTimeOut", value="99")
    NetworkProfile.objects.all().delete()
    root = Certificate.objects.get()
    identifier = root.certificate_id
    Certificate.objects.all().delete()
    person.delete()
    User.objects.create_user("stays")
    planned = plan.make(container.unpack(content, PASSPHRASE), here.about())
    told = {part: {(one.kind, one.name) for one in found} for part, found in planned.changes.items()}
    assert told["variables"] == {
        ("changed", "OCPPCommCtrlr.HeartbeatInterval"),
        ("added", "SecurityCtrlr.BasicAuthPassword"),
        ("removed", "TxCtrlr.EVConnectionTimeOut"),
    }
    assert told["network"] == {("added", "1")}
    assert told["roots"] == {("added", identifier[-16:])}
    assert told["people"] == {("added", "olga")}
    assert not any(PASSWORD in str(one) for found in planned.changes.values() for one in found)
    plan.apply(planned)
    assert unseal(Variable.objects.get(**BASIC).value) == PASSWORD
    assert Variable.objects.get(variable="HeartbeatInterval").value == "300"
    assert not Variable.objects.filter(variable="EVConnectionTimeOut").exists()
    assert User.objects.get(username="olga").password == password
    assert User.objects.filter(username="stays").exists()
    assert Certificate.objects.get().chain == root.chain
    with pytest.raises(Refused, match="nothing"):
        changes(content, PASSPHRASE)


def test_without_secrets_passwords_stay(set_up: None, person: User) -> None:
    content = made()
    password = person.password
    Variable.objects.filter(variable="HeartbeatInterval").update(value="60")
    plan.apply(plan.make(container.unpack(content, secrets=False), here.about()))
    assert unseal(Variable.objects.get(**BASIC).value) == PASSWORD
    assert User.objects.get(username="olga").password == password
    person.delete()
    planned = plan.make(container.unpack(content, secrets=False), here.about())
    assert "no_passwords" in planned.notes
    plan.apply(planned)
    assert not User.objects.get(username="olga").has_usable_password()


@pytest.mark.parametrize(
    ("part", "row", "code"),
    [
        ("variables", {"component": "No", "variable": "Such", "value": "1"}, "bad_value: variables: No.Such"),
        (
            "variables",
            {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "soon"},
            "bad_value: variables: OCPPCommCtrlr.HeartbeatInterval",
        ),
        ("variables", {"component": 5, "surprise": "x"}, "bad_value: variables"),
        ("network", {"slot": 1, "csms_url": "ws://x/", "security_profile": 3}, "bad_value: network: 1"),
        ("network", {"slot": 1, "csms_url": "http://x/", "security_profile": 1}, "bad_value: network: 1"),
        ("network", {"slot": "x", "csms_url": "ws://x/", "security_profile": 1}, "bad_value: network"),
        ("roots", {"certificate_id": "x", "use": "CSMSRootCertificate", "chain": ["no"]}, "bad_value: roots: x"),
        ("roots", {"certificate_id": "x", "use": "ChargingStationCertificate", "chain": []}, "bad_value: roots: x"),
        ("people", {"username": "x" * 500}, "bad_value: people"),
        ("people", {"username": "eve", "is_superuser": "perhaps"}, "bad_value: people"),
        ("people", {"username": "eve", "password": "plain"}, "bad_value: people: eve"),
        ("people", {"username": "eve", "groups": [1]}, "bad_value: people: groups"),
    ],
)
def test_what_the_station_cannot_take_is_refused_by_name(set_up: None, part: str, row: Any, code: str) -> None:
    backup = Backup(here.about(), {part: [row]}, {})
    with pytest.raises(Refused, match=code):
        plan.make(backup, here.about())


@pytest.mark.parametrize("changed", [{"evses": 1}, {"model": "Other"}, {"vendor": None}])
def test_other_board_is_refused(set_up: None, changed: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="other_board"):
        plan.make(Backup({**here.about(), **changed}, {}), here.about())


# ---------------------------------------------------------------------- at the next start


def ordered(data: Path, content: bytes, passphrase: str = PASSPHRASE) -> None:
    waiting.order(data, Order(RESTORE, "olga", waiting.stage(data, content, passphrase)))


def environment(settings: Any) -> Any:
    return settings.ENVIRONMENT


def test_it_is_done_at_the_next_start_and_told(set_up: None, settings: Any, data: Path) -> None:
    content = made(PASSPHRASE)
    Variable.objects.all().delete()
    ordered(data, content)
    assert restoring.waits(settings.ENVIRONMENT)
    assert PASSPHRASE not in "".join(path.read_text() for path in (data / waiting.FOLDER).iterdir())
    restoring.carry_out(settings.ENVIRONMENT)
    assert Variable.objects.get(variable="HeartbeatInterval").value == "300"
    ended = waiting.outcome(data)
    assert ended is not None
    assert (ended.kind, ended.who, ended.code) == (RESTORE, "olga", "")
    assert "restored from a backup by olga" in SecurityLogEntry.objects.get().tech_info
    assert [path.name for path in (data / waiting.FOLDER).iterdir()] == [waiting.OUTCOME]
    restoring.carry_out(settings.ENVIRONMENT)  # nothing waits


def test_file_that_broke_meanwhile_changes_nothing(set_up: None, settings: Any, data: Path) -> None:
    ordered(data, made(PASSPHRASE)[:-300])
    restoring.carry_out(settings.ENVIRONMENT)
    ended = waiting.outcome(data)
    assert ended is not None
    assert ended.code == "no_backup"
    assert Variable.objects.count() == 3
    assert not restoring.waits(settings.ENVIRONMENT)


def test_failure_in_the_middle_leaves_all_as_it_was(
    set_up: None, settings: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = made(PASSPHRASE)
    Variable.objects.filter(variable="HeartbeatInterval").update(value="60")
    NetworkProfile.objects.all().delete()

    def broken(*args: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(plan, "_insert", broken)
    ordered(data, content)
    restoring.carry_out(settings.ENVIRONMENT)
    ended = waiting.outcome(data)
    assert ended is not None
    assert (ended.code, ended.what) == ("failed", "no space left on device")
    assert Variable.objects.get(variable="HeartbeatInterval").value == "60"


def test_power_cuts_without_end_do_not_keep_the_station_down(
    set_up: None, settings: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*args: Any) -> None:
        raise PowerCut

    ordered(data, made(PASSPHRASE))
    monkeypatch.setattr(plan, "apply", cut)
    monkeypatch.setattr(plan, "make", lambda *args: None)
    for _ in range(waiting.MOST_TRIES):
        with pytest.raises(PowerCut):
            restoring.carry_out(settings.ENVIRONMENT)
    restoring.carry_out(settings.ENVIRONMENT)
    assert not restoring.waits(settings.ENVIRONMENT)


def test_reset_takes_everything_but_what_is_the_machines(
    set_up: None, settings: Any, data: Path, make_session: Any
) -> None:
    Variable.objects.create(component="ChargingStation", variable="SerialNumber", value="S-1")
    Remembered.objects.create(key="registers", value={"1": 5})
    Remembered.objects.create(key="customers", value={"x": 1})
    make_session()
    Certificate.objects.create(
        certificate_id="m", use=CertificateUse.MANUFACTURER_ROOT.value, chain=["x"], installed="2024-05-01T00:00:00Z"
    )
    (data / "spool" / "x").mkdir(parents=True)
    settings.ENVIRONMENT.keys.mkdir(parents=True, exist_ok=True)
    for name in ("station-1.pem", "web-root.pem", "secret.key"):
        path = settings.ENVIRONMENT.keys / name
        path.write_text(path.read_text(errors="replace") if path.exists() else "key")
    waiting.order(data, Order(RESET, "olga"))
    restoring.carry_out(settings.ENVIRONMENT)
    assert [row.value for row in Variable.objects.all()] == ["S-1"]
    assert [row.key for row in Remembered.objects.all()] == ["registers"]
    assert [row.certificate_id for row in Certificate.objects.all()] == ["m"]
    assert not User.objects.exists()
    assert not NetworkProfile.objects.exists()
    assert Transaction.objects.count() == 1
    assert not list(settings.ENVIRONMENT.keys.glob("*.pem"))
    assert (settings.ENVIRONMENT.keys / "secret.key").exists()
    assert not (data / "spool").exists()
    waiting.order(data, Order(RESET, "olga", sessions=True))
    restoring.carry_out(settings.ENVIRONMENT)
    assert not Transaction.objects.exists()
    assert SecurityLogEntry.objects.count() == 2


def test_what_is_kept_is_called_as_the_station_calls_it() -> None:
    assert {record.HISTORY, record.LAST_TOLD, signing.COUNTER, here.EVSES} <= reset.KEPT
    assert meter_key.KEY_FILE in reset.KEPT_KEYS


NOT_CONFIGURATION = {  # what happens, what is passing, and what is only good on this very station
    *("store.Transaction", "store.MeterPoint", "store.QueuedCall", "store.VariableChange", "store.Remembered"),
    *("store.CachedToken", "store.JournalEntry", "store.SecurityLogEntry", "store.Command"),
    *("notices.Watch", "notices.Trouble", "notices.Dismissal", "notices.Sending"),
    *("accounts.RecoveryCode", "accounts.SignIn", "accounts.Token", "accounts.Change"),
    *("tariff.Cost", "tariff.Settled", "history.Card", "history.DaySum", "history.CardSum", "history.Added"),
    *("work.Job", "api.FiledOnce", "commissioning.Commissioning"),
    *("access.Setting", "access.Trial"),  # who may come from where, and the VPN: a wrong one locks everybody out
}


def test_every_table_is_in_a_backup_or_left_out_on_purpose() -> None:
    told = {part.label for part in parts.PARTS} | NOT_CONFIGURATION
    ours = {
        model._meta.label
        for config in apps.get_app_configs()
        if config.name.startswith(("station.", "webui."))
        for model in config.get_models()
    }
    assert ours - told == set()


def test_cards_notices_and_settings_come_back(set_up: None) -> None:
    card = {"id_token": "CANARY-card-55", "id_token_type": "ISO14443", "lookup": "canary-card-55", "name": "Blue"}
    apps.get_model("cards.Card").objects.create(**card)
    secret = {"smtp_password": seal("CANARY-mail-7"), "hook_url": seal("https://h/CANARY-hook-7")}
    notices = apps.get_model("notices.Settings").objects
    notices.create(id=1, smtp_host="mail.example", **secret)
    owner = apps.get_model("owner.Settings").objects
    owner.create(id=1, name="Garage")
    assert b"CANARY" not in made()
    content = made(PASSPHRASE)
    assert b"CANARY" not in content
    apps.get_model("cards.Card").objects.all().delete()
    notices.update(smtp_host="other", smtp_password=seal("other"))
    owner.update(name="Barn")
    plan.apply(plan.make(container.unpack(content, PASSPHRASE), here.about()))
    assert apps.get_model("cards.Card").objects.get().id_token == "CANARY-card-55"
    assert notices.get().smtp_host == "mail.example"
    assert unseal(notices.get().smtp_password) == "CANARY-mail-7"
    assert owner.get().name == "Garage"


# ---------------------------------------------------------------------- the page


@pytest.fixture
def administrator(person: User, browser: Client) -> Client:
    person.is_staff = person.is_superuser = True
    person.save()
    return browser


def file(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("station.backup", content)


def test_owner_sees_nothing_of_it_and_installer_restores_nothing(set_up: None, person: User, browser: Client) -> None:
    assert browser.get("/backup/").status_code == 403
    assert browser.post("/backup/download/").status_code == 403
    person.is_staff = True
    person.save()
    assert b"Restore a backup" not in browser.get("/backup/").content
    assert browser.post("/backup/restore/", {"file": file(made())}).status_code == 403
    assert browser.post("/backup/reset/", {"name": "CS-1"}).status_code == 403


def test_download_and_restore(set_up: None, administrator: Client, data: Path) -> None:
    answer = administrator.post("/backup/download/", {"passphrase": PASSPHRASE, "again": PASSPHRASE})
    assert answer["Content-Disposition"].startswith('attachment; filename="cs-1-')
    Variable.objects.filter(variable="HeartbeatInterval").update(value="60")
    shown = administrator.post(
        "/backup/restore/", {"file": file(answer.content), "passphrase": PASSPHRASE}, follow=True
    )
    html = shown.content.decode()
    assert "OCPPCommCtrlr.HeartbeatInterval" in html
    assert "<del>60</del>" in html
    assert waiting.pending(data) is None
    administrator.post(shown.redirect_chain[0][0])
    order = waiting.pending(data)
    assert order is not None
    assert (order.kind, order.who) == (RESTORE, "olga")
    assert Command.objects.get(action="restart").status == "Filed"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"passphrase": "short", "again": "short"}, "at least 10"),
        ({"passphrase": PASSPHRASE, "again": "other"}, "not the same"),
        ({"passphrase": "x" * 300, "again": "x" * 300}, "at most 200"),
    ],
)
def test_passphrase_that_is_none(set_up: None, installer: Client, form: dict[str, str], said: str) -> None:
    answer = installer.post("/backup/download/", form)
    assert answer.status_code == 400
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        (b"", {}, "no backup of a station"),
        (b"-----BEGIN CERTIFICATE-----", {}, "no backup of a station"),
        (b"x" * (container.LARGEST + 1), {}, "too large"),
        (None, {}, "Enter its passphrase"),
        (None, {"passphrase": "wrong"}, "does not open"),
        (None, {"without_secrets": "on"}, "nothing to do"),
    ],
)
def test_wrong_file_is_refused_in_words(
    set_up: None, administrator: Client, data: Path, content: bytes | None, form: dict[str, str], said: str
) -> None:
    sent = made(PASSPHRASE) if content is None else content
    answer = administrator.post("/backup/restore/", {"file": file(sent), **form})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not (data / waiting.FOLDER).exists()
    assert administrator.post("/backup/restore/", {}).status_code == 400


def test_staged_file_that_is_gone(set_up: None, administrator: Client) -> None:
    for name in ("0" * 32, "..", "x"):
        assert administrator.get(f"/backup/restore/{name}/").status_code == 404
        assert administrator.post(f"/backup/restore/{name}/").status_code == 404


def test_reset_wants_the_name(set_up: None, administrator: Client, data: Path) -> None:
    answer = administrator.post("/backup/reset/", {"name": "CS-2"})
    assert answer.status_code == 400
    assert "not the name" in answer.content.decode()
    assert waiting.pending(data) is None
    administrator.post("/backup/reset/", {"name": " CS-1 ", "sessions": "on"})
    order = waiting.pending(data)
    assert order is not None
    assert (order.kind, order.sessions) == (RESET, True)


def test_restart_is_a_command(set_up: None, installer: Client) -> None:
    assert installer.post("/backup/restart/").status_code == 302
    assert Command.objects.get().action == "restart"
