"""What makes memory stay shared between the supervisor and those it forks.

A page is there once for as long as nobody writes to it, and a Python process writes to a page for the sake of any
object on it. So what is to be shared has to be packed densely, and what the children make anew must not land between
it. What each step is worth stands in docs/performance.md. Nothing here changes what a program does.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_M_ARENA_MAX = -8  # mallopt(3)
_PR_SET_THP_DISABLE = 41  # prctl(2)
_MADV_DONTNEED = 4  # madvise(2)

PAGE = 4096  # bytes
# CPython's allocator of small objects on a 64-bit machine: Include/internal/pycore_obmalloc.h
SMALL, STEP = 512, 16  # bytes: the largest block, and what two sizes differ by
POOL, POOL_HEADER = 16 * 1024, 48  # bytes
NEW = 4  # blocks that come from a pool in the order in which they lie there, from its first, show that it is a new one
GAPS_AT_MOST = 1024 * 1024  # bytes, of one size; met only if the allocator is another one than this


class _Mallinfo(ctypes.Structure):
    """Of mallinfo(3), in bytes: the last are those free at the top of the heap."""

    _fields_ = [("others", ctypes.c_int * 9), ("keepcost", ctypes.c_int)]


_libc = ctypes.CDLL(None)
_libc.mallinfo.restype = _Mallinfo
_libc.malloc.restype = _libc.sbrk.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]
_libc.sbrk.argtypes = [ctypes.c_ssize_t]
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_small = ctypes.pythonapi.PyObject_Malloc
_small.restype = ctypes.c_void_p
_small.argtypes = [ctypes.c_size_t]


def begin() -> None:
    """To be called before anything is loaded."""
    gc.disable()  # what it frees would leave gaps
    _libc.mallopt(_M_ARENA_MAX, 1)  # one for each thread that allocates would cost 0.5 MB
    # Where huge pages are for everybody, the kernel would make 2 MB of a few written kilobytes. Children inherit it.
    _libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)


def settle() -> None:
    """To be called when all is loaded that children share, and before the first is forked."""
    gc.collect()
    # Each entry holds a name. A child that replaces it would write to the old name's page, wherever that lies.
    getattr(sys, "_clear_internal_caches", sys._clear_type_cache)()
    gc.freeze()  # the collector of a child would write to every object
    _libc.malloc_trim(0)
    fill_gaps()
    forget_files()


def tidy() -> None:
    """To be called in a child once it has started."""
    _libc.malloc_trim(0)
    forget_files()


def fill_gaps() -> None:
    """Take up the free blocks between what is loaded, for good; they are some 0.4 MB.

    Otherwise each child would put its first objects there, one to a page, and for each of them copy the page.
    """
    if sys.maxsize > 2**32 and sys.implementation.name == "cpython":
        sizes = iter(range(SMALL, 0, -STEP))
        while (size := next(sizes, 0)) and _fill_pools(size):
            pass
    # A free page lies in no gap, so it may as well be the children's. 32 bytes are the smallest block of malloc(3).
    _fill_heap(range(PAGE, 31, -STEP))


def _fill_pools(size: int) -> bool:
    """Whether a new pool was begun, so that no old one has any free block of ``size`` left."""
    pool, last, rising = 0, 0, 0
    for _ in range(GAPS_AT_MOST // size):
        at = _small(size) or 0
        if at % POOL == POOL_HEADER:
            pool, rising = at // POOL, 0
        elif at // POOL == pool and at > last:
            rising += 1
        else:
            pool = 0
        last = at
        if rising == NEW:
            return True
    return False


def _fill_heap(sizes: range) -> None:
    top = (_libc.sbrk(0) or 0) - _libc.mallinfo().keepcost
    for size in sizes:
        while (block := _libc.malloc(size - 8)) and block < top:  # 8: its own length, kept by malloc(3)
            pass
        _libc.free(block)


def forget_files() -> None:
    """Let go of the pages of libraries that starting ran through; what is needed again comes back from the file."""
    with Path("/proc/self/smaps").open() as lines:
        for start, end in list(_untouched(lines)):
            _libc.madvise(start, end - start, _MADV_DONTNEED)


def _untouched(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Start and end of the private mappings of files in which nothing was written, so that they are as their file."""
    where: tuple[int, int] | None = None
    for line in smaps:
        if line[0].isupper():  # a figure of the mapping whose line came before
            if where is not None and line.startswith("Anonymous:") and int(line.split()[1]) == 0:
                yield where
            continue
        area, rights, _, _, _, *path = line.split(maxsplit=5)
        start, _, end = area.partition("-")
        is_file = bool(path) and path[0].startswith("/")
        where = (int(start, 16), int(end, 16)) if is_file and rights[1] == "-" and rights[3] == "p" else None
