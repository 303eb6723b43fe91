"""What must be true of every session, whatever happened in it (§4.12, §2).

Each rule takes the events of one socket in order and says what broke it. All sessions of a run
are judged; the tests in test_every_session.py report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance import spec
from conformance.shapes import misfits

Event = dict[str, Any]
Rule = Callable[[list[Event]], Iterator[str]]

EARLIEST_TIMESTAMP = 1_700_000_000.0
"""Unix seconds; anything below is no time of today, or is milliseconds of another clock."""
LATEST_TIMESTAMP = 10_000_000_000.0

LEFT: Event = {"type": "left by the client"}
"""Stands at the end of a session whose socket the client left; only ``replies`` sees it."""


def fields(events: list[Event]) -> Iterator[str]:
    """Every event has its fields, with the right types."""
    for event in events:
        for wrong in misfits(event, spec.EVENTS.get(event["type"], {})):
            yield f"{event['type']}: {wrong}"


def known_types(events: list[Event]) -> Iterator[str]:
    """No event is of a type that the protocol does not have."""
    yield from sorted({event["type"] for event in events} - set(spec.EVENTS))


def timestamps(events: list[Event]) -> Iterator[str]:
    """Every event carries Unix seconds as a float, and they never go back."""
    before = EARLIEST_TIMESTAMP
    for event in events:
        now = event.get("timestamp")
        if not isinstance(now, float) or not EARLIEST_TIMESTAMP < now < LATEST_TIMESTAMP:
            yield f"{event['type']}: timestamp {now!r}"
        elif now < before:
            yield f"{event['type']}: timestamp {now} after {before}"
        else:
            before = now


def replies(events: list[Event]) -> Iterator[str]:
    """One reply at a time; every one that starts is done exactly once.

    After a resume the end of the reply that was cut may be told first.
    """
    active: str | None = None
    may_be_cut = _is_resumed(events)
    for event in events:
        if event["type"] == "reply.started":
            if active is not None:
                yield f"{event['reply_id']} started before {active} was done"
            active, may_be_cut = event["reply_id"], False
        elif event["type"] == "reply.done":
            if event["reply_id"] != active and not may_be_cut:
                yield f"{event['reply_id']} done, but active was {active}"
            active, may_be_cut = None, False
    if active is not None and not _ends(events):
        yield f"{active} was never done"


def _is_resumed(events: list[Event]) -> bool:
    """Whether the socket took a session over: no update was accepted before it was ready."""
    kind: str = events[0]["type"]
    return kind == "session.ready"


def _ends(events: list[Event]) -> bool:
    """Whether the session ended, or its socket was left: a reply under way is then cut."""
    return events[-1]["type"] in {"session.ended", "session.error", LEFT["type"]}


def nothing_outside_a_reply(events: list[Event]) -> Iterator[str]:
    """What belongs to a reply comes between its start and its end.

    After a resume a socket may first deliver what the lost one did not, so there the rule begins
    with the first reply.
    """
    active: Event = {}
    if _is_resumed(events):
        first = [at for at, event in enumerate(events) if event["type"] == "reply.started"]
        events = events[first[0] :] if first else []
    for event in events:
        kind = event["type"]
        if kind == "reply.started":
            active = event
        elif kind == "reply.done":
            active = {}
        elif kind in {"reply.audio", "transcript.agent.delta", "transcript.agent", "reply.error"}:
            if event["reply_id"] != active.get("reply_id"):
                yield f"{kind} of {event['reply_id']}, but active was {active.get('reply_id')}"
            elif "item_id" in event and event["item_id"] != active["item_id"]:
                yield f"{kind} has {event['item_id']}, its reply {active['item_id']}"
        elif kind == "tool.call" and not active:
            yield f"tool.call {event['call_id']} outside a reply"


def transcripts_of_replies(events: list[Event]) -> Iterator[str]:
    """A reply's final transcript is its last word: after its audio, once, and as it ended."""
    finals: dict[str, Event] = {}
    for event in events:
        kind, reply_id = event["type"], event.get("reply_id", "")
        if kind == "transcript.agent":
            if reply_id in finals:
                yield f"second transcript.agent of {reply_id}"
            finals[reply_id] = event
        elif kind in {"reply.audio", "transcript.agent.delta"} and reply_id in finals:
            yield f"{kind} of {reply_id} after its transcript.agent"
        elif kind == "reply.done" and reply_id in finals:
            interrupted = event["status"] == "interrupted"
            if finals[reply_id]["interrupted"] != interrupted:
                yield f"{reply_id} is {event['status']}, its transcript says otherwise"


def words(events: list[Event]) -> Iterator[str]:
    """The deltas of a reply are its transcript, word by word, with times that go forward."""
    said: dict[str, list[Event]] = {}
    for event in events:
        if event["type"] == "transcript.agent.delta":
            said.setdefault(event["reply_id"], []).append(event)
        elif event["type"] == "transcript.agent" and event["reply_id"] in said:
            deltas = said[event["reply_id"]]
            joined = " ".join(" ".join(one["delta"] for one in deltas).split())
            final = " ".join(event["text"].split())
            if joined != final and not (event["interrupted"] and joined.startswith(final)):
                yield f"deltas say {joined!r}, the transcript {final!r}"
            yield from _times(deltas)


def _times(deltas: list[Event]) -> Iterator[str]:
    before = 0
    for delta in deltas:
        start, end = delta["start_ms"], delta["end_ms"]
        if start is None or end is None:
            continue
        if not before <= start <= end:
            yield f"word {delta['delta']!r} from {start} to {end} ms after one at {before} ms"
        before = start


def start_up(events: list[Event]) -> Iterator[str]:
    """`session.updated` is before `session.ready`, which comes once; before it nothing else."""
    kinds = [event["type"] for event in events if event["type"] != "session.error"]
    if "session.ready" not in kinds:
        if extra := set(kinds) - {"session.updated", "session.ended"}:
            yield f"without session.ready: {', '.join(sorted(extra))}"
        return
    ready = kinds.index("session.ready")
    if kinds.count("session.ready") > 1:
        yield "session.ready came twice"
    if kinds[:ready] not in ([], ["session.updated"]):
        yield f"before session.ready: {', '.join(kinds[:ready])}"


def the_end(events: list[Event]) -> Iterator[str]:
    """`session.ended` is the last event."""
    kinds = [event["type"] for event in events]
    if "session.ended" in kinds[:-1]:
        yield f"after session.ended: {', '.join(kinds[kinds.index('session.ended') + 1 :])}"


def user_items(events: list[Event]) -> Iterator[str]:
    """A user's turn has one item: its deltas carry it, and nothing of it follows its final."""
    current: str | None = None
    finals: set[str] = set()
    for event in events:
        if event["type"] == "transcript.user.delta":
            if current not in {None, event["item_id"]}:
                yield f"delta of {event['item_id']} while {current} was not final"
            if event["item_id"] in finals:
                yield f"delta of {event['item_id']} after its transcript.user"
            current = event["item_id"]
        elif event["type"] == "transcript.user":
            if current not in {None, event["item_id"]}:
                yield f"transcript.user of {event['item_id']}, deltas of {current}"
            if event["item_id"] in finals:
                yield f"second transcript.user of {event['item_id']}"
            finals.add(event["item_id"])
            current = None


def speech(events: list[Event]) -> Iterator[str]:
    """Speech starts and stops in turn: no start twice, no stop twice."""
    speaking = False
    for event in events:
        if event["type"] == "input.speech.started":
            if speaking:
                yield "input.speech.started twice"
            speaking = True
        elif event["type"] == "input.speech.stopped":
            if not speaking:
                yield "input.speech.stopped without a start"
            speaking = False


def identifiers(events: list[Event]) -> Iterator[str]:
    """No identifier is given twice: each reply, item and call has its own."""
    for kind, key in (
        ("reply.started", "reply_id"),
        ("reply.started", "item_id"),
        ("tool.call", "call_id"),
    ):
        given = [event[key] for event in events if event["type"] == kind]
        yield from (f"{kind} {one} twice" for one in set(given) if given.count(one) > 1)


RULES: dict[str, tuple[str, Rule]] = {
    "fields": ("§2.2", fields),
    "known types": ("§2.2", known_types),
    "timestamps": ("§2", timestamps),
    "replies": ("§4.12", replies),
    "nothing outside a reply": ("§4.12", nothing_outside_a_reply),
    "transcripts of replies": ("§4.12", transcripts_of_replies),
    "words": ("§2.2", words),
    "start-up": ("§4.2", start_up),
    "the end": ("§4.11", the_end),
    "user items": ("§4.12", user_items),
    "speech": ("§4.4", speech),
    "identifiers": ("§2", identifiers),
}


class Ledger:
    """What all sessions of a run broke, and which events were seen at all."""

    def __init__(self) -> None:
        self.broken: dict[str, list[str]] = {name: [] for name in RULES}
        self.seen: set[str] = set()
        self.sessions = 0

    def judge(self, events: list[Event], *, left: bool) -> None:
        """Holds one socket's events against every rule; ``left``: the client closed it."""
        self.sessions += 1
        self.seen |= {event["type"] for event in events}
        where = next((one["session_id"] for one in events if one.get("session_id")), "no session")
        for name, (_, rule) in RULES.items():
            if events:
                judged = [*events, LEFT] if left and rule is replies else events
                self.broken[name] += [f"{where}: {fault}" for fault in rule(judged)]
