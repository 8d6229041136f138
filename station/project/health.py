"""Heartbeats: one small board in memory that all processes of the appliance share.

The supervisor imports this module before it forks, so that the anonymous mapping below is the same memory in all of
its children. Each process owns the slots named after it and writes the time and a few words there with ``beat``;
supervisor and ``/healthz`` read them. Redis has no part in it, so a beat says something about its process alone.

A slot holds two copies, written in turn, each with a growing number and a checksum. A reader takes the newest copy
whose checksum is right: one that is just being written, or was torn by a kill, never counts, and the other holds.
"""

from __future__ import annotations

import json
import mmap
import struct
import threading
import time
import zlib
from collections.abc import Mapping
from typing import Any

WEB = "web"
UPLINK = "uplink"
HARDWARE = "hardware"  # the poll thread
HARDWARE_LOOP = "hardware-loop"  # the Celery worker around it, and its bus thread
TRANSFERS = "transfers"
SIMULATOR = "simulator"
CSMS = "csms"
NEIGHBOURS = "neighbours"  # only while mDNS or MQTT is on
REDIS = "redis"  # beaten by the supervisor for an embedded Redis that answers
SLOTS = (WEB, UPLINK, HARDWARE, HARDWARE_LOOP, TRANSFERS, SIMULATOR, CSMS, NEIGHBOURS, REDIS)

WORD_LIMIT = 400  # bytes of JSON
_HEADER = struct.Struct("<IQdH")  # checksum of the rest, number, monotonic time (s), length of the word
_COPY = 512
_SLOT = 2 * _COPY
_NEVER = 0.0

Word = Mapping[str, Any]


class Board:
    """The slots in one shared mapping. Safe for several threads of one process; one process writes a slot."""

    def __init__(self, names: tuple[str, ...] = SLOTS) -> None:
        self._offsets = {name: index * _SLOT for index, name in enumerate(names)}
        self._memory = mmap.mmap(-1, _SLOT * len(names))
        self._lock = threading.Lock()

    def beat(self, name: str, word: Word | None = None, *, now: float | None = None) -> None:
        """Note that ``name`` lives, with ``word`` for the readers (None keeps the last one).

        Raises KeyError for a name without a slot and ValueError for a word of more than ``WORD_LIMIT`` bytes.
        """
        self._write(name, time.monotonic() if now is None else now, word)

    def clear(self, name: str) -> None:
        """Forget when ``name`` last beat, as before its first start; the word stays."""
        self._write(name, _NEVER, None)

    def read(self, now: float | None = None) -> dict[str, tuple[float, dict[str, Any]]]:
        """Seconds since the last beat (infinite: none yet) and the word, by name."""
        now = time.monotonic() if now is None else now
        result = {}
        for name, offset in self._offsets.items():
            _, at, encoded = self._newest(offset)
            age = max(0.0, now - at) if at != _NEVER else float("inf")
            result[name] = (age, json.loads(encoded) if encoded else {})
        return result

    def _write(self, name: str, at: float, word: Word | None) -> None:
        offset = self._offsets[name]
        encoded = None if word is None else json.dumps(word, separators=(",", ":")).encode()
        if encoded is not None and len(encoded) > WORD_LIMIT:
            raise ValueError(f"the word of {name} has {len(encoded)} bytes, more than {WORD_LIMIT}")
        with self._lock:
            number, _, last = self._newest(offset)
            number += 1
            encoded = last if encoded is None else encoded
            body = _HEADER.pack(0, number, at, len(encoded))[4:] + encoded
            start = offset + (number % 2) * _COPY
            self._memory[start : start + 4 + len(body)] = struct.pack("<I", zlib.crc32(body)) + body

    def _newest(self, offset: int) -> tuple[int, float, bytes]:
        best = (0, _NEVER, b"")
        for start in (offset, offset + _COPY):
            copy = self._memory[start : start + _COPY]
            checksum, number, at, length = _HEADER.unpack_from(copy)
            end = _HEADER.size + length
            if number > best[0] and end <= _COPY and zlib.crc32(copy[4:end]) == checksum:
                best = (number, at, copy[_HEADER.size : end])
        return best


_board = Board()


def beat(name: str, word: Word | None = None) -> None:
    """``Board.beat`` on the appliance's board."""
    _board.beat(name, word)


def clear(name: str) -> None:
    """``Board.clear`` on the appliance's board."""
    _board.clear(name)


def read() -> dict[str, tuple[float, dict[str, Any]]]:
    """``Board.read`` on the appliance's board."""
    return _board.read()
