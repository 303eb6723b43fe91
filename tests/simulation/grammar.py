"""The order of events on the wire, as the server sends them over all sockets of a call.

Source: voice agent protocol, sections 4.11 and 4.12, and reliability: resume. What must be
true of the frames is checked when the application sends them, whatever becomes of them; what
reaches the client is checked by ``delivery``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from antiphon_protocol import voice_agent as wire
from simulation.delivery import number_of
from simulation.history import History
from simulation.network import Link
from simulation.watch import Watch

REFUSED = 1008
LEAD_MS = 245.0
"""``Services.audio_lead_ms`` and a frame; a reply that begins anew after a gap has it too."""


class Reply:
    """A reply that was started."""

    def __init__(self, message: wire.ReplyStarted, link: Link) -> None:
        self.id = message.reply_id
        self.item = message.item_id
        self.link = link
        self.sent_ms = 0.0
        self.ends_at = 0.0
        """When what was sent of it has been heard."""
        self.deltas = ""
        self.said: wire.AgentTranscript | None = None
        self.failed = False


class Grammar:
    """The server's side. ``holder`` is the socket over which the session speaks."""

    def __init__(self, watch: Watch, history: History) -> None:
        self._hold = watch.hold
        self._watch = watch
        self._history = history
        self.holder: Link | None = None
        self.kept: dict[int, wire.FromServer] = {}
        """What must arrive, by number, without its stamp."""
        self.reply: Reply | None = None
        self.replies: dict[str, Reply] = {}
        self.last_seqs: dict[int, int | None] = {}
        """For each socket that resumes: the newest number that the client says it has."""
        self.ended: wire.SessionEnded | None = None
        self.strangers: set[int] = set()
        """Sockets with no right to the session."""
        self._fenced: set[int] = set()
        self._newest: dict[int, int] = {}
        self._last: dict[int, wire.FromServer] = {}
        self._speaking = False
        self._words: dict[str, str] = {}
        self._said_items: set[str] = set()
        self._calls: set[str] = set()
        self._stamps: dict[int, float] = {}
        self._ready_at = 0.0
        """When the session was last ready."""
        self._rules: dict[type[Any], Callable[[Link, Any], None]] = {
            wire.SessionUpdated: self._updated,
            wire.SessionReady: self._ready,
            wire.SessionEnded: self._session_ended,
            wire.SessionError: self._error,
            wire.SpeechStarted: self._speech_started,
            wire.SpeechStopped: self._speech_stopped,
            wire.UserTranscriptDelta: self._user_words,
            wire.UserTranscript: self._user_said,
            wire.ReplyStarted: self._reply_started,
            wire.ReplyAudio: self._audio,
            wire.AgentTranscriptDelta: self._agent_words,
            wire.AgentTranscript: self._agent_said,
            wire.ReplyDone: self._reply_done,
            wire.ReplyError: self._reply_failed,
            wire.ToolCall: self._tool_called,
            wire.TurnTimeline: lambda _link, _message: None,
        }

    def sent(self, link: Link, message: wire.FromServer, text: str) -> None:
        """The application sent a frame."""
        hold, number = self._hold, link.number
        last = self._last.get(number)
        self._last[number] = message
        hold(not isinstance(last, wire.SessionEnded), "nothing follows session.ended", text)
        if number in self._fenced:
            is_told = isinstance(message, wire.SessionError) and message.code == "session_forbidden"
            hold(is_told, "one socket at a time: the old one is only told so", number, text)
            return
        stamp = self._stamps.get(number, 0.0)
        hold(message.timestamp >= stamp, "timestamps never run back", stamp, text)
        self._stamps[number] = message.timestamp
        seq = number_of(message)
        if seq is not None and not self._is_new(link, message, seq, text):
            return
        self._rules[type(message)](link, message)

    def _is_new(self, link: Link, message: wire.FromServer, seq: int, text: str) -> bool:
        """Whether a numbered event is told for the first time."""
        hold, number = self._hold, link.number
        hold(link is self.holder, "numbered frames follow session.ready", number, text)
        before = self._newest.get(number)
        hold(before is None or seq == before + 1, "numbers count up on each socket", before, text)
        self._newest[number] = seq
        has = self.last_seqs.get(number)
        hold(has is None or seq > has, "what the client has is not sent again", has, text)
        if seq in self.kept:
            hold(self.is_kept(message), "an event that is told again is the same", text)
            self._watch.count("told again")
            return False
        hold(seq == len(self.kept) + 1, "numbers count up without a gap", len(self.kept), text)
        self.kept[seq] = replace(message, timestamp=0.0)
        return True

    def is_kept(self, message: wire.FromServer) -> bool:
        """Whether this is what was told under its number before, whenever that was."""
        return self.kept.get(number_of(message) or 0) == replace(message, timestamp=0.0)

    def hung_up(self, link: Link, code: int) -> None:
        """The application closed a socket."""
        last = self._last.get(link.number)
        self._watch.note(f"server {link.number}", f"close {code}")
        self._watch.count(f"close {code}")
        refused = isinstance(last, wire.SessionError) and (
            code == REFUSED or link is not self.holder
        )
        # One that does not read cannot be told.
        is_due = refused or isinstance(last, wire.SessionEnded) or link.stalls
        self._hold(is_due, "a socket is closed with a reason", link.number, code, last)

    # --- the session -----------------------------------------------------------------------

    def _updated(self, _link: Link, _message: wire.SessionUpdated) -> None:
        self._history.told_config()

    def _ready(self, link: Link, message: wire.SessionReady) -> None:
        hold = self._hold
        hold(self._history.ended is None, "a session that is over is not resumed", link.number)
        hold(link is not self.holder, "session.ready once a socket", link.number)
        hold(link.number not in self.strangers, "a stranger is not let in", link.number)
        if self.holder is not None:
            self._fenced.add(self.holder.number)
            hold(link.number in self.last_seqs, "who did not ask is not resumed", link.number)
        self.holder = link
        self._ready_at = self._watch.now
        self._history.opened(message)

    def _session_ended(self, link: Link, message: wire.SessionEnded) -> None:
        hold = self._hold
        if self.holder is None:
            return
        hold(self.ended is None, "session.ended once", link.number)
        hold(link is self.holder, "session.ended where the session is", link.number)
        self.ended = message
        self._history.told_end(message)

    def _error(self, link: Link, message: wire.SessionError) -> None:
        self._watch.count(f"error {message.code}")
        others = self.last_seqs.keys() - {link.number}
        if message.code == "session_forbidden" and others:
            # Another socket has taken over, perhaps before this one was told that it is ready.
            if link is self.holder:
                self._fenced.add(link.number)
            return
        self._history.told_error(link.number, message)

    # --- the user --------------------------------------------------------------------------

    def _speech_started(self, _link: Link, _message: wire.SpeechStarted) -> None:
        self._hold(not self._speaking, "speech starts and stops in turn", "started twice")
        self._speaking = True
        self._watch.count("speech started")

    def _speech_stopped(self, _link: Link, _message: wire.SpeechStopped) -> None:
        self._hold(self._speaking, "speech starts and stops in turn", "stopped twice")
        self._speaking = False

    def _user_words(self, _link: Link, message: wire.UserTranscriptDelta) -> None:
        item, text = message.item_id, message.text
        hold = self._hold
        self._history.told_words()
        hold(item not in self._said_items, "no words after the transcript", text)
        before = self._words.get(item, "")
        grows = text.startswith(before) or self._history.may_mishear
        hold(grows, "the words of a turn only grow", before, text)
        self._words[item] = text

    def _user_said(self, _link: Link, message: wire.UserTranscript) -> None:
        item, text = message.item_id, message.text
        hold = self._hold
        self._history.told_words()
        hold(item not in self._said_items, "one transcript for each turn", text)
        self._said_items.add(item)
        before = self._words.pop(item, "")
        grows = text.startswith(before) or self._history.may_mishear
        hold(grows, "the transcript has the words of its turn", before, text)
        hold(text.strip(), "a transcript has words", item)
        self._history.told_user(item, text)

    # --- the agent -------------------------------------------------------------------------

    def _reply_started(self, link: Link, message: wire.ReplyStarted) -> None:
        self._hold(self.reply is None, "one reply at a time", message.reply_id)
        self._hold(message.reply_id not in self.replies, "a reply starts once", message.reply_id)
        self.reply = self.replies[message.reply_id] = Reply(message, link)
        self._watch.count("reply")

    def _open(self, rule: str, reply_id: str) -> Reply | None:
        reply = self.reply
        self._hold(reply is not None and reply.id == reply_id, rule, reply_id)
        return reply

    def _audio(self, link: Link, message: wire.ReplyAudio) -> None:
        reply = self._open("audio belongs to the reply that is open", message.reply_id)
        if reply is not None:
            self._hold(reply.link is link, "audio goes where its reply was told", link.number)
            self._hold(reply.said is None, "no audio after the transcript", message.reply_id)
            self._check_pace(reply, len(message.data) * 3 // 4 - message.data.count("=", -2))

    def _check_pace(self, reply: Reply, size: int) -> None:
        """Sound goes at the pace at which it is heard, but for a small lead."""
        now = self._watch.now
        reply.ends_at = max(reply.ends_at, now)
        ms = self._history.output.ms(size)
        reply.ends_at += ms / 1000
        reply.sent_ms += ms
        lead_ms = 1000 * (reply.ends_at - now)
        self._hold(lead_ms <= LEAD_MS, "sound is not sent long before it is heard", lead_ms)

    def _agent_words(self, link: Link, message: wire.AgentTranscriptDelta) -> None:
        reply = self._open("words belong to the reply that is open", message.reply_id)
        if reply is not None:
            self._hold(reply.link is link, "words go where their reply was told", link.number)
            self._hold(reply.item == message.item_id, "words are of the reply's item", message)
            self._hold(reply.said is None, "no words after the transcript", message.delta)
            reply.deltas += message.delta

    def _agent_said(self, _link: Link, message: wire.AgentTranscript) -> None:
        reply = self._open("a transcript belongs to the reply that is open", message.reply_id)
        if reply is None:
            return
        hold, text = self._hold, message.text
        hold(reply.said is None, "one transcript for each reply", text)
        hold(reply.item == message.item_id, "the transcript is of the reply's item", message)
        shown = reply.deltas.strip()
        hold(shown.startswith(text) or text.startswith(shown), "told as it was said", shown, text)
        reply.said = message
        self._history.told_agent(reply.id, text, interrupted=message.interrupted)
        if message.interrupted and reply.sent_ms:
            self._history.check_heard(reply.id, text, reply.sent_ms, reply.ends_at)

    def _reply_failed(self, _link: Link, message: wire.ReplyError) -> None:
        reply = self._open("only a reply that is open fails", message.reply_id)
        if reply is not None:
            reply.failed = True
        self._watch.count("reply failed")

    def _reply_done(self, link: Link, message: wire.ReplyDone) -> None:
        reply = self._open("a reply is done once, and after it started", message.reply_id)
        interrupted = message.status == "interrupted"
        if reply is not None:
            said = reply.said
            hold = self._hold
            hold(said is None or said.interrupted == interrupted, "one end", said, message)
            # The words of one that ended with its socket are not told again.
            ended_at = self._history.ended_at(reply.id)
            is_whole = reply.link is link and ended_at >= self._ready_at and not reply.failed
            if said is not None and is_whole and not interrupted:
                hold(reply.deltas == said.text, "all was told word by word", reply.deltas, said)
            self._history.told_done(reply.id, None if said is None else said.text, message.status)
        self._watch.count(f"reply {message.status}")
        self.reply = None

    def _tool_called(self, _link: Link, message: wire.ToolCall) -> None:
        self._hold(self.reply is not None, "a tool is called in a reply", message.call_id)
        self._hold(message.call_id not in self._calls, "a call is told once", message.call_id)
        self._calls.add(message.call_id)
        self._history.told_call(message.call_id, message.name)
        self._watch.count("tool called")
