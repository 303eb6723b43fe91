"""Log lines that never block and never tell a secret."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import subprocess
import sys
import threading

import pytest
import structlog

from antiphon_server.observe import logs
from antiphon_server.observe.logs import redact
from server.call.scripted_call import sample

CONFIGURED = """
import logging, sys
import structlog
from antiphon_server.observe import logs
logs.configure({level!r}, {log_format!r})
log = structlog.get_logger()
log.debug("fine detail")
log.info("it happened", session="sess_1", ms=1.5)
logging.getLogger("uvicorn.error").info('"WebSocket /v1/ws?token=SECRET" [accepted]')
logging.getLogger("uvicorn.error").warning('"WebSocket /v1/ws?token=SECRET&a=1" 500')
logging.getLogger("uvicorn.access").info("a request")
try:
    raise ZeroDivisionError("oh")
except ZeroDivisionError:
    log.exception("it broke")
    logging.getLogger("somebody").exception("theirs broke, too: 100%")
"""


class Blocked(io.StringIO):
    """A stream that takes nothing until it is released, as a full pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = threading.Event()
        self.released = threading.Event()
        self.complete = threading.Event()

    def write(self, text: str) -> int:
        """Waits to be released."""
        self.tried.set()
        self.released.wait(60)
        written = super().write(text)
        if "last" in text:
            self.complete.set()
        return written


class Full(io.StringIO):
    """A file on a disk that is full, as lines say."""

    def write(self, text: str) -> int:
        """Takes a line only where there is room."""
        if "full" in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def _lines(level: str, log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CONFIGURED.format(level=level, log_format=log_format)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/v1/ws?token=abc", "/v1/ws?token=***"),
        ("/v1/ws?a=1&token=abc&b=2", "/v1/ws?a=1&token=***&b=2"),
        ('"WebSocket /v1/ws?token=abc" [accepted]', '"WebSocket /v1/ws?token=***" [accepted]'),
        ("?TOKEN=abc&Api_Key=def&key=ghi", "?TOKEN=***&Api_Key=***&key=***"),
        ("?token=a%20b.c-d_e~f+g/h=", "?token=***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_in_a_query_are_not_written(text: str, expected: str) -> None:
    """Whatever their case and place; the rest of the line stays."""
    assert redact(text) == expected


def test_lines_are_json_where_nobody_looks_on() -> None:
    """One object a line with time, level and event; tracebacks are data; secrets are not."""
    lines = [json.loads(line) for line in _lines("info", "auto")]
    assert [line["event"] for line in lines] == [
        "it happened",
        '"WebSocket /v1/ws?token=***&a=1" 500',
        "it broke",
        "theirs broke, too: 100%",
    ]
    assert lines[0]["session"] == "sess_1"
    assert lines[0]["ms"] == 1.5
    assert lines[0]["level"] == "info"
    assert lines[1]["logger"] == "uvicorn.error"
    for line in lines[2:]:
        assert line["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_lines_can_be_read_by_people() -> None:
    """In the console's format, the same lines."""
    text = "\n".join(_lines("info", "console"))
    assert "it happened" in text
    assert "sess_1" in text
    assert "SECRET" not in text


@pytest.mark.parametrize(("level", "first"), [("debug", "fine detail"), ("error", "it broke")])
def test_the_level_is_the_operators(level: str, first: str) -> None:
    """Less severe lines are not written."""
    assert json.loads(_lines(level, "json")[0])["event"] == first


def test_a_stream_that_blocks_does_not_block_the_caller() -> None:
    """Lines wait in the queue while the stream takes none; later all of them are written."""
    stream = Blocked()
    writer = logs._Writer(stream)
    writer.write("first\n")
    assert stream.tried.wait(10)
    for number in range(100):
        writer.write(f"{number}\n")
    writer.write("last\n")
    writer.flush()
    assert stream.getvalue() == ""
    stream.released.set()
    assert stream.complete.wait(10)
    assert stream.getvalue().splitlines() == ["first", *map(str, range(100)), "last"]
    writer.close()


def test_lines_that_do_not_fit_are_dropped_and_counted() -> None:
    """The queue has an end; what is beyond it costs the caller nothing."""
    before = sample("antiphon_log_lines_dropped_total")
    stream = Blocked()
    writer = logs._Writer(stream)
    writer.write("first\n")
    assert stream.tried.wait(10)
    for _ in range(logs.QUEUE_LINES + 7):
        writer.write("more\n")
    assert sample("antiphon_log_lines_dropped_total") == before + 7
    stream.released.set()
    writer._thread.join(0)


def test_an_exit_does_not_hang_on_a_full_pipe() -> None:
    """``close`` waits for a second at most; here for less, because the queue is full."""
    stream = Blocked()
    writer = logs._Writer(stream)
    for _ in range(logs.QUEUE_LINES + 2):
        writer.write("more\n")
    writer.close()
    stream.released.set()


def test_a_stream_that_is_gone_is_no_error() -> None:
    """The reader of the pipe went away: lines are lost, the server lives."""
    stream = io.StringIO()
    stream.close()
    writer = logs._Writer(stream)
    writer.write("nobody reads this\n")
    writer._thread.join(10)
    assert not writer._thread.is_alive()
    writer.write("nor this\n")


def test_a_disk_that_is_full_for_a_while_costs_only_the_lines_of_that_while() -> None:
    """They are counted; a writer that gave up would be silent until the next start."""
    before = sample("antiphon_log_lines_dropped_total")
    stream = Full()
    writer = logs._Writer(stream)
    for line in ("full\n", "full again\n", "there is room\n"):
        writer.write(line)
    writer.close()
    assert stream.getvalue() == "there is room\n"
    assert sample("antiphon_log_lines_dropped_total") == before + 2


def test_a_bad_frame_is_no_line() -> None:
    """Uvicorn logs a text frame that is not UTF-8 with a traceback, and the frame in it: a
    client could fill the log.
    """
    written: list[object] = []

    class Kept:
        def log(self, *line: object, **_fields: object) -> None:
            written.append(line)

    handler = logs._ToStructlog(Kept())
    for failing in (b"\xff".decode, lambda: 1 // 0):
        try:
            failing()
        except (UnicodeDecodeError, ZeroDivisionError):
            told = sys.exc_info()
        handler.emit(logging.LogRecord("uvicorn.error", 40, "", 0, "broken", (), told))
    assert written == [(40, "broken")]


def test_lines_of_other_libraries_come_through_the_same_door() -> None:
    """With their logger's name and level, and redacted."""
    written: list[dict[str, object]] = []

    def keep(_logger: object, _method: str, event: structlog.types.EventDict) -> str:
        written.append(dict(event))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(
        None,
        processors=[structlog.processors.add_log_level, keep],
        wrapper_class=structlog.make_filtering_bound_logger(10),
    )
    handler = logs._ToStructlog(logger)
    record = logging.LogRecord("x.y", logging.ERROR, "", 0, "GET /?key=%s", ("abc",), None)
    handler.emit(record)
    assert written == [{"event": "GET /?key=***", "logger": "x.y", "level": "error"}]
