"""The types of idToken that a session can begin with: the authorization options C-30 to C-39."""

from __future__ import annotations

import pytest

from tests.conformance.rig import CARD, Rig

# One of each kind; the local one is named after who is at the station's web page (C06).
TOKENS = {
    "ISO14443": CARD,
    "ISO15693": "E004015012345678",
    "KeyCode": "471100",
    "Local": "WEB-{person}",
    "MacAddress": "0A1B2C3D4E5F",
    "NoAuthorization": "",
    "Central": "8c1f7a52-0b3d-4c55-9a51-0d6f5a3c7e11",
}
SWITCHED = ("ISO15693", "KeyCode", "MacAddress", "NoAuthorization")  # off as shipped


def kinds(*names: str) -> pytest.MarkDecorator:
    """The case is played once with each of these: those that its condition names, and that can play it."""
    return pytest.mark.parametrize("kind", names)


def supporting(kind: str) -> dict[str, str]:
    """The configuration that this kind needs."""
    return {"AuthCtrlr.SupportedIdTokenTypes": f"ISO14443,{kind}"} if kind in SWITCHED else {}


def token(rig: Rig, kind: str) -> str:
    """The idToken of that kind."""
    return TOKENS[kind].format(person=rig.person)
