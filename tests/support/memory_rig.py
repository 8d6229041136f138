"""The station in memory: the pure station and the real RPC under a virtual clock, between a board and a CSMS.

No socket, no sleep. ``rig.let(seconds)`` lets time pass; the board is polled every 0.2 s, as in life. The CSMS
answers as told in ``rig.answers``; everything that crosses the line is in ``rig.trace``, as the frames it was.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from station.domain.board import CardRead, Fault
from station.domain.certificates import TlsMaterial
from station.domain.effects import (
    Answer,
    AnswerError,
    Call,
    CancelTransfer,
    FinishCommand,
    ForgetKey,
    LookUpCustomer,
    MakeSigningRequest,
    Reboot,
    Reconnect,
    SetBoard,
    StartTransfer,
    Stored,
)
from station.domain.events import CustomerLookedUp, Event, LinkDown, LinkUp, OperatorCommand, Started, Tick
from station.domain.firmware import RunningFirmware
from station.domain.moment import Moment, rfc3339
from station.domain.network import NetworkProfile
from station.ocpp.rpc import Rpc
from station.ocpp.station import Station
from tests.support.disk import Disk
from tests.support.firmware import HandFirmware
from tests.support.hand_board import HandBoard, HandEvse
from tests.support.ocmf import TestKey
from tests.support.signing import HandSigning
from tests.support.transfers import HandTransfers

POLL = 0.2
EPOCH = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CSMS_URL = "ws://csms-1.example/ocpp"  # of slot 1

Reply = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any] | None] | None


class MemoryRig:
    """A station, its board, its CSMS and its disk. ``boot`` (also again, after ``power_cut``) starts a life."""

    def __init__(self, *, evses: int = 2, seed: int = 1, **variables: str) -> None:
        self.entropy = random.Random(seed)
        self.board = HandBoard({number: HandEvse(number) for number in range(1, evses + 1)})
        self.disk = Disk()
        self.now = Moment(EPOCH, 1_000.0)
        self.trace: list[tuple[str, Any]] = []  # (">" from the station, "<" from the CSMS; the frame)
        self.answers: dict[str, Reply] = {}
        self.reboots: list[str] = []
        self.reconnects: list[str] = []
        self.variables = variables
        timeout = int(variables.get("OCPPCommCtrlr.MessageTimeout[Default]", 30))
        self.disk.network_profiles[1] = NetworkProfile(1, CSMS_URL, 1, timeout)
        self.online = False
        self.station: Station
        self.rpc: Rpc
        self._calls = 0
        self._held: list[list[Any]] = []
        self._inbox: deque[list[Any]] = deque()
        self._due: float = self.now.monotonic
        self.firmware: Callable[[], RunningFirmware] = lambda: RunningFirmware("test")  # what runs in the next life
        self.transfers = HandTransfers(lambda report: self.step(report))
        self.signing = HandSigning(lambda made: self.step(made))
        self.after_step: Callable[[], None] | None = None
        self.on_frame: Callable[[list[Any]], None] | None = None  # hears every frame of the station, as it goes out

    # ------------------------------------------------------------------ life

    def boot(self, *, connect: bool = True) -> MemoryRig:
        """Start a life of the station from what is on the disk, let it look at the board, and connect it."""
        memory = self.disk.load()
        self.station = Station(
            memory,
            evses=len(self.board.evses),
            entropy=self.entropy,
            firmware=self.firmware(),
            signer=TestKey(),
        )
        for name, value in self.variables.items():
            self.disk.commit([self.station.model.factory_set(name, value)])
        if self.variables and not memory.variables:
            self.variables = {}
            return self.boot(connect=connect)
        self.rpc = Rpc(strict=True)
        self.online = False
        self._held.clear()
        self.signing.sweep(self.station.certificates.keys())
        self.step(Started())
        self.poll()
        if connect:
            self.connect()
        return self

    def with_firmware(self, folder: Path) -> HandFirmware:
        """From the next life on firmware can be updated, with slots in that folder."""
        hand = self.transfers.firmware = HandFirmware(folder, lambda report: self.transfers.tell(report))
        self.firmware = hand.boot
        return hand

    def power_cut(self) -> None:
        """Everything that was not committed is gone; the board's electronics starts anew."""
        self.online = False
        self._inbox.clear()
        self.transfers.die()
        self.signing.die()
        self.board.power_cycle()

    def connect(self, slot: int = 1, *, spare_password: bool = False) -> None:
        """The link is up, by the network profile in that slot."""
        profile = next(profile for profile in self.station.network.in_force if profile.slot == slot)
        self.material(slot)
        self.online = True
        self.rpc.link_up()
        self.step(LinkUp(slot, profile.security_profile, spare_password))

    def material(self, slot: int = 1) -> TlsMaterial:
        """What the uplink asks for with every attempt to connect."""
        return self.station.certificates.material(self.station.clock.utc(self.now), slot)

    def disconnect(self) -> None:
        self.online = False
        for event in self.rpc.link_down():
            self.step(event)
        self._held.clear()
        self.step(LinkDown("test"))

    # ------------------------------------------------------------------ steps

    def step(self, event: Event) -> None:
        """One step of the station, its commit, and then what it wants done."""
        effects = self.station.step(event, self.now)
        self.disk.commit([effect for effect in effects if isinstance(effect, Stored)])
        pending: list[Event] = []
        for effect in effects:
            match effect:
                case Call():
                    pending += self.rpc.call(effect, self.now.monotonic)
                case Answer():
                    self.rpc.answer(effect)
                case AnswerError():
                    self.rpc.answer_error(effect)
                case SetBoard():
                    self.board.take(effect.setpoint)
                case Reconnect():
                    self.reconnects.append(effect.reason)
                case StartTransfer() | CancelTransfer():
                    self.transfers.take(effect)
                case MakeSigningRequest() | ForgetKey():
                    self.signing.take(effect)
                case LookUpCustomer():
                    pending.append(CustomerLookedUp(effect.lookup_id, self.disk.look_up(effect.id_tokens)))
                case Reboot():
                    self.reboots.append(effect.reason)
        if self.after_step:
            self.after_step()
        self._exchange()
        for follow in pending:
            self.step(follow)

    def _exchange(self) -> None:
        for frame in self.rpc.take_frames():
            message = json.loads(frame)
            if self.on_frame:
                self.on_frame(message)
            self.trace.append((">", message))
            if message[0] == 2 and self.online:
                self._csms(message)

    def _csms(self, message: list[Any]) -> None:
        _, call_id, action, payload = message
        reply = self.answers[action] if action in self.answers else self.default(action)
        if callable(reply):
            reply = reply(payload)
        if reply is None:
            self._held.append(message)
            return
        self.reply(call_id, reply)

    def reply(self, call_id: str, payload: dict[str, Any]) -> None:
        """The CSMS's CALLRESULT; ``{"error": code}`` makes it a CALLERROR."""
        frame: list[Any] = [3, call_id, payload]
        if "error" in payload:
            frame = [4, call_id, payload["error"], "", {}]
        self._receive(frame)

    def release(self) -> None:
        """Answer, by default, what the CSMS had kept waiting."""
        held, self._held = self._held, []
        for _, call_id, action, _ in held:
            self.reply(call_id, self.default(action))

    def default(self, action: str) -> dict[str, Any]:
        """What the CSMS answers where ``answers`` says nothing."""
        match action:
            case "BootNotification":
                return {"status": "Accepted", "interval": 300, "currentTime": rfc3339(self.now.wall)}
            case "Heartbeat":
                return {"currentTime": rfc3339(self.now.wall)}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}}
            case "SignCertificate":
                return {"status": "Accepted"}
        return {}

    def _receive(self, frame: list[Any]) -> None:
        self._inbox.append(frame)
        if len(self._inbox) > 1:
            return  # its turn comes below, in the call that is under way
        while self._inbox:
            frame = self._inbox[0]
            self.trace.append(("<", frame))
            for event in [*self.rpc.receive(json.dumps(frame), self.now.monotonic), *self.rpc.take_noticed()]:
                self.step(event)
            self._exchange()
            self._inbox.popleft()

    def hear(self, message: str | bytes) -> list[list[Any]]:
        """One WebSocket message of the CSMS, whatever is in it; returns the frames that the station sent upon it."""
        mark = len(self.trace)
        for event in [*self.rpc.receive(message, self.now.monotonic), *self.rpc.take_noticed()]:
            self.step(event)
        self._exchange()
        return [frame for direction, frame in self.trace[mark:] if direction == ">"]

    def poll(self) -> None:
        """One look at the board."""
        self.step(self.board.snapshot(self.now.monotonic))

    def let(self, seconds: float) -> None:
        """Let time pass: the board moves and is polled, deadlines are kept."""
        end = self.now.monotonic + seconds
        while self.now.monotonic < end - 1e-9:
            step = min(POLL, end - self.now.monotonic)
            self.now = self.now.plus(step)
            self.board.step(step)
            self.transfers.step(self.now.monotonic)
            self.signing.step()
            self._keep_deadlines()
            self.poll()

    def skip(self, seconds: float) -> None:
        """Let time pass without looking at the board in between (it stays as it is)."""
        end, idle = self.now.monotonic + seconds, 0
        while (due := self._next_deadline()) is not None and due < end:
            idle = idle + 1 if due <= self.now.monotonic else 0
            if idle > 50:
                raise AssertionError(f"busy loop: the deadline {due} does not move")
            self.now = self.now.plus(max(0.0, due - self.now.monotonic))
            self._keep_deadlines()
            self.signing.step()
        self.now = self.now.plus(end - self.now.monotonic)
        self._keep_deadlines()

    def _next_deadline(self) -> float | None:
        waits = [self.station.deadline(), self.rpc.deadline()]
        return min((at for at in waits if at is not None), default=None)

    def _keep_deadlines(self) -> None:
        for event in self.rpc.tick(self.now.monotonic):
            self.step(event)
        self._exchange()
        due = self.station.deadline()
        if due is not None and due <= self.now.monotonic + 1e-9:
            self.step(Tick())

    def jump_wall_clock(self, by: timedelta) -> None:
        self.now = Moment(self.now.wall + by, self.now.monotonic)

    # ------------------------------------------------------------------ hands

    def card(self, uid: str = "04A2B3C4D5E6F7", *, evse: int | None = None, type: str = "ISO14443") -> None:
        count = (self.board.reads[-1].count if self.board.reads else 0) + 1
        self.board.reads.append(CardRead(count, uid, type, evse, self.now.monotonic))
        self.poll()

    def plug(self, evse: int = 1) -> None:
        self.board.evses[evse].plugged = self.board.evses[evse].cable = True
        self.poll()

    def unplug(self, evse: int = 1) -> None:
        self.board.evses[evse].plugged = False
        self.board.evses[evse].offered_for = 0.0
        self.poll()

    def bay(self, evse: int = 1, *, occupied: bool = True) -> None:
        self.board.evses[evse].bay = occupied
        self.poll()

    def ev(self, evse: int = 1, *, wants_energy: bool) -> None:
        self.board.evses[evse].wants_energy = wants_energy
        self.poll()

    def fault(self, evse: int = 1, fault: Fault | None = Fault.GROUND_FAILURE) -> None:
        self.board.evses[evse].latches += fault is not None
        self.board.evses[evse].fault = fault
        self.poll()

    def operator(self, action: str, command_id: int = 1, **arguments: Any) -> FinishCommand | None:
        self.step(OperatorCommand(command_id, "owner", action, arguments))
        return self.disk.finished.get(command_id)

    # ------------------------------------------------------------------ the CSMS calls, and reads

    def call(self, action: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """A CALL of the CSMS; the answer's payload, or ``{"error": code}``. Empty where it is answered later."""
        self._calls += 1
        self._receive([2, self.last_call_id, action, payload or {}])
        return self.answer_to(self.last_call_id)

    @property
    def last_call_id(self) -> str:
        """The message id of the latest ``call``."""
        return f"csms-{self._calls}"

    def answered(self, call_id: str) -> bool:
        """True once the station has answered that CALL, with a result or an error."""
        return any(direction == ">" and frame[0] in (3, 4) and frame[1] == call_id for direction, frame in self.trace)

    def answer_to(self, call_id: str) -> dict[str, Any]:
        for direction, frame in self.trace:
            if direction == ">" and frame[0] in (3, 4) and frame[1] == call_id:
                return frame[2] if frame[0] == 3 else {"error": frame[2]}
        return {}

    def sent(self, action: str) -> list[dict[str, Any]]:
        """The payloads of all CALLs of that action, in order."""
        return [
            frame[3] for direction, frame in self.trace if direction == ">" and frame[0] == 2 and frame[2] == action
        ]

    def events(self) -> list[dict[str, Any]]:
        """All TransactionEvents that went out."""
        return self.sent("TransactionEvent")

    def told(self) -> list[str]:
        """All TransactionEvents in short: type, trigger, charging state; and how it ended."""
        return [
            " ".join(
                [
                    event["eventType"],
                    event["triggerReason"],
                    event["transactionInfo"]["chargingState"],
                    *([event["transactionInfo"]["stoppedReason"]] if event["eventType"] == "Ended" else []),
                ]
            )
            for event in self.events()
        ]

    def statuses(self, evse: int = 1) -> list[str]:
        """What StatusNotification said of that EVSE, in order."""
        return [one["connectorStatus"] for one in self.sent("StatusNotification") if one["evseId"] == evse]

    def set_variable(self, name: str, value: str) -> str:
        """The CSMS sets ``Component.Variable`` or ``Component.Variable[instance]``; returns the status."""
        component, _, variable = name.partition(".")
        variable, _, instance = variable.rstrip("]").partition("[")
        names: dict[str, Any] = {"name": variable} | ({"instance": instance} if instance else {})
        data = [{"attributeValue": value, "component": {"name": component}, "variable": names}]
        result: str = self.call("SetVariables", {"setVariableData": data})["setVariableResult"][0]["attributeStatus"]
        return result
