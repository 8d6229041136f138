"""The supervisor's look at a Redis that cannot beat for itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.project.supervisor.redis_probe import PING, PONG, RedisProbe


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(tmp_path / "redis.sock"))
        listening.listen()
        yield listening


def test_an_answer_is_a_beat(redis: socket.socket, tmp_path: Path) -> None:
    beats: list[None] = []
    probe = RedisProbe(tmp_path / "redis.sock", lambda: beats.append(None))
    probe.look()
    line, _ = redis.accept()
    with line:
        for count in (1, 2):
            assert line.recv(100) == PING
            line.send(PONG)
            probe.look()
            assert len(beats) == count
    probe.close()


def test_silence_is_none_and_is_not_pinged_again(redis: socket.socket, tmp_path: Path) -> None:
    beats: list[None] = []
    probe = RedisProbe(tmp_path / "redis.sock", lambda: beats.append(None))
    probe.look()
    line, _ = redis.accept()
    with line:
        for _ in range(3):
            probe.look()
        assert line.recv(100) == PING
        assert beats == []
    probe.close()


def test_a_redis_that_is_not_there_or_comes_back_is_taken_as_it_is(redis: socket.socket, tmp_path: Path) -> None:
    beats: list[None] = []
    RedisProbe(tmp_path / "nowhere.sock", lambda: beats.append(None)).look()
    probe = RedisProbe(tmp_path / "redis.sock", lambda: beats.append(None))
    probe.look()
    redis.accept()[0].close()
    probe.look()  # notices that it is gone
    probe.look()  # connects anew
    line, _ = redis.accept()
    with line:
        assert line.recv(100) == PING
        line.send(PONG)
        probe.look()
    assert len(beats) == 1
    probe.close()
