"""The whole appliance as an installer meets it: commands, environment variables, HTTP. Nothing of its inside."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from tests.support.ports import free_port
from tests.support.waiting import wait_until

PROJECT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "0123456789abcdef-bench"  # HTTP Basic of the stations under test; 16 to 40 characters
CARD = "04A2B3C4D5E6F7"
STOP_WITHIN = 10.0  # s, the contract's
START_WITHIN = 30.0  # s; the contract's 10 s are a matter of the bench, not of a loaded test machine

# Short times where the factory's are long, so that a test waits for nothing but what it is about.
QUICK = (
    "SampledDataCtrlr.TxUpdatedInterval=2",
    "OCPPCommCtrlr.RetryBackOffWaitMinimum=1",
    "OCPPCommCtrlr.RetryBackOffRandomRange=0",
    "OCPPCommCtrlr.RetryBackOffRepeatTimes=1",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]=1",
)

_running: list[Appliance] = []


class BenchError(Exception):
    """The bench answered with another status than 200."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.error = error


class Appliance:
    """One appliance with its own data folder (``folder/data``) and ports.

    ``variables`` are environment variables on top of the contract's. Leaving the ``with`` block ends whatever
    still runs; ``stop`` is how a test ends it properly.
    """

    def __init__(self, folder: Path, *, identity: str = "CP-TEST", **variables: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.identity = identity
        self.web = free_port()
        self.bench_port = free_port()
        self.log_path = folder / "appliance.log"
        ours = ("STATION_", "REDIS_URL", "DATABASE_URL", "DJANGO_", "PYTEST_")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "STATION_DATA": str(self.data),
            "STATION_WEB": f"127.0.0.1:{self.web}",
            "STATION_SIMULATOR": f"127.0.0.1:{free_port()}",
            "STATION_BENCH": f"127.0.0.1:{self.bench_port}",
            **variables,
        }
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Appliance:
        _running.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._supervisor is not None:
            self._supervisor.wait(10)
        _running.remove(self)

    # ------------------------------------------------------------------ commands

    def manage(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` with ``arguments`` in this appliance's environment; both outputs are kept."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def provision(self, *options: str, variables: tuple[str, ...] = ()) -> None:
        """``manage.py provision`` with ``options`` and a ``--set`` for each of ``variables``; must succeed."""
        settings = [part for variable in variables for part in ("--set", variable)]
        done = self.manage("provision", *options, *settings)
        assert done.returncode == 0, f"provision {options} {variables}: {done.stdout}{done.stderr}"

    def provision_csms(
        self,
        url: str,
        *,
        password: str | None = PASSWORD,
        variables: tuple[str, ...] = QUICK,
        options: tuple[str, ...] = (),
    ) -> None:
        """Point it at a CSMS, under its identity, with quick times."""
        secret = () if password is None else ("--password", password)
        self.provision("--identity", self.identity, "--csms-url", url, *secret, *options, variables=variables)

    # ------------------------------------------------------------------ life and death

    def start(self, *, healthy: bool = True) -> Appliance:
        """Start it in a session of its own; ``healthy``: return when ``/healthz`` says 200 and the bench answers."""
        assert not self.runs, "it runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "manage.py", "appliance"],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if healthy:
            self.wait_healthy()
            self.wait_bench()
        return self

    @property
    def runs(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def pid(self) -> int:
        """The supervisor's."""
        assert self._supervisor is not None
        return self._supervisor.pid

    def wait_exit(self, timeout: float = STOP_WITHIN) -> int:
        """The supervisor's exit status once it has ended by itself."""
        assert self._supervisor is not None
        return self._supervisor.wait(timeout)

    def stop(self) -> None:
        """SIGTERM; asserts that all of it ends within 10 s with status 0 and leaves no process behind."""
        assert self._supervisor is not None
        family = self.processes()
        begun = time.monotonic()
        self._supervisor.send_signal(signal.SIGTERM)
        try:
            status = self._supervisor.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {STOP_WITHIN} s after SIGTERM: {_named(self.processes())}") from None
        assert status == 0, f"ended with status {status}\n{self.log_tail()}"
        left = [process for process in family if _alive(process)]
        assert not left, f"left behind after {time.monotonic() - begun:.1f} s: {_named(left)}"

    def kill9(self) -> None:
        """A power cut: SIGKILL to the whole process group at once. Asserts that nothing is left when it returns."""
        assert self._supervisor is not None
        family = self.processes()
        with suppress(ProcessLookupError):
            os.killpg(self._supervisor.pid, signal.SIGKILL)
        self._supervisor.wait(10)
        wait_until(lambda: not any(_alive(process) for process in family), "all processes gone", 5, 0.01)

    def restart(self) -> None:
        """Stop it properly and start it again."""
        self.stop()
        self.start()

    def processes(self) -> list[psutil.Process]:
        """Every process of the appliance, the supervisor first: its descendants and all of its session."""
        if self._supervisor is None:
            return []
        family: dict[int, psutil.Process] = {}
        with suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self._supervisor.pid)
            family = {process.pid: process for process in (supervisor, *supervisor.children(recursive=True))}
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self._supervisor.pid:
                    family.setdefault(process.pid, process)
            except OSError:
                continue
        return [process for process in family.values() if _alive(process)]

    def process(self, name: str) -> psutil.Process | None:
        """The one called ``uplink``, ``web``, ``hardware``, ``transfers``, ``redis`` …; None while there is none."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                if process.name() == ("redis-server" if name == "redis" else f"st:{name}"):
                    return process
        return None

    # ------------------------------------------------------------------ HTTP

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of ``/healthz``; status 0 where nobody listens."""
        return _http(f"http://127.0.0.1:{self.web}/healthz")

    def wait_healthy(self, timeout: float = START_WITHIN, every: float = 0.05) -> None:
        """Return when ``/healthz`` says 200; AssertionError with the log where the appliance ends or takes too long."""
        end = time.monotonic() + timeout
        while (health := self.health())[0] != 200:
            assert self.runs, (
                f"it ended with status {self._supervisor and self._supervisor.returncode}\n{self.log_tail()}"
            )
            assert time.monotonic() < end, f"/healthz after {timeout} s: {health}\n{self.log_tail()}"
            time.sleep(every)

    def wait_registered(self, timeout: float = START_WITHIN) -> None:
        """Return when the CSMS has accepted the station."""
        wait_until(lambda: self.uplink()["registration"] == "Accepted", "registered at the CSMS", timeout)

    def uplink(self) -> dict[str, Any]:
        """The uplink's word in ``/healthz``."""
        nothing = {"connected": False, "registration": None, "security_profile": 0}
        word: dict[str, Any] = self.health()[1].get("uplink", nothing)
        return word

    def bench(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``GET`` the bench's ``path``, or ``POST`` ``body`` to it; raises BenchError for all but 200."""
        status, answer = _http(f"http://127.0.0.1:{self.bench_port}{path}", body)
        if status != 200:
            raise BenchError(status, str(answer.get("error", "")))
        return answer

    def wait_bench(self, timeout: float = START_WITHIN) -> None:
        """Return when the bench answers; ``/healthz`` does not speak of the simulator."""
        wait_until(lambda: _http(f"http://127.0.0.1:{self.bench_port}/state")[0] == 200, "the bench", timeout)

    def evse(self, evse_id: int = 1) -> dict[str, Any]:
        """The bench's view of one EVSE."""
        state: dict[str, Any] = self.bench("/state")["evses"][str(evse_id)]
        return state

    def plug(self, evse_id: int = 1, **ev: Any) -> None:
        self.bench(f"/evse/{evse_id}/plug", ev)

    def unplug(self, evse_id: int = 1) -> None:
        self.bench(f"/evse/{evse_id}/unplug", {})

    def card(self, uid: str = CARD, **more: Any) -> None:
        self.bench("/rfid", {"uid": uid, "type": "ISO14443", **more})

    def wait_evse(self, evse_id: int, what: str, timeout: float = 15, **expected: Any) -> dict[str, Any]:
        """The EVSE's state once it has ``expected`` (a value, or a predicate of it) for each name."""

        def as_expected() -> dict[str, Any] | None:
            state = self.evse(evse_id)
            fits = all(
                wanted(state[name]) if callable(wanted) else state[name] == wanted for name, wanted in expected.items()
            )
            return state if fits else None

        state = wait_until(as_expected, f"EVSE {evse_id}: {what}", timeout)
        assert state is not None
        return state

    # ------------------------------------------------------------------ what is on record

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """A read-only connection; rows are ``sqlite3.Row``."""
        connection = sqlite3.connect(f"file:{self.data / 'station.sqlite3'}?mode=ro", uri=True, timeout=5)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def sessions(self) -> list[dict[str, Any]]:
        """The history, oldest first; energy in mWh."""
        with self.database() as database:
            return [dict(row) for row in database.execute("SELECT * FROM station_transaction ORDER BY started_at")]

    def session(self, transaction_id: str) -> dict[str, Any]:
        """One session of the history; AssertionError where there is none."""
        found = [row for row in self.sessions() if row["transaction_id"] == transaction_id]
        assert found, f"no {transaction_id} in the history"
        return found[0]

    def queue(self) -> list[dict[str, Any]]:
        """What waits to be sent."""
        with self.database() as database:
            return [dict(row) for row in database.execute("SELECT * FROM station_queued_call ORDER BY sequence")]

    def log_tail(self, lines: int = 60) -> str:
        """The end of the appliance's output."""
        if not self.log_path.exists():
            return "(no output)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


def running() -> list[Appliance]:
    """The appliances of the running tests, for the report of a failure."""
    return list(_running)


def _http(url: str, body: Mapping[str, Any] | None = None, password: str | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url)  # noqa: S310 - loopback
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if password is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(password.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        try:
            return error.code, json.load(error)
        except ValueError:
            return error.code, {}
    except (OSError, ValueError):
        return 0, {}


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _named(processes: list[psutil.Process]) -> list[str]:
    names = []
    for process in processes:
        try:
            names.append(f"{process.pid} {process.name()} {' '.join(process.cmdline()[:4])}")
        except psutil.NoSuchProcess:
            continue
    return names
