"""The letters: Bitstream Vera, which comes with reportlab, embedded so that a document looks the same everywhere."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "Vera", "VeraBd"
UNKNOWN = "?"  # for a letter that the font has not


@cache
def load() -> None:
    """Make the fonts known to reportlab."""
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


@lru_cache(maxsize=4096)
def printable(text: str) -> str:
    """``text`` in letters that the font has: else without its accents, else a question mark. Controls become spaces."""
    has = pdfmetrics.getFont(REGULAR).face.charToGlyph
    if all(ord(letter) in has and letter >= " " for letter in text):
        return text
    return "".join(_letter(letter, has) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str, has: dict[int, int]) -> str:
    if letter.isspace() or unicodedata.category(letter) == "Cc":
        return " "
    if ord(letter) in has:
        return letter
    if unicodedata.category(letter)[0] in "CM":  # marks, and what only steers: nothing to print
        return ""
    bare = unicodedata.normalize("NFKD", letter)
    kept = "".join(part for part in bare if ord(part) in has and not unicodedata.combining(part))
    return kept or UNKNOWN


def width(text: str, size: float, *, bold: bool = False) -> float:
    """In points; ``text`` must be printable."""
    return pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size)


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """``text``, cut with an ellipsis where it is wider than ``room`` points."""
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(text + "…", size, bold=bold) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def lines(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """``text`` in lines no wider than ``room``; a word that is too long is broken."""
    found: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            found.append(line)
        while width(word, size, bold=bold) > room and len(word) > 1:
            part = len(word)
            while part > 1 and width(word[:part], size, bold=bold) > room:
                part -= 1
            found.append(word[:part])
            word = word[part:]
        line = word
    return [*found, line] if line or not found else found
