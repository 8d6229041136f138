"""What a certification test case needs of the world around the station, whichever world it is.

A case is written once and runs on two rigs: in memory under a virtual clock, and against the running appliance over a
real WebSocket and the bench. It plays the CSMS (the OCTT of part 6) and the hands at the station; it never looks
inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from tests.conformance.endpoints import Login, Presence
from tests.support.manufacturer import Manufacturer

Payload: TypeAlias = dict[str, Any]
Reply: TypeAlias = Mapping[str, Any] | Callable[[Payload], Any] | None  # None: no answer at all

ON_THE_PAGE = ("Local", "NoAuthorization")  # token types that the start button of the station's web page stands for
CARD = "04A2B3C4D5E6F7"
PASSWORD = "0123456789abcdef-bench"  # of the station, as the factory set it
OTHER_CARD = "04FFEEDDCCBBAA"
WITHIN = 20.0  # s a message may take unless the case says otherwise


class CallError(Exception):
    """The station answered a call with a CALLERROR."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


@dataclass(frozen=True)
class Message:
    """One CALL of the station, in the order in which the CSMS saw it. ``place`` is its index in the trace."""

    place: int
    action: str
    payload: Payload


@dataclass(frozen=True)
class Error:
    """An answer that is a CALLERROR, for ``Rig.answer``."""

    code: str = "InternalError"


@dataclass(frozen=True)
class Attempt:
    """The station tried to connect to an endpoint of the CSMS. ``at`` is in seconds, as ``Rig.seconds``."""

    at: float
    endpoint: int
    accepted: bool


class LogServer(ABC):
    """A server that logs are uploaded to."""

    url: str  # takes what is sent there
    missing: str  # a path of it that does not exist

    @abstractmethod
    def names(self) -> list[str]:
        """The names of the files that were uploaded, in order."""

    @abstractmethod
    def hold(self) -> None:
        """From now on take uploads slowly: none ends until ``release``."""

    @abstractmethod
    def release(self) -> None:
        """Take at once what comes, and what is held."""


class FirmwareServer(ABC):
    """A server that firmware is downloaded from. ``missing`` is a URL of it where nothing is."""

    missing: str

    @abstractmethod
    def put(self, content: bytes) -> str:
        """Offer a file; returns its URL."""

    @abstractmethod
    def hold(self) -> None:
        """From now on give no file away until ``release``."""

    @abstractmethod
    def release(self) -> None:
        """Give at once what is asked for, and what is held."""


@dataclass(frozen=True)
class Silence:
    """No answer at all, as what a callable given to ``Rig.answer`` returns."""


class Rig(ABC):
    """The station under test between a CSMS and a pair of hands.

    The CSMS has two endpoints, 1 and 2; the station starts at 1, by ``security_profile``, and with the CSMS root
    certificates in ``roots`` (a case sets these before ``start``). A case about connecting calls ``network`` first:
    from then on the station finds its way by itself, and ``attempts`` notes how. Endpoint 2 is of the same security
    profile unless ``second_profile`` says otherwise, and below root 1 as well unless it has ``another_root``.
    """

    name: str
    person: str  # who is logged in to the station's web page
    evses: int = 2
    security_profile: int = 1
    roots: tuple[int, ...] | None = None  # None: root 1 where the security profile needs it
    another_root: bool = False
    second_profile: int | None = None
    socket: bool = False  # the board has sockets with a lock instead of fixed cables; set before ``start``
    phases: int = 1  # of the mains, for every EVSE; set before ``start``
    manufacturer: Manufacturer | None = None  # whose root certificate is installed; set before ``start``

    def __init__(self) -> None:
        self._consumed: set[int] = set()
        self.settings: list[tuple[str, str]] = []  # every variable that was set, by its name, and what to

    # ------------------------------------------------------------------ life

    @abstractmethod
    def start(self, **variables: str) -> None:
        """Set ``variables`` as a factory would and boot; returns when the station is accepted and has gone quiet."""

    @abstractmethod
    def power_cycle(self) -> None:
        """Cut the power of everything and give it back; returns at once, the station boots by itself."""

    @abstractmethod
    def let(self, seconds: float) -> None:
        """Let time pass."""

    @property
    def installed_roots(self) -> tuple[int, ...]:
        """The root certificates that the factory installed."""
        if self.roots is not None:
            return self.roots
        return (1,) if self.security_profile > 1 else ()

    def presence(self, endpoint: int) -> Presence:
        """How an endpoint presents itself at first."""
        if endpoint == 1:
            return Presence(self.security_profile)
        return Presence(self.second_profile or self.security_profile, 2 if self.another_root else 1)

    def built(self) -> dict[str, str]:
        """What a factory sets for the board that ``socket`` and ``phases`` describe."""
        variables: dict[str, str] = {}
        for evse in range(1, self.evses + 1):
            if self.socket:
                variables[f"Connector@{evse}.1.ConnectorType"] = "sType2"
            if self.phases > 1:
                variables[f"EVSE@{evse}.SupplyPhases"] = str(self.phases)
                variables[f"EVSE@{evse}.Power"] = str(7360 * self.phases)
        return variables

    # ------------------------------------------------------------------ the CSMS

    @abstractmethod
    def call(self, action: str, payload: Mapping[str, Any] | None = None) -> Payload:
        """Call the station; returns the response's payload. Raises CallError."""

    @abstractmethod
    def answer(self, action: str, reply: Reply | Error) -> None:
        """From now on answer ``action`` so.

        A callable gets the payload and returns a payload, ``Error``, ``Silence`` or None for the default.
        """

    @abstractmethod
    def answer_by_default(self, *actions: str) -> None:
        """Take back what ``answer`` set; for all actions where none is named."""

    @abstractmethod
    def messages(self) -> list[Message]:
        """Every CALL of the station so far."""

    @abstractmethod
    def frames(self) -> list[tuple[str, Any]]:
        """Every frame so far: ``>`` from the station or ``<`` to it, and what was in it."""

    @abstractmethod
    def go_away(self) -> None:
        """The CSMS closes the connection and cannot be reached."""

    @abstractmethod
    def come_back(self) -> None:
        """The CSMS can be reached again; returns when the station is connected."""

    # ------------------------------------------------------------------ connecting

    @abstractmethod
    def network(self) -> dict[int, str]:
        """The URLs of both endpoints; the second one listens from now on."""

    @abstractmethod
    def turn_away(self, endpoint: int) -> None:
        """That endpoint accepts no connection from now on; one that stands is left alone."""

    @abstractmethod
    def admit(self, endpoint: int) -> None:
        """That endpoint accepts connections again."""

    @abstractmethod
    def hang_up(self) -> None:
        """The CSMS closes the connection; the station may come back."""

    @abstractmethod
    def attempts(self) -> list[Attempt]:
        """Every attempt to connect since ``network`` was called, in order."""

    @abstractmethod
    def appear(self, endpoint: int, **changes: Any) -> None:
        """That endpoint is restarted and presents itself otherwise (see ``Presence``); what was connected is cut."""

    @abstractmethod
    def logins(self) -> list[Login]:
        """What the endpoints learnt of the station with each upgrade that it asked for, in order."""

    @abstractmethod
    def accept_password(self, password: str) -> None:
        """The CSMS takes this one from now on, and no other; a connection that stands is left alone."""

    @abstractmethod
    def seconds(self) -> float:
        """Now, on a clock that only runs forwards."""

    @abstractmethod
    def utc(self) -> datetime:
        """What the CSMS says when it is asked for the time."""

    # ------------------------------------------------------------------ a server for logs

    @abstractmethod
    def log_server(self) -> LogServer:
        """A server that logs may be uploaded to."""

    @abstractmethod
    def firmware_server(self) -> FirmwareServer:
        """A server that firmware may be downloaded from."""

    @abstractmethod
    def image(self, version: str, *, broken: bool = False) -> bytes:
        """A firmware image of that version; ``broken``: one whose installation fails."""

    @abstractmethod
    def name_customer(self, identifier: str, id_token: str, type: str = "ISO14443") -> None:
        """Somebody at the station says whose card that is."""

    @abstractmethod
    def wait_until(self, condition: Callable[[], Any], within: float) -> bool:
        """Let time pass until ``condition`` holds; False where it does not ``within`` seconds."""

    # ------------------------------------------------------------------ hands

    @abstractmethod
    def plug(self, evse: int = 1, *, requests_energy: bool = True) -> None: ...

    @abstractmethod
    def unplug(self, evse: int = 1, *, side: str = "both") -> None:
        """Pull the cable: at the ``ev``'s side, at the ``station``'s (sockets only) or, as a fixed one, wholly."""

    @abstractmethod
    def card(self, uid: str = CARD, *, evse: int | None = None, type: str = "ISO14443") -> None: ...

    @abstractmethod
    def enter_code(self, code: str, evse: int = 1) -> None:
        """A key code is entered at the key pad of the station's web page."""

    @abstractmethod
    def press(self, button: str, evse: int = 1) -> None:
        """``start`` or ``stop`` is pressed on the station's web page."""

    @abstractmethod
    def ev(self, evse: int = 1, **changes: Any) -> None:
        """The EV changes its mind (``requests_energy``) or what it draws (``max_current``)."""

    @abstractmethod
    def fault(self, evse: int = 1, code: str | None = "GroundFailure") -> None: ...

    @abstractmethod
    def bay(self, evse: int = 1, *, occupied: bool = True) -> None: ...

    @abstractmethod
    def door(self, *, opened: bool = True) -> None: ...

    @abstractmethod
    def choose_to_end(self, *evses: int) -> None:
        """After a master pass, on the station's own page: the sessions that are to end; none named: all."""

    def present(self, token: str, type: str = "ISO14443", evse: int = 1, *, stop: bool = False) -> None:
        """A driver identifies himself, in the way that this type of token has; ``stop``: to end the session."""
        if type in ON_THE_PAGE:
            self.press("stop" if stop else "start", evse)
        elif type == "KeyCode":
            self.enter_code(token, evse)
        else:
            self.card(token, type=type)

    # ------------------------------------------------------------------ what cases say

    def expect(
        self, action: str, where: Callable[[Payload], object] = lambda payload: True, *, within: float = WITHIN
    ) -> Payload:
        """The next CALL of ``action`` that satisfies ``where`` and that no ``expect`` has had yet; waits for it."""
        found: list[Message] = []

        def look() -> bool:
            found[:] = [
                message
                for message in self.messages()
                if message.action == action and message.place not in self._consumed and where(message.payload)
            ]
            return bool(found)

        if not look() and not self.wait_until(look, within):
            pending = [f"{one.action} {one.payload}" for one in self.messages() if one.place not in self._consumed]
            raise AssertionError(f"no {action} as expected within {within} s; unexpected so far: {pending[-8:]}")
        self._consumed.add(found[0].place)
        return found[0].payload

    def expect_none(
        self, action: str, where: Callable[[Payload], object] = lambda payload: True, *, during: float = 3.0
    ) -> None:
        """No such CALL comes for ``during`` seconds (nor has come unheard)."""
        self.let(during)
        found = [
            message.payload
            for message in self.messages()
            if message.action == action and message.place not in self._consumed and where(message.payload)
        ]
        assert not found, f"{action} was not expected: {found}"

    def forget(self) -> None:
        """What came so far counts as heard."""
        self._consumed.update(message.place for message in self.messages())

    def set_variable(self, component: str, variable: str, value: str, *, instance: str | None = None) -> str:
        """SetVariables for one variable; returns the attributeStatus."""
        item: Payload = {
            "component": {"name": component},
            "variable": {"name": variable, **({"instance": instance} if instance else {})},
            "attributeValue": value,
        }
        response = self.call("SetVariables", {"setVariableData": [item]})
        status: str = response["setVariableResult"][0]["attributeStatus"]
        if status in ("Accepted", "RebootRequired"):
            self.settings.append((f"{component}.{variable}" + (f"[{instance}]" if instance else ""), value))
        return status

    def configure(self, name: str, value: str) -> None:
        """A configuration state, say ``OCPPCommCtrlr.MessageTimeout[Default]``; must succeed."""
        component, _, rest = name.partition(".")
        variable, _, instance = rest.rstrip("]").partition("[")
        status = self.set_variable(component, variable, value, instance=instance or None)
        assert status in ("Accepted", "RebootRequired"), f"{name} = {value}: {status}"

    def get_variable(
        self, component: str, variable: str, *, instance: str | None = None, attribute: str | None = None
    ) -> Payload:
        """GetVariables for one variable; returns its result."""
        item: Payload = {
            "component": {"name": component},
            "variable": {"name": variable, **({"instance": instance} if instance else {})},
        }
        if attribute:
            item["attributeType"] = attribute
        result: Payload = self.call("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]
        return result

    def transaction_events(self, transaction_id: str | None = None) -> list[Payload]:
        """The TransactionEvents so far, of one transaction or of all."""
        return [
            one.payload
            for one in self.messages()
            if one.action == "TransactionEvent"
            and transaction_id in (None, one.payload["transactionInfo"]["transactionId"])
        ]
