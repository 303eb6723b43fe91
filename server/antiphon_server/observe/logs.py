"""Log lines that never block and never tell a secret.

structlog builds the lines; a bounded queue and one thread write them, because a full pipe on
standard error would otherwise stop the event loop, and with it every call. What does not fit
is dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import queue
import re
import sys
import threading
from typing import Any, TextIO

import structlog

from antiphon_server.observe import metrics

QUEUE_LINES = 10_000
_SECRET_IN_QUERY = re.compile(r"((?:token|key|api_key)=)[^&\s\"']+", re.IGNORECASE)

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def redact(text: str) -> str:
    """The text without credentials in query strings; uvicorn logs the whole target."""
    return _SECRET_IN_QUERY.sub(r"\1***", text)


class _Writer:
    """A file-like object whose ``write`` only queues."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(QUEUE_LINES)
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, text: str) -> None:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            metrics.LOG_LINES_DROPPED.inc()

    def flush(self) -> None:
        """Nothing to do: the thread writes as fast as the stream takes it."""

    def close(self) -> None:
        """Writes what is queued, for at most a second: an exit must not hang on a full pipe."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(timeout=1.0)

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            try:
                self._stream.write(text)
                if self._lines.empty():
                    self._stream.flush()
            except OSError:
                # A full disk may have room again: only this line is lost.
                metrics.LOG_LINES_DROPPED.inc()
            except ValueError:
                return


class _ToStructlog(logging.Handler):
    """Lines of other libraries' loggers, redacted, through the same door."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        extra = {}
        if record.exc_info and record.exc_info[0] is not None:
            if issubclass(record.exc_info[0], UnicodeDecodeError):
                # uvicorn's traceback of a client's bad text frame, with the frame in it.
                return
            extra["exc_info"] = record.exc_info
        self._logger.log(record.levelno, redact(record.getMessage()), logger=record.name, **extra)


def configure(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Sets up all logging of the process. Call once, before the server starts."""
    target = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not target.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            # Never with local variables: they may hold what a client said, or a secret.
            colors=target.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        as_dict = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        processors.append(structlog.processors.ExceptionRenderer(as_dict))
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=_Writer(target)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog(structlog.get_logger())]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        other = logging.getLogger(name)
        other.handlers, other.propagate = [], True
    # One line per request is of no use to an operator.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
