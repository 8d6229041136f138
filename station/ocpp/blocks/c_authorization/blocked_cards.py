"""Cards that the owner has blocked at this station: refused when they are presented here, online and offline.

Not OCPP's, and the CSMS is not asked about it: whoever owns the station may keep somebody from it. It is of the place,
so what the CSMS starts by itself (RequestStartTransaction) is its own affair. A card that was blocked while it charges
goes on, and may still end what it began; nobody's car is locked in.
"""

from __future__ import annotations

from collections.abc import Iterator

from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.transaction import IdToken
from station.ocpp.context import Context

BLOCKED = "blocked_cards"  # remembered: [[idToken, type], …]
MOST = 500
TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress")


class BlockedCards:
    """The list, which outlives restarts. While it is empty nothing here changes anything."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.customer_sources.append(self._about)

    def holds(self, id_token: IdToken) -> bool:
        """The owner has blocked it."""
        return any(id_token.matches(one) for one in self._all())

    def command(self, command: OperatorCommand, now: Moment) -> None:
        """Block or unblock a card; what is so already is no mistake."""
        text, kind = (str(command.arguments.get(name) or "") for name in ("id_token", "type"))
        id_token, block = IdToken(text, kind), command.action == "block_card"
        others = [one for one in self._all() if not id_token.matches(one)]
        refused = ""
        if not 1 <= len(text) <= 36 or not text.isprintable() or kind not in TYPES:
            refused = "bad_token"
        elif block and len(others) >= MOST:
            refused = "too_many_blocked"
        if refused:
            self._context.emit(FinishCommand(command.command_id, "Rejected", refused))
            return
        if block != self.holds(id_token):
            self._keep([*others, id_token] if block else others)
            kind_of = "card_blocked" if block else "card_unblocked"
            self._context.journal(now, kind_of, id_token=id_token.loggable, type=kind, who=command.who)
        self._context.emit(FinishCommand(command.command_id, "Accepted", "Done."))

    def forget(self, id_token: IdToken) -> None:
        """The operator had a customer's data erased (N10.FR.03), of which this is some."""
        self._keep([one for one in self._all() if not id_token.matches(one)])

    def _all(self) -> list[IdToken]:
        kept = self._context.remembered.get(BLOCKED) or ()
        return [IdToken(*one) for one in kept]

    def _keep(self, id_tokens: list[IdToken]) -> None:
        self._context.remember(BLOCKED, [[one.id_token, one.type] for one in id_tokens] or None)

    def _about(self, id_token: IdToken) -> Iterator[str]:
        if self.holds(id_token):
            yield f"{id_token.type} {id_token.id_token} is blocked at this station by its owner."
