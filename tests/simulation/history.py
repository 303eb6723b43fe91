"""What a call leaves on record, against what its client is told and what its model sees.

Nothing may be lost or doubled: a line that was told or that the model saw is on record, and was
durable before it was told (reliability, 5.1). The lines are compared as they happen.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import ENCODINGS
from antiphon_server.call import records
from antiphon_server.call.outbox import DURABLE_SECONDS
from antiphon_server.call.records import AnyRecord
from simulation.model_view import ModelView
from simulation.node import RESUME_S
from simulation.plan import Plan, Stall
from simulation.providers import Answer
from simulation.watch import Watch

Keep = Callable[[str, AnyRecord], asyncio.Future[None]]
R = TypeVar("R", bound=records.Record)

LATE_S = DURABLE_SECONDS + 0.05
"""After its record an event is told at the latest, to a client that is there."""
FALSE = ("second ", "bogus ")
"""How results begin that must not count."""


class Entry(NamedTuple):
    """A record, when it came, and whether it is durable."""

    record: AnyRecord
    at: float
    durable: asyncio.Future[None]


class History:
    """The recorder of one call: takes its records, passes them on to ``keep``, and compares."""

    def __init__(self, watch: Watch, plan: Plan, keep: Keep) -> None:
        self._watch = watch
        self._hold = watch.hold
        self._keep = keep
        self.may_mishear = any(trouble.stage == "stt" for trouble in plan.troubles)
        self.is_undisturbed = not (plan.drops or any(isinstance(act, Stall) for act in plan.script))
        """The client is there all the time, and reads."""
        self._holds = {tool.name for tool in plan.setting.tools if tool.kind == "hold"}
        self._held: dict[str, float] = {}
        """Calls that are held for, and since when."""
        self.wrongs: Counter[str] = Counter()
        """What the client has done wrong, by the code of the error."""
        self.output = ENCODINGS[plan.setting.output_encoding]
        self._speed = plan.providers
        self._is_fast = plan.recorder == "fast"
        self.entries: list[Entry] = []
        self.answers: list[Answer] = []
        self.session_id = ""
        self.ended: records.Ended | None = None
        self.is_over = asyncio.Event()
        self.away_since: Callable[[], float | None] = lambda: None
        """Since when the server knows that the client is gone; None while it is there."""
        self.excused: set[str] = set()
        """Codes of errors that may come on any socket."""
        self.due_errors: dict[int, set[str]] = {}
        """For each socket the codes of errors that what was sent on it may bring."""
        self._told_users: set[str] = set()
        self._told_done: set[str] = set()
        self._told_calls: set[str] = set()
        self._must_know: list[tuple[float, str]] = []

    def of(self, kind: type[R]) -> list[R]:
        """The records of a kind."""
        return [entry.record for entry in self.entries if isinstance(entry.record, kind)]

    # --- records as they come --------------------------------------------------------------

    def record(self, session_id: str, record: AnyRecord) -> asyncio.Future[None]:
        """As ``Recorder.record``."""
        hold = self._hold
        self._watch.note("record", record)
        hold(self.ended is None, "nothing is recorded after the end", record)
        hold(record.seq == len(self.entries), "records are numbered without a gap", record)
        hold(isinstance(record, records.Started) == (not self.entries), "it starts once", record)
        hold(self.session_id in ("", session_id), "records are of one session", session_id)
        self.session_id = session_id
        self._check_new(record)
        durable = self._keep(session_id, record)
        self.entries.append(Entry(record, self._watch.now, durable))
        if isinstance(record, records.Ended):
            self.ended = record
            self.is_over.set()
        return durable

    def _check_new(self, record: AnyRecord) -> None:
        hold = self._hold
        match record:
            case records.UserSaid():
                items = [said.item_id for said in self.of(records.UserSaid)]
                hold(record.item_id not in items, "a turn is recorded once", record)
                hold(record.text.strip(), "a turn has words", record)
            case records.AgentSaid():
                replies = [said.reply_id for said in self.of(records.AgentSaid)]
                hold(record.reply_id not in replies, "a reply is recorded once", record)
            case records.ToolCalled():
                if record.name in self._holds:
                    self._held[record.call_id] = self._watch.now
                calls = [call.call_id for call in self.of(records.ToolCalled)]
                hold(record.call_id not in calls, "a call is made once", record)
            case records.ToolReturned():
                self._held.pop(record.call_id, None)
                calls = [call.call_id for call in self.of(records.ToolReturned)]
                hold(record.call_id not in calls, "a call has one result", record)
                hold(not record.result.startswith(FALSE), "only the first result counts", record)
            case records.Ended():
                self._check_end(record)

    def _check_end(self, ended: records.Ended) -> None:
        used = self.of(records.Used)
        seconds = sum(use.connected_seconds for use in used)
        off = abs(seconds - ended.duration_seconds)
        self._hold(off <= 0.001 * (len(used) + 1), "all connected time is counted", used, ended)
        if ended.reason == "client_left":
            since = self.away_since()
            waited = since is not None and self._watch.now - since >= RESUME_S - 0.01
            self._hold(waited, "a session waits for its client", since)

    # --- what the client is told -----------------------------------------------------------

    def opened(self, _message: wire.SessionReady) -> None:
        """``session.ready``."""
        self._durable(self._find(records.Started, lambda _started: True), "session.ready")

    def told_config(self) -> None:
        """``session.updated``."""
        self._hold(self.entries, "a session is on record before it is told", "")

    def told_user(self, item: str, text: str) -> None:
        """``transcript.user``."""
        entry = self._find(records.UserSaid, lambda said: said.item_id == item)
        self._durable(entry, text)
        same = entry is not None and getattr(entry.record, "text", None) == text
        self._hold(same, "the turn that is told is on record", text, entry)
        self._told_users.add(item)

    def told_words(self) -> None:
        """``transcript.user`` or ``transcript.user.delta``; not while a result is held for."""
        if self.is_undisturbed and self._is_fast:
            early = [since for since in self._held.values() if since < self._watch.now]
            self._hold(not early, "words are withheld in a hold", early)

    def mistake(self, link: int, code: str) -> None:
        """The client sends something wrong."""
        self.due_errors.setdefault(link, set()).add(code)
        self.wrongs[code] += 1

    def told_agent(self, reply_id: str, text: str, *, interrupted: bool) -> None:
        """``transcript.agent``."""
        said = self._said(reply_id, text)
        status = "interrupted" if interrupted else "completed"
        same = said is not None and (said.text, said.status) == (text, status)
        self._hold(same, "the reply that is told is on record", text, said)

    def told_done(self, reply_id: str, text: str | None, status: str) -> None:
        """``reply.done``, after the transcript where there was one."""
        said = self._said(reply_id, status)
        same = said is not None and (said.text, said.status) == (text or "", status)
        self._hold(same, "the end that is told is on record", text, status, said)
        self._told_done.add(reply_id)

    def told_call(self, call_id: str, name: str) -> None:
        """``tool.call``."""
        entry = self._find(records.ToolCalled, lambda call: call.call_id == call_id)
        self._durable(entry, call_id)
        same = entry is not None and getattr(entry.record, "name", None) == name
        self._hold(same, "the call that is told is on record", call_id, name)
        self._told_calls.add(call_id)

    def told_end(self, message: wire.SessionEnded) -> None:
        """``session.ended``."""
        entry = self._find(records.Ended, lambda _ended: True)
        self._durable(entry, "session.ended")
        ended = self.ended
        same = ended is not None and (
            abs(ended.duration_seconds - message.session_duration_seconds) < 0.002
            and ended.audio_seconds == message.audio_duration_seconds
        )
        self._hold(same, "the durations that are told are on record", message, ended)

    def told_error(self, link: int, message: wire.SessionError) -> None:
        """``session.error``."""
        due = self.excused | self.due_errors.get(link, set())
        if self.ended is not None:
            # The session was the token's reason to be good.
            due.add("unauthorized")
        self._hold(message.code in due, "an error has a reason", link, message)

    def ended_at(self, reply_id: str) -> float:
        """When a reply ended, as far as is on record."""
        entry = self._find(records.AgentSaid, lambda said: said.reply_id == reply_id)
        return 0.0 if entry is None else entry.at

    def check_heard(self, reply_id: str, text: str, sent_ms: float, ends_at: float) -> None:
        """The text of a reply that was cut ends with the last word that was out, or nearly:
        ``sent_ms`` of it were sent, which would have been over at ``ends_at``.
        """
        entry = self._find(records.AgentSaid, lambda said: said.reply_id == reply_id)
        whole = next((a for a in self.answers if a.words[:1] == text.split()[:1]), None)
        if entry is None or whole is None:
            return
        played_ms = sent_ms - 1000 * max(0.0, ends_at - entry.at)
        # A model that speaks by itself makes no sentence of each: a space follows the stop.
        spaces = (0, 1) if self._speed.whole_turns else (0,)
        outs = [self._out(whole, played_ms, space) for space in spaces]
        off, out = min((abs(len(text.split()) - out), out) for out in outs)
        allowed = 1 if self._speed.word_times else 2
        self._watch.count(f"heard {off} words off")
        self._hold(off <= allowed, "what was heard is told", text, out, played_ms)

    def _out(self, answer: Answer, played_ms: float, after_stop: int) -> int:
        """How many of its words were out, with so many spaces after each full stop."""
        letters, out = 0.0, 0
        for place, word in enumerate(answer.words):
            middle = letters + len(word) / 2
            letters += len(word) + 1  # A space, or a full stop.
            letters += after_stop if place in answer.stops else 0
            out += middle * self._speed.ms_per_character <= played_ms
        return out

    def _said(self, reply_id: str, what: str) -> records.AgentSaid | None:
        entry = self._find(records.AgentSaid, lambda said: said.reply_id == reply_id)
        self._durable(entry, what)
        return None if entry is None else entry.record  # type: ignore[return-value]

    def _find(self, kind: type[R], is_it: Callable[[R], bool]) -> Entry | None:
        for entry in reversed(self.entries):
            if isinstance(entry.record, kind) and is_it(entry.record):
                return entry
        return None

    def _durable(self, entry: Entry | None, what: str) -> None:
        late = entry is not None and self._watch.now - entry.at >= DURABLE_SECONDS - 1e-6
        is_safe = entry is not None and (entry.durable.done() or late)
        self._hold(is_safe, "what is told is durable", what)
        if self.is_undisturbed and not self._holds and entry is not None:
            self._hold(
                self._watch.now - entry.at < LATE_S, "a slow disk keeps nobody waiting", what
            )

    # --- what the model sees ---------------------------------------------------------------

    def must_know(self, role: str, text: str) -> None:
        """A ``conversation.message`` has reached the server."""
        if role == "system":
            self._must_know.append((self._watch.now, text))
        elif self.ended is None:
            said = [said.text for said in self.of(records.UserSaid)]
            self._hold(text in said, "a message is on record", text)

    def asked(self, answer: Answer) -> None:
        """The model is asked."""
        self._watch.note("prompt", answer)
        self.answers.append(answer)
        if len(self.answers) > 1 and self.answers[-2].prompt is answer.prompt:
            # Asked of another, because the first one failed: it knows what that one knew.
            return
        # What came in the same instant may have come after the prompt was made.
        before = [entry.record for entry in self.entries if entry.at < answer.at]
        until_now = [entry.record for entry in self.entries]
        ModelView(answer.prompt, before, until_now, self._hold).check()
        messages = answer.prompt.messages
        told = "\n".join(m.content for m in messages if m.role == "system")
        for at, text in self._must_know:
            self._hold(at >= answer.at or text in told, "the model knows every message", text)

    # --- at the end ------------------------------------------------------------------------

    def untold(self) -> dict[str, Any]:
        """What is on record and was not told, by kind."""
        spoken = {said.item_id: said.text for said in self.of(records.UserSaid) if said.spoken}
        replies = {said.reply_id for said in self.of(records.AgentSaid)}
        calls = {call.call_id for call in self.of(records.ToolCalled)}
        return {
            "turns": [text for item, text in spoken.items() if item not in self._told_users],
            "replies": sorted(replies - self._told_done),
            "calls": sorted(calls - self._told_calls),
        }
