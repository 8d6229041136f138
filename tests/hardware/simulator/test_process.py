"""The simulator as a process: ports, signals, power cuts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hardware.drivers import open_board
from station.domain.board import EvseSetpoint
from tests.hardware.support import OPENER

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def simulator(folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    process = start(folder, **environment)
    assert process.stdout is not None
    try:
        modbus, bench = (process.stdout.readline().split()[1] for _ in range(2))
        yield process, modbus, bench
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    settings = {"STATION_DATA": str(folder), "STATION_SIMULATOR": "127.0.0.1:0", "STATION_BENCH": "127.0.0.1:0"}
    return subprocess.Popen(
        [sys.executable, "-m", "hardware.simulator"],
        cwd=ROOT,
        env=os.environ | settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(bench: str, path: str, body: object) -> dict:
    request = urllib.request.Request(f"http://{bench}{path}", data=json.dumps(body).encode())
    with OPENER.open(request, timeout=5) as answer:
        return json.load(answer)


def test_a_power_cut_keeps_the_world_and_the_meter_never_goes_back(tmp_path: Path) -> None:
    with simulator(tmp_path) as (process, modbus, bench):
        board = open_board(f"modbus-tcp://{modbus}")
        board.feed(1, 1)
        board.write_setpoint(1, EvseSetpoint(1, allow_power=True, current=32.0))
        ask(bench, "/evse/1/plug", {"soc": 50})
        deadline = time.monotonic() + 20
        while (served := board.read().evses[0].meter.energy) < 1000:
            assert time.monotonic() < deadline, "no energy"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(5)
        board.close()
    with simulator(tmp_path) as (process, modbus, _):
        board = open_board(f"modbus-tcp://{modbus}")
        reading = board.read()
        assert reading.evses[0].meter.energy >= served
        assert reading.evses[0].cp_state == "B1"
        assert not reading.evses[0].contactor_closed
        assert reading.boot_count == 2
        board.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


@pytest.mark.parametrize("name", ["STATION_SIMULATOR", "STATION_BENCH"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = start(tmp_path, **{name: address})
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert f"{address}: the port is in use" in errors


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"STATION_SIMULATOR": "5020"}, "STATION_SIMULATOR"),
        ({"STATION_BENCH": "127.0.0.1:70000"}, "STATION_BENCH"),
        ({"STATION_EVSES": "0"}, "STATION_EVSES"),
        ({"STATION_EVSES": "many"}, "STATION_EVSES"),
        ({"STATION_DATA": "/dev/null"}, "/dev/null/simulator"),
    ],
)
def test_a_bad_setting_is_one_clear_line(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    process = start(tmp_path, **environment)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert named in errors
