"""One socket after the other over the same session, through the application."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.call import records as r
from antiphon_server.edge.calls import REMEMBERED_SECONDS
from server.call.scripted_call import sample
from server.edge.asgi_client import END, Client, VirtualNode, connected, started
from virtual_time import in_virtual_time

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen."
KEYS = "mine,theirs"
GONE = ("session_not_found", 1008)


async def _opened(client: Client, **session: object) -> wire.SessionReady:
    client.update(**session)
    return await client.until(wire.SessionReady)


async def _lost(
    node: VirtualNode, query: str = "token=mine", **session: object
) -> wire.SessionReady:
    """A session whose client is gone."""
    async with connected(node, query) as client:
        return await _opened(client, **session)


async def _token(node: VirtualNode, key: str = "mine") -> str:
    return node.keys.mint(await node.keys.owner(key), 10_800, 60)


@pytest.mark.parametrize("kind", ["key", "token", "resume token", "resume token in the header"])
@in_virtual_time
async def test_a_lost_session_is_resumed_with_any_credential_of_its_account(kind: str) -> None:
    """The key, a token of the account, or the resume token (section 4.11): the same id and end,
    a new resume token.
    """
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ready = await _lost(node, system_prompt="p")
        query, header = {
            "key": ("token=mine", None),
            "token": (f"token={await _token(node)}", None),
            "resume token": (f"token={ready.resume_token}", None),
            "resume token in the header": ("", f"Bearer {ready.resume_token}"),
        }[kind]
        await asyncio.sleep(29)
        async with connected(node, query, header) as client:
            client.resume(ready.session_id)
            again = await client.until(wire.SessionReady)
            assert client.kinds == ["session.ready"]
            assert (again.session_id, again.expires_at) == (ready.session_id, ready.expires_at)
            assert again.config == ready.config
            assert again.resume_token != ready.resume_token
            client.tell(END)
            await client.task
            assert client.closed == 1000
        assert len(node.recorder.of(r.Started)) == len(node.recorder.of(r.Ended)) == 1


@in_virtual_time
async def test_a_resume_token_is_good_until_the_next_one_has_arrived() -> None:
    """Then it is worthless, at the door and on sockets that were let in with it before."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ready = await _lost(node, system_prompt="p")
        old = f"token={ready.resume_token}"
        async with connected(node, old) as early, connected(node, old, marks=True) as client:
            client.resume(ready.session_id)
            await client.until(wire.SessionReady)
            async with connected(node, old) as unconfirmed:
                await asyncio.sleep(1)
                assert unconfirmed.messages == []
            client.confirm()
            early.resume(ready.session_id)
            await early.task
            assert early.refusal == ("unauthorized", 1008)
            async with connected(node, old) as late:
                await late.task
                assert late.refusal == ("unauthorized", 1008)
            assert client.closed is None


@in_virtual_time
async def test_a_resume_token_opens_no_session() -> None:
    """It is proof of one, and nothing else; of no other one either."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        one, other = await _lost(node, system_prompt="p"), await _lost(node, system_prompt="q")
        async with connected(node, f"token={one.resume_token}") as client:
            client.update(system_prompt="r")
            await client.task
            assert client.refusal == ("unauthorized", 1008)
        async with connected(node, f"token={one.resume_token}") as client:
            client.resume(other.session_id)
            await client.task
            assert client.refusal == ("unauthorized", 1008)


@pytest.mark.parametrize("kind", ["key", "token"])
@in_virtual_time
async def test_another_account_is_forbidden(kind: str) -> None:
    """``session_forbidden`` and 1008; the session goes on and can be resumed by its own."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ready = await _lost(node, system_prompt="p")
        credential = "theirs" if kind == "key" else await _token(node, "theirs")
        async with connected(node, f"token={credential}") as client:
            client.resume(ready.session_id)
            await client.task
            assert client.refusal == ("session_forbidden", 1008)
        async with connected(node, "token=mine") as client:
            client.resume(ready.session_id)
            await client.until(wire.SessionReady)


@in_virtual_time
async def test_a_session_that_is_not_there_is_not_found() -> None:
    """Never was, ended by its client, was not resumed in time, or has not opened yet."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ended = await _lost(node, system_prompt="p")
        async with connected(node, "token=mine") as client:
            client.resume(ended.session_id)
            await client.until(wire.SessionReady)
            client.tell(END)
            await client.task
        left = await _lost(node, system_prompt="p")
        await asyncio.sleep(31)
        async with connected(node, "token=mine") as waiting:
            await asyncio.sleep(1)
            (unopened,) = node.calls._live
            for session_id in ("sess_0", "", ended.session_id, left.session_id, unopened):
                async with connected(node, "token=mine") as client:
                    client.resume(session_id)
                    await client.task
                    assert client.refusal == GONE
            assert waiting.messages == []


@in_virtual_time
async def test_a_session_that_lasted_as_long_as_it_may_has_expired() -> None:
    """To its own account; for another one there was none. It is not remembered for ever."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="300", MAX_SESSION_SECONDS="60") as node:
        later = [0.0]
        node.calls._clock = lambda: later[0]
        ready = await _lost(node, system_prompt="p")
        await asyncio.sleep(61)
        for key, code in (("mine", "session_expired"), ("theirs", "session_not_found")):
            async with connected(node, f"token={key}") as client:
                client.resume(ready.session_id)
                await client.task
                assert client.refusal == (code, 1008)
        later[0] += REMEMBERED_SECONDS
        async with connected(node, "token=mine") as client:
            client.resume(ready.session_id)
            await client.task
            assert client.refusal == GONE


@in_virtual_time
async def test_a_server_that_resumes_nothing_says_so() -> None:
    """Also of a session that lives, and which goes on."""
    async with started(API_KEYS=KEYS) as node, connected(node, "token=mine") as first:
        ready = await _opened(first, system_prompt="p")
        async with connected(node, "token=mine") as second:
            second.resume(ready.session_id)
            await second.task
            assert second.refusal == GONE
        assert first.closed is None


@in_virtual_time
async def test_a_resume_that_is_refused_leaves_nothing_behind() -> None:
    """No room is taken, no session counted; refusals are counted by their code."""
    before = sample("antiphon_session_resumes_total", outcome="session_not_found")
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        for _ in range(3):
            async with connected(node, "token=mine") as client:
                client.resume("sess_0")
                await client.task
        await asyncio.sleep(0.1)
        assert (node._sessions, node._sockets, node.calls._live) == (0, 0, {})
        assert node.recorder.taken == []
    assert sample("antiphon_session_resumes_total", outcome="session_not_found") == before + 3


@in_virtual_time
async def test_resume_is_a_sockets_first_message() -> None:
    """Later it is ``invalid_format``, and the session there is goes on."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        other = await _lost(node, system_prompt="p")
        async with connected(node, "token=mine") as client:
            await _opened(client, system_prompt="q")
            client.resume(other.session_id)
            error = await client.until(wire.SessionError)
            assert (error.code, client.closed) == ("invalid_format", None)


@in_virtual_time
async def test_a_one_time_token_resumes_once() -> None:
    """And is not spent where there is nothing to resume."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30", ONE_TIME_TOKENS="1") as node:
        query = f"token={await _token(node)}"
        async with connected(node, query) as client:
            client.resume("sess_0")
            await client.task
            assert client.refusal == GONE
        ready = await _lost(node, system_prompt="p")
        async with connected(node, query) as client:
            client.resume(ready.session_id)
            await client.until(wire.SessionReady)
        async with connected(node, query) as client:
            await client.task
            assert client.refusal == ("unauthorized", 1008)


# --- who has it ----------------------------------------------------------------------------


@in_virtual_time
async def test_a_newer_socket_takes_over_from_a_living_one() -> None:
    """Which is told ``session_forbidden``, closed with 1008, and not listened to any more."""
    async with (
        started(API_KEYS=KEYS, RESUME_SECONDS="30") as node,
        connected(node, "token=mine") as old,
    ):
        ready = await _opened(old, greeting=LONG)
        await asyncio.sleep(2)
        async with connected(node, f"token={ready.resume_token}") as new:
            new.resume(ready.session_id)
            await new.until(wire.SessionReady)
            old.tell(END)
            await old.task
            assert old.refusal == ("session_forbidden", 1008)
            await asyncio.sleep(5)
            assert new.closed is None
            assert new.kinds == ["session.ready", "transcript.agent", "reply.done"]
            new.tell(END)
            await new.task
            assert new.closed == 1000


@in_virtual_time
async def test_of_ten_that_resume_at_once_one_has_the_session() -> None:
    """All others are told so and closed; there is no second session, and no greeting."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ready = await _lost(node, greeting="Hello there.")
        sockets = [connected(node, "token=mine") for _ in range(10)]
        clients = [await socket.__aenter__() for socket in sockets]
        for client in clients:
            client.resume(ready.session_id)
        await asyncio.sleep(3)
        owners = [client for client in clients if client.closed is None]
        assert len(owners) == 1
        assert [c.refusal for c in clients if c is not owners[0]] == [
            ("session_forbidden", 1008)
        ] * 9
        assert node._sessions == 1
        owners[0].tell('{"type":"reply.create"}')
        await owners[0].until(wire.ReplyAudio)
        for client in clients:
            assert len(client.heard(wire.ReplyStarted)) == (1 if client is owners[0] else 0)
        for socket in sockets:
            await socket.__aexit__(None, None, None)


@in_virtual_time
async def test_a_session_is_resumed_twice_in_a_row() -> None:
    """Each time by the newest token."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="30") as node:
        ready = await _lost(node, system_prompt="p")
        for _ in range(5):
            async with connected(node, f"token={ready.resume_token}") as client:
                client.resume(ready.session_id)
                ready = await client.until(wire.SessionReady)
        assert node._sessions == 1


# --- room ----------------------------------------------------------------------------------


@in_virtual_time
async def test_a_session_without_a_client_takes_room_until_it_ends() -> None:
    """Of the server and of its key (section 4.11)."""
    for settings, code in (
        ({"MAX_SESSIONS": "1"}, "at_capacity"),
        ({"MAX_SESSIONS_PER_KEY": "1"}, "concurrency_exceeded"),
    ):
        async with started(API_KEYS=KEYS, RESUME_SECONDS="30", **settings) as node:
            ready = await _lost(node, system_prompt="p")
            async with connected(node, "token=mine") as client:
                client.update(system_prompt="q")
                await client.task
                assert client.refusal == (code, 1008)
            async with connected(node, "token=mine") as client:
                client.resume(ready.session_id)
                await client.until(wire.SessionReady)
            await asyncio.sleep(31)
            async with connected(node, "token=mine") as client:
                await _opened(client, system_prompt="q")


@in_virtual_time
async def test_a_resume_needs_no_room() -> None:
    """Nor does it take any of the key's new sessions of this minute."""
    async with started(
        API_KEYS=KEYS, RESUME_SECONDS="30", SESSIONS_PER_MINUTE_PER_KEY="1", MAX_SESSIONS="1"
    ) as node:
        ready = await _lost(node, system_prompt="p")
        for _ in range(5):
            async with connected(node, "token=mine") as client:
                client.resume(ready.session_id)
                await client.until(wire.SessionReady)


@in_virtual_time
async def test_a_server_that_stops_ends_what_nobody_listens_to() -> None:
    """On record like any other."""
    async with started(API_KEYS=KEYS, RESUME_SECONDS="300") as node:
        await _lost(node, system_prompt="p")
    assert [ended.reason for ended in node.recorder.of(r.Ended)] == ["failed"]
    assert sample("antiphon_sessions") == sample("antiphon_sessions_detached") == 0
