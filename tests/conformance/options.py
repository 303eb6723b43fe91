"""The options of the suite, from the command line or the environment, and what they leave out."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

_OPTIONS = {
    "url": "address of the server under test; without it Antiphon is started from here",
    "key": "API key",
    "other-key": "API key of a second account",
    "limited-key": "API key that may hold one session at a time",
    "callback-url": "where the server under test reaches the suite's own HTTP server, which "
    "plays language model, tool and webhook receiver",
    "callback-port": "port of 127.0.0.1 on which that server listens",
    "model": "inline: the server's own language model is CALLBACK-URL/model/v1; "
    "stored: only stored agents can point there (default)",
    "resume-seconds": "how long a lost session may be resumed (default 30)",
    "speech": "a mono 16-bit WAV file with one sentence, instead of the agent's own voice",
    "speech-text": "what is said in it",
}


def add_options(parser: pytest.Parser) -> None:
    """Declares the options."""
    group = parser.getgroup("conformance", "conformance to the Voice Agent API")
    for name, text in _OPTIONS.items():
        group.addoption(f"--{name}", metavar="TEXT", help=f"{text} [${_variable(name)}]")
    group.addoption(
        "--lenient",
        action="store_true",
        help="leave out what the protocol recommends but nobody has observed",
    )
    group.addoption("--quick", action="store_true", help="leave out what takes a minute")


def _variable(name: str) -> str:
    return f"CONFORMANCE_{name.replace('-', '_').upper()}"


@dataclass(frozen=True)
class Options:
    """The options as given."""

    config: pytest.Config

    def __getitem__(self, name: str) -> str:
        """A text option; the empty text when it was not given."""
        # Not declared when pytest was started for all folders: then only the environment counts.
        given = self.config.getoption(name.replace("-", "_"), default=None)
        return str(given or os.environ.get(_variable(name), ""))

    def is_set(self, flag: str) -> bool:
        """Whether a flag was given."""
        return bool(self.config.getoption(flag, default=False) or os.environ.get(_variable(flag)))

    @property
    def is_own(self) -> bool:
        """Whether the suite starts the server itself."""
        return not self["url"]

    def reason_against(self, item: pytest.Item) -> str | None:
        """Why a test cannot or shall not run; None when it does."""
        if self.is_set("lenient") and item.get_closest_marker("recommended"):
            return "recommended only (--lenient)"
        if self.is_set("quick") and item.get_closest_marker("slow"):
            return "slow (--quick)"
        needs = sorted({need for mark in item.iter_markers("needs") for need in mark.args})
        missing = [need for need in needs if not self._has(need)]
        return f"needs --{missing[0]}" if missing else None

    @property
    def model(self) -> str:
        """How the agent reaches the suite's model."""
        return self["model"] or ("inline" if self.is_own else "stored")

    def _has(self, need: str) -> bool:
        if need == "model=inline":
            return self.model == "inline" and (self.is_own or bool(self["callback-url"]))
        return self.is_own or bool(self[need])
