"""N09 and N10: what is stored about a customer, told and forgotten.

History and journal are in the database, which the station does not read itself: it asks (``LookUpCustomer``), and
answers the CSMS when it knows. So Accepted to a clear means that it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from station.device_model.components import CustomerInformationCtrlr
from station.domain.effects import Answer, EraseCustomer, FinishCommand, LookUpCustomer
from station.domain.events import CustomerLookedUp, LinkDown, OperatorCommand
from station.domain.moment import Moment, rfc3339
from station.domain.signals import CustomerErased
from station.domain.transaction import IdToken
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

CUSTOMERS = "customers"  # remembered: customerIdentifier -> [[idToken, type], …]
REFERENCES = ("idToken", "customerCertificate", "customerIdentifier")

DATA_LENGTH = 512  # NotifyCustomerInformationRequest.data
AT_ONCE = 4  # further requests are refused until one is done
PATIENCE = 20.0  # s for the look-up
MOST_CUSTOMERS, MOST_TOKENS = 500, 20
IDENTIFIER_LENGTH, TOKEN_LENGTH = 64, 36
TOKEN_TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress")

NOTHING = ""  # N09.FR.06, N10.FR.04: no data was found
CLEARED = "The customer's data was cleared."  # N10.FR.06


@dataclass(slots=True)
class _Request:
    """A CustomerInformationRequest whose look-up is under way."""

    lookup_id: str
    call_id: str
    request_id: int
    report: bool
    clear: bool
    identifier: str
    id_tokens: tuple[IdToken, ...]
    at_latest: float


@dataclass(slots=True)
class _Notice:
    """What is being told: the parts not yet answered, and the number of the first of them."""

    request_id: int
    parts: deque[str]
    seq_no: int = 0


class Customers(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._requests: list[_Request] = []
        self._notices: deque[_Notice] = deque()  # the first one is being sent
        self.actions = {"CustomerInformation": self.customer_information}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case CustomerLookedUp():
                self._looked_up(event, now)
            case LinkDown():
                self._requests.clear()  # nobody waits for the answer; the CSMS asks again
            case OperatorCommand(action="name_customer"):
                self._name(event, now)
        for request in [one for one in self._requests if now.monotonic >= one.at_latest]:
            self._requests.remove(request)
            self._answer(request, _rejected("InternalError", "the history could not be read in time"))

    def deadline(self) -> float | None:
        return min((request.at_latest for request in self._requests), default=None)

    # ------------------------------------------------------------------ the request

    def customer_information(self, request: Payload, now: Moment) -> dict[str, Any] | None:
        """Answer CustomerInformationRequest, when it is known what is stored."""
        if sum(name in request for name in REFERENCES) != 1:
            return {"status": "Invalid"}  # N09.FR.09
        if not request["report"] and not request["clear"]:
            return _rejected("InvalidValue", "neither report nor clear is asked for")  # N09.FR.07, N10.FR.07
        identifier: str = request.get("customerIdentifier", "")
        if (
            "customerIdentifier" in request
            and not self._context.model[CustomerInformationCtrlr.CustomerIdentifierEnabled]
        ):
            return _rejected("UnsupportedParam", "customerIdentifier is not supported")
        if len(self._requests) + len(self._notices) >= AT_ONCE:
            return _rejected("OutOfMemory", f"{AT_ONCE} requests are still being answered")  # N09.FR.03, N10.FR.05
        id_tokens = self._tokens(request)
        if request["clear"] and self._in_use(id_tokens):
            return _rejected("TxInProgress", "the customer is charging")  # N10.FR.05
        asked = _Request(
            self._context.new_id(),
            self._context.answer_later(),
            request["requestId"],
            request["report"],
            request["clear"],
            identifier,
            id_tokens,
            now.monotonic + PATIENCE,
        )
        self._requests.append(asked)
        self._context.emit(LookUpCustomer(asked.lookup_id, id_tokens))
        return None

    def _tokens(self, request: Payload) -> tuple[IdToken, ...]:
        """The tokens of the customer referred to. No contract certificate is ever stored here (see TC_N_63)."""
        if "idToken" in request:
            return (IdToken(request["idToken"]["idToken"], request["idToken"]["type"]),)
        return tuple(IdToken(*token) for token in self._named().get(request.get("customerIdentifier", ""), ()))

    def _in_use(self, id_tokens: tuple[IdToken, ...]) -> bool:
        """Somebody charges, or is about to, with one of them: what they are needed for cannot be forgotten yet."""
        held = [seat.authorization.id_token for seat in self._context.seats() if seat.authorization]
        held += [
            seat.transaction.id_token
            for seat in self._context.seats()
            if seat.transaction and seat.transaction.id_token
        ]
        return any(token.matches(other) for token in id_tokens for other in held)

    def _looked_up(self, found: CustomerLookedUp, now: Moment) -> None:
        request = next((one for one in self._requests if one.lookup_id == found.lookup_id), None)
        if request is None:
            return
        self._requests.remove(request)
        if found.failed:
            self._answer(request, _rejected("InternalError", "the history could not be read"))
            return
        if request.clear and self._in_use(request.id_tokens):
            self._answer(request, _rejected("TxInProgress", "the customer is charging"))  # N10.FR.05
            return
        lines = [*self._own_lines(request), *found.lines]
        if request.clear:
            self._clear(request, now)  # N10.FR.03, N10.FR.06
        self._answer(request, {"status": "Accepted"})  # N09.FR.02, N10.FR.01
        if request.report:
            self._notify(request.request_id, "\n".join(lines) or NOTHING, now)  # N09.FR.05, .06, N10.FR.03, .04
        else:
            self._notify(request.request_id, CLEARED, now)  # N10.FR.06

    def _answer(self, request: _Request, response: dict[str, Any]) -> None:
        self._context.emit(Answer(request.call_id, "CustomerInformation", response))

    # ------------------------------------------------------------------ what the station itself keeps

    def _named(self) -> dict[str, list[list[str]]]:
        named = self._context.remembered.get(CUSTOMERS)
        return dict(named) if isinstance(named, dict) else {}

    def _own_lines(self, request: _Request) -> Iterator[str]:
        for identifier, tokens in self._named().items():
            belongs = [IdToken(*token) for token in tokens]
            if identifier == request.identifier or _overlap(belongs, request.id_tokens):
                yield f"Customer {identifier}: {', '.join(f'{token.type} {token.id_token}' for token in belongs)}"
        for token in request.id_tokens:
            for source in self._context.customer_sources:
                yield from source(token)

    def _clear(self, request: _Request, now: Moment) -> None:
        if request.id_tokens or request.identifier:
            self._context.emit(EraseCustomer(request.id_tokens, request.identifier))
        for token in request.id_tokens:
            self._context.raise_signal(CustomerErased(token))
        left = {
            identifier: [token for token in tokens if not _overlap([IdToken(*token)], request.id_tokens)]
            for identifier, tokens in self._named().items()
            if identifier != request.identifier
        }
        self._context.remember(CUSTOMERS, {name: tokens for name, tokens in left.items() if tokens} or None)
        self._context.journal(now, "customer_cleared")

    def _name(self, command: OperatorCommand, now: Moment) -> None:
        """Somebody at the station says whose card that is."""
        arguments = command.arguments
        identifier, token, kind = (str(arguments.get(name, "")) for name in ("customer_identifier", "id_token", "type"))
        refused = ""
        if not self._context.model[CustomerInformationCtrlr.CustomerIdentifierEnabled]:
            refused = "Customer identifiers are switched off (CustomerInformationCtrlr.CustomerIdentifierEnabled)."
        elif not 1 <= len(identifier) <= IDENTIFIER_LENGTH or not identifier.isprintable():
            refused = f"A customer identifier has 1 to {IDENTIFIER_LENGTH} printable characters."
        elif not 1 <= len(token) <= TOKEN_LENGTH or not token.isprintable() or kind not in TOKEN_TYPES:
            refused = "This is no idToken."
        named = self._named()
        tokens = [one for one in named.get(identifier, []) if not IdToken(*one).matches(IdToken(token, kind))]
        if not refused and (len(tokens) >= MOST_TOKENS or (identifier not in named and len(named) >= MOST_CUSTOMERS)):
            refused = "There is no more room for customers."
        if refused:
            self._context.emit(FinishCommand(command.command_id, "Rejected", refused))
            return
        self._context.remember(CUSTOMERS, {**named, identifier: [*tokens, [token, kind]]})
        self._context.journal(now, "customer_named")
        self._context.emit(FinishCommand(command.command_id, "Accepted", "Noted."))

    # ------------------------------------------------------------------ telling

    def _notify(self, request_id: int, text: str, now: Moment) -> None:
        self._notices.append(_Notice(request_id, deque(split(text))))
        if len(self._notices) == 1:
            self._send(self._notices[0], now)

    def _send(self, notice: _Notice, now: Moment) -> None:
        def failed(code: str, at: Moment) -> None:
            # What was cleared can be told this once only, so a lost link does not end it.
            if code == "LinkDown":
                self._send(notice, at)
            else:
                self._sent(notice, at)

        self._context.call(
            "NotifyCustomerInformation",
            {
                "requestId": notice.request_id,
                "data": notice.parts[0],
                "seqNo": notice.seq_no,
                "tbc": len(notice.parts) > 1,
                "generatedAt": rfc3339(self._context.clock.utc(now)),
            },
            answered=lambda response, at: self._sent(notice, at),
            failed=failed,
        )

    def _sent(self, notice: _Notice, now: Moment) -> None:
        notice.parts.popleft()
        notice.seq_no += 1
        if notice.parts:
            self._send(notice, now)
            return
        self._notices.popleft()
        if self._notices:
            self._send(self._notices[0], now)


def split(text: str, length: int = DATA_LENGTH) -> Iterator[str]:
    """``text`` in parts of at most ``length`` characters, where possible between two lines; at least one part."""
    while len(text) > length:
        end = text.rfind("\n", 0, length + 1)
        cut = end if end > 0 else length
        yield text[:cut]
        text = text[cut + (end > 0) :]
    yield text


def _overlap(tokens: list[IdToken], others: tuple[IdToken, ...]) -> bool:
    return any(token.matches(other) for token in tokens for other in others)


def _rejected(reason_code: str, info: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info}}
