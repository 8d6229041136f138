"""Documents on paper, read as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from webui.paper import fonts
from webui.paper.letterhead import Letterhead
from webui.paper.paper import Column, Paper

MINE = Letterhead("Müller & Söhne", ("Hauptstraße 1", "50667 Köln"), "Garage Nord")


def text(path: Path) -> list[str]:
    return [page.extract_text() for page in PdfReader(path).pages]


def test_all_that_goes_on_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    with translation.override("de"), Paper(path, "Protokoll für Żółć", MINE, subject="Prüfung") as paper:
        paper.heading("Elektrische Daten")
        paper.text("Ein Absatz.\nUnd noch einer, " + "der länger ist als eine Zeile " * 10)
        paper.pairs([("Sicherung", "63 A"), ("Preis", "0,30 €")])
        table = paper.table([Column("Prüfung", 3), Column("Ergebnis", 1, right=True)])
        table.group("Gruppe")
        table.row(["Schutzleiter", "0,12 Ω"])
        table.end()
        paper.signature("Ort, Datum", "Unterschrift")
    (page,) = text(path)
    said_on_it = ["Müller & Söhne", "50667 Köln", "Protokoll für Zółć", "Elektrische Daten", "63 A", "0,30 €"]
    for said in [*said_on_it, "Schutzleiter", "Gruppe", "Unterschrift", "Garage Nord"]:
        assert said in page, said
    reader = PdfReader(path)
    assert reader.metadata is not None
    assert reader.metadata.title == "Protokoll für Zółć"
    assert reader.trailer["/Root"]["/Lang"] == "de"
    assert all(name.startswith("/") and " " not in name for name in reader.pages[0]["/Resources"]["/XObject"])


def test_a_long_table_goes_on_and_its_head_with_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    with Paper(path, "Long", MINE) as paper:
        table = paper.table([Column("Number", 1), Column("Name", 2)])
        for number in range(200):
            table.row([f"row {number}", "x"])
        table.end()
        paper.text("after the table")
    pages = text(path)
    assert len(pages) > 3
    assert all("Number" in page for page in pages[:-1])
    assert [page.count("row 7\n") for page in pages] == [1, *[0] * (len(pages) - 1)]
    assert "after the table" in pages[-1]
    whole = "".join(pages)
    assert all(f"row {number}\n" in whole for number in range(200))


def test_nothing_is_left_where_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    with pytest.raises(ZeroDivisionError), Paper(path, "x", MINE):
        raise ZeroDivisionError
    assert not path.exists()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_whatever_a_text_holds_can_be_printed(said: str) -> None:
    fonts.load()
    printed = fonts.printable(said)
    has = fonts.pdfmetrics.getFont(fonts.REGULAR).face.charToGlyph
    assert all(ord(letter) in has for letter in printed)
    assert all(fonts.width(line, 9) <= 60 or len(line) == 1 for line in fonts.lines(printed, 9, 60))
    assert fonts.width(fonts.fitted(printed, 9, 60), 9) <= 60


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("Zoé 5 €", "Zoé 5 €"),
        ("ﬁne", "ﬁne"),
        ("Ǎda", "Ada"),
        ("中", "?"),
        ("a\nb\tc\x00", "a b c "),
        ("a\u200bb", "ab"),
    ],
)
def test_letters_that_the_font_has_not(said: str, printed: str) -> None:
    fonts.load()
    assert fonts.printable(said) == printed
