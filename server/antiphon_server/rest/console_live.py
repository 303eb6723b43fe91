"""``/v1/console/me`` and ``/v1/console/live``: who asks, and the calls that go on here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol import __version__
from antiphon_protocol.rest_console import ConsoleCaller, ConsoleDefaults, LiveCall, LiveCalls
from antiphon_protocol.session_config import VOICES
from antiphon_server.call.live import Live
from antiphon_server.rest.access import account, admitted
from antiphon_server.rest.answers import answer
from antiphon_server.rest.moments import told
from antiphon_server.rest.operations import Operation
from antiphon_server.security.keys import Keys


class Here(Struct, frozen=True, kw_only=True):
    """What this server is doing."""

    providers: Callable[[], dict[str, str]] = dict
    """Who serves each stage of a call that says nothing else."""
    calls: Callable[[str], Iterable[Live]] = lambda _account: ()
    """An account's calls that go on."""
    recording: bool = False
    journals: bool = False


class ConsoleLiveRoutes:
    """What is now."""

    def __init__(self, keys: Keys, here: Here) -> None:
        self._keys = keys
        self._here = here

    def operations(self) -> tuple[Operation, ...]:
        """Both."""
        return (
            Operation(
                method="GET", path="/v1/console/me", handler=self.me, tag="Console",
                summary="See who asks, and what the server does", answers=ConsoleCaller,
            ),
            Operation(
                method="GET", path="/v1/console/live", handler=self.live, tag="Console",
                summary="List the calls that go on at this server", answers=LiveCalls,
            ),
        )  # fmt: skip

    async def me(self, request: Request) -> Response:
        """Raises what ``admitted`` raises."""
        caller = await admitted(self._keys, request, None)
        here = self._here
        return answer(
            ConsoleCaller(
                account=caller.account,
                key_id=caller.key_id,
                scopes=caller.scopes,
                development=caller.key_id is None,
                version=__version__,
                recording=here.recording,
                journals=here.journals,
                defaults=ConsoleDefaults(voices=VOICES, providers=here.providers()),
            )
        )

    async def live(self, request: Request) -> Response:
        """Raises what ``account`` raises."""
        owner = await account(self._keys, request, "sessions")
        calls = sorted(self._here.calls(owner), key=lambda call: call.seconds)
        return answer(LiveCalls(tuple(_call(call) for call in calls)))


def _call(call: Live) -> LiveCall:
    so_far = call.so_far
    return LiveCall(
        id=call.id,
        agent_id=call.agent_id,
        state=call.phase,
        since_ms=round(call.phase_ms),
        created_at=told(so_far.began_at),
        seconds=round(call.seconds, 3),
        turns=so_far.turns,
        interruptions=so_far.interruptions,
        last_user=so_far.last_user,
        last_agent=so_far.last_agent,
        response_ms=so_far.response_ms,
        providers=call.providers,
    )
