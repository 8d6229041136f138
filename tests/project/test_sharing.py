"""Whether what the supervisor has loaded stays shared; the megabytes are the bench's business."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from station.project.supervisor import sharing

# In a process of its own, as it is for good. It prints how many of the gaps are taken again by what is made later.
SMALL = """
from station.project.supervisor import sharing
made = [bytes(size - 33) for _ in range(2000)]  # 33 bytes are the object's own
gaps = {id(one) for one in made[::2]}
del made[::2]
sharing.fill_gaps()
later = [bytes(size - 33) for _ in range(1000)]
print(len(gaps & {id(one) for one in later}))
"""
LARGE = """
from station.project.supervisor import sharing
malloc, free = sharing._libc.malloc, sharing._libc.free
made = [malloc(size) for _ in range(2000)]
gaps = set(made[::2])
for one in made[::2]:
    free(one)
sharing.fill_gaps()
print(len(gaps & {malloc(size) for _ in range(1000)}))
"""
SMAPS = """\
55e0-55e1 r--p 00000000 fe:00 1 /usr/lib/libclean.so
Rss:                   4 kB
Anonymous:             0 kB
55e1-55e2 r--p 00001000 fe:00 1 /usr/lib/librelocated.so
Anonymous:             4 kB
55e2-55e3 rw-p 00002000 fe:00 1 /usr/lib/libdata.so
Anonymous:             0 kB
55e3-55e4 r-xp 00003000 fe:00 1 /usr/lib/a name with spaces.so
Anonymous:             0 kB
55e4-55e5 r--s 00000000 fe:00 1 /tmp/shared
Anonymous:             0 kB
55e5-55e6 r--p 00000000 00:00 0
Anonymous:             0 kB
55e6-55e7 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
"""


@pytest.mark.parametrize("size", [48, 64, 112, 512])
def test_no_small_object_lands_between_the_old_ones(size: int) -> None:
    assert _run(SMALL, size) < 5  # what filling itself had in hand comes free again


@pytest.mark.parametrize("size", [600, 1000, 2500])
def test_nor_does_a_larger_block(size: int) -> None:
    assert _run(LARGE, size) < 5


@pytest.mark.parametrize(("program", "size"), [(SMALL, 64), (LARGE, 1000)])
def test_without_it_they_would(program: str, size: int) -> None:
    assert _run(program.replace("sharing.fill_gaps()", ""), size) > 900


def test_only_mappings_that_are_as_their_file_are_let_go_of() -> None:
    assert list(sharing._untouched(SMAPS.splitlines(keepends=True))) == [(0x55E0, 0x55E1), (0x55E3, 0x55E4)]


def test_libraries_work_after_their_pages_were_let_go_of() -> None:
    sharing.forget_files()
    assert ctypes.CDLL(None).abs(-3) == 3


def _run(program: str, size: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", f"size = {size}\n{program}"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
