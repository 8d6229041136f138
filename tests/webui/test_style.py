"""Style sheets, sprite and script: weight, contrast, nothing from elsewhere, no icon that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.webui.making import charging, free, waiting
from webui import navigation, words

PROJECT = Path(__file__).resolve().parents[2]
STATIC = PROJECT / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
BASE = (STATIC / "css" / "base.css").read_text()
TEXT = 4.5  # WCAG 2.2 AA, 1.4.3
CONTROL = 3.0  # 1.4.11: the edges of what can be operated

ON_TEXT = [
    *[("ink", ground) for ground in ("paper", "surface", "sunk")],
    *[("ink-2", ground) for ground in ("paper", "surface", "sunk")],
    *[("accent", ground) for ground in ("paper", "surface", "flow-soft")],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("surface", "fault"),
    *[(tone, f"{tone}-soft") for tone in ("flow", "wait", "pause", "fault", "off")],
    ("fault", "surface"),
    ("flow", "sunk"),
]
ON_CONTROL = [("edge", "surface"), ("edge", "paper"), ("edge", "off-soft"), ("accent", "surface")]


def tokens(scheme: str) -> dict[str, str]:
    """The colours of light, or of dark on top of them."""
    blocks = re.findall(r":root \{(.*?)\}", BASE, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", blocks[0]))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", blocks[1]))
    return found


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "ground", "least"), [(*pair, TEXT) for pair in ON_TEXT] + [(*pair, CONTROL) for pair in ON_CONTROL]
)
def test_contrast(scheme: str, front: str, ground: str, least: float) -> None:
    colours = tokens(scheme)
    assert contrast(colours[front], colours[ground]) >= least


def test_weight() -> None:
    """Of any page: what its template links to, and the base's."""
    weights = {sheet.name: len(sheet.read_bytes()) for sheet in SHEETS}
    for template in (PROJECT / "templates").rglob("*.html"):
        linked = set(re.findall(r"css/([\w.]+)", template.read_text())) | {"base.css"}
        assert sum(weights[name] for name in linked) <= 34_000, template
    assert all(len(script.read_bytes()) <= 5_000 for script in (STATIC / "js").glob("*.js"))  # page.js and one more


@pytest.mark.parametrize("file", [*SHEETS, *(STATIC / "js").glob("*.js")], ids=lambda file: file.name)
def test_nothing_comes_from_elsewhere(file: Path) -> None:
    assert not re.search(r"url\(|@import|https?://|//[a-z]+\.", file.read_text())


def test_every_icon_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="(\w+)"', (STATIC / "img" / "icons.svg").read_text()))
    used = {
        name
        for template in (PROJECT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "(\w+)" %}|icons\.svg" %}#(\w+)', template.read_text())
        for name in name
        if name
    }
    assert used | navigation.icons() == drawn


@pytest.mark.parametrize(
    "evse", [free(), waiting(), charging(), charging(activity="suspended_ev"), free(activity="faulted")]
)
def test_every_tone_has_a_colour(evse: object) -> None:
    tone = words.activity(evse.activity).tone  # type: ignore[attr-defined]
    sheet = "".join(file.read_text() for file in SHEETS)
    assert tone == "idle" or f".{tone}" in sheet


def test_motion_can_be_turned_off() -> None:
    assert "prefers-reduced-motion: reduce" in BASE
