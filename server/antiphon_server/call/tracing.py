"""The spans of one call: session, turns, stages, tools.

They are made from the marks of the stage clock once a reply is over, so nothing is measured for
them and nothing waits for them:

    session
      turn                            one reply, and the speech that it answers
        user_speech, endpointing, voice_activity, speech_to_text, turn_detection
        chat MODEL                    to the last word the language model wrote
          language_model_first_token, language_model_first_sentence
        text_to_speech_first_audio, speech_to_speech_first_audio
        agent_speech
        execute_tool NAME             may outlive its turn, as calls outlive replies
          POST                        where the server runs it

Names are those of the OpenTelemetry semantic conventions where they have some: generative AI
(repository semantic-conventions-genai, pages client-inference, gen-ai-agent-spans and
execute-tool, in development) and HTTP client spans (version 1.44.0), looked up 2026-11-22.
Everything else is ``antiphon.…``. An account is in no span: the session's id leads to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec
from msgspec import Struct

from antiphon_server.call.mouth import Said
from antiphon_server.call.spanning import Sketch, Spanning
from antiphon_server.call.timeline import (
    ENDPOINTING,
    FIRST_AUDIO,
    FIRST_SENTENCE,
    FIRST_TOKEN,
    OVERHEAD,
    RESPONSE,
    SPEECH_TO_TEXT,
    SPOKEN_ANSWER,
    TURN_DETECTION,
    VOICE_ACTIVITY,
    Interval,
    provider_of,
)
from antiphon_server.call.tool_spans import MOST_CONTENT, ToolSpans
from antiphon_server.observe.spans import Event, Trace, Value, new_span_id

MOST_NOTES = 64
"""What happened since the last turn; the oldest are forgotten."""
_STAGES = (
    ENDPOINTING,
    VOICE_ACTIVITY,
    SPEECH_TO_TEXT,
    TURN_DETECTION,
    FIRST_AUDIO,
    SPOKEN_ANSWER,
)
"""The stages that are spans right below their turn."""
_WITHIN_CHAT = (FIRST_TOKEN, FIRST_SENTENCE)


class Served(Struct, frozen=True):
    """Who served a turn: the provider of each stage, and its model where it has a name."""

    providers: dict[str, str]
    models: dict[str, str]

    def about(self, stage: str, kind: str | None = None) -> dict[str, Value]:
        """The attributes of a stage's span; the server's own stages have nobody."""
        kind = kind or stage
        found: dict[str, Value] = {"antiphon.stage": stage}
        if provider := provider_of(kind, self.providers):
            found["gen_ai.provider.name"] = provider
        if model := provider_of(kind, self.models):
            found["gen_ai.request.model"] = model
        return found


class CallTrace:
    """One session's. ``now`` gives the seconds of its clock."""

    def __init__(self, trace: Trace, session_id: str, now: Callable[[], float]) -> None:
        self.trace = trace
        self._now = now
        self._began = now()
        self._spanning = Spanning(trace, session_id, now)
        self.tools = ToolSpans(self._spanning)
        self._about: dict[str, Value] = {}
        self._user_text = ""
        self._chat_id = 0
        self._notes: deque[tuple[float, str, dict[str, Value]]] = deque(maxlen=MOST_NOTES)
        self._rest: deque[Event] = deque(maxlen=MOST_NOTES)

    # --- what happens --------------------------------------------------------------------

    def opened(self, agent_id: str | None, providers: dict[str, str]) -> str | None:
        """The first update was accepted; the session's span begins here.

        Returns the trace's id where it is kept, for others to point at.
        """
        self._began = self._now()
        if agent_id is not None:
            self._spanning.of_agent(agent_id)
        self._about = {f"antiphon.provider.{stage}": name for stage, name in providers.items()}
        return self.trace.name if self.trace.sampled else None

    def note(self, name: str, attributes: dict[str, Value]) -> None:
        """Something happened now: an event of the turn that it falls into."""
        self._notes.append((self._now(), name, attributes))

    def traceparent(self, call_id: str | None) -> str | None:
        """As ``notes.Noting``; nobody is told unless the setting allows it."""
        if not self.trace.spreads:
            return None
        request = None if call_id is None else self.tools.request_of(call_id)
        if request is not None:
            return str(self.trace.parent(request))
        self._chat_id = self._chat_id or new_span_id()
        return str(self.trace.parent(self._chat_id))

    def asks(self, call_id: str, method: str, url: str) -> None:
        """As ``notes.Noting``."""
        self.tools.asks(call_id, method, url)

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """As ``notes.Noting``."""
        self.tools.answered(call_id, status, failure)

    def user_said(self, text: str) -> None:
        """The words of the turn that is answered next."""
        self._user_text = text if self.trace.tells_content else ""

    # --- what becomes of it --------------------------------------------------------------

    def turn(self, reply_id: str, said: Said, served: Served, *, cut: bool) -> None:
        """A reply is over; ``cut``: it was interrupted."""
        turn_id, began, ended = new_span_id(), _began(said), _ended(said)
        if cut:
            self.note("interrupted", {})
        events, error = self._happened(began)
        self._spanning.make(
            Sketch(
                name="turn",
                span_id=turn_id,
                parent_id=self.trace.root_id,
                interval=(began, ended),
                attributes=self._about_turn(reply_id, said, cut=cut),
                events=events,
                error=error,
            )
        )
        for name, interval in said.clock.spans().items():
            if name in _STAGES:
                self._part(name, turn_id, interval, served.about(name))
        self._chat(said, turn_id, served, error)
        if (spoken := _spoken(said)) is not None:
            self._part("user_speech", turn_id, spoken)
        if said.sounded is not None:
            self._part("agent_speech", turn_id, (said.sounded, said.ended))
        self.tools.settle(said.reply, turn_id)

    def closed(self, ending: str) -> None:
        """The session is over."""
        self.tools.close()
        self._happened(self._now() + 1)
        about = {**self._about, "antiphon.ending": ending}
        self._spanning.make(
            Sketch(
                name="session",
                span_id=self.trace.root_id,
                parent_id=self.trace.parent_id,
                interval=(self._began, self._now()),
                attributes=about,
                events=tuple(self._rest),
                error="failed" if ending == "failed" else None,
                kind="server",
            )
        )

    def _part(
        self,
        name: str,
        parent_id: int,
        interval: Interval,
        attributes: dict[str, Value] | None = None,
    ) -> None:
        self._spanning.make(
            Sketch(
                name=name,
                span_id=new_span_id(),
                parent_id=parent_id,
                interval=interval,
                attributes=attributes or {},
            )
        )

    def _happened(self, since: float) -> tuple[tuple[Event, ...], str | None]:
        """What was noted since then, and why the reply failed, if it did; what was noted before
        is the session's.
        """
        events: list[Event] = []
        error: str | None = None
        for at, name, attributes in self._notes:
            event = Event(name, self._spanning.ns(at), attributes)
            (events if at >= since else self._rest).append(event)
            if name == "reply.failed" and at >= since:
                error = str(attributes["error.type"])
        self._notes.clear()
        return tuple(events), error

    def _about_turn(self, reply_id: str, said: Said, *, cut: bool) -> dict[str, Value]:
        stages = said.clock.stages() if said.sounded is not None else {}
        about: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.output.type": "text" if said.method == "written" else "speech",
            "antiphon.reply.id": reply_id,
            "antiphon.reply.number": said.reply,
            "antiphon.reply.trigger": said.trigger,
            "antiphon.reply.status": "interrupted" if cut else "completed",
        }
        for stage in (RESPONSE, OVERHEAD):
            if stage in stages:
                about[f"antiphon.{stage}_ms"] = stages[stage]
        if self.trace.tells_content:
            if said.trigger == "user_speech" and self._user_text:
                about["gen_ai.input.messages"] = _message("user", self._user_text)
            about["gen_ai.output.messages"] = _message("assistant", said.text)
        self._user_text = ""
        return about

    def _chat(self, said: Said, turn_id: int, served: Served, error: str | None) -> None:
        """The language model's share."""
        clock, chat_id = said.clock, self._chat_id or new_span_id()
        self._chat_id = 0
        if clock.prompted is None:
            return
        about = served.about("chat", "language_model")
        about |= {
            "gen_ai.operation.name": "chat",
            "gen_ai.output.type": "text",
            "gen_ai.request.stream": True,
            "gen_ai.usage.input_tokens": said.prompt_tokens,
            "gen_ai.usage.output_tokens": said.completion_tokens,
        }
        if said.cached_tokens:
            about["gen_ai.usage.cache_read.input_tokens"] = said.cached_tokens
        if clock.chosen is not None:
            # What follows a colon may be what a small model called the user's words.
            about["antiphon.reason"] = clock.chosen.reason.partition(":")[0]
        if clock.first_token is not None:
            first = round(clock.first_token - clock.prompted, 6)
            about["gen_ai.response.time_to_first_chunk"] = first
        self._spanning.make(
            Sketch(
                name=f"chat {about.get('gen_ai.request.model', '')}".strip(),
                span_id=chat_id,
                parent_id=turn_id,
                interval=(clock.prompted, clock.written or said.ended),
                attributes=about,
                error=error if clock.written is None else None,
                kind="client",
            )
        )
        for stage, within in clock.spans().items():
            if stage in _WITHIN_CHAT:
                self._part(stage, chat_id, within)


def _began(said: Said) -> float:
    """The first moment of a turn."""
    spoken = _spoken(said)
    moments = [said.started, *(begin for begin, _ in said.clock.spans().values())]
    return min(moments if spoken is None else [*moments, spoken[0]])


def _ended(said: Said) -> float:
    """The last one: marks that were made at the very end may be a little later."""
    return max(said.ended, *(end for _, end in said.clock.spans().values()), said.started)


def _spoken(said: Said) -> Interval | None:
    """When the user spoke, where that is known."""
    began, hearing = said.clock.voice_began, said.clock.hearing
    ended = None if hearing is None else hearing.speech_ended
    if began is None or ended is None or began > ended:
        return None
    return began, ended


def _message(role: str, text: str) -> str:
    """A message as the conventions have it in JSON."""
    parts = [{"type": "text", "content": text[:MOST_CONTENT]}]
    return msgspec.json.encode([{"role": role, "parts": parts}]).decode()
