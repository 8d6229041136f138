"""Secrets at rest."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from station.store.secrets import PREFIX, Safe, SecretDamaged, key_file, write_private


def test_what_is_sealed_opens_again(tmp_path: Path) -> None:
    sealed = Safe(tmp_path).seal("pässword-0123456789")
    assert sealed.startswith(PREFIX)
    assert "0123456789" not in sealed
    assert Safe(tmp_path).open(sealed) == "pässword-0123456789"
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600


def test_the_same_text_is_never_sealed_alike(tmp_path: Path) -> None:
    safe = Safe(tmp_path)
    assert safe.seal("x") != safe.seal("x")


@pytest.mark.parametrize("damage", ["plain", PREFIX, PREFIX + "!!", PREFIX + "AAAA"])
def test_what_was_never_sealed_is_refused(tmp_path: Path, damage: str) -> None:
    with pytest.raises(SecretDamaged):
        Safe(tmp_path).open(damage)


def test_another_key_does_not_open_it(tmp_path: Path) -> None:
    sealed = Safe(tmp_path / "a").seal("x")
    with pytest.raises(SecretDamaged):
        Safe(tmp_path / "b").open(sealed)


def test_a_damaged_key_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(SecretDamaged, match="5 bytes instead of 32"):
        Safe(tmp_path).seal("x")


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    barrier = threading.Barrier(8)

    def make() -> bytes:
        barrier.wait(10)
        return os.urandom(32)

    threads = [
        threading.Thread(target=lambda: found.append(key_file(tmp_path / "key", make)), daemon=True) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_empty_key_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"")
    assert key_file(tmp_path / "key", lambda: b"new") == b"new"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    write_private(path, b"one")
    with pytest.raises(TypeError):
        write_private(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]
