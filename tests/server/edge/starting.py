"""A package of providers whose start goes as told, installed for one test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from msgspec import Struct

from antiphon_providers.errors import NotInstalled, ProviderError, Refused, Unavailable
from antiphon_providers.observer import SILENT, Observer

FAILURES: dict[str, ProviderError] = {
    "refused": Refused("Incorrect API key provided", status_code=401),
    "unavailable": Unavailable("nobody answers"),
    "not_installed": NotInstalled("a file is missing"),
}


class StartingOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How it starts."""

    start: Literal["works", "hangs", "refused", "unavailable", "not_installed"] = "works"
    api_key: str = ""


class Starting:
    """A provider of any stage that is only started and closed."""

    Options = StartingOptions
    name = "starting"
    rate = 24_000
    observer: Observer = SILENT
    made: ClassVar[list[Starting]] = []
    """Those of this test, in order."""

    def __init__(self, options: StartingOptions) -> None:
        self.options = options
        self.closed = 0
        self.made.append(self)

    async def start(self) -> None:
        """Fails, hangs, or is done."""
        if self.options.start == "hangs":
            await asyncio.Event().wait()
        if self.options.start != "works":
            raise FAILURES[self.options.start]

    async def close(self) -> None:
        """Counts."""
        self.closed += 1


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Starting]:
    """Installs ``starting`` for some stages; those that will be made."""
    about = tmp_path / "starting-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: starting\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "".join(
            f"[antiphon.{stage}]\nstarting = {__name__}:Starting\n"
            for stage in ("language_model", "text_to_speech", "turn_model")
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    Starting.made.clear()
    return Starting.made
