"""``python -m tests.conformance``: writes the report from what the rigs' runs noted in ``build/``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance.document import page
from tests.conformance.report import PROJECT, RIGS, SECURED, report


def read(folder: Path, security_profile: int = 1) -> dict[str, dict[str, Any]]:
    """What was noted of each rig that ran in that profile. Raises ValueError where a file cannot be a record."""
    recorded = {}
    for rig in RIGS:
        suffix = "" if security_profile == 1 else f"-{security_profile}"
        path = folder / f"conformance-{rig}{suffix}.json"
        if not path.exists():
            continue
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            noted = told["rig"], told.get("security_profile", 1)
            whole = isinstance(told["cases"], dict) and isinstance(told["ended"], str)
            usable = whole and noted == (rig, security_profile)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: not a record of a run: {error}") from error
        if not usable:
            raise ValueError(f"{path}: not a record of a run on the {rig} rig in profile {security_profile}")
        recorded[rig] = told
    return recorded


def write(records: Path, project: Path) -> None:
    """Write ``docs/conformance.md`` and the same for the web page. Raises ValueError where there is no record."""
    recorded = read(records)
    if not recorded:
        raise ValueError(f"{records}: no run was noted there; make conformance runs all")
    told = report(recorded, others={number: read(records, number) for number in SECURED})
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    (project / "webui" / "conformance" / "report.json").write_text(text, encoding="utf-8")
    (project / "docs" / "conformance.md").write_text(page(told), encoding="utf-8")


if __name__ == "__main__":
    try:
        write(PROJECT / "build", PROJECT)
    except ValueError as error:
        sys.exit(str(error))
