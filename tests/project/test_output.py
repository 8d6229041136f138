"""The interleaved log: one line each, harmless to a terminal, bounded."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from station.project.log import EXCEPTION_LENGTH, MESSAGE_LENGTH, Readable, Structured
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
    assert json.loads((tmp_path / "station.log").read_text().splitlines()[1])["message"] == "two"


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


def kept(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "station.log").read_text().splitlines()]


def record(level: int, text: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("station.uplink.link", level, "link.py", 1, text, args, info)


def test_a_record_is_kept_as_json_and_shown_to_people(tmp_path: Path) -> None:
    read, write = os.pipe()
    out = Output(write, ("uplink",), folder=tmp_path)
    try:
        raise ValueError("no such slot\x1b[2J")
    except ValueError as error:
        out.line("uplink", Structured().format(record(logging.WARNING, "slot %d\nfails", 1, error=error)))
    [told] = kept(tmp_path)
    assert told["at"].endswith("Z")
    assert {name: told[name] for name in ("process", "level", "logger", "message")} == {
        "process": "uplink",
        "level": "WARNING",
        "logger": "station.uplink.link",
        "message": "slot 1\nfails",
    }
    assert told["exception"].startswith("Traceback")
    text = shown(out, read)
    assert text.splitlines()[0].endswith(" uplink WARNING slot 1")
    assert "ValueError: no such slot�[2J" in text


def test_a_line_that_is_no_record_is_kept_as_a_message(tmp_path: Path) -> None:
    out = Output(os.open(os.devnull, os.O_WRONLY), ("redis",), folder=tmp_path)
    out.line("redis", "WARNING it is full")
    out.line("redis", "\x1e{not json")
    out.line("redis", '\x1e{"level": "INFO"}')
    assert next((one["level"], one["message"]) for one in kept(tmp_path)) == ("WARNING", "it is full")
    assert len(kept(tmp_path)) == 3


def test_what_others_print_is_without_secrets_too(tmp_path: Path) -> None:
    read, write = os.pipe()
    out = Output(write, ("web", "uplink"), folder=tmp_path)
    out.line("web", "-----BEGIN PRIVATE KEY-----")
    out.line("uplink", "in between")
    out.line("web", "MIGHAgEAMBMGByqGSM49")
    out.line("web", "-----END PRIVATE KEY-----")
    out.line("web", "GET https://me:hidden-word@host/x?token=abc")
    for text in (shown(out, read), (tmp_path / "station.log").read_text()):
        assert "in between" in text
        assert not any(secret in text for secret in ("MIGHAgEAMBMGByqGSM49", "hidden-word", "token=abc"))


def test_a_record_is_of_limited_length_and_without_secrets() -> None:
    try:
        raise ValueError("password=hunter2hunter2 " + "x" * 100_000)
    except ValueError as error:
        told = json.loads(Structured().format(record(logging.ERROR, "password=hunter2hunter2" * 5000, error=error))[1:])
    assert len(told["message"]) <= MESSAGE_LENGTH
    assert len(told["exception"]) <= EXCEPTION_LENGTH
    assert "hunter2" not in str(told)
    assert "hunter2" not in Readable().format(record(logging.ERROR, "password=hunter2hunter2"))


def test_who_complains_without_end_does_not_wear_out_the_flash(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(output, "LINES_AT_ONCE", 10)
    out = Output(os.open(os.devnull, os.O_WRONLY), ("web",), folder=tmp_path)
    now = 0.0
    out._allowance = output._Allowance(10, 0.5, lambda: now)
    for number in range(100):
        out.line("web", f"line {number}")
    assert len(kept(tmp_path)) == 10
    now = 2.0
    out.line("web", "later")
    assert [one["message"] for one in kept(tmp_path)][-2:] == [
        "90 lines were left out here: they came too fast to be kept",
        "later",
    ]


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
