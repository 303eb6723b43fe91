"""What a list tells of a session, from its records."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from antiphon_server.call import records as r
from antiphon_server.store import applying, past_sessions, summaries
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line
from antiphon_server.store.stage_times import WIDTH
from antiphon_server.store.summaries import MOST_WORDS, Summary, summary
from antiphon_server.store.tables import session_records, session_summaries
from server.store.talk import NOON, Events, answered, ended, said, started

STAGES = {"endpointing": 450.0, "response": 700.0}


def _reply(seq: int, response_ms: float, **fields: Any) -> r.AgentSaid:
    times = {"started_ms": 1_000 * seq, "sounded_ms": 1_000 * seq + 1, "stages": STAGES}
    return replace(answered(seq), **{**times, "time_to_first_audio_ms": response_ms, **fields})


def _called(seq: int) -> r.ToolCalled:
    return r.ToolCalled(
        seq=seq, at=NOON + seq, reply_id="r", call_id="c", name="f", arguments={}, at_ms=1
    )


def _troubled(seq: int) -> r.Troubled:
    return r.Troubled(
        seq=seq, at=NOON + seq, at_ms=1, source="client", code="invalid_value", message="No."
    )


def test_a_session_is_summed_up() -> None:
    """Its turns, interruptions, tool calls, errors and responses, and its first words."""
    told = summary(
        [
            started(),
            _reply(1, 20.0, trigger="greeting", text="Hello, this is Acme."),
            said(2, "Where is my ORDER?"),
            _called(3),
            _reply(4, 900.0, status="interrupted", text="It is in"),
            said(5, "In Straße 7?"),
            _reply(6, 500.0, text="Yes."),
            _troubled(7),
            ended(8),
        ]
    )
    assert replace(told, words="", stage_times=b"") == Summary(
        turns=4,  # Of the call's reply nothing else is on record.
        interruptions=1,
        tool_calls=1,
        errors=1,
        response_p50_ms=700.0,
        response_max_ms=900.0,
        first_words="Where is my ORDER?",
    )
    assert told.words == "hello, this is acme.\nwhere is my order?\nit is in\nin strasse 7?\nyes."
    assert len(told.stage_times) == 3 * WIDTH


def test_a_session_in_which_nothing_was_said_has_an_empty_summary() -> None:
    """No response, no words."""
    assert summary([started(), ended(1)]) == Summary()
    assert summary([]) == Summary()


@pytest.mark.parametrize("reason", ["failed", "lost"])
def test_an_end_by_a_fault_of_the_server_is_an_error(reason: str) -> None:
    """It is found among those with errors."""
    assert summary([started(), ended(1, reason=reason)]).errors == 1


def test_a_reply_dropped_before_it_was_heard_is_no_interruption() -> None:
    """As in the metrics."""
    dropped = replace(answered(1), status="interrupted", text="")
    assert summary([started(), dropped]).interruptions == 0


def test_the_response_to_nobody_is_none() -> None:
    """Of a greeting, and of a reply that nobody heard."""
    told = summary(
        [started(), _reply(1, 20.0, trigger="greeting"), _reply(2, 30.0, sounded_ms=None)]
    )
    assert (told.response_p50_ms, told.response_max_ms) == (None, None)


def test_records_of_an_older_version_are_summed_up() -> None:
    """They have no stages; what they have counts."""
    old = replace(answered(2), sounded_ms=1, time_to_first_audio_ms=800.0)
    told = summary([started(), said(1), old, ended(3)])
    assert (told.turns, told.response_max_ms, told.stage_times) == (2, 800.0, b"")


def test_words_without_end_are_searched_as_far_as_is_sensible() -> None:
    """And the first words are a line."""
    told = summary([started(), said(1, "word " * 100_000)])
    assert len(told.words) == MOST_WORDS
    assert len(told.first_words or "") == 200


def test_a_character_that_postgresql_refuses_is_kept_as_another(database: Database) -> None:
    """U+0000, in the words and in the first of them."""
    lines = [Line("sess_1", one) for one in (started(), said(1, "a\0b"), ended(2))]
    database.now(lambda connection: applying.apply(connection, "n", lines, Events()))
    query = sa.select(session_summaries)
    row = database.now(lambda connection: connection.execute(query).one())
    assert (row.words, row.first_words) == ("a\ufffdb", "a\0b")


def test_a_summary_is_kept_with_the_end_and_once(database: Database) -> None:
    """However often the end's line comes, and in whatever transaction."""
    lines = [Line("sess_1", one) for one in (started(), said(1), ended(2))]
    for some in (lines[:2], lines[2:], lines, lines[2:]):
        database.now(lambda connection, s=some: applying.apply(connection, "n", s, Events()))  # type: ignore[misc]
    query = sa.select(session_summaries)
    (row,) = database.now(lambda connection: connection.execute(query).all())
    assert (row.session_id, row.turns, row.first_words) == ("sess_1", 1, "Hello.")


def test_a_record_that_cannot_be_read_costs_no_session_its_end(database: Database) -> None:
    """One of another version; the others count."""
    lines = [Line("sess_1", one) for one in (started(), said(1), answered(2), ended(3))]
    database.now(lambda connection: applying.apply(connection, "n", lines[:3], Events()))
    strange = sa.update(session_records).where(session_records.c.kind == "agent_said")
    database.now(lambda connection: connection.execute(strange.values(body={"text": 7})))
    database.now(lambda connection: applying.apply(connection, "n", lines[3:], Events()))
    query = sa.select(session_summaries.c.turns, session_summaries.c.words)
    row = database.now(lambda connection: connection.execute(query).one())
    assert tuple(row) == (1, "hello.")


def test_a_live_session_has_none(database: Database) -> None:
    """Nothing is written at every turn."""
    lines = [Line("sess_1", one) for one in (started(), said(1))]
    database.now(lambda connection: applying.apply(connection, "n", lines, Events()))
    count = sa.select(sa.func.count()).select_from(session_summaries)
    assert database.now(lambda connection: connection.execute(count).scalar_one()) == 0


def test_a_session_that_was_deleted_leaves_none(database: Database) -> None:
    """Neither one that had ended, nor one that ends later."""
    count = sa.select(sa.func.count()).select_from(session_summaries)
    for number, end_first in enumerate((True, False)):
        session = f"sess_{number}"
        told = [Line(session, one) for one in (started(), said(1), ended(2))]
        parts = (told, []) if end_first else (told[:2], told[2:])
        database.now(lambda connection, p=parts[0]: applying.apply(connection, "n", p, Events()))  # type: ignore[misc]
        assert database.now(
            lambda connection, s=session: past_sessions.delete(connection, "acme", s, NOON)  # type: ignore[misc]
        )
        database.now(lambda connection, p=parts[1]: applying.apply(connection, "n", p, Events()))  # type: ignore[misc]
        assert database.now(lambda connection: connection.execute(count).scalar_one()) == 0


def test_a_summary_that_is_there_stays(database: Database) -> None:
    """Whoever comes second changes nothing."""
    lines = [Line("sess_1", one) for one in (started(), said(1), ended(2))]
    database.now(lambda connection: applying.apply(connection, "n", lines, Events()))
    database.now(lambda connection: summaries.keep(connection, "sess_1", Summary(turns=99)))
    query = sa.select(session_summaries.c.turns)
    assert database.now(lambda connection: connection.execute(query).scalar_one()) == 1
