"""``python -m tests.performance [--json FILE]``: start an appliance, measure, print each figure next to its bound."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.performance.figures import parts_table, table
from tests.performance.measure import all_figures


def main() -> int:
    """Exit status 0 where every figure is within its bound, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where to write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
        figures = list(all_figures(Path(folder), lambda what: print(f"… {what}", file=sys.stderr, flush=True)))
    print(table(figures))
    for figure in figures:
        if figure.parts:
            print(f"\n{parts_table(figure)}")
    report = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "figures": [figure.summary() for figure in figures],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if all(figure.within for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
