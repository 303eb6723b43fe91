"""One caller: call after call, each a conversation, until the run is over."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

from msgspec import UNSET

from antiphon.errors import AntiphonError, TimedOut
from antiphon.wire import Wire, open_wire
from antiphon_loadtest.behaviour import Role, role
from antiphon_loadtest.conversation import Conversation, NotResumed, World
from antiphon_loadtest.failures import kind_of
from antiphon_protocol.voice_agent import EndSession

AGAIN_S = (0.5, 1.5)
"""Before the next call: at once would be a storm of its own where a server refuses."""
LEAVE_S = 2.0
"""How long the end of the run may take for one call."""


async def talk(world: World, number: int, start_s: float) -> None:
    """Caller ``number``, from ``start_s`` seconds into the run until it is cancelled. Nothing
    that goes wrong in a call ends it: that is noted.
    """
    plan = world.plan
    random = Random(f"{plan.seed}/{number}")  # noqa: S311 (no secret)
    await asyncio.sleep(start_s)
    while True:
        await _call(world, role(plan.behaviour, plan.clips, random))
        await asyncio.sleep(random.uniform(*AGAIN_S))


async def _call(world: World, role: Role) -> None:
    notes, plan = world.notes, world.plan
    notes.counts["calls"] += 1
    notes.connecting += 1
    began = asyncio.get_running_loop().time()
    try:
        wire = await open_wire(
            plan.url,
            plan.key,
            tools=plan.tools if role.offers_tool else UNSET,
            timeout_s=plan.patience_s,
            **plan.settings,
        )
    except AntiphonError as error:
        notes.errors[kind_of(error, "connecting")] += 1
        return
    finally:
        notes.connecting -= 1
    notes.measured("connect", 1000 * (asyncio.get_running_loop().time() - began))
    notes.in_call += 1
    try:
        await _converse(world, wire, role)
    finally:
        notes.in_call -= 1
        await _leave(wire)


async def _converse(world: World, wire: Wire, role: Role) -> None:
    try:
        await Conversation(world, wire).hold(role)
    except NotResumed as error:
        world.notes.errors[str(error)] += 1
    except TimedOut as error:
        world.notes.errors[f"in a call: {error}"] += 1
    except AntiphonError as error:
        world.notes.errors[kind_of(error, "in a call")] += 1


async def _leave(wire: Wire) -> None:
    """Ends the session where it goes on, also for a caller who is cancelled; bounded."""
    with suppress(AntiphonError, TimeoutError):
        async with asyncio.timeout(LEAVE_S):
            with suppress(AntiphonError):
                await wire.send(EndSession())
            await wire.close()
    wire.drop()
