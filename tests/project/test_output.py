"""The interleaved log: one line each, harmless to a terminal, bounded."""

from __future__ import annotations

import os
from pathlib import Path

from station.project.supervisor import output
from station.project.supervisor.output import LINE_LIMIT, Lines, Output


def shown(out: Output, read: int) -> str:
    out.finish(1.0)
    return os.read(read, 65536).decode()


def test_a_line_tells_when_and_who() -> None:
    read, write = os.pipe()
    out = Output(write, ("web", "hardware"))
    out.line("web", "hello\n")
    out.line("hardware", "")
    text = shown(out, read)
    assert text.endswith(" web      hello\n")
    assert text.count("\n") == 1


def test_what_comes_from_outside_cannot_steer_the_terminal() -> None:
    read, write = os.pipe()
    out = Output(write, ("web",))
    out.line("web", "a\x1b[2Jb\x07c\rd\x9be\tf")
    text = shown(out, read)
    assert "\x1b" not in text
    assert "�[2Jb�c�d�e\tf" in text


def test_colour_only_where_asked_for() -> None:
    read, write = os.pipe()
    out = Output(write, ("web",), colour=True)
    out.line("web", "ERROR it burns")
    assert "\x1b[31mERROR it burns" in shown(out, read)


def test_a_terminal_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    read, write = os.pipe()
    out = Output(write, ("web",), folder=tmp_path)
    for number in range(4000):
        out.line("web", f"{number} " + "x" * 500)
    out.finish(0.05)
    assert out.waits
    text = b""
    os.set_blocking(read, False)
    while out.waits:
        text += os.read(read, 1 << 20)
        out.finish(0.01)
    text += os.read(read, 1 << 20)
    assert "lines were dropped" in text.decode()
    assert text.decode().rstrip().endswith("x" * 500)
    assert sum(file.read_text().count("\n") for file in tmp_path.iterdir()) == 4000


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    out = Output(write, ("web",), folder=tmp_path)
    os.close(read)
    out.line("web", "one")
    out.finish(1.0)
    out.line("web", "two")
    out.finish(1.0)
    assert (tmp_path / "station.log").read_text().splitlines()[1].endswith("two")


def test_passwords_do_not_reach_the_file(tmp_path: Path) -> None:
    read, write = os.pipe()
    out = Output(write, ("web",), folder=tmp_path)
    out.direct("secret\n")
    out.line("web", "hello")
    assert "secret" in shown(out, read)
    assert "secret" not in (tmp_path / "station.log").read_text()


def test_the_file_has_a_limit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(output, "FILE_LIMIT", 1000)
    out = Output(os.open(os.devnull, os.O_WRONLY), ("web",), folder=tmp_path)
    for number in range(200):
        out.line("web", f"line {number}")
        out.write()
    files = sorted(tmp_path.iterdir())
    assert len(files) <= output.FILES
    assert all(file.stat().st_size < 1100 for file in files)
    assert "line 199" in "".join(file.read_text() for file in files)


def test_lines_are_cut_and_joined() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o\n") == ["two"]
    assert lines.feed(b"three") == []
    assert lines.end() == ["three"]
    assert lines.end() == []


def test_a_line_without_an_end_is_cut_once() -> None:
    lines = Lines()
    assert lines.feed(b"x" * (LINE_LIMIT + 1)) == ["x" * LINE_LIMIT + " …"]
    assert lines.feed(b"y" * (LINE_LIMIT + 1)) == []
    assert lines.feed(b"z\nnext\n") == ["next"]
