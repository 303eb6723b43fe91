"""What the tests of the load test share: clips, plans, notes and records."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from antiphon.clips import Clip, clip_of
from antiphon.settings import SessionSettings
from antiphon_loadtest.behaviour import Behaviour
from antiphon_loadtest.notes import Batch, Health, Sample
from antiphon_loadtest.plan import Plan
from antiphon_loadtest.record import Record
from clients.fake_agent import silence, tone
from loadtest.measuring import clips_in

ARGUMENTS = ("--duration", "2", "--settle", "0.1", "--workers", "1", "--patience", "3")


def clip(name: str = "one", ms: float = 200) -> Clip:
    """A tone with a little silence after it."""
    return clip_of(name, tone(ms) + silence(40))


def plan(url: str = "ws://127.0.0.1:1", **changes: object) -> Plan:
    """Calls of one turn, without anything unusual."""
    usual: dict[str, object] = {
        "url": url,
        "key": None,
        "settings": SessionSettings(),
        "tools": (),
        "clips": [clip()],
        "behaviour": Behaviour(0, 0, 0, turns=(1, 1), think_s=(0, 0)),
        "began_at": time.monotonic(),
        "duration_s": 1.0,
        "patience_s": 1.0,
    }
    return Plan(**{**usual, **changes})  # type: ignore[arg-type]


def batch(at: float, *responses: float, worker: int = 0, **counts: int) -> Batch:
    """What one worker notes with ten callers in a call."""
    samples: list[Sample] = [("response", at, ms, 10) for ms in responses]
    return Batch(worker, at, 10, 0, samples, Counter(counts), Counter(), Health(1.0, 0.2, 0, 500))


def record(*responses: float, **counts: int) -> Record:
    """Of ten callers, at second 1."""
    made = Record(callers=10, workers=1, began_at=100.0)
    made.add(batch(101.0, *responses, **counts))
    return made


def folder_of_clips(folder: Path) -> str:
    """Three short clips."""
    return str(clips_in(folder, "a", "b", "c"))
