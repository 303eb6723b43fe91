"""A call that broke a rule, for a person to read."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon_protocol import voice_agent as wire
from antiphon_server.call.records import Record
from simulation.call import Outcome
from simulation.plan import Act
from simulation.providers import Answer
from simulation.watch import Seen

LONGEST = 240
"""Characters of a line; the whole is in the frames themselves."""


def told(outcome: Outcome, last: int | None = 60) -> str:
    """The seed, the plan, what was broken, and the last events; all events for None."""
    plan = msgspec.json.format(msgspec.json.encode(outcome.plan), indent=1).decode()
    seen = outcome.seen if last is None else outcome.seen[-last:]
    return "\n".join(
        [
            f"seed {outcome.plan.seed}",
            plan,
            *(_line(one) for one in seen),
            f"seed {outcome.plan.seed}, {outcome.seconds:.1f} s:",
            *(f"  {broken}" for broken in outcome.broken or ["no rule is broken"]),
            f"again: scripts/simulate {outcome.plan.seed}",
        ]
    )


def _line(seen: Seen) -> str:
    return f"{seen.at:9.3f} {seen.who:<9} {_text(seen.what)}"[:LONGEST]


def _text(what: Any) -> str:
    match what:
        case wire.SessionReady() | wire.SessionUpdated():
            return str(type(what).__struct_config__.tag)
        case wire.ServerMessage() | Record():
            fields = msgspec.to_builtins(what)
            kind = fields.pop("type", None) or fields.pop("kind", None)
            fields.pop("timestamp", None)
            fields.pop("at", None)
            return f"{kind} {_fields(fields)}"
        case Answer():
            messages = [f"{m.role}: {m.content}" for m in what.prompt.messages[-4:]]
            uses = [use.call_id for use in what.uses]
            return f"{messages} -> {uses or what.words}"
        case Act():
            return repr(what)
    return str(what)


def _fields(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
