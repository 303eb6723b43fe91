"""Sessions in which something was said, as the ledger puts them into a database."""

from __future__ import annotations

from functools import partial

from msgspec import Struct

from antiphon_server.call import records as r
from antiphon_server.store.applying import apply
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line

AT = 1_790_000_000.0
MINE, THEIRS = "account-1", "account-2"


class Told(Struct, frozen=True):
    """One turn, and an end unless it is live."""

    id: str
    account: str = MINE
    at: float = AT
    said: str = "Hello there."
    answer: str = "Indeed."
    response_ms: float = 700.0
    agent_id: str | None = None
    trouble: bool = False
    is_live: bool = False


def tell(database: Database, *sessions: Told) -> None:
    """Puts them into a database."""
    for session in sessions:
        lines = [Line(session.id, record) for record in records(session)]
        database.now(partial(apply, node="n", lines=lines, on_event=_ignore))


def records(session: Told) -> list[r.AnyRecord]:
    """All of a session's."""
    at = session.at
    told: list[r.AnyRecord] = [
        r.Started(
            seq=0, at=at, account=session.account, key_id=None, agent_id=session.agent_id,
            config={"system_prompt": f"Prompt of {session.id}."}, webhook=b"sealed",
        ),
        r.UserSaid(
            seq=1, at=at + 2, item_id=f"item_u_{session.id}", text=session.said,
            started_ms=1_000, ended_ms=1_900,
        ),
        r.AgentSaid(
            seq=2, at=at + 5, reply_id=f"resp_{session.id}", item_id=f"item_a_{session.id}",
            trigger="user_speech", status="completed", text=session.answer, method="timed",
            started_ms=2_000, sounded_ms=2_600, ended_ms=3_000,
            time_to_first_audio_ms=session.response_ms,
            stages={"endpointing": 450.0, "response": session.response_ms},
            providers={"language_model": "openai"}, models={"language_model": "large"},
        ),
    ]  # fmt: skip
    if session.trouble:
        told.append(
            r.Troubled(
                seq=len(told), at=at + 5, at_ms=2_500, source="provider", code="provider_timed_out",
                message="openai failed", stage="language_model", provider="openai",
                reply_id=f"resp_{session.id}",
            )
        )  # fmt: skip
    if not session.is_live:
        told.append(
            r.Ended(
                seq=len(told), at=at + 12.5, reason="client_ended", public_reason="client_end",
                duration_seconds=12.5, audio_seconds=12.5,
            )
        )  # fmt: skip
    return told


def _ignore(*_: object) -> None:
    """No webhooks."""
