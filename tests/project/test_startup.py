"""What cannot start says so in one clear line, with exit status 1 and without a traceback."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import authenticate, get_user_model

from station.project import environment
from station.project.environment import Address
from station.project.supervisor import startup
from station.project.supervisor.startup import StartupFailed
from tests.support.ports import free_port

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def run(command: str, data: Path, **variables: str) -> tuple[int, str]:
    """Exit status and standard error of ``manage.py command``, which must end by itself."""
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("STATION_WEB", "STATION_SIMULATOR", "STATION_BENCH")}
    result = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=PROJECT,
        env={**os.environ, "STATION_DATA": str(data), **ports, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stderr


def assert_one_line(outcome: tuple[int, str], *parts: str) -> None:
    status, said = outcome
    assert status == 1, said
    assert said.count("\n") == 1, said
    assert said.startswith(("station: ", "provision: "))
    for part in parts:
        assert part in said


@pytest.mark.parametrize("command", ["appliance", "provision"])
def test_a_bad_variable(command: str, tmp_path: Path) -> None:
    assert_one_line(run(command, tmp_path, STATION_EVSES="many"), "STATION_EVSES", "'many'")


@pytest.mark.parametrize("command", ["appliance", "provision"])
def test_an_unwritable_data_folder(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_line(run(command, tmp_path / "file" / "data"), "STATION_DATA", "cannot write", "Not a directory")


@pytest.mark.parametrize("name", ["STATION_WEB", "STATION_WEB_TLS", "STATION_SIMULATOR", "STATION_BENCH"])
def test_a_port_in_use(name: str, tmp_path: Path, listening: socket.socket) -> None:
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    assert_one_line(run("appliance", tmp_path, **{name: address}), name, address, "in use")


@pytest.mark.parametrize("command", ["appliance", "provision"])
def test_a_file_that_is_no_database(command: str, tmp_path: Path) -> None:
    (tmp_path / "station.sqlite3").write_bytes(b"this is no database at all" * 100)
    assert_one_line(run(command, tmp_path), "station.sqlite3 is damaged", "not a database")


def test_a_database_with_a_broken_page(tmp_path: Path) -> None:
    assert run("provision", tmp_path)[0] == 0
    path = tmp_path / "station.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = os.urandom(4096 * 4)
    path.write_bytes(content)
    assert_one_line(run("appliance", tmp_path), "station.sqlite3 is damaged")


def test_a_database_of_a_later_or_foreign_make(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "station.sqlite3") as database:
        database.execute("CREATE TABLE station_journal (x)")
    assert_one_line(run("appliance", tmp_path), "cannot use the database", "already exists")


def test_a_second_appliance_on_the_same_folder(tmp_path: Path) -> None:
    with (tmp_path / "appliance.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert_one_line(run("appliance", tmp_path), "already running", str(tmp_path))


def test_redis_that_is_not_installed(monkeypatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(StartupFailed, match="redis-server is not installed"):
        startup.redis_server()


def test_an_address_of_another_machine() -> None:
    with pytest.raises(StartupFailed, match=r"STATION_WEB: cannot listen on 192\.0\.2\.1:80"):
        startup.listen("STATION_WEB", Address("192.0.2.1", 80))


def test_a_lock_is_free_again_with_its_holder(tmp_path: Path) -> None:
    read = environment.read({"STATION_DATA": str(tmp_path)})
    os.close(startup.lock(read))
    os.close(startup.lock(read))


def test_work_in_a_child_comes_back() -> None:
    def fail() -> dict[str, int]:
        raise StartupFailed("because")

    def die() -> dict[str, int]:
        os._exit(1)

    assert startup.in_child(lambda: {"a": 1})() == {"a": 1}
    with pytest.raises(StartupFailed, match="because"):
        startup.in_child(fail)()
    with pytest.raises(StartupFailed, match="could not be prepared"):
        startup.in_child(die)()


@pytest.mark.django_db
def test_the_first_administrator_is_made_once() -> None:
    password = startup.first_administrator()
    assert password is not None
    assert len(password) == 19
    assert authenticate(username="admin", password=password).is_superuser
    assert startup.first_administrator() is None
    assert get_user_model().objects.count() == 1


@pytest.mark.django_db
def test_nobody_is_made_where_somebody_is() -> None:
    get_user_model().objects.create_user("fitter", password="x")
    assert startup.first_administrator() is None
