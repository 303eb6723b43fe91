"""The time, the date, and how long until a day."""

from __future__ import annotations

import re
from datetime import date

from antiphon_providers.local.dialogue.conversation import Answer, Conversation
from antiphon_providers.local.dialogue.dates import (
    FEASTS,
    MONTHS,
    datable,
    find_date,
    spoken_date,
    spoken_time,
)
from antiphon_providers.local.dialogue.words import core

_POLITE = r"(?:can you |could you |please |and |so )*(?:tell me |do you know |say )?"
_TIME = re.compile(
    rf"{_POLITE}(?:what time is it|what is the time|what is the current time|what time it is"
    rf"|the (?:current )?time|what the time is"
    r"|have you got the time|do you have the time|current time)(?: now| right now| please"
    r"| there| today)*"
)
_DAY = re.compile(
    rf"{_POLITE}(?:what (?:day|date|weekday)(?: of the week)? (?:is|was|will) (?:it "
    rf"|be )?(?P<day>.*)|what is the (?:current )?(?:date|day)(?P<rest>.*)"
    r"|what is today(?: s)?(?: s date)?|what day it is|the date|the day|what is the date today"
    r"|today's date|what is today's date)"
)
_UNTIL = re.compile(
    rf"{_POLITE}how (?P<unit>many days|many weeks|long|far)(?: are there| is it| are left| away"
    rf"| do we have| to go| left)* ?(?:until|till|til|to|before|away is|away are"
    rf"|is) (?P<what>.+)"
)
_YEAR = re.compile(rf"{_POLITE}(?:what|which) year (?:is it|are we in|is this)(?: now)?")
_MONTH = re.compile(rf"{_POLITE}(?:what|which) month (?:is it|are we in|is this)(?: now)?")
_WHEN = re.compile(rf"{_POLITE}when is (?P<what>{'|'.join(FEASTS)})(?: this year)?")


def dated(conversation: Conversation) -> Answer | None:
    """Answers from the clock."""
    told, now = core(conversation.utterance or ""), conversation.now
    for pattern, said in (
        (_TIME, f"It's {spoken_time(now)}."),
        (_YEAR, f"It's {now.year}."),
        (_MONTH, f"It's {MONTHS[now.month - 1].title()}."),
    ):
        if pattern.fullmatch(told):
            return Answer(said)
    if found := _UNTIL.fullmatch(told):
        return _until(found["what"], found["unit"], now.date())
    if found := _DAY.fullmatch(told):
        return _day(found["day"] or found["rest"] or "", now.date())
    found = _WHEN.fullmatch(told)
    return _day(found["what"], now.date()) if found else None


def _day(which: str, today: date) -> Answer | None:
    named = re.sub(r"^(?:it|today|now|on|for)\b", "", which.strip()).strip()
    if not named or named in {"today", "now", "please", "right now"}:
        return Answer(f"Today is {spoken_date(today)}.")
    found = find_date(datable(named), today)
    if not found:
        return None
    name = named if named in FEASTS or named in {"tomorrow", "yesterday"} else "that"
    verb = "was" if found.value < today else "is"
    return Answer(f"{name[0].upper()}{name[1:]} {verb} {spoken_date(found.value)}.")


def _until(what: str, unit: str, today: date) -> Answer | None:
    found = find_date(datable(what), today)
    if not found:
        return None
    days = (found.value - today).days
    if days == 0:
        return Answer("That's today!")
    if unit == "many weeks":
        weeks, rest = divmod(days, 7)
        extra = f" and {_counted(rest, 'day')}" if rest else ""
        return Answer(f"{_counted(weeks, 'week')}{extra}.")
    verb = "It's" if days == 1 else "There are"
    return Answer(f"{verb} {_counted(days, 'day')} until {spoken_date(found.value)}.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
