"""The board of heartbeats: what is written is read, across a fork, and nothing torn ever counts."""

from __future__ import annotations

import os
import threading
import time

import pytest

from station.project.health import Board


def test_nothing_has_beaten_at_first() -> None:
    assert Board(("a", "b")).read() == {"a": (float("inf"), {}), "b": (float("inf"), {})}


def test_a_beat_carries_age_and_word() -> None:
    board = Board(("a", "b"))
    board.beat("a", {"connected": True, "registration": None}, now=100.0)
    board.beat("b", now=101.0)
    assert board.read(now=103.0) == {"a": (3.0, {"connected": True, "registration": None}), "b": (2.0, {})}


def test_a_beat_without_a_word_keeps_the_last() -> None:
    board = Board(("a",))
    board.beat("a", {"n": 1}, now=1.0)
    board.beat("a", now=2.0)
    assert board.read(now=2.0)["a"] == (0.0, {"n": 1})


def test_clear_forgets_the_time_only() -> None:
    board = Board(("a",))
    board.beat("a", {"n": 1}, now=1.0)
    board.clear("a")
    assert board.read(now=2.0)["a"] == (float("inf"), {"n": 1})


def test_a_torn_copy_never_counts() -> None:
    board = Board(("a",))
    board.beat("a", {"n": 1}, now=1.0)
    board.beat("a", {"n": 2}, now=2.0)
    newest = board._newest(0)[0] % 2 * 512
    for position in range(newest, newest + 40):
        saved = board._memory[position]
        board._memory[position] = saved ^ 0xFF
        age, word = board.read(now=2.0)["a"]
        # Beyond the word's end nothing is covered, and nothing is read.
        assert (age, word) in [(1.0, {"n": 1}), (0.0, {"n": 2})]
        board._memory[position] = saved
    board._memory[newest + 6] ^= 0xFF
    assert board.read(now=2.0)["a"] == (1.0, {"n": 1})
    board.beat("a", {"n": 3}, now=3.0)
    assert board.read(now=3.0)["a"] == (0.0, {"n": 3})


def test_words_have_a_limit_and_names_a_slot() -> None:
    board = Board(("a",))
    board.beat("a", {"x": "y" * 390})
    with pytest.raises(ValueError, match="408 bytes"):
        board.beat("a", {"x": "y" * 400})
    with pytest.raises(KeyError):
        board.beat("b")


def test_a_child_is_heard_through_a_fork() -> None:
    board = Board(("a",))
    pid = os.fork()
    if pid == 0:
        board.beat("a", {"from": "child"})
        os._exit(0)
    os.waitpid(pid, 0)
    age, word = board.read()["a"]
    assert word == {"from": "child"}
    assert age < 60


def test_readers_never_see_half_a_word_while_another_writes() -> None:
    board = Board(("a",))
    board.beat("a", {"n": 0, "text": ""})
    end = time.monotonic() + 0.3
    seen = []

    def write() -> None:
        n = 0
        while time.monotonic() < end:
            n += 1
            board.beat("a", {"n": n, "text": str(n % 10) * (n % 300)})

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        word = board.read()["a"][1]
        assert word["text"] == str(word["n"] % 10) * (word["n"] % 300)
        seen.append(word["n"])
    assert seen == sorted(seen)
