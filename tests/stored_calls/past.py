"""Sessions that look like real ones, as their records: what they say is made up, and always the
same for the same number.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.call import records as r
from antiphon_server.store.applying import apply
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line

ACCOUNT = "acme"
TEXT = """could you please tell me where my order is it was to come last week and the tracking
page says nothing about it since monday I would like it to be sent again or my money back"""
WORDS = TEXT.split()
PROVIDERS = {
    "voice_activity": "silero",
    "turn_detection": "smart-turn",
    "speech_to_text": "moonshine",
    "language_model": "openai",
    "text_to_speech": "flite",
}
STAGES = {
    "endpointing": 450.0,
    "voice_activity": 12.0,
    "speech_to_text": 110.0,
    "turn_detection": 60.0,
    "language_model_first_token": 180.0,
    "language_model_first_sentence": 60.0,
    "text_to_speech_first_audio": 40.0,
    "server_overhead": 2.0,
    "response": 730.0,
}


class Past(Struct, frozen=True):
    """A session that was."""

    number: int
    turns: int = 20
    at: float = 1_790_000_000.0

    @property
    def id(self) -> str:
        """Its id."""
        return f"sess_{self.number:032x}"


def stored(database: Database, *sessions: Past) -> None:
    """Puts sessions into a database, as the ledger does."""
    for session in sessions:
        lines = [Line(session.id, record) for record in records(session)]
        database.now(partial(apply, node="n", lines=lines, on_event=_ignore))


def records(session: Past) -> list[r.AnyRecord]:
    """All of a session's."""
    chance = random.Random(session.number)  # noqa: S311 - no secrets
    found: list[r.AnyRecord] = [
        r.Started(
            seq=0, at=session.at, account=ACCOUNT, key_id="key_1", agent_id=None,
            config={"id": session.id, "system_prompt": "Be kind. " * 50},
        )
    ]  # fmt: skip
    for turn in range(session.turns):
        found += _turn(session, turn, len(found), chance)
    seconds = 12.0 * session.turns
    found.append(
        r.Ended(
            seq=len(found), at=session.at + seconds, reason="client_ended",
            public_reason="client_end", duration_seconds=seconds, audio_seconds=seconds,
        )
    )  # fmt: skip
    return found


def _turn(session: Past, turn: int, seq: int, chance: random.Random) -> Iterator[r.AnyRecord]:
    begins = 12_000 * turn
    at = session.at + begins / 1000
    numbers = iter(range(seq, seq + 5))
    yield r.UserSaid(
        seq=next(numbers), at=at + 3, item_id=f"item_{turn}", text=_text(chance, 15),
        started_ms=begins, ended_ms=begins + 3_000,
    )  # fmt: skip
    reply = f"resp_{session.number}_{turn}"
    if turn % 5 == 1:
        yield r.ToolCalled(
            seq=next(numbers), at=at + 3.5, reply_id=reply, call_id=f"call_{turn}", name="order",
            arguments={"number": "123456"}, at_ms=begins + 3_500,
        )  # fmt: skip
        yield r.ToolReturned(
            seq=next(numbers), at=at + 3.6, call_id=f"call_{turn}", result='{"where": "Kiel"}',
            is_error=False, timed_out=False, at_ms=begins + 3_600,
        )  # fmt: skip
    slowness = chance.lognormvariate(0, 0.4)
    text = _text(chance, 25)
    yield r.AgentSaid(
        seq=next(numbers), at=at + 11, reply_id=reply, item_id=f"item_a_{turn}",
        trigger="user_speech", status="completed", text=text, method="timed",
        started_ms=begins + 3_400, sounded_ms=begins + 3_700, ended_ms=begins + 11_000,
        time_to_first_audio_ms=round(STAGES["response"] * slowness, 3),
        words=tuple(
            (word, begins + 3_700 + 280 * place, begins + 3_950 + 280 * place)
            for place, word in enumerate(text.split())
        ),
        stages={name: round(ms * slowness, 3) for name, ms in STAGES.items()},
        providers=PROVIDERS, models={"language_model": "large"},
    )  # fmt: skip
    yield r.Used(seq=next(numbers), at=at + 11, connected_seconds=12.0, characters=len(text))


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words))


def _ignore(_connection: sa.Connection, _event: object) -> None:
    """No webhooks."""
