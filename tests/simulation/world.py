"""The world of one simulated call: the server, the sockets, and everybody who watches."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from antiphon_protocol import voice_agent as wire
from antiphon_server.call.services import Services
from antiphon_server.edge.app import VoiceAgentRoute
from antiphon_server.edge.calls import Call
from antiphon_server.observe import metrics
from simulation.delivery import Delivery
from simulation.grammar import Grammar
from simulation.history import History, Keep
from simulation.network import Link
from simulation.node import KEY, OTHER_KEY, SimulatedNode
from simulation.plan import Credential, Plan
from simulation.providers import HttpTwin, Twins
from simulation.recorders import PacedRecorder
from simulation.watch import Watch

CUT = 1006
"""The code of a socket that was not closed but let go."""


class Client(Protocol):
    """Who is told of what reaches the client's side."""

    resume_token: str

    def receives(self, link: Link, message: wire.FromServer) -> None:
        """A frame that the client has not got yet."""
        ...

    def loses(self, link: Link) -> None:
        """A socket was closed by the server."""
        ...


class Pages:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """One line."""
        self.lines.append(line)

    def close(self) -> None:
        """No more lines."""


class World:
    """Made in a running loop. ``dial`` opens sockets; ``settle`` ends everything."""

    def __init__(self, plan: Plan, keep: Keep | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.plan = plan
        self.watch = Watch()
        self.history = History(self.watch, plan, keep or PacedRecorder(plan).record)
        self.history.away_since = self._away_since
        self.grammar = Grammar(self.watch, self.history)
        self.delivery = Delivery(self.watch, self.grammar.is_kept)
        self.twins = Twins(plan, self.history.asked)
        self.http = HttpTwin(plan)
        self.journal = Pages()
        self.links: list[Link] = []
        self.client: Client | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._live = live_sessions()
        services = Services(
            self.twins.hearing,
            self.twins.speaking,
            recorder=self.history,
            http_tools=self.http,
            journal=(lambda _session_id: self.journal) if plan.journal else None,  # type: ignore[arg-type, return-value]
            clock=loop.time,
            speech_to_speech=self.twins.s2s,
        )
        self.node = SimulatedNode(plan, services)
        self._route = VoiceAgentRoute(self.node)

    async def credential(self, kind: Credential) -> str:
        """What a client presents."""
        token = "" if self.client is None else self.client.resume_token
        match kind:
            case "key":
                return f"Bearer {KEY}"
            case "token":
                return await self.node.token(KEY, self.plan.setting.session_seconds)
            case "resume_token":
                return f"Bearer {token}"
            case "other_key":
                return OTHER_KEY
        return "nonsense"

    def dial(self, authorization: str, latency_s: float | None = None) -> Link:
        """A new socket, whose upgrade is under way."""
        latency = self.plan.setting.latency_s if latency_s is None else latency_s
        link = Link(len(self.links) + 1, latency, self)
        self.links.append(link)
        self.watch.note(f"client {link.number}", "connects")
        self._tasks.append(
            asyncio.get_running_loop().create_task(
                self._serve(link, authorization), name=f"socket-{link.number}"
            )
        )
        return link

    async def _serve(self, link: Link, authorization: str) -> None:
        try:
            await self._route(link.scope(authorization), link.receive, link.send)
        except Exception as failure:  # noqa: BLE001
            self.watch.hold(False, "the edge raises nothing", link.number, repr(failure))
        link.finished()

    # --- as the ends of every link ---------------------------------------------------------

    def sent(self, link: Link, message: wire.FromServer, text: str) -> None:
        """The application sent a frame."""
        if not isinstance(message, wire.ReplyAudio):
            self.watch.note(f"server {link.number}", message)
        try:
            self.grammar.sent(link, message, text)
        except Exception as mistake:  # noqa: BLE001
            # Raised here it would look like a fault of the server's.
            self.watch.hold(False, "the rules can be checked", repr(mistake))

    def hung_up(self, link: Link, code: int) -> None:
        """The application closed a socket."""
        self.grammar.hung_up(link, code)

    def arrived(self, link: Link, message: wire.FromServer, text: str) -> None:
        """A frame reached the client."""
        if self.client is not None and self.delivery.is_new(link, message, text):
            self.client.receives(link, message)

    def closed(self, link: Link, code: int) -> None:
        """The client learnt that a socket is closed."""
        self.watch.note(f"client {link.number}", f"was closed with {code}")
        self.watch.hold(code != CUT or link.stalls, "a client learns why", link.number)
        if self.client is not None:
            self.client.loses(link)

    # --- the session -----------------------------------------------------------------------

    def call(self) -> Call | None:
        """The session that is open, as the server has it."""
        live: dict[str, Call] = vars(self.node.calls)["_live"]
        return live.get(self.history.session_id)

    def _away_since(self) -> float | None:
        holder = self.grammar.holder
        return None if holder is None else holder.lost_at

    async def settle(self) -> None:
        """Waits until all is over, and looks at what is left."""
        hold = self.watch.hold
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=60)
        hold(all(task.done() for task in self._tasks), "every socket is let go", self._tasks)
        for link in self.links:
            link.hang_up()
        # What is on its way must land, and what was cancelled must end.
        await asyncio.sleep(1)
        calls = vars(self.node.calls)
        hold(not calls["_live"] and not calls["_proofs"], "no session is left", calls)
        hold(self.node.rooms == (0, 0), "no room is taken", self.node.rooms)
        hold(live_sessions() == self._live, "the gauges are back", live_sessions(), self._live)
        hold(not self.twins.left_open(), "no stream is left open", self.twins.left_open())


def live_sessions() -> tuple[float, float]:
    """The gauges of sessions, and of those without a client."""
    gauges: list[Any] = [metrics.SESSIONS, metrics.SESSIONS_DETACHED]
    return tuple(vars(gauge)["_value"].get() for gauge in gauges)
