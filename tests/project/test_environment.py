"""Every variable of the contract, right and wrong."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from station.project import environment
from station.project.environment import UNIX_PATH_LIMIT, Address, EnvironmentInvalid


def test_defaults_are_those_of_the_contract() -> None:
    read = environment.read({})
    assert read.data == Path.cwd() / "data"
    assert str(read.web) == "127.0.0.1:8000"
    assert read.web_tls is None
    assert read.simulated
    assert read.board == "modbus-tcp://127.0.0.1:5020"
    assert str(read.bench) == "127.0.0.1:8020"
    assert read.evses == 2
    assert read.redis_url is None
    assert read.database_url is None
    assert read.pkcs11 == ""
    assert read.broker == f"redis+socket://{read.data}/run/redis.sock?virtual_host=0"


def test_an_empty_variable_counts_as_unset() -> None:
    assert environment.read({"STATION_WEB_TLS": "", "STATION_EVSES": " "}) == environment.read({})


def test_addresses() -> None:
    read = environment.read({"STATION_WEB": "[::1]:80", "STATION_WEB_TLS": "0.0.0.0:8443"})
    assert read.web == Address("::1", 80)
    assert str(read.web) == "[::1]:80"
    assert str(read.web_tls) == "0.0.0.0:8443"
    assert read.web_tls is not None
    assert str(read.web_tls.reachable) == "127.0.0.1:8443"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STATION_PKCS11", "pkcs11:token=x"),
        ("STATION_PKCS11", "pkcs11:token=x?module-path=/x.so&pin-value=1234"),
        ("STATION_WEB", "8000"),
        ("STATION_WEB", "localhost"),
        ("STATION_WEB", "::1:80"),
        ("STATION_WEB", "127.0.0.1:0"),
        ("STATION_WEB", "127.0.0.1:65536"),
        ("STATION_WEB", "127.0.0.1:x"),
        ("STATION_WEB", "a b:80"),
        ("STATION_WEB", "127.0.0.1:²"),
        ("STATION_WEB_TLS", "127.0.0.1"),
        ("STATION_SIMULATOR", "nowhere"),
        ("STATION_BENCH", ":"),
        ("STATION_BENCH", "127.0.0.1:8000"),  # STATION_WEB's port
        ("STATION_EVSES", "0"),
        ("STATION_EVSES", "33"),
        ("STATION_EVSES", "two"),
        ("STATION_BOARD", "modbus"),
        ("STATION_BOARD", "modbus-tcp://"),
        ("STATION_BOARD", "modbus-tcp://x:1/path"),
        ("STATION_BOARD", "modbus-rtu://ttyUSB0"),
        ("STATION_BOARD", "modbus-rtu:///dev/ttyUSB0?baudrate=7"),
        ("REDIS_URL", "http://localhost"),
        ("DATABASE_URL", "nothing://here"),
        ("DATABASE_URL", "postgres://u:p@host:port/x"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(name: str, value: str) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        environment.read({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["REDIS_URL", "DATABASE_URL"])
def test_passwords_are_not_repeated(name: str) -> None:
    with pytest.raises(EnvironmentInvalid) as caught:
        environment.read({name: "what://user:hunter2@host/x"})
    assert "hunter2" not in str(caught.value)


def test_a_real_board_needs_no_free_ports_for_the_simulator() -> None:
    read = environment.read({"STATION_BOARD": "modbus-rtu:///dev/ttyUSB0?baudrate=19200", "STATION_BENCH": "a:8000"})
    assert not read.simulated
    assert read.board.startswith("modbus-rtu:///dev/ttyUSB0?baudrate=19200")


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://10.0.0.1:6380/2", "redis://10.0.0.1:6380/2"),
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("unix://:pass@/run/redis.sock", "redis+socket://:pass@/run/redis.sock?virtual_host=0"),
    ],
)
def test_celery_gets_redis_in_its_own_spelling(url: str, broker: str) -> None:
    assert environment.read({"REDIS_URL": url}).broker == broker


def test_a_long_data_folder_has_its_socket_elsewhere(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    read = environment.read({"STATION_DATA": str(long)})
    environment.prepare_folders(read)
    path = read.redis_socket
    try:
        assert len(os.fsencode(path)) <= UNIX_PATH_LIMIT
        assert path != environment.read({"STATION_DATA": f"{long}y"}).redis_socket
        assert path.parent.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
        path.unlink()
        path.parent.chmod(0o755)
        with pytest.raises(EnvironmentInvalid, match="not a private folder"):
            environment.prepare_folders(read)
    finally:
        path.parent.rmdir()


def test_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    read = environment.read({"STATION_DATA": str(tmp_path / "a" / "b")})
    environment.prepare_folders(read)
    environment.prepare_folders(read)
    for folder in (read.data, read.keys, read.logs):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in read.data.iterdir()) == ["keys", "logs", "run"]


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentInvalid, match=r"STATION_DATA: cannot write to .*: Not a directory"):
        environment.prepare_folders(environment.read({"STATION_DATA": str(tmp_path / "file" / "data")}))


def test_the_secret_key_is_made_once(tmp_path: Path) -> None:
    read = environment.read({"STATION_DATA": str(tmp_path)})
    first = environment.secret_key(read)
    assert len(first) >= 50
    assert environment.secret_key(read) == first
    assert (read.keys / "django.key").stat().st_mode & 0o777 == 0o600
