"""Memory of the station's processes: the web server looks at its brothers, whom the supervisor has named."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
_NAMED = "st:"  # project.supervisor.child


def memory(supervisor: int | None = None, proc: Path = PROC) -> dict[str, int]:
    """Bytes by process, the proportional share of what is shared (PSS); empty where there is no supervisor."""
    supervisor = os.getppid() if supervisor is None else supervisor
    found: dict[str, int] = {}
    for pid in _children(proc, supervisor):
        name = _read(proc / str(pid) / "comm").strip()
        share = _pss(_read(proc / str(pid) / "smaps_rollup"))
        if name.startswith(_NAMED) and share is not None:
            found[name.removeprefix(_NAMED)] = share
        elif name.startswith("redis-server") and share is not None:
            found["redis"] = share
    if found and (share := _pss(_read(proc / str(supervisor) / "smaps_rollup"))) is not None:
        found["supervisor"] = share
    return found


def _children(proc: Path, pid: int) -> list[int]:
    text = _read(proc / str(pid) / "task" / str(pid) / "children")
    return [int(one) for one in text.split() if one.isdecimal()]


def _pss(rollup: str) -> int | None:
    for line in rollup.splitlines():
        name, _, amount = line.partition(":")
        if name == "Pss":
            return int(amount.split()[0]) * 1024
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""
