"""What the station says to drivers, in their language (C01.FR.08 to C01.FR.13), and its pages to whoever reads them."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
import sys
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
    text = re.sub(r"^msgctxt .*\nmsgid ", "in a context: ", text, flags=re.M)
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
    assert not [one for one in english() if not there[one] or there[one] == one]
    for one, other in there.items():
        assert sorted(re.findall(r"%\(\w+\)s", one)) == sorted(re.findall(r"%\(\w+\)s", other)), one
        assert one.endswith(".") == other.endswith("."), one


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every text in the sources that is marked for translation, with its context as in a compiled catalogue."""
    copy = tmp_path_factory.mktemp("marked")
    for name in ("manage.py", "station", "webui", "hardware", "templates"):
        original = settings.BASE_DIR / name
        if original.is_dir():
            shutil.copytree(original, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(original, copy)
    (copy / "locale").mkdir()
    command = (sys.executable, "manage.py", "makemessages", "-l", "qx", "--no-location", "--no-wrap")
    subprocess.run(command, cwd=copy, check=True, capture_output=True, timeout=120)
    found = set()
    for entry in (copy / "locale" / "qx" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8").split("\n\n")[1:]:
        fields = {
            name: "".join(ast.literal_eval(part) for part in re.findall(r'".*"', text))
            for name, text in re.findall(r'^(msgctxt|msgid) ((?:".*"\n?)+)', entry, re.M)
        }
        found.add(f"{fields['msgctxt']}\x04{fields['msgid']}" if "msgctxt" in fields else fields["msgid"])
    return found


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_every_text_of_the_pages_is_translated(language: str, marked: set[str]) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    there = {one[0] if isinstance(one, tuple) else one for one, other in catalogue.items() if other}
    assert len(marked) > 2000
    assert sorted(marked - there) == []


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
