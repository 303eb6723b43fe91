"""``/v1/console/sessions``: calls that were, searched, and all that is known of one."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_console import (
    DEFAULT_EVENT_PAGE_LENGTH,
    EVENT_PAGE_LENGTHS,
    MOST_SEARCH_CHARACTERS,
    ConsoleCall,
    ConsoleEvents,
    ConsoleSession,
    ConsoleSessions,
)
from antiphon_protocol.rest_sessions import SESSION_STATUSES, SessionStatus
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import encoded
from antiphon_server.rest.artifact_links import ArtifactLinks
from antiphon_server.rest.artifacts import Streamed
from antiphon_server.rest.errors import Invalid, NoSuchSession, NotFound
from antiphon_server.rest.fields import integer, shown
from antiphon_server.rest.moments import moment, told
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.rest.paging import PAGING, page_of, read_paging
from antiphon_server.rest.sessions import SETTLE_SECONDS, SessionPlaces
from antiphon_server.security.keys import Keys
from antiphon_server.store import history, past_sessions
from antiphon_server.store.call_page import event, page
from antiphon_server.store.history import Entry, Wanted

MOST_MS = 3_600_000
MOST_EVENTS = 10_000_000
NDJSON = "application/x-ndjson"

_QUERY = (
    Parameter(
        "search",
        Annotated[str, Meta(max_length=MOST_SEARCH_CHARACTERS)],
        "Words that were said in it, all of them, or how its id begins. What was said in a call "
        "is found once that has ended.",
    ),
    Parameter("status", SessionStatus, "Only those that are live (`created`) or have ended."),
    Parameter("agent_id", str, "Only those that ran with this stored agent."),
    Parameter("from", str, "Only those that began then or later: RFC 3339, or a date."),
    Parameter("to", str, "Only those that began before then."),
    Parameter(
        "slow_ms",
        Annotated[int, Meta(ge=0, le=MOST_MS)],
        "Only those in which a response took as long.",
    ),
    Parameter("errors", Annotated[int, Meta(ge=0, le=1)], "1: only those with errors."),
    *PAGING,
)
_EVENT_QUERY = (
    Parameter("after", Annotated[int, Meta(ge=-1)], "The `seq` after which to go on."),
    Parameter(
        "limit",
        Annotated[int, Meta(ge=EVENT_PAGE_LENGTHS[0], le=EVENT_PAGE_LENGTHS[1])],
        f"How many, by default {DEFAULT_EVENT_PAGE_LENGTH}.",
    ),
)


class ConsoleSessionRoutes:
    """The sessions of the account whose key asks."""

    def __init__(self, keys: Keys, places: SessionPlaces) -> None:
        self._keys = keys
        self._places = places
        self._database = places.keeping.database
        self._journals = places.keeping.journals
        self._artifacts = ArtifactLinks(places.keeping, places.links, places.public_url)

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        one = "/v1/console/sessions/{id}"
        return (
            Operation(
                method="GET", path="/v1/console/sessions", handler=self.page, tag="Console",
                summary="Search sessions", answers=ConsoleSessions, query=_QUERY,
                errors=(Invalid,),
            ),
            Operation(
                method="GET", path=one, handler=self.get, tag="Console",
                summary="See a session, turn by turn", answers=ConsoleCall,
                errors=(NoSuchSession,),
            ),
            Operation(
                method="GET", path=f"{one}/events", handler=self.events, tag="Console",
                summary="Read a session's records", answers=ConsoleEvents, query=_EVENT_QUERY,
                errors=(Invalid, NoSuchSession),
            ),
            Operation(
                method="GET", path=f"{one}/journal", handler=self.journal, tag="Console",
                summary="Download a session's journal", media=(NDJSON,),
                errors=(NoSuchSession, NotFound),
            ),
        )  # fmt: skip

    async def page(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        wanted, paging = _wanted(request, owner), read_paging(request)
        await self._settle()

        def read(connection: sa.Connection) -> bytes:
            rows, entries, total = history.listed(connection, wanted, paging)
            _, has_more, cursor = page_of(rows, paging)
            found = tuple(_summary(entry) for entry in entries)
            following = cursor if has_more else None
            return msgspec.json.encode(
                ConsoleSessions(sessions=found, next_cursor=following, total=total)
            )

        return encoded(await self._database.read(read), 200)

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        session_id = request.path_params["id"]
        await self._settle()
        row, call = await self._database.read(
            lambda connection: _call(connection, owner, session_id)
        )
        artifacts = await self._artifacts.of(row, request)
        has_journal = await self._journals.has(session_id)
        whole = replace(call, artifacts=artifacts, journal=has_journal)
        # What was said in hours takes a while.
        return encoded(await asyncio.to_thread(msgspec.json.encode, whole), 200)

    async def events(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid``, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        session_id, (after, most) = request.path_params["id"], _asked(request)
        await self._settle()

        def read(connection: sa.Connection) -> bytes:
            row = past_sessions.find(connection, owner, session_id)
            if row is None:
                raise NoSuchSession
            records = history.records_after(connection, session_id, after, most + 1)
            shown_now = records[:most]
            return msgspec.json.encode(
                ConsoleEvents(
                    events=tuple(event(record, row.created_at) for record in shown_now),
                    next=shown_now[-1].seq if len(records) > most else None,
                )
            )

        return encoded(await self._database.read(read), 200)

    async def journal(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSession``, ``NotFound`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        session_id = request.path_params["id"]
        row = await self._database.read(
            lambda connection: past_sessions.find(connection, owner, session_id)
        )
        if row is None:
            raise NoSuchSession
        opened = await self._journals.open(session_id)
        if opened is None:
            raise NotFound("No journal is kept of this session")
        headers = {
            "content-type": NDJSON,
            "content-length": str(opened.size),
            "content-disposition": f'attachment; filename="{session_id}.jsonl"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Streamed(opened.pieces, 200, headers)

    async def _settle(self) -> None:
        if self._places.settle is not None:
            await self._places.settle(SETTLE_SECONDS)


def _wanted(request: Request, owner: str) -> Wanted:
    """What a query asks for. Raises ``Invalid``, with everything that is wrong."""
    query = request.query_params
    slow = query.get("slow_ms")
    read: dict[str, Any] = {
        "search": _search(query.get("search", "")),
        "status": _status(query.get("status")),
        "agent_id": query.get("agent_id") or None,
        "start": moment(query["from"], "from") if query.get("from") else None,
        "end": moment(query["to"], "to") if query.get("to") else None,
        "slow_ms": integer(slow, ("query", "slow_ms"), (0, MOST_MS)) if slow else None,
        "errors": integer(query.get("errors") or "0", ("query", "errors"), (0, 1)),
    }
    faults = [value for value in read.values() if isinstance(value, Fault)]
    if faults:
        raise Invalid(tuple(faults))
    return Wanted(account=owner, **{**read, "errors": read["errors"] == 1})


def _search(text: str) -> str | Fault:
    if len(text) <= MOST_SEARCH_CHARACTERS:
        return text
    limit = {"max_length": MOST_SEARCH_CHARACTERS}
    said = f"String should have at most {MOST_SEARCH_CHARACTERS} characters"
    return Fault("string_too_long", ("query", "search"), said, shown(text), limit)


def _status(text: str | None) -> str | Fault | None:
    if not text or text in SESSION_STATUSES:
        return text or None
    said = f"Input should be one of {', '.join(SESSION_STATUSES)}"
    return Fault("literal_error", ("query", "status"), said, shown(text))


def _asked(request: Request) -> tuple[int, int]:
    """After which number, and how many. Raises ``Invalid``."""
    query = request.query_params
    after = integer(query.get("after") or "-1", ("query", "after"), (-1, MOST_EVENTS))
    limit = query.get("limit") or str(DEFAULT_EVENT_PAGE_LENGTH)
    most = integer(limit, ("query", "limit"), EVENT_PAGE_LENGTHS)
    if isinstance(after, Fault) or isinstance(most, Fault):
        raise Invalid(tuple(read for read in (after, most) if isinstance(read, Fault)))
    return after, most


def _summary(entry: Entry) -> ConsoleSession:
    row, kept = entry.row, entry.summary
    return ConsoleSession(
        id=row.id,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        status=row.status,
        close_reason=row.close_reason,
        created_at=told(row.created_at),
        ended_at=None if row.ended_at is None else told(row.ended_at),
        duration_seconds=row.duration_seconds,
        turns=kept.turns,
        interruptions=kept.interruptions,
        tool_calls=kept.tool_calls,
        errors=kept.errors,
        response_p50_ms=kept.response_p50_ms,
        response_max_ms=kept.response_max_ms,
        first_words=kept.first_words,
        recorded=bool(row.recording),
    )


def _call(
    connection: sa.Connection, owner: str, session_id: str
) -> tuple[sa.Row[Any], ConsoleCall]:
    """A session and all that its records say. Raises ``NoSuchSession``."""
    entry = history.find(connection, owner, session_id)
    if entry is None:
        raise NoSuchSession
    seen = page(past_sessions.records(connection, session_id))
    return entry.row, ConsoleCall(
        session=_summary(entry),
        config=entry.row.config,
        turns=seen.turns,
        errors=seen.errors,
        config_changes=seen.config_changes,
        artifacts=(),
        journal=False,
    )
