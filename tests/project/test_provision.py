"""``manage.py provision``: every option, right and wrong, and that a refusal changes nothing."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from django.contrib.auth import authenticate, get_user_model

from station.domain.certificates import CertificateUse, StoredCertificate
from station.management.commands.provision import Command
from station.project import environment
from station.project.supervisor import startup
from station.store import repositories
from station.store.models import Certificate, NetworkProfile, SecurityLogEntry, Variable, VariableChange

PASSWORD = "0123456789abcdef"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def station(tmp_path: Path, settings, monkeypatch) -> environment.Environment:
    """A data folder of this test's own; the database is the test's."""
    read = environment.read({"STATION_DATA": str(tmp_path / "data")})
    environment.prepare_folders(read)
    settings.ENVIRONMENT = read
    settings.KEYS_DIR = read.keys
    monkeypatch.setattr(startup, "prepare_database", lambda: None)
    return read


def provision(*arguments: str) -> int:
    try:
        Command().run_from_argv(["manage.py", "provision", *arguments])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def variables() -> dict[str, str]:
    """What the station would load, by name."""
    return {
        f"{row.component}{f'@{row.evse_id}' if row.evse_id else ''}.{row.variable}{row.variable_instance}": row.value
        for row in repositories.load().variables
    }


def everything(data: Path) -> Any:
    rows = [*Variable.objects.order_by("id").values(), *NetworkProfile.objects.order_by("slot").values()]
    users = list(get_user_model().objects.values_list("username", "password"))
    rows += [*Certificate.objects.values()]
    files = {path: path.read_bytes() for path in (data / "keys").rglob("*") if path.is_file()}
    return rows, users, files


def installed(use: CertificateUse) -> StoredCertificate:
    """The one certificate for that use."""
    [record] = [record for record in repositories.load().certificates if record.use is use]
    return record


class Authority:
    """Certificates as a site would have them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self.issue("Root", self.key, ca=True)

    def issue(self, name: str, key: Any, *, ca: bool = False, days: int = 30) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        issuer = name if ca else "Root"
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def file(self, name: str, *certificates: x509.Certificate) -> str:
        path = self.folder / name
        path.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates))
        return str(path)

    def key_file(self, name: str, key: Any, password: bytes = b"") -> str:
        sealing = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing)
        (self.folder / name).write_bytes(pem)
        return str(self.folder / name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_without_an_option_it_prepares_the_folder(station, capsys) -> None:
    assert provision() == 0
    assert "is ready" in capsys.readouterr().out
    assert not Variable.objects.exists()


def test_what_it_sets_is_in_the_history_once(station) -> None:
    for _ in range(2):
        assert provision("--set", "TxCtrlr.EVConnectionTimeOut=30", "--set", "EVSE@1.Power=3680") == 0
    assert provision("--password", PASSWORD) == 0
    told = {(row.by, row.component, row.variable, row.old, row.new) for row in VariableChange.objects.all()}
    assert told == {
        ("provision", "TxCtrlr", "EVConnectionTimeOut", "60", "30"),
        ("provision", "EVSE", "Power", "7360", "3680"),
        ("provision", "SecurityCtrlr", "BasicAuthPassword", None, None),
    }
    assert VariableChange.objects.count() == 3


def test_all_at_once(station, authority: Authority, capsys) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = authority.issue("CS001", key)
    assert (
        provision(
            "--identity", "CS001",
            "--csms-url", "wss://csms.example/ocpp",
            "--security-profile", "3",
            "--password", PASSWORD,
            "--csms-root-certificate", authority.file("root.pem", authority.root),
            "--manufacturer-root-certificate", authority.file("maker.pem", authority.root),
            "--station-certificate", authority.file("own.pem", own, authority.root),
            "--station-key", authority.key_file("own.key", key),
            "--admin-password", "a good password",
            "--set", "TxCtrlr.TxStartPoint=EVConnected,Authorized",
            "--set", "OCPPCommCtrlr.MessageTimeout[Default]=17",
            "--set", "EVSE@1.Power=7400",
            "--set", "Connector@2.1.Available=false",
        )
        == 0
    )  # fmt: skip
    assert variables() == {
        "SecurityCtrlr.Identity": "CS001",
        "SecurityCtrlr.BasicAuthPassword": PASSWORD,
        "SecurityCtrlr.SecurityProfile": "3",
        "TxCtrlr.TxStartPoint": "EVConnected,Authorized",
        "OCPPCommCtrlr.MessageTimeoutDefault": "17",
        "EVSE@1.Power": "7400",
        "Connector@2.Available": "false",
    }
    profile = NetworkProfile.objects.get()
    assert (profile.slot, profile.csms_url, profile.security_profile, profile.message_timeout) == (
        1,
        "wss://csms.example/ocpp",
        3,
        17,
    )
    assert authenticate(username="admin", password="a good password").is_superuser
    assert [x509.load_pem_x509_certificate(pem.encode()) for pem in installed(CertificateUse.CSMS_ROOT).chain] == [
        authority.root
    ]
    assert installed(CertificateUse.MANUFACTURER_ROOT).chain == installed(CertificateUse.CSMS_ROOT).chain
    kept = installed(CertificateUse.CHARGING_STATION)
    assert [x509.load_pem_x509_certificate(pem.encode()) for pem in kept.chain] == [own, authority.root]
    file = station.keys / kept.key
    assert file.stat().st_mode & 0o777 == 0o600
    assert serialization.load_pem_private_key(file.read_bytes(), None).public_key() == own.public_key()
    said = capsys.readouterr()
    assert "SecurityCtrlr.Identity = CS001" in said.out
    assert PASSWORD not in said.out + said.err
    assert "a good password" not in said.out + said.err
    assert said.err == ""


def test_a_password_is_not_readable_in_the_database() -> None:
    assert provision("--password", PASSWORD) == 0
    assert PASSWORD not in Variable.objects.get(variable="BasicAuthPassword").value


def test_what_is_set_is_in_the_security_log(authority: Authority) -> None:
    """A01.FR.11 and .12."""
    provision()
    assert not SecurityLogEntry.objects.exists()
    provision("--set", "OCPPCommCtrlr.OfflineThreshold=30")
    provision("--password", PASSWORD, "--admin-password", "a long enough word", "--csms-url", "ws://csms/x")
    provision("--csms-root-certificate", authority.file("root.pem", authority.root))
    first, second, third = SecurityLogEntry.objects.order_by("id")
    assert (first.type, first.tech_info) == (
        "ConfigurationChanged",
        "by manage.py provision: OCPPCommCtrlr.OfflineThreshold = 30",
    )
    assert second.type == third.type == "ReconfigurationOfSecurityParameters"
    assert "SecurityCtrlr.BasicAuthPassword; network slot 1 = ws://csms/x" in second.tech_info
    assert not any(secret in second.tech_info for secret in (PASSWORD, "a long enough word"))
    assert not first.critical


def test_any_number_of_times_in_any_order() -> None:
    assert provision("--security-profile", "1") == 0
    assert provision("--password", PASSWORD) == 0
    assert provision("--csms-url", "ws://127.0.0.1:9000/a") == 0
    assert provision("--identity", "A") == 0
    assert provision("--identity", "B", "--csms-url", "ws://127.0.0.1:9000/b") == 0
    assert NetworkProfile.objects.get().csms_url == "ws://127.0.0.1:9000/b"
    assert variables()["SecurityCtrlr.Identity"] == "B"


def test_the_profile_may_come_before_the_url_or_after() -> None:
    assert provision("--security-profile", "2") == 0
    assert provision("--csms-url", "wss://x/") == 0
    assert NetworkProfile.objects.get().security_profile == 2
    assert provision("--security-profile", "3") == 0
    assert NetworkProfile.objects.get().security_profile == 3


def test_wss_alone_means_tls() -> None:
    assert provision("--csms-url", "wss://x/") == 0
    assert NetworkProfile.objects.get().security_profile == 2


def test_another_slot_is_tried_as_well() -> None:
    assert provision("--csms-url", "ws://a/") == 0
    assert provision("--csms-url", "ws://b/", "--slot", "2") == 0
    assert variables()["OCPPCommCtrlr.NetworkConfigurationPriority"] == "1,2"


def test_a_slot_that_is_the_only_one_is_the_one_tried() -> None:
    assert provision("--csms-url", "ws://b/", "--slot", "3") == 0
    assert variables()["OCPPCommCtrlr.NetworkConfigurationPriority"] == "3"


def test_a_priority_that_is_asked_for_is_kept() -> None:
    wanted = "OCPPCommCtrlr.NetworkConfigurationPriority=2,1"
    assert provision("--csms-url", "ws://b/", "--slot", "3", "--set", wanted) == 0
    assert variables()["OCPPCommCtrlr.NetworkConfigurationPriority"] == "2,1"


def test_a_timeout_holds_for_slots_that_are_there_already() -> None:
    assert provision("--csms-url", "ws://b/") == 0
    assert provision("--set", "OCPPCommCtrlr.MessageTimeout[Default]=5") == 0
    assert NetworkProfile.objects.get().message_timeout == 5


def test_what_is_odd_is_told(authority: Authority, capsys) -> None:
    old = authority.issue("Root", authority.key, ca=True, days=-1)
    assert provision("--csms-root-certificate", authority.file("old.pem", old)) == 0
    assert "--csms-root-certificate: expired on" in capsys.readouterr().err
    assert provision("--security-profile", "2") == 0
    assert provision("--csms-url", "ws://x/") == 0
    said = capsys.readouterr().err
    assert "does not fit security profile 2" in said
    assert "no identity yet" in said


def test_the_admin_gets_a_new_password() -> None:
    assert provision("--admin-password", "the first one") == 0
    assert provision("--admin-password", "the second one") == 0
    assert authenticate(username="admin", password="the first one") is None
    assert authenticate(username="admin", password="the second one") is not None


@pytest.mark.parametrize(
    ("named", "arguments"),
    [
        ("--identity", ["--identity", "with:colon"]),
        ("--identity", ["--identity", "with space"]),
        ("--identity", ["--identity", ""]),
        ("--identity", ["--identity", "x" * 49]),
        ("--password", ["--password", "x" * 15]),
        ("--password", ["--password", "x" * 41]),
        ("--csms-url", ["--csms-url", "http://x/"]),
        ("--csms-url", ["--csms-url", "csms.example"]),
        ("--csms-url", ["--csms-url", ""]),
        ("--csms-url", ["--csms-url", "ws://"]),
        ("--csms-url", ["--csms-url", "ws://user:secret@x/"]),
        ("--csms-url", ["--csms-url", "ws://x/?a"]),
        ("--csms-url", ["--csms-url", "ws://x/#a"]),
        ("--csms-url", ["--csms-url", "ws://x:99999/"]),
        ("--csms-url", ["--csms-url", "ws://x:0/"]),
        ("--csms-url", ["--csms-url", "ws://[::1/"]),
        ("--csms-url", ["--csms-url", "ws://x/ y"]),
        ("--csms-url", ["--csms-url", "ws://x/" + "y" * 512]),
        ("--security-profile", ["--security-profile", "2", "--csms-url", "ws://x/"]),
        ("--security-profile", ["--security-profile", "4"]),
        ("--security-profile", ["--security-profile", "one"]),
        ("--slot", ["--slot", "0", "--csms-url", "ws://x/"]),
        ("--slot", ["--slot", "x"]),
        ("--admin-password", ["--admin-password", "short"]),
        ("--set", ["--set", "TxCtrlr.TxStartPoint"]),
        ("--set", ["--set", "=1"]),
        ("--set", ["--set", "TxStartPoint=Authorized"]),
        ("TxCtrlr.TxStartPoint", ["--set", "TxCtrlr.TxStartPoint=Nonsense"]),
        ("TxCtrlr.Nothing", ["--set", "TxCtrlr.Nothing=1"]),
        ("EVSE@9.Power", ["--set", "EVSE@9.Power=1"]),
        ("OCPPCommCtrlr.MessageTimeout[Default]", ["--set", "OCPPCommCtrlr.MessageTimeout[Default]=-1"]),
        ("--csms-root-certificate", ["--csms-root-certificate", "{folder}/nothing"]),
        ("--csms-root-certificate", ["--csms-root-certificate", "{folder}"]),
        ("--csms-root-certificate", ["--csms-root-certificate", "{folder}/text"]),
        ("--csms-root-certificate", ["--csms-root-certificate", "{folder}/leaf.pem"]),
        ("--csms-root-certificate", ["--csms-root-certificate", "{folder}/forged.pem"]),
        ("--manufacturer-root-certificate", ["--manufacturer-root-certificate", "{folder}/text"]),
        ("--station-certificate", ["--station-certificate", "{folder}/leaf.pem"]),
        ("--station-key", ["--station-key", "{folder}/leaf.key"]),
        ("--station-certificate", ["--station-certificate", "{folder}/text", "--station-key", "{folder}/leaf.key"]),
        ("--station-key", ["--station-certificate", "{folder}/leaf.pem", "--station-key", "{folder}/other.key"]),
        ("--station-key", ["--station-certificate", "{folder}/leaf.pem", "--station-key", "{folder}/sealed.key"]),
        ("--station-key", ["--station-certificate", "{folder}/leaf.pem", "--station-key", "{folder}/weak.key"]),
        ("--station-key", ["--station-certificate", "{folder}/leaf.pem", "--station-key", "{folder}/text"]),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(named, arguments, station, authority: Authority, capsys) -> None:
    key, weak = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)  # noqa: S505
    authority.file("leaf.pem", authority.issue("CS001", key))
    authority.key_file("leaf.key", key)
    authority.key_file("other.key", authority.key)
    authority.key_file("sealed.key", key, b"password")
    authority.key_file("weak.key", weak)
    authority.file("forged.pem", Authority(authority.folder).issue("Root", key, ca=True))
    (authority.folder / "text").write_text("no certificate")
    assert provision("--identity", "BEFORE", "--csms-url", "ws://before/", "--password", PASSWORD) == 0
    before = everything(station.data)
    capsys.readouterr()

    good = ["--set", "OCPPCommCtrlr.OfflineThreshold=5", "--manufacturer-root-certificate"]
    good.append(authority.file("root.pem", authority.root))
    arguments = [argument.format(folder=authority.folder) for argument in arguments]
    assert provision(*good, *arguments) == 2
    said = capsys.readouterr().err
    assert named in said.splitlines()[-1]
    assert "secret" not in said
    assert everything(station.data) == before


def test_a_running_station_is_not_touched(station, capsys, monkeypatch) -> None:
    monkeypatch.setattr(startup, "LOCK_PATIENCE", 0.0)
    held = startup.lock(station)
    try:
        with pytest.raises(SystemExit) as end:
            Command().run_from_argv(["manage.py", "provision", "--identity", "X"])
        assert end.value.code == f"provision: a station is already running on {station.data}"
    finally:
        import os

        os.close(held)
    assert not Variable.objects.exists()
    assert provision("--identity", "X") == 0


def test_a_file_that_cannot_be_written_takes_everything_back(station, authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = ["--station-certificate", authority.file("own.pem", authority.issue("CS001", key))]
    own += ["--station-key", authority.key_file("own.key", key)]
    station.keys.rmdir()
    station.keys.write_text("a file where a folder should be")
    assert provision("--identity", "X", *own) == 1
    assert not Variable.objects.exists()
    assert not Certificate.objects.exists()


def test_a_station_certificate_takes_the_place_of_the_one_before(station, authority: Authority) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    for key in keys:
        own = ["--station-certificate", authority.file("own.pem", authority.issue("CS001", key))]
        assert provision(*own, "--station-key", authority.key_file("own.key", key)) == 0
        public = x509.load_pem_x509_certificate(installed(CertificateUse.CHARGING_STATION).chain[0].encode())
        assert public.public_key() == key.public_key()


def test_electrical_data_that_do_not_fit_together_are_refused_as_one(
    station: environment.Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(station.data)
    fuse = ("--set", "ElectricalFeed.FuseRating=20")
    assert provision(*fuse, "--set", "EVSE@1.Power=3680", "--set", "EVSE@2.Power=3680") == 2
    assert "ElectricalFeed.FuseRating is 20 A, and all EVSEs together may draw 32 A from L1" in capsys.readouterr().err
    assert everything(station.data) == before


def test_electrical_data_are_looked_at_also_where_they_come_one_by_one() -> None:
    fuse = ("--set", "ElectricalFeed.FuseRating=20")
    assert provision(*fuse, "--set", "EVSE@1.Power=2300", "--set", "EVSE@2.Power=2300") == 0
    assert provision("--set", "EVSE@1.Power=7360") == 2
