"""Sessions are searched, filtered and counted, of one account each."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_server.call import timeline as t
from antiphon_server.security.secrets import Vault
from antiphon_server.store import history, past_sessions
from antiphon_server.store.agents import Agents
from antiphon_server.store.bound_agents import AgentSecrets
from antiphon_server.store.database import Database
from antiphon_server.store.history import MOST_WORDS, Wanted
from antiphon_server.store.pages import Paging, page_of
from antiphon_server.store.stage_times import Span
from server.store.agent_bodies import PLAIN
from server.store.told_sessions import AT, MINE, THEIRS, Told, tell


def _found(database: Database, **wanted: Any) -> list[str]:
    asked = Wanted(**{"account": MINE, **wanted})
    _, entries, total = database.now(
        lambda connection: history.listed(connection, asked, Paging(200))
    )
    assert total == len(entries)
    return [entry.row.id for entry in entries]


def test_an_account_sees_its_own_sessions_newest_first(database: Database) -> None:
    """Never another one's, nor one that was deleted."""
    tell(
        database,
        Told("s_1"),
        Told("s_2", at=AT + 10),
        Told("s_3", account=THEIRS),
        Told("s_4", at=AT + 5, is_live=True),
        Told("s_5"),
    )
    database.now(lambda connection: past_sessions.delete(connection, MINE, "s_5", AT))
    assert _found(database) == ["s_2", "s_4", "s_1"]
    assert _found(database, account=THEIRS) == ["s_3"]
    assert _found(database, account="") == []


def test_pages_follow_each_other(database: Database) -> None:
    """None is left out or told twice; the total is that of all pages."""
    tell(database, *(Told(f"s_{number}", at=AT + number % 3) for number in range(7)))
    seen: list[str] = []
    paging = Paging(3)
    while True:
        rows, entries, total = database.now(
            lambda connection, p=paging: history.listed(connection, Wanted(account=MINE), p)  # type: ignore[misc]
        )
        assert total == 7
        seen += [entry.row.id for entry in entries]
        page, has_more, _ = page_of(rows, paging)
        if not has_more:
            break
        paging = Paging(3, (page[-1].created_at, page[-1].id))
    assert sorted(seen) == [f"s_{number}" for number in range(7)]
    assert len(set(seen)) == 7


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("refund", ["s_1"]),
        ("REFUND", ["s_1"]),
        ("order refund", ["s_1"]),
        ("fun", ["s_1"]),
        ("refund parcel", []),
        ("straße", ["s_2"]),
        ("STRASSE", ["s_2"]),
        ("100%", ["s_2"]),
        ("%", ["s_2"]),
        ("_", ["s_3"]),
        ("a_b", ["s_3"]),
        ("axb", []),
        ("/", ["s_3"]),
        ("\\", ["s_3"]),
        ("'; DROP TABLE sessions; --", []),
        ("\0", ["s_3"]),
        ("<b>", ["s_3"]),
        ("🦊", ["s_2"]),
        ("s_1", ["s_1"]),
        ("S_1", ["s_1"]),
        ("s_", ["s_3", "s_2", "s_1"]),
        ("_1", []),
        ("", ["s_3", "s_2", "s_1"]),
        ("   ", ["s_3", "s_2", "s_1"]),
        (" ".join(["no"] * 50), []),
    ],
)
def test_words_are_found_and_no_character_stands_for_another(
    database: Database, search: str, found: list[str]
) -> None:
    """In any case, all of them, wherever they stand; an id by how it begins."""
    tell(
        database,
        Told("s_1", said="I want a refund.", answer="For which ORDER?"),
        Told("s_2", at=AT + 1, said="It is in Kieler Straße, 100% sure 🦊"),
        Told("s_3", at=AT + 2, said="a_b c/d e\\f <b>x</b> \0"),
        Told("s_4", account=THEIRS, said="refund order straße 100% a_b \0"),
    )
    assert _found(database, search=search) == found


def test_more_words_than_are_looked_for_one_by_one_are_looked_for_as_they_stand(
    database: Database,
) -> None:
    """The last of them is the rest."""
    words = [f"word{number}" for number in range(MOST_WORDS + 5)]
    tell(database, Told("s_1", said=" ".join(words)), Told("s_2", said=" ".join(reversed(words))))
    assert _found(database, search=" ".join(words)) == ["s_1"]


def test_what_was_said_in_a_live_call_is_found_once_it_has_ended(database: Database) -> None:
    """Its id is found at once."""
    tell(database, Told("sess_live", said="refund", is_live=True))
    assert _found(database, search="refund") == []
    assert _found(database, search="sess_l") == ["sess_live"]


def test_sessions_are_filtered(database: Database) -> None:
    """By status, agent, time, slowness and errors, each alone and together."""
    tell(
        database,
        Told("s_1", response_ms=700.0, agent_id="agent_1"),
        Told("s_2", at=AT + 10, response_ms=1_500.0, trouble=True),
        Told("s_3", at=AT + 20, is_live=True),
    )
    assert _found(database, status="created") == ["s_3"]
    assert _found(database, status="completed") == ["s_2", "s_1"]
    assert _found(database, agent_id="agent_1") == ["s_1"]
    assert _found(database, agent_id="agent\0") == []
    assert _found(database, start=AT + 10) == ["s_3", "s_2"]
    assert _found(database, end=AT + 10) == ["s_1"]
    assert _found(database, start=AT + 1, end=AT + 11, status="completed") == ["s_2"]
    assert _found(database, slow_ms=1_500) == ["s_2"]
    assert _found(database, slow_ms=1_501) == []
    assert _found(database, errors=True) == ["s_2"]
    assert _found(database, errors=True, search="hello") == ["s_2"]


def test_a_live_session_is_summed_up_as_far_as_it_is(database: Database) -> None:
    """From its records: there are few such sessions."""
    tell(database, Told("s_1", is_live=True, response_ms=800.0))
    entry = database.now(lambda connection: history.find(connection, MINE, "s_1"))
    assert entry is not None
    assert (entry.summary.turns, entry.summary.response_max_ms) == (1, 800.0)
    assert entry.summary.first_words == "Hello there."


async def test_an_agent_is_known_by_its_name(database: Database) -> None:
    """As long as it is there, and only to its account."""
    agents = Agents(database, Vault((bytes(32),)))
    mine = await agents.add(MINE, replace(PLAIN, name="Desk"), AgentSecrets())
    theirs = await agents.add(THEIRS, replace(PLAIN, name="Theirs"), AgentSecrets())
    tell(
        database,
        Told("s_1", agent_id=mine.id),
        Told("s_2", agent_id=theirs.id),
        Told("s_3", agent_id="agent_gone"),
    )
    _, entries, _ = database.now(
        lambda connection: history.listed(connection, Wanted(account=MINE), Paging())
    )
    names = {entry.row.id: entry.row.agent_name for entry in entries}
    assert names == {"s_1": "Desk", "s_2": None, "s_3": None}


def test_one_session_is_found_by_account_and_id(database: Database) -> None:
    """With its configuration."""
    tell(database, Told("s_1"), Told("s_2", account=THEIRS))

    def found(account: str, session_id: str) -> object:
        entry = database.now(lambda connection: history.find(connection, account, session_id))
        return None if entry is None else entry.row.config

    assert found(MINE, "s_1") == {"system_prompt": "Prompt of s_1."}
    assert found(MINE, "s_2") is None
    assert found(MINE, "s_3") is None


def test_records_are_read_piece_by_piece(database: Database) -> None:
    """After a number, at most so many."""
    tell(database, Told("s_1"))

    def numbers(after: int, most: int) -> list[int]:
        read = database.now(
            lambda connection: history.records_after(connection, "s_1", after, most)
        )
        return [record.seq for record in read]

    assert numbers(-1, 2) == [0, 1]
    assert numbers(1, 100) == [2, 3]
    assert numbers(3, 100) == []
    assert numbers(10_000_000, 1) == []


def test_stage_times_are_those_of_the_accounts_sessions(database: Database) -> None:
    """That have ended and are still there, in the time that is asked for."""
    tell(
        database,
        Told("s_1", response_ms=700.0),
        Told("s_2", at=AT + 3_600, response_ms=900.0),
        Told("s_3", account=THEIRS, response_ms=5_000.0),
        Told("s_4", response_ms=5_000.0),
        Told("s_5", response_ms=5_000.0, is_live=True),
        Told("s_6", at=AT + 7_200, response_ms=5_000.0),
    )
    database.now(lambda connection: past_sessions.delete(connection, MINE, "s_4", AT))
    found = database.now(lambda connection: history.latency(connection, MINE, Span(AT, 3_600.0, 2)))
    points = found[t.RESPONSE]
    assert [(point.at, point.count) for point in points] == [(AT, 1), (AT + 3_600, 1)]
    assert [point.ms[0] for point in points] == pytest.approx([700.0, 900.0], rel=0.03)
