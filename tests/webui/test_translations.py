"""What the station says to drivers, in their language (C01.FR.08 to C01.FR.13)."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from station.domain.board import BoardWarning, Fault
from station.live.payloads import EvseLive
from tests.webui.looking import look
from tests.webui.making import charging, free, waiting
from tests.webui.test_words import ACTIVITIES
from webui import words
from webui.dashboard import fragments

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
FOLDER = Path(settings.LOCALE_PATHS[0])


def source(language: str) -> dict[str, str]:
    """The entries of a .po file, one line each, as ours are."""
    text = (FOLDER / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid (".+")\nmsgstr (".*")$', text, re.M)
    return {ast.literal_eval(one): ast.literal_eval(other) for one, other in pairs}


def english() -> set[str]:
    """Every sentence that a driver may read."""
    said = {str(part) for word in ACTIVITIES for part in (words.activity(word).label, words.activity(word).sentence)}
    said |= {sentence for fault in Fault for sentence in words.faults(free(faults=(fault.value,)))}
    said |= {sentence for one in BoardWarning for sentence in words.warnings(free(warnings=(one.value,)))}
    doubts = ("meter_failed", "meter_stale", "energy_went_back")
    said |= {sentence for one in doubts for sentence in words.warnings(free(warnings=(f"Meter:{one}",)))}
    return said | {words.message(word) for word in words.MESSAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_for_a_driver_is_translated(language: str) -> None:
    there = source(language)
    assert sorted(english() - there.keys()) == []
    assert not [one for one, other in there.items() if not other or other == one]
    for one, other in there.items():
        assert re.findall(r"%\(\w+\)s", one) == re.findall(r"%\(\w+\)s", other), one
        assert one.endswith(".") == other.endswith("."), one


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """``make messages``."""
    with (FOLDER / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for one, other in source(language).items():
        assert compiled.gettext(one) == other


@pytest.mark.parametrize(
    ("languages", "sentence"),
    [
        ((), "The card is blocked."),
        (("de",), "Die Karte ist gesperrt."),
        (("fr-CH", "de"), "La carte est bloquée."),
        (("tlh", "es"), "La tarjeta está bloqueada."),
        (("nl-BE",), "De kaart is geblokkeerd."),
        (("tlh", "qya"), "The card is blocked."),  # C01.FR.13
    ],
)
def test_a_driver_is_spoken_to_in_the_first_language_that_there_is(languages: tuple[str, ...], sentence: str) -> None:
    assert words.to_driver(waiting(message="Blocked", languages=languages)).message == sentence


def test_nobody_knows_the_driver_s_language_where_the_reader_s_own_is_another() -> None:
    with translation.override("de"):
        assert words.to_driver(waiting(message="Blocked")).message == "Die Karte ist gesperrt."
        assert words.to_driver(waiting(message="Blocked", languages=("tlh",))).message == "The card is blocked."


def card(evse: EvseLive) -> str:
    return "".join(fragments.evse_fragments(evse, "").values())


def test_the_card_speaks_to_the_driver_and_its_buttons_to_the_reader() -> None:
    html = card(charging(1, languages=("de",), faults=("OverTemperature",)))
    said = look(html).words
    for sentence in ("Lädt", "Energie fließt in das Auto.", "Die Station ist zu heiß."):
        assert sentence in said
    assert "Stop" in said
    assert html.count('lang="de"') == 2
    assert "lang=" not in card(charging(1))
