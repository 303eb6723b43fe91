"""How long a session takes room of its key and of the node."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import Encoding
from antiphon_server.call.services import Services
from server.call.scripted_call import Stages, calling
from virtual_time import in_virtual_time


class _SlowTracks:
    """A recording whose storage takes a quarter of an hour."""

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


class _Recorded(Stages, frozen=True):
    """Providers of calls that are recorded."""

    def services(self) -> Services:
        """With the recording."""

        def record(_session_id: str, _user: Encoding, _agent: Encoding) -> _SlowTracks:
            return _SlowTracks()

        return replace(super().services(), recording=record)


@in_virtual_time
async def test_a_session_gives_its_room_back_before_its_recording_is_kept() -> None:
    """A storage or a database that is away must not use up what a key may have at once."""
    async with calling(_Recorded(), greeting="Hi.") as caller:
        freed = asyncio.Event()
        caller.session.freed = freed.set
        caller.tell(wire.EndSession())
        async with asyncio.timeout(5):
            await freed.wait()
        assert not caller.running.done()
        assert await caller.ended() == 1000


@in_virtual_time
async def test_a_session_that_never_opened_gives_its_room_back_too() -> None:
    """There may be some: it was admitted, and then something broke."""
    async with calling() as caller:
        freed = asyncio.Event()
        caller.session.freed = freed.set
        caller.tell(wire.EndSession())
        await caller.ended()
        assert freed.is_set()
