"""The page about the device model is written from the tables."""

from __future__ import annotations

from pathlib import Path

from station.device_model.components import COMPONENTS
from station.device_model.document import page, rows

PAGE = Path(__file__).parents[2] / "docs" / "device_model.md"


def test_the_page_is_in_step_with_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m station.device_model.document > docs/device_model.md"


def test_the_page_has_every_variable_once() -> None:
    names = [(row.component, row.name) for row in rows()]
    assert len(names) == len(set(names)) == sum(len(list(component.variables())) for component in COMPONENTS)
    assert all("|" not in cell for row in rows() for cell in row)
