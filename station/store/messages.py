"""OCPP messages without their secrets, and no longer than somebody can read: for the trace.

Which values are secret depends on what they are of: the value that SetVariables gives a password, the card in a token
reader's event. So a message is walked as what it is; then ``redaction`` has its turn with every text.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from station.store import redaction
from station.store.confidential import WRITE_ONLY
from station.store.redaction import HIDDEN, SHORTEST, masked

PAYLOAD_LIMIT = 6_000  # characters of JSON
LONGEST = 2_000  # characters of a text that is longer than is read
READ_MOST = 2 * LONGEST
LISTED_MOST = 40  # items of a list that are looked at; a station must not spend its time on more
STEPS = ((LONGEST, LISTED_MOST), (300, 12), (120, 3))  # (longest text, longest list) of each try to make a payload fit
DEEPEST = 12  # levels that OCPP needs
TOKENS_KEPT = 48  # idTokens that are recognised in other texts
PARSED_MOST = 64 * 1024  # bytes; of what is longer only its head is told

_TOKEN_KEYS = frozenset({"idToken", "additionalIdToken", "groupIdToken", "customerIdentifier", "uid", "id_token"})
_VALUE_KEYS = frozenset({"attributeValue", "actualValue", "value"})
_SECRET_KEYS = re.compile(r"passw|secret|^(?:key|pin|simPin|token)$|private_?key|api_?key|credential|_token$", re.I)
_SECRET_VARIABLES = re.compile(r"passw|secret|private_?key|api_?key|credential|simpin|(?:^|_)pin$", re.I)
_TOKEN_VARIABLES = frozenset({"token", "masterpassgroupid"})
_OPAQUE = frozenset({"exiRequest", "exiResponse"})  # a vehicle's contract and its key are in there
_PERSONAL = frozenset({("NotifyCustomerInformation", "data")})
_HEAD = re.compile(rb'\s*\[\s*(\d{1,3})\s*,\s*"([\w.:{}-]{1,36})"\s*,(?:\s*"(\w{1,50})"\s*,)?')
_NAME = re.compile(r"[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)")
_CUT = re.compile(r"… \((\d+)\)$")
_WRITE_ONLY = frozenset((component.casefold(), variable.casefold()) for component, variable in WRITE_ONLY)


class Discretion:
    """Makes messages fit to be shown. It remembers the last idTokens that it masked, to know them in free texts."""

    def __init__(self) -> None:
        self._tokens: deque[str] = deque(maxlen=TOKENS_KEPT)
        self._known: re.Pattern[str] | None = None

    def payload(self, action: str, payload: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """The payload as it may be shown, and whether it had to be shortened."""
        self._learn(payload, 0)
        shown = self._mapping(payload, action, "", 0)
        text = json.dumps(shown, ensure_ascii=False)
        if len(text) <= PAYLOAD_LIMIT:
            return shown, '"… ' in text or "… (" in text
        for longest, most in STEPS:
            shown = _shortened(shown, longest, most)
            if len(json.dumps(shown, ensure_ascii=False)) <= PAYLOAD_LIMIT:
                return shown, True
        return {"…": f"{len(text)}"}, True

    def text(self, text: str) -> str:
        """A text that a person or the other side wrote: without secrets and idTokens."""
        told = redaction.clean(text[:READ_MOST])
        return self._known.sub(lambda found: masked(found[0]), told) if self._known else told

    def _learn(self, value: Any, depth: int) -> None:
        if depth > DEEPEST:
            return
        if isinstance(value, Mapping):
            for key, child in value.items():
                if key in _TOKEN_KEYS and isinstance(child, str):
                    self._remember(child)
                elif isinstance(child, Mapping | list):
                    self._learn(child, depth + 1)
        elif isinstance(value, list):
            for child in value:
                if isinstance(child, Mapping | list):
                    self._learn(child, depth + 1)

    def _remember(self, token: str) -> None:
        if len(token) < SHORTEST or token in self._tokens:
            return
        self._tokens.append(token)
        longest_first = sorted(self._tokens, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    # ------------------------------------------------------------------ the walk

    def _mapping(self, data: Mapping[str, Any], action: str, secrecy: str, depth: int) -> dict[str, Any]:
        secrecy = _secrecy(data) or secrecy
        shown: dict[str, Any] = {}
        for key, value in data.items():
            name = str(key)
            if _SECRET_KEYS.search(name) and not isinstance(value, bool):
                shown[name] = HIDDEN
            elif name in _OPAQUE or (action, name) in _PERSONAL:
                shown[name] = f"{HIDDEN} ({len(str(value))})"
            elif name in _TOKEN_KEYS and not isinstance(value, Mapping):
                shown[name] = "…" if data.get("type") == "KeyCode" else masked(str(value)) if value != "" else ""
            elif secrecy and name in _VALUE_KEYS and not isinstance(value, Mapping | list):
                shown[name] = HIDDEN if secrecy == "secret" else masked(str(value))
            else:
                shown[self._name(name)] = self._value(value, action, secrecy, depth + 1)
        return shown

    def _value(self, value: Any, action: str, secrecy: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._plain(value)
        if isinstance(value, Mapping):
            return self._mapping(value, action, secrecy, depth) if depth < DEEPEST else {"…": ""}
        if isinstance(value, list):
            if depth >= DEEPEST:
                return ["…"]
            shown = [self._value(item, action, secrecy, depth + 1) for item in value[:LISTED_MOST]]
            return [*shown, f"… {len(value) - LISTED_MOST}"] if len(value) > LISTED_MOST else shown
        return value if isinstance(value, int | float | bool | None) else str(value)

    def _name(self, name: str) -> str:
        """A key is what the other side chose, too; those of OCPP are short."""
        return name if len(name) < SHORTEST or (name.isalnum() and len(name) <= 50) else self._plain(name[:50])

    def _plain(self, text: str) -> str:
        if len(text) < SHORTEST:
            return text
        if len(text) <= 50 and _NAME.fullmatch(text) and not redaction.is_known(text):
            # By far the most of them: no pattern fits, so only what is known to be a secret is looked for.
            return self._known.sub(lambda found: masked(found[0]), text) if self._known else text
        if len(text) <= READ_MOST:
            return self.text(text)
        # Read further than it is shown: a secret across the cut would be known by neither half.
        return f"{self.text(text[:READ_MOST])[:LONGEST]}… ({len(text)})"


def head(frame: bytes) -> tuple[int, str, str]:
    """Message type, message id and action of a frame that is not read, as far as they can be made out."""
    found = _HEAD.match(frame)
    if not found:
        return 0, "", ""
    return int(found[1]), found[2].decode(), (found[3] or b"").decode()


def _secrecy(data: Mapping[str, Any]) -> str:
    """How the values beside a variable's name are to be treated: ``secret``, ``token``, or not at all."""
    component, variable = (_named(data.get(part)) for part in ("component", "variable"))
    if not variable:
        return ""
    if (component, variable) in _WRITE_ONLY or _SECRET_VARIABLES.search(variable):
        return "secret"
    return "token" if variable in _TOKEN_VARIABLES else ""


def _named(data: Any) -> str:
    return str(data.get("name", "")).casefold() if isinstance(data, Mapping) else ""


def _shortened(value: Any, longest: int, most: int) -> Any:
    """With long texts cut, and long lists ending in ``"… n"``, n being how many are left out."""
    if isinstance(value, str):
        before = _CUT.search(value)
        if len(value) - (len(before[0]) if before else 0) <= longest:
            return value
        return f"{value[:longest]}… ({before[1] if before else len(value)})"
    if isinstance(value, dict):
        return {key: _shortened(child, longest, most) for key, child in value.items()}
    if isinstance(value, list):
        left = 0
        if value and isinstance(value[-1], str) and value[-1].startswith("… ") and value[-1][2:].isdigit():
            left, value = int(value[-1][2:]), value[:-1]  # shortened before
        kept = [_shortened(child, longest, most) for child in value[:most]]
        left += len(value) - len(kept)
        return [*kept, f"… {left}"] if left else kept
    return value
