"""What must be true of a call once it is over."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from antiphon_server.call import journal, records
from antiphon_server.call.journal import Difference
from antiphon_server.store.timeline import timeline
from simulation.caller import Caller
from simulation.node import GREETING
from simulation.plan import Plan
from simulation.traced import of_trace
from simulation.watch import Watch
from simulation.words import numbered
from simulation.world import World

REASONS = {
    "end": {"client_ended"},
    "leave": {"client_left"},
    "expire": {"expired"},
    "shutdown": {"failed"},
}
TYPED = "m"
"""How the messages begin that nobody spoke."""
MOST_TTS = 100
"""Sentences that the scripted voice remembers."""


def of_call(world: World, caller: Caller) -> None:
    """Everything that was seen of a call, taken together."""
    if world.history.ended is None:
        world.watch.hold(False, "the end is on record", world.history.session_id)
        return
    _ending(world, caller)
    _lines(world)
    _turns(world, caller)
    _replies(world)
    _timeline(world, caller)
    _holds(world)
    _errors(world)
    _results(world, caller)
    _usage(world)
    of_trace(world)
    if world.plan.journal:
        _journal(world)


def _ending(world: World, caller: Caller) -> None:
    """How it ended, and that a client who was there got everything."""
    plan, history, hold = world.plan, world.history, world.watch.hold
    assert history.ended is not None
    world.watch.count(f"ended {history.ended.reason}")
    reasons = set(REASONS[plan.ending])
    if plan.drops or any(trouble.at_s >= 0 for trouble in plan.troubles):
        reasons |= {"client_left"} if plan.drops else set()
    if may_fail(plan):
        reasons.add("failed")
    if any(type(act).__name__ == "Stall" for act in plan.script):
        reasons.add("client_left")
    hold(history.ended.reason in reasons, "it ends as it should", history.ended, reasons)
    if caller.counts["session.ended"]:
        got = caller.world.delivery.last_seq
        hold(got == len(world.grammar.kept), "who sees the end has seen everything", got)
        untold = history.untold()
        holds = any(tool.kind == "hold" for tool in plan.setting.tools)
        hold(not untold["turns"] or holds, "every turn was told", untold)
        hold(not untold["calls"], "every call was told", untold)
        is_cut = not plan.settles or history.ended.reason != "client_ended"
        hold(len(untold["replies"]) <= is_cut, "every reply was told", untold)
        hold(is_cut or world.grammar.reply is None, "every reply is done", world.grammar.reply)


def may_fail(plan: Plan) -> bool:
    """Whether a provider fails in a way that a session does not survive."""
    return any(
        trouble.stage == "vad" or (trouble.stage == "stt" and "refused" in trouble.fault)
        for trouble in plan.troubles
    )


def _lines(world: World) -> None:
    """No word is on record twice, and all are in the order in which they were said."""
    spoken = [said.text for said in world.history.of(records.UserSaid) if said.spoken]
    said = [number for text in spoken for number in numbered(text)]
    if world.plan.cuts_words:
        # A word that is cut in two may be understood twice.
        in_order = said == sorted(said)
    else:
        in_order = all(one < other for one, other in pairwise(said))
    world.watch.hold(in_order, "no word is lost or doubled", spoken)


def _turns(world: World, caller: Caller) -> None:
    """Where nothing disturbed the call, all that was said is on record."""
    if world.plan.is_calm and not world.plan.setting.input_text:
        spoken = [said.text for said in world.history.of(records.UserSaid) if said.spoken]
        heard = {number for text in spoken for number in numbered(text)}
        missing = sorted(set(caller.mic.said) - heard)
        world.watch.hold(not missing, "every word that was said is on record", missing)


def _replies(world: World) -> None:
    """What was heard of a reply is the beginning of what was written."""
    written = {answer.words[0]: answer.words for answer in world.history.answers if answer.words}
    greeting = [word.strip(".") for word in GREETING.split()]
    written[greeting[0]] = greeting
    for said in world.history.of(records.AgentSaid):
        told = [word.strip(".") for word in said.text.split()]
        if told:
            whole = written.pop(told[0], [])
            same = whole[: len(told)] == told
            world.watch.hold(same, "what was heard was written", told, whole)
    started = set(world.grammar.replies)
    recorded = {said.reply_id for said in world.history.of(records.AgentSaid)}
    world.watch.hold(started <= recorded, "every reply is on record", started - recorded)


def _holds(world: World) -> None:
    """While a result is held for, nobody is answered but who asks for a reply."""
    kinds = {tool.name: tool.kind for tool in world.plan.setting.tools}
    history = world.history
    until = {returned.call_id: returned.at_ms for returned in history.of(records.ToolReturned)}
    held = [
        (call.at_ms, until.get(call.call_id, call.at_ms))
        for call in history.of(records.ToolCalled)
        if kinds[call.name] == "hold"
    ]
    for said in history.of(records.AgentSaid):
        if said.trigger != "reply_create":
            within = [span for span in held if span[0] < said.started_ms < span[1]]
            world.watch.hold(not within, "a hold is held", said, within)


def _errors(world: World) -> None:
    """Whatever is wrong is told once, where nothing disturbed the call."""
    history = world.history
    undisturbed = history.is_undisturbed and world.plan.settles and world.plan.ending == "end"
    if undisturbed and not may_fail(world.plan):
        counts = world.watch.counts
        told = {code: counts[f"error {code}"] for code in history.wrongs}
        world.watch.hold(told == history.wrongs, "each mistake is told once", told, history.wrongs)


def _timeline(world: World, caller: Caller) -> None:
    """The transcript that is made of the records is the client's, as far as that goes."""
    turns = timeline("", [entry.record for entry in world.history.entries]).turns
    kept = {
        "user": [turn.user_transcript or "" for turn in turns],
        "agent": [turn.agent_text or "" for turn in turns],
    }
    for who, lines in kept.items():
        told = [text for text in lines if text and not text.startswith(TYPED)]
        seen = [text for speaker, text in caller.lines if speaker == who]
        world.watch.hold(told[: len(seen)] == seen, "the timeline has every line", seen, told)


def _results(world: World, caller: Caller) -> None:
    """Every result that came in time reached the model, unless its reply was interrupted and
    another call of that reply was never answered, or the model had called too many in a row.
    """
    history = world.history
    if caller.rested_at is None or any(trouble.stage == "llm" for trouble in world.plan.troubles):
        return
    calls = {call.call_id: call.reply_id for call in history.of(records.ToolCalled)}
    abandoned = {
        calls.get(returned.call_id)
        for returned in history.of(records.ToolReturned)
        if returned.timed_out
    }
    for entry in history.entries:
        record = entry.record
        if not isinstance(record, records.ToolReturned) or record.timed_out:
            continue
        if record.call_id not in calls and not history.answers[-1].prompt.tools:
            continue
        if entry.at < caller.rested_at and calls.get(record.call_id) not in abandoned:
            known = any(answer.at >= entry.at for answer in history.answers)
            world.watch.hold(known, "every result reaches the model", record)


def _usage(world: World) -> None:
    """What is counted was used; all of it, where no reply was cut short."""
    used = world.history.of(records.Used)
    prompts = sum(use.prompt_tokens for use in used)
    completions = sum(use.completion_tokens for use in used)
    characters = sum(use.characters for use in used)
    spent = (*world.twins.mind.spent, sum(map(len, world.twins.tts.spoken)))
    counted = (prompts, completions, characters)
    said = world.history.of(records.AgentSaid)
    is_cut = bool(world.plan.drops) or any(one.status == "interrupted" for one in said)
    if len(world.twins.tts.spoken) < MOST_TTS and not world.plan.troubles:
        fits = all(one <= other for one, other in zip(counted, spent, strict=True))
        world.watch.hold(fits and (is_cut or counted == spent), "usage is true", counted, spent)


def _journal(world: World) -> None:
    """The journal replays without a difference."""
    replayed = journal.replay(journal.read(world.journal.lines))
    same = not isinstance(replayed, Difference) and replayed == len(world.journal.lines)
    world.watch.hold(same, "the journal replays", replayed)


def of_loop(watch: Watch, before: set[asyncio.Task[Any]]) -> None:
    """No task and no timer is left."""
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    watch.hold(not left, "no task is left", [task.get_name() for task in left])
    timers = vars(asyncio.get_running_loop())["_scheduled"]
    running = [timer for timer in timers if not timer.cancelled()]
    watch.hold(not running, "no timer is left", running)


def of_logs(plan: Plan, logs: list[Any]) -> list[str]:
    """Nothing was logged as a fault of ours."""
    expected = {"told before it was durable"} if plan.recorder in ("slow", "failing") else set()
    if may_fail(plan):
        expected |= {"session broke"}
    faults = [line for line in logs if line["log_level"] in ("error", "critical")]
    return [f"a fault is logged: {line}" for line in faults if line["event"] not in expected]
