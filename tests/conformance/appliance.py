"""The rig of the real thing: the running appliance, a real WebSocket, the bench, and time as it passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from station.csms.session import CallError as SessionCallError
from tests.conformance import endpoints
from tests.conformance.endpoints import Login, Presence
from tests.conformance.network import basic
from tests.conformance.rig import (
    CARD,
    Attempt,
    CallError,
    Error,
    FirmwareServer,
    LogServer,
    Message,
    Payload,
    Reply,
    Rig,
    Silence,
)
from tests.support.appliance import PASSWORD, QUICK, Appliance
from tests.support.csms import SILENCE, Recorded, Refuse, ScriptedCsms
from tests.support.file_server import File, FileServer
from tests.support.log_server import UploadServer
from tests.support.waiting import wait_until
from tests.support.web import WebSession

ADMIN = "a long enough word"
HOST = "127.0.0.1"  # of both endpoints


class _LogServer(LogServer):
    def __init__(self, server: UploadServer) -> None:
        self._server = server
        self.url = f"{server.url}/upload"
        self.missing = f"{server.url}/no/such/path"

    def names(self) -> list[str]:
        return [upload.filename for upload in self._server.uploads]

    def hold(self) -> None:
        self._server.running.clear()

    def release(self) -> None:
        self._server.running.set()


class _FirmwareServer(FirmwareServer):
    def __init__(self, server: FileServer) -> None:
        self._server = server
        self.missing = f"{server.url}/no/such/path"

    def put(self, content: bytes) -> str:
        path = f"/{len(self._server.files)}"
        self._server.files[path] = File(content)
        return f"{self._server.url}{path}"

    def hold(self) -> None:
        self._server.running.clear()

    def release(self) -> None:
        self._server.running.set()


class OnAppliance(Rig):
    """One appliance for many cases: each starts it anew from an empty data folder of its own."""

    name = "appliance"
    person = "admin"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._endpoints: dict[int, ScriptedCsms] = {}
        self._presences: dict[int, Presence] = {}
        self._password = PASSWORD
        self._replies: dict[str, Any] = {}
        self._begun = 0.0  # monotonic: attempts before it are not the case's
        self._appliance = Appliance(folder)
        self._closing = ExitStack()

    def __enter__(self) -> OnAppliance:
        self._appliance.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._closing.close()
        self._appliance.__exit__(*details)
        for csms in self._endpoints.values():
            csms.__exit__(*details)

    def start(self, **variables: str) -> None:
        csms = self._csms
        self.settings += variables.items()
        self._appliance.environment["STATION_CABLES"] = "detachable" if self.socket else "fixed"
        settings = (*QUICK, *(f"{name}={value}" for name, value in {**self.built(), **variables}.items()))
        for number in self.installed_roots:
            root = self._folder / f"root-{number}.pem"
            root.write_text(endpoints.root(number).pem)
            self._appliance.provision("--csms-root-certificate", str(root))
        if self.security_profile >= 3:
            own, certificate, key = endpoints.station(), self._folder / "station.pem", self._folder / "station.key"
            certificate.write_text(own.pem)
            key.write_bytes(own.key_pem)
            self._appliance.provision("--station-certificate", str(certificate), "--station-key", str(key))
        if self.security_profile > 1:
            self._appliance.provision("--csms-url", csms.url, "--security-profile", str(self.security_profile))
        if self.manufacturer:
            (self._folder / "manufacturer.pem").write_text(self.manufacturer.pem)
            self._appliance.provision("--manufacturer-root-certificate", str(self._folder / "manufacturer.pem"))
        admin = ("--admin-password", ADMIN)
        self._appliance.provision_csms(csms.url, password=PASSWORD, variables=settings, options=admin)
        self._appliance.start()
        self._appliance.wait_registered()
        # every connector's status and the security event of the boot: then it is quiet
        self.expect("SecurityEventNotification")
        for _ in range(self.evses):
            self.expect("StatusNotification")
        self.forget()

    @property
    def _csms(self) -> ScriptedCsms:
        """The endpoint that the station starts at."""
        return self._endpoint(1)

    def _endpoint(self, number: int) -> ScriptedCsms:
        """That endpoint of the CSMS, listening."""
        if number not in self._endpoints:
            presence = self._presences[number] = self.presence(number)
            csms = self._endpoints[number] = ScriptedCsms(
                password=None if presence.security_profile >= 3 else self._password,
                tls=endpoints.context(HOST, presence),
            )
            for action, reply in self._replies.items():
                csms.on(action, reply)
            csms.__enter__()
        return self._endpoints[number]

    def power_cycle(self) -> None:
        self._appliance.kill9()
        self._appliance.start(healthy=False)

    def let(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_until(self, condition: Callable[[], Any], within: float) -> bool:
        try:
            wait_until(condition, "", within)
        except AssertionError:
            return False
        return True

    # ------------------------------------------------------------------ the CSMS

    def call(self, action: str, payload: Mapping[str, Any] | None = None) -> Payload:
        wait_until(self._connected, "the station is connected", 30)
        csms = self._connected()
        assert csms is not None
        try:
            answer: Payload = csms.call(action, payload)
        except SessionCallError as error:
            raise CallError(error.code, str(error)) from None
        return answer

    def _connected(self) -> ScriptedCsms | None:
        return next((csms for csms in self._endpoints.values() if csms.connected), None)

    def answer(self, action: str, reply: Reply | Error) -> None:
        self._replies[action] = _translated(reply)
        for csms in self._endpoints.values():
            csms.on(action, self._replies[action])

    def answer_by_default(self, *actions: str) -> None:
        for action in actions or tuple(self._replies):
            self._replies.pop(action, None)
        for csms in self._endpoints.values():
            csms.default(*actions)

    def _records(self) -> list[Recorded]:
        """The frames of both endpoints in order; the station is never connected to both."""
        return sorted((one for csms in self._endpoints.values() for one in csms.frames()), key=lambda one: one.at)

    def messages(self) -> list[Message]:
        return [
            Message(place, str(frame.action), frame.payload)
            for place, frame in enumerate(self._records())
            if frame.direction == "in" and frame.is_call
        ]

    def frames(self) -> list[tuple[str, Any]]:
        return [(">" if frame.direction == "in" else "<", frame.frame) for frame in self._records()]

    def go_away(self) -> None:
        for csms in self._endpoints.values():
            csms.refuse()

    def come_back(self) -> None:
        for csms in self._endpoints.values():
            csms.accept()
        wait_until(self._connected, "the station is connected", 60)

    # ------------------------------------------------------------------ connecting

    def network(self) -> dict[int, str]:
        self._begun = time.monotonic()
        return {number: self._endpoint(number).url for number in (1, 2)}

    def turn_away(self, endpoint: int) -> None:
        self._endpoints[endpoint].turning_away = True

    def admit(self, endpoint: int) -> None:
        self._endpoints[endpoint].turning_away = False

    def appear(self, endpoint: int, **changes: Any) -> None:
        presence = self._presences[endpoint] = self._presences[endpoint].but(**changes)
        csms = self._endpoints[endpoint]
        csms.password = None if presence.security_profile >= 3 else self._password
        csms.restart(endpoints.context(HOST, presence))

    def logins(self) -> list[Login]:
        found = [
            Login(
                one.at,
                number,
                urlsplit(one.path).path,
                basic(one.authorization),
                one.version,
                one.suites,
                x509.load_der_x509_certificate(one.client) if one.client else None,
            )
            for number, csms in self._endpoints.items()
            for one in list(csms.upgrades)
        ]
        return sorted(found, key=lambda login: login.at)

    def accept_password(self, password: str) -> None:
        self._password = password
        for number, csms in self._endpoints.items():
            if self._presences[number].security_profile <= 2:
                csms.password = password

    def hang_up(self) -> None:
        csms = self._connected()
        assert csms is not None, "the station is not connected"
        csms.drop()

    def attempts(self) -> list[Attempt]:
        found = [
            Attempt(at, number, accepted)
            for number, csms in self._endpoints.items()
            for at, accepted in list(csms.attempts)
            if at >= self._begun
        ]
        return sorted(found, key=lambda attempt: attempt.at)

    def seconds(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def log_server(self) -> LogServer:
        return _LogServer(self._closing.enter_context(UploadServer()))

    def firmware_server(self) -> FirmwareServer:
        return _FirmwareServer(self._closing.enter_context(FileServer()))

    def image(self, version: str, *, broken: bool = False) -> bytes:
        path = self._folder / f"{version}.img"
        done = self._appliance.manage("firmware", "make", "--version", version, str(path), *["--broken"] * broken)
        assert done.returncode == 0, done.stderr
        return path.read_bytes()

    def name_customer(self, identifier: str, id_token: str, type: str = "ISO14443") -> None:
        self._page().post(
            "/logs/customer/", [("customer_identifier", identifier), ("id_token", id_token), ("type", type)]
        )

        def done() -> str:
            with self._appliance.database() as database:
                row = database.execute("SELECT status FROM station_command ORDER BY id DESC LIMIT 1").fetchone()
            return "" if row is None or row["status"] == "Filed" else str(row["status"])

        assert wait_until(done, "the station has noted the customer") == "Accepted"

    # ------------------------------------------------------------------ hands

    def plug(self, evse: int = 1, *, requests_energy: bool = True) -> None:
        self._appliance.plug(evse, requests_energy=requests_energy, phases=self.phases)

    def unplug(self, evse: int = 1, *, side: str = "both") -> None:
        self._appliance.bench(f"/evse/{evse}/unplug", {} if side == "both" else {"side": side})

    def card(self, uid: str = CARD, *, evse: int | None = None, type: str = "ISO14443") -> None:
        self._appliance.bench("/rfid", {"uid": uid, "type": type, **({"evse": evse} if evse else {})})

    def enter_code(self, code: str, evse: int = 1) -> None:
        self._page().post("/keypad/enter/", [("evse", str(evse)), ("code", code)])

    def press(self, button: str, evse: int = 1) -> None:
        self._page().post(f"/evse/{evse}/{button}/")

    def _page(self) -> WebSession:
        return WebSession(self._appliance.web, password=ADMIN)

    def ev(self, evse: int = 1, **changes: Any) -> None:
        self._appliance.bench(f"/evse/{evse}/ev", changes)

    def fault(self, evse: int = 1, code: str | None = "GroundFailure") -> None:
        self._appliance.bench(f"/evse/{evse}/fault", {"code": code})

    def bay(self, evse: int = 1, *, occupied: bool = True) -> None:
        self._appliance.bench(f"/evse/{evse}/bay", {"occupied": occupied})

    def door(self, *, opened: bool = True) -> None:
        self._appliance.bench("/door", {"open": opened})

    def choose_to_end(self, *evses: int) -> None:
        self._page().post("/master-pass/", [("evse", str(evse)) for evse in evses])


def _translated(reply: Reply | Error) -> Any:
    if reply is None:
        return SILENCE
    if isinstance(reply, Silence):
        return SILENCE
    if isinstance(reply, Error):
        return Refuse(reply.code)
    if callable(reply):
        return lambda payload: None if (wanted := reply(payload)) is None else _translated(wanted)
    return reply
