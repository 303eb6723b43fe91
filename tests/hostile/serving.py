"""A real server in a process of its own, with scripted providers, on a free loopback port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SCRIPTED = {f"ANTIPHON_{stage}": "scripted" for stage in ("VAD", "TURN", "STT", "LLM", "TTS")}
_COMMAND = """
import argparse, sys
from antiphon_server.cli import serve
parser = argparse.ArgumentParser()
serve.add_arguments(parser)
sys.exit(serve.run(parser.parse_args()))
"""
START_SECONDS = 60
STOP_SECONDS = 20


class Server:
    """The running process."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self._log = log
        self.banner = ""
        for line in process.stdout:
            self.banner += line
            if "Stop it" in line:
                break
        found = re.search(r"listens on http://(\S+):(\d+)", self.banner)
        assert found is not None, self.log
        self.host, self.port = found[1], int(found[2])

    @property
    def ws(self) -> str:
        """The address of the WebSocket."""
        return f"ws://{self.host}:{self.port}/v1/ws"

    @property
    def http(self) -> str:
        """The address of the web pages and of REST."""
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote to standard error so far."""
        return self._log.read_text("utf-8")

    def get(self, path: str) -> str:
        """What it answers to a GET. Raises ``urllib.error.HTTPError``."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port}{path}", timeout=10) as answer:
            body: bytes = answer.read()
            return body.decode()

    def metric(self, line: str) -> float:
        """The value in the line of /metrics that begins with these words; 0 without one."""
        for text in self.get("/metrics").splitlines():
            if text.startswith(f"{line} "):
                return float(text.rsplit(" ", 1)[1])
        return 0.0

    def stop(self) -> int:
        """Interrupts it as Ctrl-C does; returns its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def environment(data: str, **variables: str) -> dict[str, str]:
    """This process's, without settings of its own, and these; ``data`` is the data folder."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("ANTIPHON_")}
    return {**own, "ANTIPHON_DATA_DIR": data, **variables}


@contextmanager
def serving(log: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """A server with these options and variables, stopped at the end of the block.

    The log goes to a file: a pipe that nobody reads would fill.
    """
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-c", _COMMAND, "--port", "0"]
    with (
        TemporaryDirectory() as data,
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [*command, *arguments],
            env=environment(data, **{**SCRIPTED, **variables}),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield Server(process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)


def refused(*arguments: str, **variables: str) -> tuple[int, str]:
    """Exit status and standard error of a server that cannot start."""
    with TemporaryDirectory() as data:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND, *arguments],
            env=environment(data, **{**SCRIPTED, **variables}),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    return done.returncode, done.stderr
