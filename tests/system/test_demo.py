"""What a newcomer gets: nothing provisioned, one request to the bench, and the session stands in both records."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from station.csms.record import Record
from tests.support.appliance import Appliance
from tests.support.waiting import wait_until
from tests.system.charging import agree


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("demo")) as appliance:
        appliance.start()
        yield appliance


@pytest.mark.parametrize("evse_id", [1, 2])
def test_a_demo_drive_stands_in_the_history_and_at_the_csms(fresh: Appliance, evse_id: int) -> None:
    fresh.wait_registered()
    before = {row["transaction_id"] for row in fresh.sessions()}
    fresh.bench(f"/evse/{evse_id}/drive", {"seconds": 5})
    state = wait_until(
        lambda: (drive := fresh.evse(evse_id)["drive"])["step"] in ("done", "failed") and drive, "the drive's end", 90
    )
    assert state == {"step": "done", "progress": 1.0, "error": None}
    [row] = [row for row in fresh.sessions() if row["transaction_id"] not in before]
    account = wait_until(
        lambda: (known := Record(fresh.data / "csms").ledger.get(row["transaction_id"])) and known.complete and known,
        "complete in the record of the CSMS",
    )
    assert account.evse_id == evse_id
    assert account.energy is not None
    assert account.energy > 3  # 5 s at 7 kW, less the ramp
    agree(fresh, account)
    with fresh.database() as database:
        points = database.execute("SELECT power, energy FROM station_meter_point").fetchall()
    assert max(point["power"] for point in points) > 1000


def test_the_terminal_tells_where_to_go_and_how_to_get_in(fresh: Appliance) -> None:
    log = fresh.log_path.read_text()
    assert f"http://127.0.0.1:{fresh.web}" in log
    assert re.search(r"password\W+[a-z2-9-]{12,}", log, re.IGNORECASE)
    kept = fresh.data / "logs" / "station.log"
    password = re.search(r"password\W+([a-z2-9-]{12,})", log, re.IGNORECASE)
    assert password is not None
    assert not kept.exists() or password[1] not in kept.read_text(), "the password is in a file"


def test_two_appliances_run_side_by_side_and_one_folder_serves_one(
    fresh: Appliance, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Appliance(tmp_path_factory.mktemp("second"), identity="CP-2") as second:
        second.start()
        assert fresh.health()[0] == second.health()[0] == 200
        second.plug()
        assert not fresh.evse()["plugged"]
        second.stop()
    with Appliance(tmp_path_factory.mktemp("third"), STATION_DATA=str(fresh.data)) as third:
        third.start(healthy=False)
        assert third.wait_exit(20) == 1
        assert "already" in third.log_tail()
        assert "Traceback" not in third.log_tail()
    assert fresh.health()[0] == 200


@pytest.mark.parametrize("variable", ["STATION_WEB", "STATION_BENCH", "STATION_SIMULATOR"])
def test_a_port_in_use_is_one_clear_line(
    fresh: Appliance, tmp_path_factory: pytest.TempPathFactory, variable: str
) -> None:
    with Appliance(tmp_path_factory.mktemp("port")) as other:
        other.environment[variable] = fresh.environment[variable]
        other.start(healthy=False)
        assert other.wait_exit(20) == 1
        lines = other.log_tail().splitlines()
        assert len(lines) == 1, lines
        assert variable in lines[0]


def test_the_bench_works_from_a_shell(fresh: Appliance) -> None:
    done: subprocess.CompletedProcess[str] = fresh.manage("bench", "state")
    assert done.returncode == 0, done.stderr
    assert '"evses"' in done.stdout


def test_it_stops_and_a_copy_of_the_folder_works(fresh: Appliance, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    fresh.stop()
    copy = Appliance(tmp_path_factory.mktemp("copy"))
    shutil.copytree(fresh.data, copy.data)
    with copy:
        copy.start()
        assert [row["transaction_id"] for row in copy.sessions()] == [row["transaction_id"] for row in fresh.sessions()]
        copy.wait_registered()
        copy.stop()
