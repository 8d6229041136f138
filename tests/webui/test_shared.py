"""One publication for many browsers: decoded and rendered once for each kind of viewer."""

from __future__ import annotations

from typing import Any

import pytest

from station.live.payloads import encode
from tests.webui.looking import look
from tests.webui.making import charging, free, station
from webui.dashboard import fragments, shared
from webui.dashboard.fragments import Viewer

ENGLISH, GERMAN, INSTALLER = Viewer("en"), Viewer("de"), Viewer("en", technical=True)


def test_the_same_publication_is_decoded_once() -> None:
    data = encode(station(charging(1), serial=7))
    assert shared.publication(data) is shared.publication(dict(data))
    assert shared.publication(encode(station(charging(1), serial=8))).station.serial == 8
    assert shared.publication({**data, "life": "second"}).station.life == "second"


@pytest.mark.parametrize("rubbish", [{}, {"life": "x"}, {"life": "x", "serial": 1}, {"life": [], "serial": {}}])
def test_rubbish_is_named_and_not_kept(rubbish: dict[str, Any]) -> None:
    shared.publication(encode(station(serial=1)))
    with pytest.raises((KeyError, TypeError)):
        shared.publication(rubbish)
    assert shared.publication(encode(station(serial=1))).station.serial == 1


def test_each_kind_of_viewer_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[Viewer] = []
    really = fragments.pieces

    def counted(live: Any, viewer: Viewer) -> dict[str, str]:
        rendered.append(viewer)
        return really(live, viewer)

    monkeypatch.setattr(fragments, "pieces", counted)
    published = shared.publication(encode(station(charging(1), free(2))))
    for _ in range(20):
        for viewer in (ENGLISH, GERMAN, INSTALLER):
            published.seen_by(viewer)
    assert rendered == [ENGLISH, GERMAN, INSTALLER]


def test_each_sees_their_own_language_and_what_is_meant_for_them() -> None:
    published = shared.publication(encode(station(charging(1), connected=False, link_note="HTTP 401")))
    english, german, installer = (published.seen_by(viewer) for viewer in (ENGLISH, GERMAN, INSTALLER))
    assert "Charging" in look(english.cards).words
    assert "Lädt" in look(german.cards).words
    assert "HTTP 401" not in english.found["station-status"]
    assert "HTTP 401" in installer.found["station-status"]
    assert english.marks["station-status"] != installer.marks["station-status"]
    assert english.marks["evse-1-figures"] == installer.marks["evse-1-figures"], "what is the same stays the same"
