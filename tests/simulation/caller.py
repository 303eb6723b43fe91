"""The client of a simulated call: its sockets, what it knows, and how it answers tools."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from simulation import words
from simulation.microphone import Microphone
from simulation.network import Link
from simulation.plan import Plan
from simulation.world import World

ARRIVED_S = 0.002
"""More than the latency: then a message has been taken."""
UNSURE_S = 2.0
"""A result that was sent so shortly before a socket was lost is sent again."""

TERMINAL = {"session_not_found", "session_expired"}


class Caller:
    """One client, over all its sockets."""

    def __init__(self, world: World) -> None:
        plan: Plan = world.plan
        self.world = world
        self.plan = plan
        self.live: Link | None = None
        """The socket on which the session was ready last, while it is up."""
        self.session_id = ""
        self.resume_token = ""
        self.gone = ""
        """The code of the error after which there is nothing to come back to."""
        self.reply: str | None = None
        """The reply that is open."""
        self.replies: list[str] = []
        self.audio = 0
        """Frames of the open reply's sound."""
        self.lines: list[tuple[str, str]] = []
        """The transcript."""
        self.counts: Counter[str] = Counter()
        self.messages = 0
        self.rested_at: float | None = None
        """When the call had come to rest, where the caller waited for that."""
        self.mic = Microphone(
            words.ENCODINGS[plan.setting.input_encoding],
            plan.setting.chunk_ms,
            self._send_audio,
            streams=plan.setting.streams,
        )
        self._ready: list[Link] = []
        self._tokens: dict[int, str] = {}
        self._results: dict[str, float] = {}
        """When they were sent last."""
        self._since = float("inf")
        """Results that were sent from then on may not have arrived."""
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._servers: set[str] = set()
        """Tools that the server runs itself, as far as the client knows."""
        self._tools = {tool.name: tool for tool in plan.setting.tools}
        self._loop = asyncio.get_running_loop()
        world.client = self

    # --- sockets ---------------------------------------------------------------------------

    def tell(self, message: dict[str, Any] | str | bytes, link: Link | None = None) -> bool:
        """Sends a frame on a socket, or on the live one; whether there is one."""
        link = link or self.live
        if link is None:
            return False
        if isinstance(message, dict):
            message = msgspec.json.encode(message).decode()
        self.world.watch.note(f"client {link.number}", message)
        link.tell(message)
        return True

    def detach(self, link: Link) -> None:
        """The client gives a socket up."""
        if link in self._ready:
            self._ready.remove(link)
        if self.live is link:
            self.live = self._ready[-1] if self._ready else None
            if self.live is not None:
                # Of several sockets that raced, this one was the last to get a token.
                self.resume_token = self._tokens[self.live.number]
            self._send_results_again()
        self.news()

    def loses(self, link: Link) -> None:
        """The server closed a socket."""
        self.detach(link)

    def _send_audio(self, frame: str) -> None:
        if self.live is not None:
            self.live.tell(frame)
        if self._waiting:
            self.news()

    def hang_up(self) -> None:
        """Does nothing more."""
        for timer in self._timers:
            timer.cancel()

    # --- waiting ---------------------------------------------------------------------------

    async def until(self, is_so: Callable[[], object], patience_s: float) -> bool:
        """Waits for something to become true, as far as patience goes; whether it has."""
        if is_so():
            return True
        future: asyncio.Future[None] = self._loop.create_future()
        entry = (is_so, future)
        self._waiting.append(entry)
        try:
            await asyncio.wait([future], timeout=patience_s)
        finally:
            self._waiting.remove(entry)
        return future.done()

    def news(self) -> None:
        """Something changed: whoever waits looks again."""
        for is_so, future in self._waiting:
            if not future.done() and is_so():
                future.set_result(None)

    # --- what comes ------------------------------------------------------------------------

    def receives(self, link: Link, message: wire.FromServer) -> None:
        """A frame that is new."""
        if isinstance(message, wire.ReplyAudio):
            self.audio += message.reply_id == self.reply
        elif isinstance(message, wire.SessionReady | wire.SessionUpdated):
            self._configured(link, message)
        elif isinstance(message, wire.SessionError):
            self._was_refused(link, message)
        elif isinstance(message, wire.ToolCall):
            self._answer(message)
        else:
            self._spoken_to(message)
        self.counts[str(message.__struct_config__.tag)] += 1
        if self._waiting:
            self.news()

    def _spoken_to(self, message: wire.FromServer) -> None:
        match message:
            case wire.ReplyStarted():
                self.reply = message.reply_id
                self.replies.append(message.reply_id)
                self.audio = 0
            case wire.ReplyDone():
                self.reply = None
            case wire.UserTranscript():
                self.lines.append(("user", message.text))
            case wire.AgentTranscript():
                self.lines.append(("agent", message.text))

    def _configured(self, link: Link, message: wire.SessionReady | wire.SessionUpdated) -> None:
        self._servers = {tool.name for tool in message.config.tools if tool.http is not None}
        if isinstance(message, wire.SessionReady):
            self._became_ready(link, message)

    def _became_ready(self, link: Link, message: wire.SessionReady) -> None:
        same = self.session_id in ("", message.session_id)
        self.world.watch.hold(same, "a session keeps its id", message.session_id)
        self.session_id, self.resume_token = message.session_id, message.resume_token
        self._tokens[link.number] = message.resume_token
        self._ready.append(link)
        self.live = link
        self._send_results_again()

    def _was_refused(self, link: Link, message: wire.SessionError) -> None:
        if message.code in TERMINAL and link.number in self.world.grammar.last_seqs:
            self.gone = message.code
            over = self.world.history.ended
            self.world.watch.hold(over, "a session that lives can be resumed", message)

    # --- tools -----------------------------------------------------------------------------

    def _answer(self, call: wire.ToolCall) -> None:
        """Decides what becomes of a call; the seed and the call's id decide."""
        dice = random.Random(f"{self.plan.seed} {call.call_id}")  # noqa: S311
        tool = self._tools[call.name]
        if call.name in self._servers:
            if dice.random() < 0.2:
                self._send_result(_result(call, "bogus", dice))
            return
        luck = dice.random()
        self.world.watch.count("tool answered late" if luck > 0.85 else "tool answered")
        if luck < 0.3:
            self._send_result(_result(call, "result", dice))
        elif luck < 0.85:
            self._later(dice.uniform(0.05, 2.0), _result(call, "result", dice))
        elif luck < 0.9:
            self._later(tool.timeout_s + 1, _result(call, "result", dice))
        if luck > 0.3 and luck < 0.4:
            self._later(2.5, _result(call, "second", dice))
        if luck < 0.05:
            self._send_result(_result(call, "second", dice))

    def _later(self, seconds: float, text: str) -> None:
        self._timers.append(self._loop.call_later(seconds, self._send_result, text))

    def _send_result(self, text: str) -> None:
        self._results[text] = self._loop.time()
        if self.live is not None:
            self.tell(text)

    def _send_results_again(self) -> None:
        """On a socket that is new: what was not sent, or may have been lost."""
        now = self._loop.time()
        if self.live is None:
            self._since = min(self._since, now - UNSURE_S)
            return
        since = min(self._since, now - UNSURE_S)
        self._since = float("inf")
        for text, at in self._results.items():
            if at > since:
                self._send_result(text)

    # --- messages --------------------------------------------------------------------------

    def add_message(self, role: str) -> None:
        """``conversation.message``, which the model must know once it has arrived."""
        link = self.live
        self.messages += 1
        text = f"m{self.messages}"
        if link is not None:
            self.tell({"type": "conversation.message", "role": role, "content": text}, link)
            arrival = link.latency_s + ARRIVED_S
            self._loop.call_later(arrival, self._message_arrived, link, role, text)

    def _message_arrived(self, link: Link, role: str, text: str) -> None:
        if link.lost_at is None and link.is_up and link is self.world.grammar.holder:
            self.world.history.must_know(role, text)


def _result(call: wire.ToolCall, what: str, dice: random.Random) -> str:
    told = wire.GiveToolResult(call.call_id, f"{what} of {call.call_id}", dice.random() < 0.2)
    return codec.encode(told)
