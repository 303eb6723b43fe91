"""The live sessions of a node: who may resume which, what is remembered, how all of them end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import Encoding
from antiphon_protocol.errors import SessionExpired, SessionForbidden, SessionNotFound
from antiphon_protocol.session_config import SessionConfig
from antiphon_server.call.services import Services
from antiphon_server.call.session import Session
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.call_settings import CallTimes, call_settings
from antiphon_server.dialects.wording import Terms
from antiphon_server.edge import calls as calls_module
from antiphon_server.edge.calls import (
    MOST_PROOFS,
    REMEMBERED_SECONDS,
    SHUTDOWN_SECONDS,
    Call,
    Calls,
)
from server.call.scripted_call import Line, LoneHost, Stages
from virtual_time import in_virtual_time

UPDATE = '{"type":"session.update","session":{"system_prompt":"p"}}'


class Exchange:
    """Calls on their own, begun without a server around them."""

    def __init__(self, seconds: int = 600, resume_seconds: int = 30) -> None:
        self.later = 0.0
        self.calls = Calls(lambda: asyncio.get_running_loop().time() + self.later)
        self._terms = Terms(session_seconds=seconds, resume_seconds=resume_seconds)

    def made(self, services: Services | None = None, kind: type[Session] = Session) -> Session:
        """A session that does not run."""
        times = CallTimes(self._terms.session_seconds * 1000, self._terms.resume_seconds * 1000)
        settings = call_settings(SessionConfig(""), times)
        return kind(voice_agent.session_id(), services or Stages().services(), settings)

    def start(self, session: Session, line: Line) -> Call:
        """It runs, and nobody has said anything."""
        dialect = voice_agent.VoiceAgent(session, self._terms, LoneHost())
        return self.calls.start(session, dialect, line)

    async def opened(self, account: str = "mine", services: Services | None = None) -> Call:
        """One that has opened, and whose client is gone."""
        line = Line()
        call = self.start(self.made(services), line)
        await asyncio.sleep(0)
        await call.dialect.receive(UPDATE)
        call.account = account
        call.session.lost(line)
        return call


@asynccontextmanager
async def exchange(seconds: int = 600, resume_seconds: int = 30) -> AsyncIterator[Exchange]:
    """While it is used; then all its calls are over."""
    made = Exchange(seconds, resume_seconds)
    try:
        yield made
    finally:
        await made.calls.close()
        assert made.calls._live == {}
        assert made.calls._proofs == {}


@in_virtual_time
async def test_an_account_sees_its_calls_that_go_on() -> None:
    """Nobody else's, none that has not opened, and none that is over."""
    async with exchange() as each:
        mine, theirs = await each.opened(), await each.opened("theirs")
        unopened = each.start(each.made(), Line())
        unopened.account = "mine"
        for account, call in (("mine", mine), ("theirs", theirs)):
            (seen,) = each.calls.of_account(account)
            assert (seen.id, seen.phase) == (call.session.session_id, "detached")
        assert each.calls.of_account("") == []
        mine.session.shut_down()
        await mine.task
        assert each.calls.of_account("mine") == []


@in_virtual_time
async def test_a_session_is_found_by_its_account() -> None:
    """By no other one, and by nobody without."""
    async with exchange() as here:
        call = await here.opened("mine")
        session_id = call.session.session_id
        assert here.calls.find(session_id, "mine", None) is call
        for account in ("theirs", None, ""):
            with pytest.raises(SessionForbidden):
                here.calls.find(session_id, account, None)


@in_virtual_time
async def test_a_session_is_found_by_its_resume_token() -> None:
    """Whoever has it; that of another session proves nothing."""
    async with exchange() as here:
        one, other = await here.opened(), await here.opened()
        here.calls.trust(one.session, "token-1")
        here.calls.trust(other.session, "token-2")
        assert here.calls.proven("token-1") == one.session.session_id
        assert here.calls.proven("token-3") is None
        assert here.calls.proven(None) is None
        proven = here.calls.proven("token-1")
        assert here.calls.find(one.session.session_id, None, proven) is one
        with pytest.raises(SessionForbidden):
            here.calls.find(other.session.session_id, None, proven)


@in_virtual_time
async def test_a_token_replaces_those_before_it_once_it_has_arrived() -> None:
    """Until then a client that lost its socket in between still has the older one."""
    async with exchange() as here:
        session = (await here.opened()).session
        arrived = [here.calls.trust(session, f"token-{number}") for number in range(3)]
        good = [here.calls.proven(f"token-{number}") for number in range(3)]
        assert good == [session.session_id] * 3
        arrived[1]()
        good = [here.calls.proven(f"token-{number}") for number in range(3)]
        assert good == [None, session.session_id, session.session_id]
        arrived[0]()
        arrived[2]()
        arrived[2]()
        good = [here.calls.proven(f"token-{number}") for number in range(3)]
        assert good == [None, None, session.session_id]


@in_virtual_time
async def test_tokens_that_never_arrive_are_not_kept_for_ever() -> None:
    """The newest are."""
    async with exchange() as here:
        session = (await here.opened()).session
        for number in range(MOST_PROOFS + 2):
            here.calls.trust(session, f"token-{number}")
        good = [here.calls.proven(f"token-{number}") for number in range(MOST_PROOFS + 2)]
        assert [found is not None for found in good] == [False] * 2 + [True] * MOST_PROOFS


@in_virtual_time
async def test_tokens_end_with_their_session() -> None:
    """One that arrives afterwards is no proof of anything."""
    async with exchange() as here:
        call = await here.opened()
        arrived = here.calls.trust(call.session, "token")
        await asyncio.sleep(31)
        assert call.task.done()
        assert here.calls.proven("token") is None
        arrived()


@in_virtual_time
async def test_a_session_that_has_not_opened_is_not_there() -> None:
    """Nobody's yet."""
    async with exchange() as here:
        call = here.start(here.made(), Line())
        await asyncio.sleep(1)
        with pytest.raises(SessionNotFound):
            here.calls.find(call.session.session_id, None, call.session.session_id)
        with pytest.raises(SessionNotFound):
            here.calls.find("sess_0", "mine", None)


@in_virtual_time
async def test_why_a_session_is_gone_is_remembered_for_its_account() -> None:
    """It had lasted as long as it may, and not too long ago."""
    async with exchange(seconds=60, resume_seconds=300) as here:
        session_id = (await here.opened()).session.session_id
        await asyncio.sleep(61)
        with pytest.raises(SessionExpired):
            here.calls.find(session_id, "mine", None)
        with pytest.raises(SessionNotFound):
            here.calls.find(session_id, "theirs", None)
        here.later = REMEMBERED_SECONDS
        with pytest.raises(SessionNotFound):
            here.calls.find(session_id, "mine", None)


@in_virtual_time
async def test_a_session_that_was_left_is_just_not_found() -> None:
    """Its time to be resumed is over (section 4.11)."""
    async with exchange() as here:
        session_id = (await here.opened()).session.session_id
        await asyncio.sleep(31)
        with pytest.raises(SessionNotFound):
            here.calls.find(session_id, "mine", None)


@in_virtual_time
async def test_no_more_is_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest are forgotten first."""
    monkeypatch.setattr(calls_module, "REMEMBERED", 2)
    async with exchange(seconds=60, resume_seconds=300) as here:
        ids = []
        for _ in range(3):
            ids.append((await here.opened()).session.session_id)
            await asyncio.sleep(0.1)
        await asyncio.sleep(61)
        with pytest.raises(SessionNotFound):
            here.calls.find(ids[0], "mine", None)
        for session_id in ids[1:]:
            with pytest.raises(SessionExpired):
                here.calls.find(session_id, "mine", None)


class SlowTracks:
    """A recording that is kept for a quarter of an hour."""

    def user(self, raw: bytes, at_s: float) -> None:
        """Is of no interest."""

    def agent(self, raw: bytes, at_s: float) -> None:
        """Is of no interest."""

    def hush(self, at_s: float) -> None:
        """Is of no interest."""

    async def finish(self) -> object:
        """At once."""
        return None

    async def keep(self) -> None:
        """Not at once."""
        await asyncio.sleep(900)


@in_virtual_time
async def test_a_session_whose_recording_is_being_kept_is_over() -> None:
    """Whoever would resume it is told the same as later."""

    def record(_session_id: str, _user: Encoding, _agent: Encoding) -> SlowTracks:
        return SlowTracks()

    services = replace(Stages().services(), recording=record)
    made = Exchange(60, 300)
    call = await made.opened(services=services)
    await asyncio.sleep(61)
    assert not call.task.done()
    with pytest.raises(SessionExpired):
        made.calls.find(call.session.session_id, "mine", None)
    with pytest.raises(SessionNotFound):
        made.calls.find(call.session.session_id, "theirs", None)
    await call.task
    with pytest.raises(SessionExpired):
        made.calls.find(call.session.session_id, "mine", None)


# --- the end -------------------------------------------------------------------------------


@in_virtual_time
async def test_every_session_ends_when_the_server_does() -> None:
    """Open or not, with a client or without; each client is told."""
    async with exchange() as here:
        live, silent = Line(), Line()
        call = here.start(here.made(), live)
        here.start(here.made(), silent)
        await asyncio.sleep(0)
        await call.dialect.receive(UPDATE)
        await here.opened()
        await here.calls.close()
        assert (live.closed, silent.closed) == (1011, 1011)
        told = [message for _, message in live.received]
        assert isinstance(told[-2], wire.SessionError)
        assert isinstance(told[-1], wire.SessionEnded)
        (turned_away,) = [message for _, message in silent.received]
        assert isinstance(turned_away, wire.SessionError)
        assert turned_away.code == "internal_error"
        assert asyncio.get_running_loop().time() == pytest.approx(0, abs=0.1)


@in_virtual_time
async def test_a_client_that_reads_nothing_does_not_keep_the_server_from_stopping() -> None:
    """It is closed without having read that."""
    made = Exchange()
    line = Line()
    call = made.start(made.made(), line)
    await asyncio.sleep(0)
    await call.dialect.receive(UPDATE)
    line.reads.clear()
    await made.calls.close()
    assert asyncio.get_running_loop().time() <= SHUTDOWN_SECONDS
    assert line.closed == 1011
    assert made.calls._live == {}


@in_virtual_time
async def test_a_session_that_breaks_is_logged_closed_and_forgotten() -> None:
    """Whatever it raises; the others go on."""

    class Broken(Session):
        async def run(self, *_parts: Any) -> None:
            raise ZeroDivisionError

    async with exchange() as here:
        line = Line()
        with capture_logs() as lines:
            call = here.start(here.made(kind=Broken), line)
            await call.task
        assert line.closed == 1011
        assert [entry["event"] for entry in lines] == ["call broke"]
        assert here.calls._live == {}
