"""Antiphon as a black box: the installed command in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

STOP_SECONDS = 20.0


class OwnServer:
    """The running process and where it listens. ``log`` is the file of its standard error."""

    def __init__(self, folder: Path, **variables: str) -> None:
        beside = Path(sys.executable).with_name("antiphon")
        command = str(beside) if beside.exists() else shutil.which("antiphon")
        assert command is not None, "no server: give --url, or install antiphon"
        own = {name: text for name, text in os.environ.items() if not name.startswith("ANTIPHON_")}
        self.command = command
        self.environment = {**own, "ANTIPHON_DATA_DIR": str(folder / "data"), **variables}
        self.log = folder / "server.log"
        with self.log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [command, "serve", "--port", "0"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.url = self._address()

    def _address(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://\S+:\d+", line):
                return found[0]
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.log.read_text('utf-8')}")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the same installation, with the same settings."""
        return subprocess.run(
            [self.command, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STOP_SECONDS,
            check=False,
        )

    def stop(self) -> None:
        """Ends the process; kills it if it does not end by itself."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
