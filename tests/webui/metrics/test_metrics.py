"""Metrics: the format, the figures, and who may read them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.live.payloads import StationLive
from station.store.models import Command, QueuedCall, Transaction
from tests.webui.making import charging, free, station
from webui.accounts import tokens
from webui.api import live, pace
from webui.metrics import collect, machine
from webui.metrics.text import Page
from webui.neighbourhood.models import Neighbourhood

SAMPLE = re.compile(r'^[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"(,[a-z]+="(\\.|[^"\\\n])*")*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$')
HEALTH = {"status": "ok", "poll": {"polls": 500, "missed": 2, "late": {"p95": 1.0, "max": 3.5}}}


@pytest.fixture(autouse=True)
def _anew() -> None:
    collect.forget()
    pace.STRANGERS.forget()


def figures(text: str) -> dict[str, float]:
    """The samples by name and labels; every line has to be one of the format's."""
    found: dict[str, float] = {}
    typed: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# "):
            _, kind, name, about = line.split(" ", 3)
            assert about
            if kind == "TYPE":
                assert about in ("gauge", "counter")
                assert (about == "counter") is name.endswith("_total")
                typed.add(name)
            continue
        assert SAMPLE.match(line), line
        name, _, value = line.rpartition(" ")
        assert name.partition("{")[0] in typed
        assert name not in found
        found[name] = float(value)
    return found


def measured(live: StationLive | None) -> dict[str, float]:
    return figures(collect.page(live, HEALTH))


@pytest.mark.django_db
def test_figures_of_a_station_that_charges() -> None:
    found = measured(station(charging(1, limit=16.0), free(2), queue_length=1))
    assert found['station_evse_power_watts{evse="1"}'] == 7312
    assert found['station_evse_energy_watt_hours_total{evse="1"}'] == 4215.2
    assert found['station_evse_current_amperes{evse="1",phase="L1"}'] == 31.8
    assert found['station_evse_state{evse="1",state="charging"}'] == 1
    assert found['station_evse_state{evse="2",state="charging"}'] == 0
    assert found['station_evse_limit_amperes{evse="1"}'] == 16
    assert 'station_evse_limit_amperes{evse="2"}' not in found, "no limit is not a limit of 0"
    assert found["station_csms_accepted"] == 1
    assert found["station_board_polls_missed_total"] == 2
    assert found["station_board_poll_late_seconds"] == 0.0035
    assert found["station_healthy"] == 1


@pytest.mark.django_db
def test_while_the_uplink_is_away_the_rest_is_told() -> None:
    found = measured(None)
    assert found["station_uplink_up"] == 0
    assert found["station_queue_length"] == 0
    assert not [name for name in found if name.startswith("station_evse")]


def test_sessions_queue_and_commands(make_session: Callable[..., Transaction], person: User) -> None:
    for _ in range(3):
        make_session()
    assert measured(None)["station_sessions_total"] == 3
    make_session(active=True, ended_at=None, started_at=timezone.now())
    QueuedCall.objects.create(
        sequence=1, action="X", payload={}, created=timezone.now() - timedelta(seconds=90), attempts=0
    )
    Command.objects.create(user=person, who="olga", action="start", status="Rejected")
    found = measured(None)
    assert (found["station_sessions_total"], found["station_sessions_running"]) == (4, 1)
    assert found["station_queue_length"] == 1
    assert 90 <= found["station_queue_age_seconds"] < 100
    assert found['station_commands{status="rejected"}'] == 1
    Transaction.objects.all().delete()
    assert measured(None)["station_sessions_total"] == 0


def test_text_from_outside_stays_text() -> None:
    page = Page()
    page.family("a", "gauge", 'about\n"it"').add(1.5, {"name": 'x"y\\z\nw'})
    page.family("b", "gauge", "nothing").add(None)
    assert page.text() == '# HELP a about\\n"it"\n# TYPE a gauge\na{name="x\\"y\\\\z\\nw"} 1.5\n'
    with pytest.raises(ValueError, match="a is there"):
        page.family("a", "gauge", "twice")


@pytest.mark.parametrize(
    ("value", "text"), [(True, "1"), (0.1, "0.1"), (float("nan"), "NaN"), (float("-inf"), "-Inf"), (1e300, "1e+300")]
)
def test_numbers(value: float, text: str) -> None:
    page = Page()
    page.family("a", "gauge", "x").add(value)
    assert page.text().endswith(f"a {text}\n")


def test_memory_of_the_processes_that_the_supervisor_named(tmp_path: Path) -> None:
    def process(pid: int, comm: str, pss: str, children: str = "") -> None:
        folder = tmp_path / str(pid)
        (folder / "task" / str(pid)).mkdir(parents=True)
        (folder / "comm").write_text(comm + "\n")
        (folder / "smaps_rollup").write_text(f"1000-2000 ---p\nRss: 9 kB\nPss:    {pss} kB\nPss_Dirty: 1 kB\n")
        (folder / "task" / str(pid) / "children").write_text(children)

    process(10, "python", "100", "11 12 13 14 ")
    process(11, "st:web", "200")
    process(12, "redis-server", "40")
    process(13, "sh", "7")
    assert machine.memory(10, tmp_path) == {"web": 204800, "redis": 40960, "supervisor": 102400}
    assert machine.memory(99, tmp_path) == {}


# ------------------------------------------------------------------ who may


@pytest.fixture
def _a_station(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(message: Any) -> StationLive:
        return station()

    monkeypatch.setattr(live, "_ask", ask)


@pytest.mark.usefixtures("_a_station")
def test_with_a_token_that_may_read(person: User, client: Client) -> None:
    assert client.get("/metrics").status_code == 401
    reader = tokens.make(person, "prometheus", ["read"], None)[1]
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {reader}"})
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert figures(answer.content.decode())["station_uplink_up"] == 1
    doer = tokens.make(person, "other", ["control"], None)[1]
    assert client.get("/metrics", headers={"Authorization": f"Bearer {doer}"}).status_code == 403


@pytest.mark.usefixtures("_a_station")
@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ("", "192.168.1.5", 401),
        ("192.168.1.0/24", "192.168.1.5", 200),
        ("192.168.1.0/24", "::ffff:192.168.1.5", 200),
        ("10.0.0.0/8 fd00::/8", "fd00::7", 200),
        ("192.168.1.0/24", "192.168.2.5", 401),
        ("nonsense", "192.168.1.5", 401),
    ],
)
def test_from_networks_that_were_named(db: None, client: Client, networks: str, address: str, status: int) -> None:
    Neighbourhood(pk=1, metrics_networks=networks).save()
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == status
    bad = client.get("/metrics", REMOTE_ADDR=address, headers={"Authorization": "Bearer st_x"})
    assert bad.status_code == 401
