"""Plans from seeds: what callers, networks and providers do, and how often."""

from __future__ import annotations

import random
from typing import get_args

from msgspec.structs import replace

from simulation import plan as p
from simulation.acts import Dice, one_of, script_of

FIRST_FRAMES = (
    '{"type":"input.audio","audio":"AAAA"}',
    '{"type":"reply.create"}',
    '{"type":"session.update","session":{"nothing":"known"}}',
    '{"type":"tool.result","call_id":"call_0","result":"bogus"}',
)
STT_FAULTS = (
    "unavailable after 3 times 1",
    "malformed after 6 times 1",
    "too_slow at open times 2",
    "stall after 5 times 1",
    "empty times 1",
    "refused after 9 times 1",
)
REPLY_FAULTS = (
    "unavailable times 1",
    "refused at open times 1",
    "malformed after 2 times 1",
    "too_slow after 1 times 2",
    "stall times 1",
    "stall after 2 times 1",
    "empty times 1",
)


def plan_of(seed: int) -> p.Plan:
    """The call of a seed."""
    dice = random.Random(f"plan {seed}")  # noqa: S311
    setting = _setting(dice)
    drops = _drops(dice)
    ending: p.Ending = one_of(dice, {"end": 80, "leave": 8, "expire": 6, "shutdown": 6})
    if ending == "expire":
        seconds = dice.randint(15, 60)
        setting = replace(setting, credential="token", session_seconds=seconds)
    return p.Plan(
        seed=seed,
        setting=setting,
        providers=_whole_turns(seed, _providers(dice)),
        script=script_of(dice, setting),
        drops=drops,
        troubles=_troubles(dice),
        recorder=one_of(dice, {"fast": 4, "steady": 4, "slow": 2, "failing": 1}),
        journal=dice.random() < 0.2,
        ending=ending,
        ends_after_s=round(dice.uniform(3, 50), 2),
        settles=dice.random() < 0.7,
    )


# --- how it is configured ------------------------------------------------------------------


def _setting(dice: Dice) -> p.Setting:
    tools = _tools(dice)
    text = dice.random() < 0.08
    return p.Setting(
        greeting=dice.random() < 0.6,
        input_text=text,
        output_text=dice.random() < (0.7 if text else 0.06),
        input_encoding=one_of(dice, {"audio/pcm": 5, "audio/pcmu": 1}),
        output_encoding=one_of(dice, {"audio/pcm": 2, "audio/pcmu": 3, "audio/pcma": 1}),
        mode=one_of(dice, {"balanced": 4, "min_latency": 2, "max_accuracy": 1}),
        turn_detection=_turn_detection(dice),
        tools=tools,
        bound=any(tool.kind == "http" for tool in tools) or dice.random() < 0.1,
        credential=one_of(dice, {"key": 3, "token": 1}),
        chunk_ms=one_of(dice, {100: 8, 40: 1, 200: 2}),
        streams=not text and dice.random() < 0.1,
        latency_s=one_of(dice, {0.0: 5, 0.03: 2, 0.15: 2, 0.4: 1}),
        first_frames=tuple(dice.sample(FIRST_FRAMES, dice.choice((0, 0, 0, 1, 2)))),
    )


def _tools(dice: Dice) -> tuple[p.ToolPlan, ...]:
    kinds: tuple[p.ToolKind, ...] = one_of(
        dice,
        {
            (): 4,
            ("interactive",): 3,
            ("interactive", "interactive"): 2,
            ("hold",): 1,
            ("interactive", "hold"): 1,
            ("interactive", "http"): 1,
            ("http",): 1,
        },
    )
    return tuple(
        p.ToolPlan(f"tool_{n}", kind, dice.choice((2.0, 5.0, 10.0)), dice.random() < 0.3)
        for n, kind in enumerate(kinds)
    )


def _turn_detection(dice: Dice) -> dict[str, object] | None:
    if dice.random() < 0.7:
        return None
    detection: dict[str, object] = {
        "min_silence": dice.choice((100, 300, 600)),
        "max_silence": dice.choice((800, 1500)),
    }
    if dice.random() < 0.3:
        detection["interrupt_response"] = False
    if dice.random() < 0.3:
        detection["uninterruptible_turns"] = ["greeting", "tool_refused_ask"]
    if dice.random() < 0.4:
        detection["interruption_delay"] = dice.choice((0, 250, 1000))
    return detection


def _providers(dice: Dice) -> p.Providers:
    return p.Providers(
        first_token_ms=one_of(dice, {0: 3, 50: 3, 200: 3, 700: 3, 8_000: 0.2}),
        per_token_ms=one_of(dice, {0: 10, 10: 10, 40: 10, 120: 6, 3_000: 0.7}),
        first_sound_ms=dice.choice((0, 80, 300)),
        ms_per_character=dice.choice((10, 20, 40)),
        word_times=dice.random() < 0.7,
        final_ms=one_of(dice, {0: 3, 80: 5, 300: 3, 900: 1, 3_500: 0.5}),
        judge_ms=dice.choice((0, 60, 60, 400, 900)),
        verdicts=dice.choice(((0.99,), (0.99, 0.7, 0.3), (0.1,))),
        calls_tools=dice.choice((0.3, 0.6)),
        talks_nonsense=dice.choice((0.0, 0.0, 0.0, 0.15)),
    )


def _whole_turns(seed: int, providers: p.Providers) -> p.Providers:
    # By dice of its own: all else of a seed's call is what it would be without.
    dice = random.Random(f"whole turns {seed}")  # noqa: S311
    factor = one_of(dice, {0.0: 2, 0.2: 2, 0.6: 1, 1.3: 0.3})
    if dice.random() > 0.25:
        return providers
    # How much was heard of a reply whose end is not known is an estimate by the pace of voices,
    # and these speak several times as fast as any.
    word_times = providers.word_times or factor > 0
    return replace(providers, whole_turns=True, real_time_factor=factor, word_times=word_times)


def _troubles(dice: Dice) -> tuple[p.Trouble, ...]:
    troubles = []
    if dice.random() < 0.08:
        # Counted from a stream's first result, and the recogniser has one stream.
        troubles.append(p.Trouble(0.0, "stt", dice.choice(STT_FAULTS)))
    stages: tuple[p.Stage, ...] = ("llm", "tts")
    for stage in stages:
        if dice.random() < 0.12:
            at = round(dice.uniform(0, 40), 2)
            troubles.append(p.Trouble(at, stage, dice.choice(REPLY_FAULTS)))
    if dice.random() < 0.05:
        troubles.append(p.Trouble(0.0, "turn", dice.choice(("unavailable times 3", "stall"))))
    if dice.random() < 0.01:
        troubles.append(p.Trouble(0.0, "vad", f"unavailable after {dice.randint(10, 300)}"))
    return tuple(troubles)


# --- what befalls it -----------------------------------------------------------------------


def _drops(dice: Dice) -> tuple[p.Drop, ...]:
    count = one_of(dice, {0: 5, 1: 3, 2: 2, 3: 1, 4: 1, 5: 1, 6: 1})
    return tuple(_drop(dice) for _ in range(count))


def _drop(dice: Dice) -> p.Drop:
    moments = ("reply", "utterance", *get_args(p.Moment))
    away = one_of(dice, {0.0: 3, 0.3: 3, 2.0: 3, 10.0: 2, 27.0: 1, 29.9: 0.3, 30.5: 0.3, 40.0: 0.3})
    return p.Drop(
        when=dice.choice(moments),
        after_s=round(dice.choice((0.0, 0.05, dice.uniform(0, 2))), 3),
        how=one_of(dice, {"reset": 3, "dark": 3, "close": 1, "in_frame": 1, "none": 1}),
        away_s=away,
        attempts=_attempts(dice),
    )


def _attempts(dice: Dice) -> tuple[p.Attempt, ...]:
    """Mostly one; a race of several, of which some are lost at once, and strangers."""
    return tuple(_attempt(dice) for _ in range(one_of(dice, {1: 6, 2: 2, 3: 1})))


def _attempt(dice: Dice) -> p.Attempt:
    credentials: dict[p.Credential, float] = {
        "key": 4,
        "token": 2,
        "resume_token": 4,
        "other_key": 0.5,
        "nonsense": 0.3,
    }
    return p.Attempt(
        after_s=dice.choice((0.0, 0.0, 0.001, 0.1, 1.0)),
        credential=one_of(dice, credentials),
        says_last_seq=dice.random() < 0.5,
        cut_after_s=dice.choice((0.0, 0.05, 0.5)) if dice.random() < 0.15 else None,
        latency_s=dice.choice((0.0, 0.1, 0.3)) if dice.random() < 0.2 else None,
    )
