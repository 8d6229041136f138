"""``manage.py bench`` against a live bench."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from station.management.commands.bench import Command
from tests.hardware.support import Live, live_simulator


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_simulator(tmp_path_factory.mktemp("bench")) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _address(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATION_BENCH", live.bench)


def bench(*words: str) -> Any:
    out = io.StringIO()
    call_command("bench", *words, stdout=out)
    return json.loads(out.getvalue())


def test_every_action(live: Live) -> None:
    assert bench("state") == live.ask("/state")[1]
    evse = bench("plug", "1", "--max-current", "16", "--phases", "3", "--soc", "40", "--no-requests-energy")["evses"][
        "1"
    ]
    assert evse["ev"] == {"requests_energy": False, "max_current": 16.0, "phases": 3, "soc": 40.0}
    assert bench("ev", "1", "--max-current", "10", "--requests-energy")["evses"]["1"]["ev"]["max_current"] == 10
    assert bench("unplug", "1")["evses"]["1"]["plugged"] is False
    assert bench("fault", "1", "GroundFailure")["evses"]["1"]["fault"] == "GroundFailure"
    assert bench("fault", "1", "--clear")["evses"]["1"]["fault"] is None
    assert bench("bay", "2", "occupied")["evses"]["2"]["bay"] is True
    assert bench("bay", "2", "free")["evses"]["2"]["bay"] is False
    reader = bench("rfid", "e004015012345678", "--type", "ISO15693", "--evse", "1")["reader"]
    assert (reader["uid"], reader["type"]) == ("E004015012345678", "ISO15693")
    assert bench("door", "open")["door"] is True
    assert bench("door", "closed")["door"] is False
    assert bench("power", "off")["power"] is False
    assert bench("power", "on")["power"] is True
    assert bench("drive", "1", "--seconds", "60")["evses"]["1"]["drive"]["step"] == "plugged"
    assert bench("drive", "1", "--stop")["evses"]["1"]["drive"]["error"] == "stopped by hand"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["unplug", "1"], "EVSE 1: nothing is plugged in"),
        (["plug", "9"], "there is no EVSE 9"),
        (["rfid", "zz"], "hexadecimal"),
        (["fault", "1", "Boredom"], "GroundFailure"),
    ],
)
def test_a_refusal_is_one_line_and_status_1(words: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why) as refusal:
        bench(*words)
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    "words",
    [[], ["dance"], ["plug"], ["plug", "one"], ["fault", "1"], ["bay", "1", "full"], ["plug", "1", "--phases", "5"]],
)
def test_bad_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "bench", *words])
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_no_bench_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("STATION_BENCH", address)
    with pytest.raises(CommandError, match=rf"no bench answers at {address} \(STATION_BENCH\): .*refused"):
        bench("state")
    monkeypatch.setenv("STATION_BENCH", "no address")
    with pytest.raises(CommandError, match="no bench answers at no address"):
        bench("state")


def test_it_needs_no_database(tmp_path: Path) -> None:
    assert Command.requires_migrations_checks is False
    assert not Command.requires_system_checks
