"""Where the memory of a process is: the kernel's own account of it, mapping by mapping."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePath

import psutil

from tests.performance.figures import Part

LARGEST = 3
MB = 1e6  # bytes, as in the bound

_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(?P<path>.*)$")
# CPython asks the kernel for its arenas of small objects, so they have no name; all else in them is malloc(3)'s.
_NAMES = {"": "small objects", "[heap]": "heap", "[stack]": "stack"}


def parts(family: Iterable[psutil.Process]) -> list[Part]:
    """One for each process that still lives, the largest first."""
    found = []
    for process in family:
        try:
            smaps, name = Path(f"/proc/{process.pid}/smaps").read_text(), process.name()
        except (OSError, psutil.NoSuchProcess):
            continue
        found.append(account("supervisor" if name.startswith("python") else name.removeprefix("st:"), smaps))
    return sorted(found, key=lambda part: -part.value)


def account(name: str, smaps: str) -> Part:
    """Pure. ``smaps`` is the text of the file of that name in /proc."""
    pss = 0.0
    private: defaultdict[str, float] = defaultdict(float)
    owner = ""
    for line in smaps.splitlines():
        mapping = _MAPPING.match(line)
        if mapping is not None:
            path = mapping["path"]
            owner = _NAMES.get(path) or PurePath(path).name
            continue
        quantity, _, rest = line.partition(":")
        if quantity == "Pss":
            pss += _bytes(rest)
        elif quantity in ("Private_Clean", "Private_Dirty"):
            private[owner] += _bytes(rest)
    largest = sorted(private.items(), key=lambda item: -item[1])[:LARGEST]
    return Part(name, pss / MB, sum(private.values()) / MB, {where: size / MB for where, size in largest})


def _bytes(text: str) -> float:
    return int(text.split()[0]) * 1024
