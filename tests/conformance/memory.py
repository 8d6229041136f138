"""The rig in memory: pure station, real RPC, virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from station.domain import pki
from station.domain.board import Fault
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from tests.conformance import endpoints
from tests.conformance.endpoints import Login
from tests.conformance.network import Csms, Network
from tests.conformance.rig import (
    CARD,
    PASSWORD,
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
from tests.support.firmware import HandFile, small_image
from tests.support.memory_rig import EPOCH, POLL, MemoryRig
from tests.support.transfers import HandServer

BOOT = 2.0  # s from the end of one life to the start of the next


class _LogServer(LogServer):
    url = "http://logs.example/upload"
    missing = "http://logs.example/no/such/path"

    def __init__(self, rig: MemoryRig) -> None:
        self._server = rig.transfers.servers[self.url] = HandServer()
        rig.transfers.servers[self.missing] = HandServer("UploadFailure", "the server answered 404")

    def names(self) -> list[str]:
        return list(self._server.taken)

    def hold(self) -> None:
        self._server.holds = True

    def release(self) -> None:
        self._server.holds = False


class _FirmwareServer(FirmwareServer):
    missing = "http://files.example/no/such/path"

    def __init__(self, rig: MemoryRig) -> None:
        assert rig.transfers.firmware is not None
        self._files = rig.transfers.firmware.files
        self._held = False

    def put(self, content: bytes) -> str:
        url = f"http://files.example/{len(self._files)}"
        self._files[url] = HandFile(content, holds=self._held)
        return url

    def hold(self) -> None:
        self._hold(held=True)

    def release(self) -> None:
        self._hold(held=False)

    def _hold(self, *, held: bool) -> None:
        self._held = held
        for file in self._files.values():
            file.holds = held


class InMemory(Rig):
    """A station, board and CSMS in this process. Time passes only in ``let`` and in what waits."""

    name = "memory"
    person = "owner"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._rig: MemoryRig
        self._reachable = True
        self._rebooted = 0
        self._network: Network | None = None
        self._csms: Csms
        self._commands = 0

    def start(self, **variables: str) -> None:
        self.settings += variables.items()
        factory = {
            "SecurityCtrlr.Identity": "CP-TEST",
            "SecurityCtrlr.BasicAuthPassword": PASSWORD,
            "SecurityCtrlr.SecurityProfile": str(self.security_profile),
        }
        self._rig = MemoryRig(evses=self.evses, **{**self.built(), **factory, **variables})
        for evse in self._rig.board.evses.values():
            evse.socket, evse.phases = self.socket, self.phases
        self._install()
        self._csms = Csms(
            self._rig,
            {urlsplit(url).netloc: number for number, url in self._urls.items()},
            {number: self.presence(number) for number in (1, 2)},
        )
        if self.manufacturer:
            self._rig.with_firmware(self._folder)
            self._save(CertificateUse.MANUFACTURER_ROOT, self.manufacturer.pem)
        self._rig.boot(connect=False)
        self._connect()
        self.let(1.0)
        self.forget()

    def _install(self) -> None:
        """What the factory installed: network profile, roots, and for security profile 3 the station's certificate."""
        disk, profile = self._rig.disk, self.security_profile
        disk.network_profiles[1] = replace(disk.network_profiles[1], csms_url=self._urls[1], security_profile=profile)
        for number in self.installed_roots:
            self._save(CertificateUse.CSMS_ROOT, endpoints.root(number).pem)
        if profile >= 3:
            own = endpoints.station()
            key = pki.key_name(pki.public_key(own.certificate))
            (self._rig.signing.keys / key).write_bytes(own.key_pem)
            self._save(CertificateUse.CHARGING_STATION, own.pem, key)

    def _save(self, use: CertificateUse, pem: str, key: str = "") -> None:
        record = StoredCertificate(pki.certificate_id(use, pem), use, (pem,), EPOCH, key)
        self._rig.disk.commit([SaveCertificate(record)])

    def power_cycle(self) -> None:
        self._rig.power_cut()
        self._boot()

    def _boot(self) -> None:
        self._rig.now = self._rig.now.plus(BOOT)
        self._rig.boot(connect=False)
        if self._reachable and self._network is None:
            self._connect()

    def _connect(self) -> None:
        """By slot 1, without the itinerary."""
        profile = next(one for one in self._rig.station.network.in_force if one.slot == 1)
        assert self._csms.meet(profile), "the station does not get in"

    def let(self, seconds: float) -> None:
        left = seconds
        while self._network is not None and left > 1e-9:
            self._rig.let(min(POLL, left))
            left -= POLL
            self._reboot_if_asked()
            self._network.pass_time()
        if self._network is None:
            self._rig.let(seconds)
        self._reboot_if_asked()

    def _reboot_if_asked(self) -> None:
        if len(self._rig.reboots) > self._rebooted:
            self._rebooted = len(self._rig.reboots)
            self._boot()  # the appliance's own processes; the board stays as it is

    def wait_until(self, condition: Callable[[], Any], within: float) -> bool:
        end = self._rig.now.monotonic + within
        while not condition():
            if self._rig.now.monotonic >= end:
                return False
            self.let(POLL)
        return True

    # ------------------------------------------------------------------ the CSMS

    def call(self, action: str, payload: Mapping[str, Any] | None = None) -> Payload:
        answer = self._rig.call(action, dict(payload or {}))
        if not answer:  # given later, or empty
            call_id = self._rig.last_call_id
            self.wait_until(lambda: self._rig.answered(call_id), 30)
            answer = self._rig.answer_to(call_id)
        if "error" in answer:
            raise CallError(answer["error"])
        return answer

    def answer(self, action: str, reply: Reply | Error) -> None:
        def answered(payload: Payload) -> Payload | None:
            wanted = reply(payload) if callable(reply) else reply
            if isinstance(wanted, Error):
                return {"error": wanted.code}
            if wanted is None and callable(reply):
                return self._rig.default(action)
            return None if wanted is None or isinstance(wanted, Silence) else dict(wanted)

        self._rig.answers[action] = answered

    def answer_by_default(self, *actions: str) -> None:
        for action in actions or tuple(self._rig.answers):
            self._rig.answers.pop(action, None)

    def messages(self) -> list[Message]:
        return [
            Message(place, frame[2], frame[3])
            for place, (direction, frame) in enumerate(self._rig.trace)
            if direction == ">" and frame[0] == 2
        ]

    def frames(self) -> list[tuple[str, Any]]:
        return list(self._rig.trace)

    def go_away(self) -> None:
        self._reachable = False
        self._rig.disconnect()

    def come_back(self) -> None:
        self._reachable = True
        self._connect()

    # ------------------------------------------------------------------ connecting

    @property
    def _urls(self) -> dict[int, str]:
        schemes = {number: "wss" if self.presence(number).security_profile > 1 else "ws" for number in (1, 2)}
        return {number: f"{scheme}://csms.endpoint-{number}.example/ocpp" for number, scheme in schemes.items()}

    def network(self) -> dict[int, str]:
        self._network = Network(self._rig, self._csms)
        self._csms.attempts.clear()
        return self._urls

    def turn_away(self, endpoint: int) -> None:
        self._csms.closed.add(endpoint)

    def admit(self, endpoint: int) -> None:
        self._csms.closed.discard(endpoint)

    def appear(self, endpoint: int, **changes: Any) -> None:
        self._csms.presences[endpoint] = self._csms.presences[endpoint].but(**changes)
        if self._rig.online:
            self._rig.disconnect()

    def logins(self) -> list[Login]:
        return list(self._csms.logins)

    def accept_password(self, password: str) -> None:
        self._csms.password = password

    def hang_up(self) -> None:
        self._rig.disconnect()

    def attempts(self) -> list[Attempt]:
        return list(self._csms.attempts)

    def seconds(self) -> float:
        return self._rig.now.monotonic

    def utc(self) -> datetime:
        return self._rig.now.wall

    def log_server(self) -> LogServer:
        return _LogServer(self._rig)

    def firmware_server(self) -> FirmwareServer:
        return _FirmwareServer(self._rig)

    def image(self, version: str, *, broken: bool = False) -> bytes:
        return small_image(self._folder, version, broken=broken)

    def name_customer(self, identifier: str, id_token: str, type: str = "ISO14443") -> None:
        done = self._rig.operator("name_customer", customer_identifier=identifier, id_token=id_token, type=type)
        assert done is not None
        assert done.status == "Accepted", done.message

    # ------------------------------------------------------------------ hands

    def plug(self, evse: int = 1, *, requests_energy: bool = True) -> None:
        self._rig.board.evses[evse].wants_energy = requests_energy
        self._rig.plug(evse)

    def unplug(self, evse: int = 1, *, side: str = "both") -> None:
        one = self._rig.board.evses[evse]
        if side != "ev":
            assert not (one.socket and one.locked), "the lock holds the cable"
            one.cable = False
        self._rig.unplug(evse)

    def card(self, uid: str = CARD, *, evse: int | None = None, type: str = "ISO14443") -> None:
        self._rig.card(uid, evse=evse, type=type)

    def enter_code(self, code: str, evse: int = 1) -> None:
        assert self._rig.operator("start", self._next_command(), evse_id=evse, id_token=code, type="KeyCode")

    def press(self, button: str, evse: int = 1) -> None:
        self._rig.operator(button, self._next_command(), evse_id=evse)

    def _next_command(self) -> int:
        self._commands += 1
        return self._commands

    def ev(self, evse: int = 1, **changes: Any) -> None:
        one = self._rig.board.evses[evse]
        if "requests_energy" in changes:
            one.wants_energy = changes["requests_energy"]
        if "max_current" in changes:
            one.ampere = changes["max_current"]

    def fault(self, evse: int = 1, code: str | None = "GroundFailure") -> None:
        one = self._rig.board.evses[evse]
        one.fault = Fault(code) if code else None
        one.latches += bool(code)
        self._rig.poll()

    def bay(self, evse: int = 1, *, occupied: bool = True) -> None:
        self._rig.bay(evse, occupied=occupied)

    def door(self, *, opened: bool = True) -> None:
        self._rig.board.door_open = opened

    def choose_to_end(self, *evses: int) -> None:
        done = self._rig.operator("master_pass", evse_ids=list(evses) or None)
        assert done is not None, "no answer to the choice"
        assert done.status == "Accepted", done
