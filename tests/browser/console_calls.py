"""Calls as the server stores them, written before it starts: many, long ones and hostile ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import soundfile

from antiphon_server.call import records as r
from antiphon_server.store.applying import apply
from antiphon_server.store.artifacts import Recorded
from antiphon_server.store.database import Database
from antiphon_server.store.location import DATABASE_FILE
from antiphon_server.store.migrate import upgrade
from antiphon_server.store.spool_segment import Line

MANY = 1000
FEW = 20
LONG, HOSTILE, FULL, DOOMED = (f"sess_{number:032x}" for number in (1, 2, 3, 4))
"""200 turns; hostile words; everything a call can have, with a recording; one to be deleted."""
LONG_TURNS = 200
SCRIPT = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
OVERRIDE = "\u202egnp.exe"
ENDLESS = "W" * 100_000
PROVIDERS = {
    "voice_activity": "silero",
    "turn_detection": "smart-turn",
    "speech_to_text": "deepgram",
    "language_model": "openai",
    "text_to_speech": "cartesia",
}
ANSWER = "Your order left the warehouse this morning, and is with you tomorrow before noon."
RATE = 24_000
_APART_SECONDS = 600.0
_TURN_MS = 9_000
_AT_ONCE = 100


def write(data: Path, account: str, calls: int) -> None:
    """Puts so many of them into the data folder of a server that does not run."""
    database = Database(f"sqlite:///{data / DATABASE_FILE}")
    try:
        upgrade(database)
        lines: list[Line] = []
        for number, lines_of_one in enumerate(_all(account, calls)):
            lines += lines_of_one
            if number % _AT_ONCE == 0:
                _apply(database, lines)
                lines = []
        _apply(database, lines)
    finally:
        database.dispose()
    _record(data / "recordings" / f"{FULL}.ogg", seconds=40)


def _apply(database: Database, lines: list[Line]) -> None:
    database.now(partial(apply, node="n", lines=lines, on_event=lambda *_: None))


def _all(account: str, calls: int) -> Iterator[list[Line]]:
    now = time.time() - 60
    yield _call(FULL, account, now, _everything(now), recorded=True)
    yield _call(LONG, account, now - 1, _turns(now - 1, LONG_TURNS))
    yield _call(HOSTILE, account, now - 2, _hostile(now - 2))
    yield _call(DOOMED, account, now - 3, _turns(now - 3, 1))
    for number in range(5, calls + 1):
        at = now - number * _APART_SECONDS
        yield _call(f"sess_{number:032x}", account, at, _turns(at, 1 + number % 3, number))


def _call(
    session_id: str, account: str, at: float, middle: list[r.AnyRecord], *, recorded: bool = False
) -> list[Line]:
    """A whole call; the records in its middle are numbered here."""
    seconds = 2.0 + _TURN_MS / 1000 * sum(isinstance(one, r.AgentSaid) for one in middle)
    held = Recorded(f"{session_id}.ogg", 250, 0, seconds) if recorded else None
    recording: dict[str, Any] | None = None if held is None else msgspec.to_builtins(held)
    config = {"system_prompt": "You answer questions about orders.", "output": {"voice": "alba"}}
    told: list[r.AnyRecord] = [
        r.Started(seq=0, at=at, account=account, key_id=None, agent_id=None, config=config),
        *middle,
        r.Used(seq=0, at=at, connected_seconds=seconds, characters=300, prompt_tokens=900),
        r.Ended(
            seq=0, at=at + seconds, reason="client_ended", public_reason="client_end",
            duration_seconds=seconds, audio_seconds=seconds, recording=recording,
        ),
    ]  # fmt: skip
    return [
        Line(session_id, msgspec.structs.replace(one, seq=number))
        for number, one in enumerate(told)
    ]


def _turns(at: float, count: int, seed: int = 0) -> list[r.AnyRecord]:
    return [one for place in range(count) for one in _turn(at, place, seed=seed)]


def _turn(
    at: float, place: int, *, said: str = "", answer: str = ANSWER, cut: bool = False, seed: int = 0
) -> list[r.AnyRecord]:
    """The user speaks for 2 s; the agent answers after what its stages add up to."""
    began = 500 + place * _TURN_MS
    stages = _stages(place + seed)
    sounded = began + 2_000 + round(stages["response"])
    words = answer.split()
    heard = " ".join(words[: len(words) // 2]) if cut else answer
    spoken = tuple(
        (word, sounded + 250 * number, sounded + 250 * (number + 1))
        for number, word in enumerate(words[:30])
    )
    return [
        r.UserSaid(
            seq=0, at=at + began / 1000, item_id=f"item_u{place}",
            text=said or f"Where is order number {seed + place}, please?",
            started_ms=began, ended_ms=began + 2_000,
        ),
        r.AgentSaid(
            seq=0, at=at + sounded / 1000, reply_id=f"resp_{place:04d}", item_id=f"item_a{place}",
            trigger="user_speech", status="interrupted" if cut else "completed", text=heard,
            unheard=answer[len(heard):].strip(), method="timed", started_ms=began + 2_000,
            sounded_ms=sounded, ended_ms=sounded + 250 * min(len(words), 20), words=spoken,
            time_to_first_audio_ms=stages["response"], stages=stages, providers=PROVIDERS,
            models={"language_model": "gpt-5-mini"},
            reasons={"language_model": "the fastest of late"},
        ),
    ]  # fmt: skip


def _stages(place: int) -> dict[str, float]:
    waited, token, first = 300.0 + 7 * (place % 20), 180.0 + 31 * (place % 13), 95.0
    path = {
        "endpointing": waited,
        "language_model_first_token": token,
        "language_model_first_sentence": 30.0,
        "text_to_speech_first_audio": first,
        "server_overhead": 2.5,
    }
    beside = {"voice_activity": 3.0, "speech_to_text": waited / 2, "turn_detection": 60.0}
    return {**path, **beside, "response": sum(path.values())}


def _everything(at: float) -> list[r.AnyRecord]:
    called = r.ToolCalled(
        seq=0, at=at, reply_id="resp_0001", call_id="call_1", name="order_status",
        arguments={"number": "4711"}, at_ms=11_000,
    )  # fmt: skip
    return [
        *_turn(at, 0),
        called,
        r.ToolReturned(
            seq=0, at=at, call_id="call_1", result='{"state": "shipped"}', is_error=False,
            timed_out=False, at_ms=11_300,
        ),
        *_turn(at, 1),
        r.Reconfigured(seq=0, at=at, at_ms=12_000, config={"output": {"voice": "anna"}}),
        r.Troubled(
            seq=0, at=at, at_ms=12_500, source="provider", code="switched",
            message="anthropic took over from openai, which was too slow",
            stage="language_model", provider="openai", reply_id="resp_0001",
        ),
        *_turn(at, 2, cut=True),
        r.Troubled(
            seq=0, at=at, at_ms=13_000, source="client", code="invalid_audio",
            message="The audio is not base64",
        ),
    ]  # fmt: skip


def _hostile(at: float) -> list[r.AnyRecord]:
    return [
        *_turn(at, 0, said=f"{SCRIPT} {OVERRIDE}", answer=f"{SCRIPT} {ENDLESS}"),
        r.ToolCalled(
            seq=0, at=at, reply_id="resp_0000", call_id="call_x", name=f"{SCRIPT}{OVERRIDE}",
            arguments={"\u2066": OVERRIDE, SCRIPT: ENDLESS}, at_ms=2_600,
        ),
        r.ToolReturned(
            seq=0, at=at, call_id="call_x", result=f"{SCRIPT}{ENDLESS}", is_error=True,
            timed_out=False, at_ms=2_700,
        ),
    ]  # fmt: skip


def _record(path: Path, seconds: int) -> None:
    """A recording whose left channel hums low and whose right one hums high, in turns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    moment = np.arange(seconds * RATE) / RATE
    is_user = (moment % 6) < 2
    left = 0.3 * np.sin(2 * np.pi * 180 * moment) * is_user
    right = 0.3 * np.sin(2 * np.pi * 320 * moment) * ~is_user
    sound = np.stack([left, right], axis=1).astype(np.float32)
    soundfile.write(path, sound, RATE, format="OGG", subtype="OPUS")
